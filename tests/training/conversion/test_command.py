"""`newsdesk compile` from the file to the version, and what the other commands make of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pyarrow.parquet as pq
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC

import classifier
from classifier.store import ModelFolder

Here = Callable[..., Any]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def articles(texts: Any, tmp_path: Path) -> Path:
    """A file of the texts to test on, cut into headline, summary and body, with a section each."""
    path = tmp_path / "articles.jsonl"
    rows = []
    for number, text in enumerate(filter(None, texts.test)):
        words = text.split()
        row = {"id": f"a{number}", "headline": " ".join(words[:3]), "summary": " ".join(words[3:5])}
        row |= {
            "body": " ".join(words[5:]),
            "section": texts.sections[number],
            "desk": ["city", "world"][number % 2],
        }
        rows.append(row)
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def joined(path: Path, *names: str) -> list[str]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return ["\n".join(filter(None, (row[name] for name in names))) for row in rows]


def scored(here: Here, model: Path, articles: Path, out: Path) -> list[dict[str, Any]]:
    ended = here("score", model, articles, "-o", out)
    assert ended.code == 0, ended.err
    found: list[dict[str, Any]] = pq.read_table(out).to_pylist()
    return found


def test_from_file_to_scores(
    here: Here, texts: Any, dumped: Callable[[Any], Path], articles: Path, tmp_path: Path
) -> None:
    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=20.0))
    path = dumped(pipeline.fit(texts.train, texts.sections))
    model = tmp_path / "artifacts" / "news"
    ended = here("compile", path, "--out", model, "--trust")
    assert ended.code == 0, ended.err
    version = ModelFolder(model).current()
    assert ended.out.splitlines()[0] == "LogisticRegression, 3 sections: Economy, Politics, Sports"
    terms = len(pipeline[0].vocabulary_)
    assert ended.out.splitlines()[1] == f"  text: word n-grams of 1 to 2, {terms:,} terms"
    assert ended.out.splitlines()[2].startswith(f"wrote {model / str(version)} in ")
    assert ended.out.splitlines()[3] == f"it is the current version of {model}"
    assert ended.err.splitlines() == [
        line for line in ended.err.splitlines() if line.startswith("note: every decision")
    ]
    rows = scored(here, model, articles, tmp_path / "out.parquet")
    given = joined(articles, "headline", "summary", "body")
    assert [row["section"] for row in rows] == pipeline.predict(given).tolist()
    assert {row["decision"] for row in rows} == {"review"}
    wanted = pipeline.predict_proba(given)
    for row, own in zip(rows, wanted, strict=True):
        found = {item["name"]: item["probability"] for item in row["section_scores"]}
        assert [found[name] for name in pipeline.classes_] == pytest.approx(own, abs=1e-6)
        assert row["popularity_score"] is None


def test_a_named_column(
    here: Here, texts: Any, dumped: Callable[[Any], Path], articles: Path, tmp_path: Path
) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.sections)
    path = dumped(pipeline)
    for column in ("headline", "summary", "body"):
        ended = here("compile", path, "--out", tmp_path / column, "--trust", "--text", column)
        assert ended.code == 0, ended.err
        assert "note: LinearSVC has no probabilities: section_probability has the order" in ended.err
        rows = scored(here, tmp_path / column, articles, tmp_path / f"{column}.parquet")
        assert [row["section"] for row in rows] == pipeline.predict(joined(articles, column)).tolist()
    assert here("compile", path, "--out", tmp_path / "a", "--trust", "--text", "desk").code == 2


def test_one_json_object(here: Here, texts: Any, dumped: Callable[[Any], Path], tmp_path: Path) -> None:
    path = dumped(make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.flags))
    model = tmp_path / "news"
    first = here("compile", path, "--out", model, "--trust", "--json").json
    second = here("compile", path, "--out", model, "--trust", "--json", "--text", "body").json
    assert first.pop("seconds") >= 0
    assert first.pop("check")["articles"] == 200
    notes = first.pop("notes")
    assert [note.split(":")[0] for note in notes] == [
        "LinearSVC has no probabilities",
        "every decision is review",
    ]
    assert first == {
        "model": str(model),
        "version": str(model / str(ModelFolder(model).current())),
        "promoted": True,
        "sections": ["0", "1"],
        "several": False,
        "blocks": ["text: word n-grams of 1 to 1, 44 terms"],
        "compiled_from": "model.joblib",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "bytes": path.stat().st_size,
        "scikit_learn": sklearn.__version__,
        "classifier": "LinearSVC",
        "probabilities": "none",
        "columns": {},
        "text": "text",
        "classes": ["0", "1"],
    }
    assert (second["promoted"], second["text"]) == (False, "body")
    assert second["version"] != first["version"]


def test_what_stands_in_the_version(
    here: Here, texts: Any, dumped: Callable[[Any], Path], tmp_path: Path
) -> None:
    path = dumped(make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.sections))
    model = tmp_path / "news"
    assert here("compile", path, "--out", model, "--trust").code == 0
    folder = ModelFolder(model).open(ModelFolder(model).versions()[0])
    assert not [name for name in folder.files if not name.endswith(".npy") and name != "card.md"]  # no pickle
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert folder.manifest.data["data"]["sha256"] == digest
    block = folder.manifest.data["heads"]["sections"]["blocks"][0]
    assert block["hash_key"] == digest[:16]
    card = (folder.path / "card.md").read_text("utf-8")
    for said in (
        "not trained by it",
        f"From model.joblib, {path.stat().st_size:,} bytes, SHA-256 {digest}",
        f"Written by scikit-learn {sklearn.__version__}",
        "LinearSVC, 3 sections, one section an article",
        "- Economy\n- Politics\n- Sports\n",
        "- text: word n-grams of 1 to 1, 44 terms",
        "no chance of being right",
        "Compared with the pipeline on 200 made-up articles",
        "every decision is `review`",
    ):
        assert said in card
    assert here("models", "verify", model).code == 0
    assert card in here("models", "show", model).out


def test_without_trust(here: Here, tmp_path: Path) -> None:
    ended = here("compile", tmp_path / "nothing.joblib", "--out", tmp_path / "news")
    assert ended.code == 2
    assert (
        "nothing.joblib: a joblib file is a pickle: to load it is to run whatever its writer put in it"
        in ended.err
    )
    assert "if you wrote it, or trust who did, add --trust" in ended.err
    assert not (tmp_path / "news").exists()


def test_what_is_refused_leaves_nothing(
    here: Here, texts: Any, dumped: Callable[[Any], Path], tmp_path: Path
) -> None:
    path = dumped(
        Pipeline([("words", TfidfVectorizer()), ("end", MultinomialNB())]).fit(texts.train, texts.sections)
    )
    ended = here("compile", path, "--out", tmp_path / "news", "--trust")
    assert ended.code == 2
    assert ended.err == (
        f"error: {path}, end (MultinomialNB): MultinomialNB cannot be compiled; fit LogisticRegression instead\n"
    )
    assert not (tmp_path / "news").exists()
    (tmp_path / "file").write_text("")
    ended = here("compile", path, "--out", tmp_path / "file", "--trust")
    assert "is a file; name a model folder" in ended.err


def columns_pipeline(texts: Any) -> Any:
    """Of headline, body and desk by their numbers, with one column that nobody reads."""
    found = np.empty((len(texts.train), 4), dtype=object)
    for number, text in enumerate(texts.train):
        words = text.split()
        found[number] = [" ".join(words[:3]), " ".join(words[5:]), ["city", "world"][number % 2], "unused"]
    transformer = ColumnTransformer(
        [
            ("a", TfidfVectorizer(), 0),
            ("b", TfidfVectorizer(), 1),
            ("c", OneHotEncoder(handle_unknown="ignore"), [2]),
        ]
    )
    return make_pipeline(transformer, LogisticRegression(C=9.0)).fit(found, texts.sections)


def test_columns(
    here: Here, texts: Any, dumped: Callable[[Any], Path], articles: Path, tmp_path: Path
) -> None:
    pipeline = columns_pipeline(texts)
    path = dumped(pipeline)
    mapping = ("--column", "headline=0", "--column", "body=1", "--column", "desk=2")
    ended = here("compile", path, "--out", tmp_path / "news", "--trust", "--json", *mapping)
    assert ended.code == 0, ended.err
    assert ended.json["columns"] == {"0": "headline", "1": "body", "2": "desk"}
    assert ended.json["text"] is None
    assert ended.json["blocks"][2] == "desk: 2 categories"
    table = np.array([joined(articles, name) for name in ("headline", "body", "desk", "id")], dtype=object).T
    rows = scored(here, tmp_path / "news", articles, tmp_path / "out.parquet")
    assert [row["section"] for row in rows] == pipeline.predict(table).tolist()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--column", "headline"], '--column "headline" is no mapping; write it like headline=title'),
        (["--column", "headline=0", "--column", "body=0"], '--column names "0" twice'),
        (["--column", "headline=0", "--column", "body=1", "--column", "desk=2", "--column", "source=9"],
         '--column source=9: the pipeline reads no column "9"; its columns are: 0, 1, 2'),
        (["--column", "headline=0", "--column", "body=1", "--column", "desk=2", "--text", "body"],
         "--text body: the pipeline takes no single text; leave it out"),
        ([], 'columntransformer › a (TfidfVectorizer): reads texts from the column "0", which articles do not have'),
    ],
    ids=["no mapping", "twice", "unread", "no text", "unmapped"],
)  # fmt: skip
def test_columns_that_are_wrong(
    here: Here, texts: Any, dumped: Callable[[Any], Path], tmp_path: Path, options: list[str], says: str
) -> None:
    ended = here("compile", dumped(columns_pipeline(texts)), "--out", tmp_path / "news", "--trust", *options)
    assert ended.code == 2
    assert says in ended.err


def test_a_single_text_has_no_columns(
    here: Here, texts: Any, dumped: Callable[[Any], Path], tmp_path: Path
) -> None:
    path = dumped(make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.sections))
    ended = here("compile", path, "--out", tmp_path / "news", "--trust", "--column", "headline=title")
    assert ended.code == 2
    assert (
        'reads no column "title"; its columns are: none, it takes a single text (--text says which)'
        in ended.err
    )


def test_another_scikit_learn_is_noted(
    here: Here, texts: Any, dumped: Callable[[Any], Path], tmp_path: Path
) -> None:
    path = dumped(make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.sections))
    version = sklearn.__version__
    other = f"0{version[1:]}"
    path.write_bytes(path.read_bytes().replace(version.encode(), other.encode()))
    ended = here("compile", path, "--out", tmp_path / "news", "--trust")
    assert ended.code == 0
    assert f"note: scikit-learn {other} wrote the file, {version} has read it: what was compiled" in ended.err


def test_what_the_other_commands_do(
    here: Here, texts: Any, dumped: Callable[[Any], Path], articles: Path, tmp_path: Path
) -> None:
    machine = CalibratedClassifierCV(LinearSVC(), cv=3)
    pipeline = make_pipeline(TfidfVectorizer(), machine).fit(texts.train, texts.sections)
    model = tmp_path / "news"
    assert here("compile", dumped(pipeline), "--out", model, "--trust").code == 0
    found = here("evaluate", model, articles, "--json", "--report", tmp_path / "report").json
    given = joined(articles, "headline", "summary", "body")
    right = np.mean(pipeline.predict(given) == joined(articles, "section"))
    assert found["sections"]["accuracy"] == pytest.approx(right)
    assert found["sections"]["file"] == []
    assert "compiled from model.joblib" in (tmp_path / "report" / "report.html").read_text("utf-8")
    for option in ("--folds", "--walk-forward"):
        ended = here("evaluate", model, articles, option, "2")
        assert ended.code == 2
        assert (
            "was compiled: it has no configuration that could be fitted again; evaluate it as it is"
            in ended.err
        )
    explained = here("explain", model, articles, "--json").json["articles"][0]
    assert explained["section"] == pipeline.predict(given)[0]
    assert {part["head"] for part in explained["explanation"]} == {"section"}
    assert here("explain", model, articles).code == 0
    (tmp_path / "titles.txt").write_text("One title\nAnother title\n")
    for command in (("rank", model, articles), ("headlines", model, tmp_path / "titles.txt")):
        ended = here(*command)
        assert ended.code == 2
        assert "the model has no popularity head" in ended.err
    assert here("models", "list", model).code == 0


def test_several_sections(
    here: Here, texts: Any, dumped: Callable[[Any], Path], articles: Path, tmp_path: Path
) -> None:
    machine = OneVsRestClassifier(LogisticRegression(C=50.0))
    pipeline = make_pipeline(TfidfVectorizer(), machine).fit(texts.train, texts.several)
    assert here("compile", dumped(pipeline), "--out", tmp_path / "news", "--trust").code == 0
    rows = scored(here, tmp_path / "news", articles, tmp_path / "out.parquet")
    wanted = pipeline.predict(joined(articles, "headline", "summary", "body"))
    found = [
        [item["assigned"] for item in sorted(row["section_scores"], key=lambda one: one["name"])]
        for row in rows
    ]
    assert found == (wanted == 1).tolist()
    assert not all(map(any, found))


def test_names_for_numbers(
    here: Here, texts: Any, dumped: Callable[[Any], Path], articles: Path, tmp_path: Path
) -> None:
    machine = OneVsRestClassifier(LinearSVC())
    path = dumped(make_pipeline(TfidfVectorizer(), machine).fit(texts.train, texts.several))
    names = tmp_path / "names.txt"
    names.write_text("Économie\nPolitics\nSports\nWorld\n", encoding="utf-8")
    ended = here("compile", path, "--out", tmp_path / "news", "--trust", "--json", "--labels", names)
    assert ended.json["sections"] == ["Économie", "Politics", "Sports", "World"]
    assert ended.json["classes"] == ["0", "1", "2", "3"]
    assert ended.json["classifier"] == "OneVsRestClassifier of LinearSVC"
    plain = here("compile", path, "--out", tmp_path / "plain", "--trust", "--json")
    assert plain.json["sections"] == ["0", "1", "2", "3"]
    pair = [
        scored(here, tmp_path / name, articles, tmp_path / f"{name}.parquet") for name in ("news", "plain")
    ]
    assert [row["section"] for row in pair[0]] == [
        ["Économie", "Politics", "Sports", "World"][int(row["section"])] for row in pair[1]
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"a\nb\n", "model.joblib: 2 names for 4 classes; name each, in this order: 0, 1, 2, 3"),
        (b"a\nb\nc\na\n", "two classes that are written alike"),
        (b"a\nb\n\nc\n", "has the class '', which is no name"),
        (b"\xff\xfe", "names.txt: cannot be read (it is no text in UTF-8); give a name a line"),
    ],
    ids=["few", "twice", "empty", "bytes"],
)
def test_names_that_do_not_fit(
    here: Here, texts: Any, dumped: Callable[[Any], Path], tmp_path: Path, text: bytes, says: str
) -> None:
    machine = OneVsRestClassifier(LinearSVC())
    path = dumped(make_pipeline(TfidfVectorizer(), machine).fit(texts.train, texts.several))
    (tmp_path / "names.txt").write_bytes(text)
    ended = here("compile", path, "--out", tmp_path / "news", "--trust", "--labels", tmp_path / "names.txt")
    assert ended.code == 2
    assert says in ended.err
    assert not (tmp_path / "news").exists()


def test_a_trained_version_compiles_to_itself(here: Here, tiny_model_path: Path, tmp_path: Path) -> None:
    # pipeline.joblib is the text part of the head: labels and scores survive the way there and back.
    trained = classifier.load(tiny_model_path)
    path = tiny_model_path / str(ModelFolder(tiny_model_path).current()) / "pipeline.joblib"
    ended = here("compile", path, "--out", tmp_path / "again", "--trust")
    assert ended.code == 0, ended.err
    again = classifier.load(tmp_path / "again")
    articles = [
        {"headline": text}
        for text in ("The senate and the mayor vote", "Bank shares and prices", "A coalition")
    ]
    assert [one.section for one in again.predict(articles)] == [
        one.section for one in trained.predict(articles)
    ]
    assert joblib.load(path).predict([one["headline"] for one in articles]).tolist() == [
        one.section for one in again.predict(articles)
    ]


def test_it_is_served(here: Here, texts: Any, dumped: Callable[[Any], Path], tmp_path: Path) -> None:
    from service import create_app
    from service.settings import Settings

    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts.train, texts.sections)
    assert here("compile", dumped(pipeline), "--out", tmp_path / "news", "--trust").code == 0
    client = create_app(Settings(model=tmp_path / "news", open="always")).test_client()
    answer = client.post("/v1/predict?explain=true", json={"headline": texts.test[0]})
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["section"] == pipeline.predict([texts.test[0]])[0]
    assert body["decision"] == "review"
    assert body["explanation"]
