"""The tiny model, loaded; a copy of its version folder to damage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import classifier
from classifier.articles import Article
from classifier.artifact import MANIFEST, encode_manifest
from classifier.model import Model


@pytest.fixture(scope="session")
def tiny(tiny_model_path: Path) -> Model:
    return classifier.load(tiny_model_path)


@pytest.fixture
def store_path(tiny_model_path: Path, tmp_path: Path) -> Path:
    """A model folder of one's own, with one version that is current."""
    return Path(shutil.copytree(tiny_model_path, tmp_path / "tiny"))


@pytest.fixture
def version_path(store_path: Path) -> Path:
    return next(path for path in store_path.iterdir() if path.is_dir())


@pytest.fixture(scope="session")
def forge() -> Callable[[Path, Callable[[dict[str, Any]], None]], None]:
    """Change a manifest and sign it anew, as someone who knows the format could."""

    def change(version: Path, edit: Callable[[dict[str, Any]], None]) -> None:
        data = json.loads((version / MANIFEST).read_bytes())
        del data["digest"]
        edit(data)
        (version / MANIFEST).write_bytes(encode_manifest(data))

    return change


@pytest.fixture(scope="session")
def articles() -> list[Article]:
    """Articles of every shape: no headline, no body, no time, foreign scripts, unknown words."""
    rows: list[dict[str, Any]] = [
        {"headline": "Minister and vote in case 3", "body": "The assembly met the coalition on item 5."},
        {
            "headline": "Bank and shares",
            "source": "Tiny Gazette",
            "published_at": "2031-05-02T06:15:00+09:00",
        },
        {"body": "Exports, exports and exports again with a storm warning for every school."},
        {"summary": "İzmir’de senato; ΣΊΣΥΦΟΣ 日本の市場 ﬁnance", "source": "another"},
        {"headline": "zzz qqq xxx"},
        {"headline": "  mayor  ", "summary": "vote\n\nballot", "body": "senate\tprices", "desk": "city"},
    ]
    return [Article.from_mapping({"id": str(i), **row}) for i, row in enumerate(rows)]
