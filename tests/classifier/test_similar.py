"""Near-duplicates of single articles: against the definition, written down plainly."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier.errors import UsageError
from classifier.similar import NearDuplicates, normalise_title, shingle_hashes
from training.duplicates import near_duplicates


def units(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    if len(words) < 5:
        return {("short", *words)} if words else set()
    return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}


def near(headlines: list[str], texts: list[str], a: int, b: int) -> bool:
    title = normalise_title(headlines[a])
    if a == b or (title and title == normalise_title(headlines[b])):
        return True
    one, other = units(texts[a]), units(texts[b])
    return bool(one) and len(one & other) / len(one | other) >= 0.7


WORDS = (
    st.lists(st.sampled_from("abcdefgh"), max_size=14) | st.lists(st.sampled_from("ab"), max_size=14)
).map(" ".join)
TITLES = st.sampled_from(["", " ", "…", "Vote", "vote ", "Bank", "“Bank”", '"bank"'])


@given(st.lists(st.tuples(TITLES, WORDS | st.sampled_from(["", "…", "?"])), min_size=1, max_size=10))
@example([("", "")])
@example([("", "a b a b a"), ("", "a b a b a b a b a a")])  # two shingles of three, many times
@example([("", "a b c d e f g h a b c d"), ("", "a b c d e f g h a")])
@settings(max_examples=300)
def test_they_are_those_of_the_definition(rows: list[tuple[str, str]]) -> None:
    headlines, texts = map(list, zip(*rows, strict=True))
    index = NearDuplicates(headlines, texts)
    for a in range(len(rows)):
        expected = {b for b in range(len(rows)) if near(headlines, texts, a, b)}
        assert index.of(a) == expected


@pytest.mark.parametrize("seed", range(3))
def test_edited_copies_of_long_texts(seed: int) -> None:
    random = np.random.default_rng(seed)
    texts: list[str] = []
    for _ in range(150):
        if texts and random.random() < 0.7:
            words = texts[random.integers(len(texts))].split()
            for _ in range(random.integers(6)):
                words[random.integers(len(words))] = f"x{random.integers(10**6)}"
        else:
            words = [f"w{random.integers(300)}" for _ in range(random.integers(5, 80))]
        texts.append(" ".join(words))
    headlines = [""] * len(texts)
    index = NearDuplicates(headlines, texts)
    found = [index.of(a) for a in range(len(texts))]
    assert found == [{b for b in range(150) if near(headlines, texts, a, b)} for a in range(150)]
    assert any(len(own) > 1 for own in found)
    # Clusters of a corpus are the connected components of these pairs.
    clusters = near_duplicates(texts)
    assert all(clusters[a] == clusters[b] for a, own in enumerate(found) for b in own)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Assembly  votes ", "ASSEMBLY\nvotes", True),
        ("The “budget”", 'The "budget"', True),
        ("２０３１年", "2031年", True),
        ("Weißer Rauch", "WEISSER RAUCH", True),
        ("Assembly votes", "Assembly votes!", False),
    ],
)
def test_titles_are_compared_once_normalised(one: str, other: str, same: bool) -> None:
    assert (normalise_title(one) == normalise_title(other)) == same
    assert (NearDuplicates([one, other], ["first text", "second text"]).of(0) == {0, 1}) == same


def test_no_articles_and_no_words() -> None:
    NearDuplicates([], [])
    assert NearDuplicates(["", ""], ["", ""]).of(0) == {0}
    hashes, lengths = shingle_hashes([])
    assert (len(hashes), len(lengths)) == (0, 0)


def test_a_text_that_is_none_is_named() -> None:
    with pytest.raises(UsageError, match="text 1 is a NoneType"):
        shingle_hashes(["a", None])  # type: ignore[list-item]
