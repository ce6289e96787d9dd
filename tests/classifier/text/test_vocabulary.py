"""Every term is found, no stranger is, and no search is long, whatever the terms and their hashes."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier.errors import ArtifactDamaged, UsageError
from classifier.spec import Arrays
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import TextBlock, Weighting
from classifier.text.native import BUCKET, PAD
from classifier.text.strings import Texts
from classifier.text.vocabulary import MOST_REACH, Terms, Vocabulary, hash_terms

SEEDS = st.integers(0, 2**64 - 1)
STRINGS = st.text(
    st.one_of(st.characters(exclude_categories=()), st.sampled_from("ab \0\ud800")), max_size=12
)
GRAMS = st.lists(st.text(st.sampled_from("ab\0é日"), min_size=1, max_size=20), unique=True, max_size=40)


def found_in(vocabulary: Vocabulary, texts: list[str]) -> list[list[int]]:
    """The terms that each text has."""
    block = TextBlock("body", vocabulary, Weighting(norm=None), 1.0, np.ones(len(vocabulary)))
    rows = block.transform_texts(Texts.of(texts))
    return [rows.row(number)[0].tolist() for number in range(len(rows))]


@given(st.lists(STRINGS, max_size=20))
def test_terms_are_the_strings_they_were_made_of(strings: list[str]) -> None:
    terms = Terms.of(strings)
    assert list(terms) == strings
    assert [terms[number] for number in range(len(terms))] == strings


@given(GRAMS, GRAMS, SEEDS)
def test_terms_are_found_and_strangers_are_not(terms: list[str], others: list[str], seed: int) -> None:
    # White space within a text would end a word: here each text is one n-gram, 64 characters wide.
    analyzer = Analyzer("char", (1, 64), lowercase=False, seed=seed)
    vocabulary = Vocabulary.of(analyzer, Terms.of(terms))
    for text, own in zip([*terms, *others], found_in(vocabulary, [*terms, *others]), strict=True):
        wanted = {text[i:j] for i in range(len(text)) for j in range(i + 1, len(text) + 1)}
        assert {terms[number] for number in own} == wanted & set(terms)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 16, 17, 60_000])
def test_tables_of_any_size(count: int) -> None:
    terms = [f"w{number:x}" for number in range(100, 100 + count)]
    vocabulary = Vocabulary.of(Analyzer(seed=count), Terms.of(terms))
    strangers = [f"x{number:x}" for number in range(100, 100 + max(count, 1000))]
    assert found_in(vocabulary, terms) == [[number] for number in range(count)]
    assert found_in(vocabulary, strangers) == [[]] * len(strangers)
    assert len(vocabulary) == count
    assert vocabulary.reach <= MOST_REACH


@pytest.mark.parametrize("repeated", [1, 2, 20, 400])
def test_terms_of_a_text_are_told_apart(repeated: int) -> None:
    # However few terms a text has of however many there are: they are counted in a table of its own.
    for count in [*range(1, 70), 127, 128, 129, 5000]:
        terms = [f"w{number}" for number in range(count)]
        last, some = count - 1, [*range(0, count, 7)]
        block = TextBlock(
            "body", Vocabulary.of(Analyzer(), Terms.of(terms)), Weighting(norm=None), 1.0, np.ones(count)
        )
        texts = [
            " ".join([terms[last]] * repeated),
            " ".join([terms[i] for i in some] * repeated + [terms[last]]),
        ]
        rows = block.transform_texts(Texts.of(texts))
        assert [array.tolist() for array in rows.row(0)] == [[last], [repeated]]
        wanted = {**dict.fromkeys(some, repeated), last: repeated * (last in some) + 1}
        assert dict(zip(*[array.tolist() for array in rows.row(1)], strict=True)) == wanted


def test_terms_of_several_words() -> None:
    terms = ["of the", "the", "the the the", "a of", " the", "of  the", "x", ""]
    vocabulary = Vocabulary.of(Analyzer("word", (1, 3)), Terms.of(terms))
    assert found_in(vocabulary, ["of the the, the"]) == [[0, 1, 2]]  # no other has words as texts have them
    assert found_in(Vocabulary.of(Analyzer("word", (2, 2)), Terms.of(terms)), ["of the the, the"]) == [[0]]


def search(vocabulary: Vocabulary, hash_: int) -> tuple[int | None, int]:
    """The term that has a hash, and how many buckets were looked at."""
    table = vocabulary.slots.reshape(-1, BUCKET)
    bits = len(vocabulary).bit_length()
    for away in range(vocabulary.reach + 1):
        for slot in table[(hash_ + away) % len(table)].tolist():
            if not slot:
                return None, away + 1
            if slot >> bits == hash_ >> bits:
                return (slot & ((1 << bits) - 1)) - 1, away + 1
    return None, vocabulary.reach + 1


CRAFTED = st.one_of(
    st.builds(lambda high, low: high << 32 | low, st.integers(0, 200), st.integers(0, 3)),
    st.integers(0, 200),
    st.integers(0, 200).map(lambda high: high << 12),
    st.integers(0, 2**64 - 1),
)


@given(st.lists(CRAFTED, unique=True, min_size=1, max_size=300), st.lists(CRAFTED, max_size=20))
@example([number << 12 for number in range(200)], [])
@example([number << 32 | 1 for number in range(60)], [])
@example([number << 32 | 1 for number in range(1, 200)], [])
@settings(max_examples=60)
def test_no_search_is_long_with_crafted_hashes(hashes: list[int], others: list[int]) -> None:
    bits = len(hashes).bit_length()
    # Those that differ only where a slot holds the number of its term cannot be told apart.
    hashes = list({hash_ >> bits: hash_ for hash_ in hashes}.values())
    terms = Terms.of([str(number) for number in range(len(hashes))])
    try:
        vocabulary = Vocabulary.of(Analyzer(), terms, np.array(hashes, np.uint64))
    except UsageError:
        alike = np.unique(np.array(hashes, np.uint64) % 2**16 // 16, return_counts=True)[1].max()
        assert alike > MOST_REACH * BUCKET // 2  # and a table of 65,536 buckets does not part them
        return
    assert vocabulary.reach <= MOST_REACH
    for number, hash_ in enumerate(hashes):
        assert search(vocabulary, hash_)[0] == number
    for hash_ in others:
        found, buckets = search(vocabulary, hash_)
        assert buckets <= MOST_REACH + 1
        assert found is None or hash_ >> len(terms).bit_length() == hashes[found] >> len(terms).bit_length()


def test_hashes_too_alike() -> None:
    terms = Terms.of([str(number) for number in range(100)])
    hashes = np.arange(100, dtype=np.uint64) << np.uint64(40)
    with pytest.raises(UsageError, match="the hashes of 100 terms are too alike for a table"):
        Vocabulary.of(Analyzer(), terms, hashes)


@given(st.lists(STRINGS, unique=True, min_size=1, max_size=20), SEEDS, st.data())
def test_a_term_that_stands_there_twice(terms: list[str], seed: int, data: st.DataObject) -> None:
    twice = data.draw(st.sampled_from(terms))
    with pytest.raises(UsageError) as caught:
        Vocabulary.of(Analyzer(seed=seed), Terms.of([*terms, twice]))
    assert str(caught.value) == f'the term "{twice}" stands twice in the vocabulary; give each term once'


@given(st.lists(STRINGS, unique=True, max_size=30), SEEDS)
def test_a_vocabulary_comes_back(terms: list[str], seed: int) -> None:
    analyzer = Analyzer("char", (1, 2), seed=seed)
    vocabulary = Vocabulary.of(analyzer, Terms.of(terms))
    copies = [Vocabulary.load(analyzer, vocabulary.reach, Arrays(vocabulary.arrays()))]
    copies += [copy.deepcopy(vocabulary), pickle.loads(pickle.dumps(vocabulary))]  # noqa: S301
    for made in copies:
        assert list(made.terms) == terms
        assert (made.slots == vocabulary.slots).all()
        assert found_in(made, ["ab"]) == found_in(vocabulary, ["ab"])


@given(st.lists(STRINGS, max_size=10))
def test_terms_are_strings_end_to_end(strings: list[str]) -> None:
    terms = Terms.of(strings)
    assert list(terms) == strings == [terms[number] for number in range(len(terms))]
    assert not terms.data[terms.offsets[-1] :].any()
    assert len(terms.data) - terms.offsets[-1] >= PAD
    again = Terms.load(Arrays(terms.arrays("terms")), "terms")
    assert list(again) == strings
    unpadded = {**terms.arrays("terms"), "terms.bytes": terms.data[: terms.offsets[-1]]}  # formats before 4
    assert list(Terms.load(Arrays(unpadded), "terms")) == strings
    numbers = np.arange(len(terms))[::-1]
    assert list(terms.take(numbers)) == strings[::-1]


def test_hashes_depend_on_key_cut_and_length() -> None:
    terms = Terms.of(["a", "a\0", "a a", "aa", "", "x" * 16, "x" * 17, "x" * 32, "x" * 33])
    made = [hash_terms(Analyzer(kind, seed=seed), terms) for kind in ("word", "char") for seed in (0, 1)]
    assert len(np.unique(made)) == 4 * len(terms) - 2 * (
        len(terms) - 1
    )  # words and characters hash single words alike
    assert (made[0] == made[2]).sum() == len(terms) - 1


@pytest.mark.parametrize(
    ("reach", "change", "says"),
    [
        (0, lambda slots: slots[:-1], "is no table of terms"),
        (0, lambda slots: slots[:8], "is no table of terms"),
        (0, lambda slots: np.concatenate([slots, slots[:8]]), "is no table of terms"),
        (-1, lambda slots: slots, "is no table of terms"),
        (MOST_REACH + 1, lambda slots: slots, "is no table of terms"),
        (0, lambda slots: slots | np.uint64(3), "leads to a term that is not there"),
        (0, lambda slots: slots.astype(np.int64), "holds int64"),
    ],
)
def test_tables_that_lead_nowhere(reach: int, change: Any, says: str) -> None:
    vocabulary = Vocabulary.of(Analyzer(), Terms.of(["aa", "bb"]))
    arrays = {**vocabulary.arrays(), "slots": change(vocabulary.slots)}
    with pytest.raises(ArtifactDamaged, match=says) as caught:
        Vocabulary.load(vocabulary.analyzer, reach, Arrays(arrays, "here/0."))
    assert caught.value.where == "here/0.slots.npy"
