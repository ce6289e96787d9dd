"""Label names that look alike."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SimilarNames:
    """Label names that differ only by case, spaces or Unicode form, the most frequent first, their counts, and a remedy."""

    names: tuple[str, ...]
    counts: tuple[int, ...]
    remedy: str


def similar_names(counts: Mapping[str, int]) -> list[SimilarNames]:
    """Groups of label names that differ only by case, spaces or Unicode form (full width, invisible marks, …).

    The group with the most articles comes first; `counts` are articles by name.
    """
    groups: dict[str, list[str]] = {}
    for name in counts:
        groups.setdefault(_key(name), []).append(name)
    found = []
    for names in groups.values():
        if len(names) > 1:
            names.sort(key=lambda name: (-counts[name], name))
            listed = ", ".join(f"{json.dumps(name, ensure_ascii=False)} ({counts[name]})" for name in names)
            remedy = (
                f"{listed} differ only by case, spaces or Unicode form; if they are one section, write "
                f"{json.dumps(names[0].strip(), ensure_ascii=False)} for all of them in the data"
            )
            found.append(SimilarNames(tuple(names), tuple(counts[name] for name in names), remedy))
    return sorted(found, key=lambda group: (-sum(group.counts), group.names))


def _key(name: str) -> str:
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")
