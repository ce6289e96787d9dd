"""Every error class is raised by the code, has an exit code, and says what, where and how to mend it."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

import classifier
from classifier import errors
from classifier.articles import Article, parse_timezone
from classifier.errors import NewsdeskError
from classifier.ranking import build_rankings
from classifier.reading import find_sources, read_all, reader_for
from classifier.reading.pages import parse_page
from classifier.reading.writing import open_writer
from classifier.rejections import (
    finish,
)
from classifier.results import prediction_schema
from classifier.text.native import open_kernel
from training.config import Config
from training.fit import train

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, NewsdeskError)]
GENERAL = (errors.NewsdeskError, errors.ArtifactError)  # what is raised is of a class below them


def _unlabelled(folder: Path) -> None:
    (folder / "a.jsonl").write_text('{"headline": "one"}\n{"headline": "two"}\n')
    train(read_all([str(folder / "a.jsonl")]), folder / "artifacts" / "model", Config())


def _damaged(folder: Path) -> None:
    (folder / "manifest.json").write_text("{")
    classifier.load(folder)


def _future(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"format": 99}')
    classifier.load(folder)


def _no_extra(folder: Path) -> None:
    raise errors.MissingExtra("train", module="sklearn")  # through the command line: test_cli.py


def _no_articles(folder: Path) -> None:
    (folder / "a.json").write_text('{"name": "tool"}')
    read_all([str(folder / "a.json")])


def _no_pipeline(folder: Path) -> None:
    from training.conversion.write import compile_file

    (folder / "a.joblib").write_bytes(pickle.dumps([1, 2]))
    compile_file(folder / "a.joblib", folder / "artifacts" / "model", trust=True)


def _not_resumable(folder: Path) -> None:
    raise errors.NotResumable(
        "it was another", where="out.csv"
    )  # by a run: tests/service/batch/test_resume.py


RAISED: dict[type[NewsdeskError], Callable[[Path], object]] = {
    errors.UsageError: lambda folder: build_rankings([], [], top=0),
    errors.ConfigError: lambda folder: parse_timezone("Mars/Olympus"),
    errors.MissingExtra: _no_extra,
    errors.NotResumable: _not_resumable,
    errors.InputError: lambda folder: find_sources([str(folder / "nothing.csv")]),
    errors.FieldError: lambda folder: Article.from_mapping({"headline": ""}, where="a.csv, line 2"),
    errors.PageError: lambda folder: parse_page("no page"),
    errors.FormatError: lambda folder: reader_for(".exe"),
    errors.NoArticles: _no_articles,
    errors.PipelineError: _no_pipeline,
    errors.RowsRejected: lambda folder: finish(1, 3),
    errors.LabelError: _unlabelled,
    errors.ArtifactMissing: lambda folder: classifier.load(folder / "nothing"),
    errors.ArtifactDamaged: _damaged,
    errors.ArtifactFromFuture: _future,
    errors.OutputError: lambda folder: open_writer(folder / "no" / "a.csv", prediction_schema()).__enter__(),
    errors.InstallationError: lambda folder: open_kernel(folder / "_kernel.so"),
}


def test_the_table_is_complete() -> None:
    assert {*RAISED, *GENERAL} == set(CLASSES)


@pytest.mark.parametrize("kind", RAISED, ids=lambda kind: kind.__name__)
def test_it_is_raised_and_says_what_and_how_to_mend(kind: type[NewsdeskError], tmp_path: Path) -> None:
    with pytest.raises(kind) as caught:
        RAISED[kind](tmp_path)
    error = caught.value
    assert type(error) is kind
    assert error.problem
    assert error.remedy
    text = str(error)
    assert text.endswith(f"; {error.remedy}")
    assert error.problem in text
    assert error.where is None or text.startswith(f"{error.where}: ")
    assert "\n" not in text


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_exit_codes(kind: type[NewsdeskError]) -> None:
    assert kind.exit_code == (1 if kind is errors.RowsRejected else 2)
    assert kind.__doc__


def test_the_tree_at_the_top_of_the_module_is_the_tree() -> None:
    drawn = [line for line in (errors.__doc__ or "").splitlines() if line.startswith(("├", "│", "└"))]
    names = [line.strip("├─└│ ").split()[0] for line in drawn]
    depths = [next(i for i, character in enumerate(line) if character.isalpha()) // 4 for line in drawn]
    parents = ["NewsdeskError"]
    for name, depth in zip(names, depths, strict=True):
        parents[depth:] = [name]
        assert getattr(errors, name).__base__.__name__ == parents[depth - 1], name
    assert {*names, "NewsdeskError"} == {kind.__name__ for kind in CLASSES}


def test_facts_are_attributes() -> None:
    field = errors.FieldError("section", "is a list", where="a.csv, line 2", remedy="write text")
    assert (field.field, str(field)) == ("section", "a.csv, line 2: section: is a list; write text")
    assert str(errors.FieldError("section", "is a list")) == "section: is a list"
    page = errors.PageError("no time", file="a.txt", line=3, expected="a time line")
    assert (page.file, page.line, page.expected) == ("a.txt", 3, "a time line")
    assert str(page) == "a.txt, line 3: no time; expected a time line"
    rejected = errors.RowsRejected(2, 9)
    assert (rejected.rejected, rejected.total) == (2, 9)
    assert str(rejected).startswith("2 of 9 rows were rejected")
    extra = errors.MissingExtra("service", module="flask")
    assert (extra.extra, extra.module) == ("service", "flask")
    assert 'flask, which is not installed; install Newsdesk with its "service" extra' in str(extra)
