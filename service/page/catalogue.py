"""The words of the page, by language: texts/<language>.json, one object of keys and texts.

A text may hold {placeholders}; one that depends on a number is an object of texts by plural category (Unicode CLDR's: one,
other, …), which only the page's script chooses from. Another language is another file with the same keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

DEFAULT = "en"
Texts = Mapping[str, Any]


@cache
def languages() -> tuple[str, ...]:
    """The languages there are (BCP 47), the default first."""
    names = [item.name for item in files("service.page").joinpath("texts").iterdir()]
    found = {name.removesuffix(".json") for name in names if name.endswith(".json")}
    return DEFAULT, *sorted(found - {DEFAULT})


@cache
def texts(language: str) -> Texts:
    """Every text by its key; in the default language where a file lacks one."""
    own = _read(language)
    return own if language == DEFAULT else {**_read(DEFAULT), **own}


def text(language: str, key: str, **values: object) -> str:
    """One text with its placeholders filled.

    Raises:
        KeyError: there is no such text, or a placeholder is not given.
    """
    found = texts(language)[key]
    return str(found).format(**values) if values else str(found)


def _read(language: str) -> dict[str, Any]:
    data = files("service.page").joinpath("texts", f"{language}.json").read_text("utf-8")
    return dict(json.loads(data))
