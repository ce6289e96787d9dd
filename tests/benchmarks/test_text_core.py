"""The benchmark of the text core: what it compares is the same, what it measures is what it says, and it runs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

Speed = Callable[[str], ModuleType]
needs_linux = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity is Linux's")
WORDS = st.lists(st.text("abcdeé가", min_size=1, max_size=6), min_size=1, max_size=30)
TEXTS = st.lists(WORDS.map(" ".join), min_size=1, max_size=8)
TRAIN = [
    "The minister spoke before the vote",
    "The minister lost the vote",
    "A goal in the last minute of the match",
    "The match ended without a goal",
    "Shares fell before the vote",
    "Shares rose, and the market with them",
]
LABELS = ["Politics", "Politics", "Sport", "Sport", "Economy", "Economy"]
TEST = ["The vote in the last minute", "Goal! The market fell", "nothing known", "", "The match\nended"]


@given(texts=TEXTS, count=st.integers(1, 20), seed=st.integers(0, 2**32 - 1))
def test_made_articles_are_pieces_of_real_ones(speed: Speed, texts: list[str], count: int, seed: int) -> None:
    module = speed("speed.texts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BATCH", 7)
        made, again = (
            [text for batch in module.recombined(texts, count, seed) for text in batch.to_pylist()]
            for _ in range(2)
        )
    assert made == again
    assert len(made) == count
    words = [word for text in texts for word in text.split()]
    pieces = {tuple(words[(at + i) % len(words)] for i in range(module.PIECE)) for at in range(len(words))}
    lengths = {-(-len(text.split()) // module.PIECE) for text in texts}
    for article in made:
        own = article.split()
        cut = [tuple(own[at : at + module.PIECE]) for at in range(0, len(own), module.PIECE)]
        assert set(cut) <= pieces
        assert len(cut) in lengths


@given(texts=TEXTS, count=st.integers(1, 5), words=st.integers(1, 40))
def test_long_articles_have_exactly_so_many_words(
    speed: Speed, texts: list[str], count: int, words: int
) -> None:
    found = speed("speed.texts").long_articles(texts, words, count)
    assert [len(text.split()) for text in found] == [words] * count


@given(texts=TEXTS, size=st.integers(0, 2000))
def test_repeated_texts_are_whole_copies_of_about_the_size(speed: Speed, texts: list[str], size: int) -> None:
    module = speed("speed.texts")
    found = module.repeated(texts, size)
    copies = len(found) // len(texts)
    assert found == texts * copies
    once = module.size_of(texts)
    assert copies == 1 or abs(module.size_of(found) - size) <= once / 2


def test_a_column_is_read_as_it_was_written_or_its_beginning(speed: Speed, tmp_path: Path) -> None:
    module = speed("speed.texts")
    module.write_column(tmp_path / "column", [pa.array(["a", "b"]), pa.array(["c", "", "é"])])
    read = [
        [
            text
            for batch in module.read_column(tmp_path / "column", count)
            for text in batch.column(0).to_pylist()
        ]
        for count in (None, 0, 1, 3, 9)
    ]
    everything = ["a", "b", "c", "", "é"]
    assert read == [everything, [], ["a"], ["a", "b", "c"], everything]
    assert module.read_strings(tmp_path / "column") == everything


@given(
    ratio=st.floats(0.01, 100),
    floor=st.floats(0.01, 100),
    more=st.none() | st.floats(0.01, 10),
)
def test_the_verdict_says_what_was_reached(
    speed: Speed, ratio: float, floor: float, more: float | None
) -> None:
    asked = speed("speed.rows").Asked
    goal = None if more is None else floor + more
    verdict = asked(floor, goal).verdict(ratio)
    assert (verdict == "short of it") == (ratio < floor)
    assert (verdict == "goal reached") == (goal is not None and ratio >= goal)
    assert (asked(floor, at_most=True).verdict(ratio) == "holds") == (ratio <= floor)


def test_a_ratio_just_under_its_floor_is_not_rounded_up(speed: Speed) -> None:
    rows = speed("speed.rows")
    found = rows.row("scoring", 11.99999, "a peer", 1.0, "MB/s", asked=rows.Asked(12, 25))
    assert found["ratio"] == 12
    assert found["verdict"] == "short of it"
    assert rows.written(found) == (
        "scoring: 12 MB/s, a peer 1 MB/s; ratio 12 (asked: ≥ 12, goal 25: short of it)"
    )


@needs_linux
def test_memory_is_what_a_run_needs_beyond_its_input(speed: Speed) -> None:
    workers = speed("speed.workers")
    needed = workers.alone(partial, eval, "len(b'x' * 60_000_000)")
    assert needed.value == 60_000_000
    assert 59_000_000 <= needed.memory < 64_000_000  # what the process no longer needs may go meanwhile
    held = workers.alone(partial, len, b"x" * 60_000_000)
    assert held.memory < 4_000_000


@needs_linux
def test_a_process_has_so_many_cores_and_keeps_its_contenders(speed: Speed) -> None:
    workers = speed("speed.workers")
    with workers.Worker(1) as one, workers.Worker(2) as two:
        for worker in (one, two):
            worker.add("cores", partial, eval, "len(__import__('os').sched_getaffinity(0))")
            worker.add("nothing", partial, eval, "[1, 2, 3]")
        seconds = workers.race([(one, "cores"), (two, "cores"), (one, "nothing")], 3)
        assert [one.ask("cores", int), two.ask("cores", int)] == [1, min(2, workers.cores())]
        assert one.ask("nothing", len) == 3
    assert min(seconds) > 0


@needs_linux
def test_processes_side_by_side_are_on_cores_of_their_own(speed: Speed, tmp_path: Path) -> None:
    workers = speed("speed.workers")
    if workers.cores() < 2:
        pytest.skip("needs two cores")
    # Each waits for the other: one after the other they would never end.
    meet = (
        "[open(f'{folder}/{own}', 'w').close(), *__import__('itertools').takewhile("
        "lambda _: not __import__('os').path.exists(f'{folder}/{other}'), __import__('itertools').count())][:1]"
        " and __import__('os').sched_getaffinity(0)"
    )
    with workers.Worker(1) as one, workers.Worker(1, 1) as other:
        for worker, own, theirs in ((one, "one", "other"), (other, "other", "one")):
            worker.add("meet", partial, eval, meet, {"folder": str(tmp_path), "own": own, "other": theirs})
        assert workers.SideBySide([one, other]).run("meet") > 0
        assert len(one.ask("meet", set) | other.ask("meet", set)) == 2


@needs_linux
def test_what_is_not_installed_is_told(speed: Speed, monkeypatch: pytest.MonkeyPatch) -> None:
    scoring, workers = speed("speed.scoring"), speed("speed.workers")
    monkeypatch.setenv("PATH", "")
    for make in (
        partial(scoring.word_count, Path("lines")),
        partial(scoring.fasttext_command, Path(), Path()),
    ):
        with pytest.raises(workers.Absent, match="there is no command"):
            make()


@pytest.mark.parametrize("cut", ["WORDS", "CHARACTERS"])
def test_both_score_with_the_same_model(speed: Speed, tmp_path: Path, cut: str) -> None:
    models, scoring, texts = speed("speed.models"), speed("speed.scoring"), speed("speed.texts")
    articles = texts.Articles(TRAIN, LABELS, TEST, ["Politics"] * len(TEST))
    models.fit_pipeline(getattr(models, cut), articles, tmp_path / "model")
    texts.write_column(tmp_path / "test", [pa.array(TEST)])
    pipeline = models.load_pipeline(tmp_path / "model")
    expected = pipeline.decision_function(TEST)
    for make in (scoring.newsdesk_strings, scoring.newsdesk_arrow):
        scores = make(tmp_path / "model", tmp_path / "test")()
        assert scores == pytest.approx(expected, abs=1e-5 * np.abs(expected).max())
    labels = scoring.sklearn_strings(tmp_path / "model", tmp_path / "test")()
    assert (pipeline.classes_[scores.argmax(axis=1)] == labels).all()
    assert scoring.newsdesk_batches(tmp_path / "model", tmp_path / "test")() == len(TEST)
    for make in (scoring.newsdesk_each, scoring.sklearn_each):
        assert 0 < make(tmp_path / "model", tmp_path / "test", 7)() < 1


@pytest.mark.parametrize("cut", ["WORDS", "CHARACTERS"])
def test_both_fit_the_same_matrix(speed: Speed, tmp_path: Path, cut: str) -> None:
    models, fitting, texts = speed("speed.models"), speed("speed.fitting"), speed("speed.texts")
    theirs, ours = models.vectorizer(getattr(models, cut)), fitting.own_vectorizer(getattr(models, cut))
    expected = theirs.fit_transform(TRAIN)
    assert abs(ours.fit_transform(TRAIN) - expected).max() < 1e-12
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()
    path = tmp_path / "train"
    texts.write_column(path, [pa.array(TRAIN[:2]), pa.array(TRAIN[2:]), pa.array(["more of it"])])
    makers = (fitting.sklearn_fit, fitting.newsdesk_growth)
    assert [make(getattr(models, cut), path, len(TRAIN))() for make in makers] == [expected.shape[1]] * 2
    everything = [make(getattr(models, cut), path)() for make in (fitting.sklearn_fit, fitting.newsdesk_fit)]
    assert everything[0] == everything[1]
    terms = theirs.set_params(min_df=1).fit(TRAIN).vocabulary_
    assert fitting.different(getattr(models, cut), path, len(TRAIN))() == len(terms)


@given(text=st.text() | st.text("aÉ가.,'\n\r\x0b\u2028 "))
def test_texts_for_fasttext_are_one_line(speed: Speed, text: str) -> None:
    models = speed("speed.models")
    assert "\n" not in models.prepared(text)
    assert [*re.findall(r"\w", models.prepared(text))] == [*re.findall(r"\w", text.lower())]


def test_fasttext_learns_and_answers(speed: Speed, tmp_path: Path) -> None:
    pytest.importorskip("fasttext", reason="the bench extra is not here")
    models, scoring, texts = speed("speed.models"), speed("speed.scoring"), speed("speed.texts")
    models.write_fasttext(tmp_path / "train", TRAIN * 50, LABELS * 50)
    models.fit_fasttext(tmp_path / "train", 10, 1).save_model(str(tmp_path / "model"))
    texts.write_column(tmp_path / "texts", [pa.array(TRAIN)])
    found = scoring.fasttext_strings(tmp_path / "model", tmp_path / "texts")()
    assert [own[0] for own in found] == [models.fasttext_label(label) for label in LABELS]
    assert 0 < scoring.fasttext_each(tmp_path / "model", tmp_path / "texts", 5)() < 1


def test_it_runs_without_fasttext(
    quick: Callable[..., dict[str, Any]], speed: Speed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = quick("text_core", without_fasttext=True)
    assert any("fastText is not installed (it is not here)" in note for note in found["notes"])
    check_rows(found["rows"])
    assert found["shares"]["labels equal to scikit-learn's"] == 1.0
    assert found["shares"]["accuracy, Newsdesk"] > 0.6
    assert "accuracy, fastText" not in found["shares"]
    assert [own["times"] for own in found["linearity"]] == [1, 4]
    check_growth(found["growth"])
    monkeypatch.setattr(speed("tables"), "ROOT", tmp_path)
    check_tables(speed("tables"), found, tmp_path)


def check_rows(rows: list[dict[str, Any]]) -> None:
    """Every comparison is there, and its ratio is that of its figures."""
    expected = [
        ("scoring strings, one thread", "scikit-learn's predict"),
        ("scoring an Arrow column, one thread", "wc -w"),
        ("scoring strings, two threads", "one thread"),
        ("scoring strings, two threads", "two processes"),
        ("scoring an Arrow column, two threads", "one thread"),
        ("scoring an Arrow column, two threads", "two processes"),
        ("fit_transform of words (1,2)", "TfidfVectorizer"),
        ("fit_transform, peak memory", "TfidfVectorizer"),
        ("one article", "scikit-learn's predict"),
        ("fit_transform of char_wb (2,4)", "TfidfVectorizer"),
        ("scoring char_wb (2,4)", "scikit-learn's predict"),
    ]
    if len(os.sched_getaffinity(0)) < 2:
        expected = [own for own in expected if "two threads" not in own[0]]
    assert [(own["what"], own["beside"]) for own in rows] == expected
    for own in rows:
        upper, lower = ("other", "newsdesk") if own["unit"] in ("s", "µs") else ("newsdesk", "other")
        assert own["ratio"] == pytest.approx(own[upper] / own[lower], rel=2e-3)
        assert bool(own["verdict"]) == (own["beside"] != "two processes")


def check_growth(rows: list[dict[str, Any]]) -> None:
    """More articles have more n-grams; scikit-learn was given the real ones alone."""
    few, real, made, more = rows
    assert [(own["articles"], own["kind"]) for own in (few, made, more)] == [
        (100, "real"),
        (100, "made"),
        (1000, "made"),
    ]
    assert 100 < real["articles"] < 1000
    for first, second in ((few, real), (made, more)):
        assert second["different"] > first["different"] > first["kept"] > 0
    assert min(few["sklearn_seconds"], real["sklearn_memory_mb"]) > 0
    assert made["sklearn_seconds"] is more["sklearn_memory_mb"] is None


def check_tables(tables: ModuleType, found: dict[str, Any], root: Path) -> None:
    """A line a row, and none before the first run."""
    names = {"text_core": "rows", "linearity": "linearity", "growth": "growth"}
    assert [len(tables.TABLES[name]().splitlines()) for name in names] == [2, 2, 2]
    folder = root / "benchmarks" / "results"
    folder.mkdir(parents=True)
    (folder / "text_core.json").write_text(json.dumps(found))
    for name, rows in names.items():
        lines = tables.TABLES[name]().splitlines()
        assert len(lines) == 2 + len(found[rows])
        assert len({line.count("|") for line in lines}) == 1
    first = found["rows"][0]
    assert f"| {first['asked']} | {first['verdict']} |" in tables.TABLES["text_core"]()


@needs_linux
@pytest.mark.parametrize("name", ["text_core", "training"])
def test_it_asks_for_the_real_articles(
    speed: Speed, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NEWSDESK_DATA", raising=False)
    with pytest.raises(SystemExit) as stopped:
        speed(name).main([])
    assert stopped.value.code == 2
    assert "NEWSDESK_DATA must name the folder" in capsys.readouterr().err
