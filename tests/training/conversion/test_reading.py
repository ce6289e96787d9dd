"""A joblib file is not even opened unless it is trusted, and what is none is told from what cannot be loaded here."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from classifier.errors import FormatError, InputError, PipelineError, UsageError
from training.conversion.reading import load_estimator


class Evil:
    """Leaves a trace when it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def test_without_trust_nothing_is_opened(tmp_path: Path, dumped: Callable[[Any], Path]) -> None:
    path, trace = dumped(Evil(tmp_path / "trace")), tmp_path / "trace"
    with pytest.raises(UsageError, match=r"model.joblib: a joblib file is a pickle: .*add --trust"):
        load_estimator(path, trust=False)
    with pytest.raises(UsageError, match="pickle"):  # not even looked for
        load_estimator(tmp_path / "nothing.joblib", trust=False)
    assert not trace.exists()
    load_estimator(path, trust=True)
    assert trace.exists()


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3)], ids=str)
def test_what_was_dumped_is_loaded(tmp_path: Path, compress: Any) -> None:
    path = tmp_path / "a.joblib"
    joblib.dump({"an": "object"}, path, compress=compress)
    found = load_estimator(path, trust=True)
    assert found.estimator == {"an": "object"}
    assert (found.name, found.size) == ("a.joblib", path.stat().st_size)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.same_version


def test_a_plain_pickle_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([1, 2]))
    assert load_estimator(tmp_path / "a.pkl", trust=True).estimator == [1, 2]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"headline,section\n1,2\n",
        b'{"a": 1}',
        b"PK\x03\x04aaaa",
        b"\x1f\x8b\x08\x00abc",
        b"x\x9cabc",
        b"\xff" * 9,
    ],
    ids=["empty", "csv", "json", "zip", "gzip", "zlib", "bytes"],
)
def test_files_that_are_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.joblib").write_bytes(data)
    with pytest.raises(
        FormatError, match=r"a.joblib: is no joblib file, or not a whole one .*; write it with joblib.dump"
    ):
        load_estimator(tmp_path / "a.joblib", trust=True)


def test_a_file_that_was_cut_off(texts: Any, dumped: Callable[[Any], Path]) -> None:
    path = dumped(make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.sections))
    data = path.read_bytes()
    for share in (0.1, 0.5, 0.99):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(FormatError, match="not a whole one"):
            load_estimator(path, trust=True)


@pytest.mark.parametrize("name", ["nothing.joblib", ".", "a\0b", "x" * 300])
def test_files_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"cannot be read .*; check the path"):
        load_estimator(tmp_path / name, trust=True)


def test_code_that_is_not_here(tmp_path: Path) -> None:
    for data, what in ((b"cnowhere\nthing\n.", "nowhere"), (b"csklearn.svm\nthing\n.", "thing")):
        (tmp_path / "a.joblib").write_bytes(data)
        with pytest.raises(
            PipelineError, match=rf"needs code that is not here \(.*{what}.*functions and classes of your own"
        ):
            load_estimator(tmp_path / "a.joblib", trust=True)


def test_another_scikit_learn_is_told(texts: Any, dumped: Callable[[Any], Path]) -> None:
    path = dumped(make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.sections))
    version = sklearn.__version__.encode()
    other = b"0" + version[1:]
    path.write_bytes(path.read_bytes().replace(version, other))
    found = load_estimator(path, trust=True)
    assert found.written_by == other.decode()
    assert not found.same_version
