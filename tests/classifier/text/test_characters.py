"""Every code point becomes what Python and scikit-learn make of it, in the tables and in the kernel that reads them."""

from __future__ import annotations

import copy
import pickle
import re
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import TextBlock, Weighting
from classifier.text.characters import Characters, characters
from classifier.text.strings import Texts
from classifier.text.vocabulary import Terms, Vocabulary
from training.counting import TermCounter

EVERY = list(map(chr, range(0x110000)))
IS_WORD = np.array([one.isalnum() or one == "_" for one in EVERY])
IS_SPACE = np.array([one.isspace() for one in EVERY])
OPTIONS = [(lowercase, strip) for lowercase in (True, False) for strip in (None, "ascii", "unicode")]
# The bits of cells, as in kernel.h.
CODE, MANY, WORD, SPACE = 0x1FFFFF, 1 << 21, 1 << 22, 1 << 23


def codes_of(text: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def becomes(tables: Characters) -> np.ndarray[Any, Any]:
    """What every code point but NUL becomes, one behind the other, each code point with its bits, NULs between."""
    cells = tables.cells.reshape(-1, 256)[tables.pages].ravel()[1:]
    many = (cells & MANY) != 0
    places = np.where(many, cells & CODE, 0)
    lengths = np.where(many, tables.sequences[places], 1)
    flat = np.zeros(lengths.sum() + len(lengths), np.uint32)
    starts = np.cumsum(lengths + 1) - lengths - 1
    flat[starts[~many]] = (cells & ~np.uint32(CODE) | tables.single()[1:])[~many]
    for i in range(1, lengths[many].max(initial=0) + 1):
        own = many & (lengths >= i)
        flat[starts[own] + i - 1] = tables.sequences[places[own] + i]
    return flat[:-1]


@pytest.mark.parametrize(("lowercase", "strip"), OPTIONS)
def test_every_code_point_becomes_what_scikit_learn_makes_of_it(lowercase: bool, strip: Any) -> None:
    prepare = TfidfVectorizer(lowercase=lowercase, strip_accents=strip).build_preprocessor()
    wanted = codes_of(prepare("\0".join(EVERY[1:])))  # each for itself: NUL takes no part in anything
    found = becomes(characters(lowercase, strip))
    np.testing.assert_array_equal(found & CODE, wanted)
    np.testing.assert_array_equal((found & WORD) != 0, IS_WORD[wanted])
    np.testing.assert_array_equal((found & SPACE) != 0, IS_SPACE[wanted])


def pages(before: str, after: str) -> list[str]:
    """Texts with every code point between two strings, 256 in each."""
    between = f"{after}{before}"
    return [f"{before}{between.join(EVERY[start : start + 256])}{after}" for start in range(0, 0x110000, 256)]


@pytest.mark.parametrize(("before", "after"), [(" A", "Σ "), (" AΣ", "b "), (" ", "Σ'"), ("AΣ", " ")])
def test_every_code_point_beside_a_capital_sigma(before: str, after: str) -> None:
    texts = pages(before, after)
    vocabulary = Vocabulary.of(Analyzer("char"), Terms.of(["σ", "ς"]))
    block = TextBlock("body", vocabulary, Weighting(norm=None), 1.0, np.ones(2))
    found = np.zeros((len(texts), 2))
    block.transform_texts(Texts.of(texts)).add_product(np.eye(2), found)
    lowered = [text.lower() for text in texts]
    assert found.tolist() == [[text.count("σ"), text.count("ς")] for text in lowered]


def test_every_code_point_within_and_between_words() -> None:
    texts = pages("ab", " ")
    with TermCounter(Analyzer()) as counter:
        counter.add(Texts.of(texts))
        terms, table = counter.finish()
    words = [re.findall(r"\b\w\w+\b", text.lower()) for text in texts]
    assert table.sum(axis=1).ravel().tolist() == [[len(own) for own in words]]
    assert list(terms) == sorted(set(chain.from_iterable(words)))


@given(st.text(st.sampled_from("ΣΑaσς '’.\u0301\u0345ʰ1-\nİ\U000e0041\U0001d400"), max_size=12))
@example("ΑΣ’Σ")
@example("Σ")
def test_capital_sigmas_are_final_where_python_says_so(text: str) -> None:
    with TermCounter(Analyzer("char_wb", (40, 40))) as counter:  # whole words
        counter.add(Texts.of([text]))
        terms, _ = counter.finish()
    assert list(terms) == sorted({f" {word} " for word in text.lower().split()})


@pytest.mark.parametrize(("lowercase", "strip"), OPTIONS)
def test_tables_come_back(lowercase: bool, strip: Any) -> None:
    tables = characters(lowercase, strip)
    assert sum(array.nbytes for array in tables.arrays().values()) < 500_000
    copies = [Characters.load(Arrays(tables.arrays()), lowercase), copy.deepcopy(tables)]
    copies.append(pickle.loads(pickle.dumps(tables)))  # noqa: S301
    for made in copies:
        assert made.lowercase is lowercase
        assert all((made.arrays()[name] == array).all() for name, array in tables.arrays().items())
        assert made.struct.pages == made.pages.ctypes.data


def damaged(name: str, change: Any) -> dict[str, Any]:
    arrays = {key: array.copy() for key, array in characters(True, None).arrays().items()}
    arrays[name] = change(arrays[name])
    return arrays


def put(place: Any, value: int) -> Any:
    def change(array: Any) -> Any:
        array[place] = value
        return array

    return change


LAST = len(characters(True, None).cells) - 1


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("pages", put(7, 9999), "a page that is not there"),
        ("pages", lambda array: array[:-1], "expected uint16"),
        ("pages", lambda array: array.astype(np.int32), "holds int32"),
        ("cells", lambda array: array[:-1], "a page that is not there"),
        ("cells", lambda array: array[:0], "a page that is not there"),
        ("cells", put(LAST, MANY | 4), "a sequence that is not there"),
        ("cells", put(LAST, MANY | CODE), "a sequence that is not there"),
        ("cells", put(65, 0x10FFFF), "a code point that is not there"),
        ("sequences", put(0, 4), "a sequence that is not there"),
        ("sequences", put(0, 2**32 - 1), "a sequence that is not there"),
        ("sequences", put(1, WORD | 0x110000), "a code point that is not there"),
        ("sequences", lambda array: array[:0], "a sequence that is not there"),
    ],
)
def test_tables_that_lead_nowhere(name: str, change: Any, says: str) -> None:
    with pytest.raises(ArtifactDamaged, match=says) as caught:
        Characters.load(Arrays(damaged(name, change), "here/characters."), True)
    assert str(caught.value.where).startswith("here/characters.")
