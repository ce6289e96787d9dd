from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from classifier import Model, load
from classifier.articles import Article
from classifier.unknown import count_words


@pytest.fixture(scope="module")
def model(tiny_model_path: Path) -> Model:
    return load(tiny_model_path)


def test_words_are_known_or_not(model: Model) -> None:
    assert count_words(model, Article(headline="Senate minister", body="quuxelby, zzyx a")) == (4, 2)
    assert count_words(model, Article(headline="Quuxelby!", summary="…")) == (1, 1)
    assert count_words(model, Article(headline="?")) == (0, 0)


def test_without_a_text_block_nothing_is_counted(model: Model) -> None:
    assert count_words(replace(model, sections=None, popularity=None), Article(headline="Senate")) == (0, 0)
