"""Tokens and n-grams, exactly as scikit-learn's TfidfVectorizer makes them, with the places they come from.

>>> Analyzer("word", (1, 2)).features("The Assembly votes")
['the', 'assembly', 'votes', 'the assembly', 'assembly votes']
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

AnalyzerName = Literal["word", "char", "char_wb"]
ANALYZERS: tuple[AnalyzerName, ...] = ("word", "char", "char_wb")

_TOKEN = re.compile(r"\b\w\w+\b")
_SPACES = re.compile(r"\s\s+")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Analyzer:
    """What a text is cut into.

    `kind` is scikit-learn's `analyzer`, `ngrams` its `ngram_range`, with its default token pattern. All text is lowercased.
    """

    kind: AnalyzerName = "word"
    ngrams: tuple[int, int] = (1, 1)

    def features(self, text: str) -> list[str]:
        """Every n-gram of `text` with repetitions; words in scikit-learn's order (by n, then by place)."""
        text = text.lower()
        if self.kind == "word":
            return self._word_ngrams(_TOKEN.findall(text))
        if self.kind == "char":
            text = _SPACES.sub(" ", text)
        return [text[start:end] for text, start, end in self._char_windows(text)]

    def spans(self, text: str) -> Iterator[tuple[str, Span]]:
        """Every n-gram with the code points [start, end) of `text` that it stands for."""
        lowered, places = _lower_with_places(text)
        if self.kind == "word":
            tokens = [(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(lowered)]
            low, high = self.ngrams
            for n in range(low, high + 1):
                for i in range(len(tokens) - n + 1):
                    window = tokens[i : i + n]
                    yield (
                        " ".join([token for token, _, _ in window]),
                        _original(places, window[0][1], window[-1][2]),
                    )
            return
        yield from self._char_spans(lowered, places)

    def _word_ngrams(self, tokens: list[str]) -> list[str]:
        low, high = self.ngrams
        if (low, high) == (1, 1):
            return tokens
        found: list[str] = []
        for n in range(low, high + 1):
            found.extend(" ".join(tokens[i : i + n]) for i in range(len(tokens) - n + 1))
        return found

    def _char_windows(self, text: str) -> Iterator[tuple[str, int, int]]:
        """(string, start, end) of each character n-gram of an already lowercased text."""
        low, high = self.ngrams
        if self.kind == "char":
            for n in range(low, high + 1):
                for start in range(len(text) - n + 1):
                    yield text, start, start + n
            return
        for word in text.split():
            padded = f" {word} "
            for n in range(low, high + 1):
                # A word shorter than n counts once, as a whole, and not again for greater n.
                for start in range(max(len(padded) - n, 0) + 1):
                    yield padded, start, min(start + n, len(padded))
                if len(padded) <= n:
                    break

    def _char_spans(self, text: str, places: list[int] | None) -> Iterator[tuple[str, Span]]:
        low, high = self.ngrams
        if self.kind == "char":
            # Runs of white space count as one space; keep where each remaining character came from.
            kept: list[int] = []
            pieces: list[str] = []
            at = 0
            for run in _SPACES.finditer(text):
                pieces.append(text[at : run.start()] + " ")
                kept.extend(range(at, run.start() + 1))
                at = run.end()
            pieces.append(text[at:])
            kept.extend(range(at, len(text)))
            squeezed = "".join(pieces)
            for n in range(low, high + 1):
                for i in range(len(squeezed) - n + 1):
                    yield squeezed[i : i + n], _original(places, kept[i], kept[i + n - 1] + 1)
            return
        for match in re.finditer(r"\S+", text):
            for padded, start, end in self._char_windows(match.group()):
                first = match.start() + max(start - 1, 0)
                last = match.start() + min(end - 1, len(padded) - 2)
                yield padded[start:end], _original(places, first, last)


def _lower_with_places(text: str) -> tuple[str, list[int] | None]:
    """`text` lowercased and, only where that changes its length, the original index of every character (and of the end)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered, None
    # Lengths by character are right although str.lower looks at context: only which sigma is written depends on it.
    lengths = [len(character.lower()) for character in text]
    places: list[int] = []
    for index, length in enumerate(lengths):
        places.extend([index] * length)
    places.append(len(text))
    return lowered, places


def _original(places: list[int] | None, start: int, end: int) -> Span:
    if places is None:
        return start, end
    return places[start], places[end - 1] + 1 if end > start else places[start]


def field_spans(parts: list[tuple[str, str]], start: int, end: int) -> list[tuple[str, int, int]]:
    """Where [start, end) of the joined non-empty `parts` (field, text) lies, field by field."""
    kept = [(name, text) for name, text in parts if text]
    starts = accumulate((len(text) + 1 for _, text in kept), initial=0)
    found = []
    for (name, text), offset in zip(kept, starts, strict=False):
        low, high = max(start - offset, 0), min(end - offset, len(text))
        if low < high:
            found.append((name, low, high))
    return found
