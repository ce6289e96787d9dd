"""The commands train and evaluate as users run them: the real console script, in a folder of its own."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from classifier.artifact import FORMAT

Stories = Callable[..., list[dict[str, Any]]]
Run = Callable[..., Any]
SECTIONS = {"n", "accuracy", "macro_f1", "micro_f1", "ece", "log_loss", "log_loss_constant", "file", "sets"}
POPULARITY = {
    *("n", "groups", "ndcg_at_5", "ndcg_at_10", "top5_overlap", "mrr", "pairwise_accuracy", "auc"),
    *("top5_brier", "top5_ece", "baselines"),
}


def write(file: Path, rows: list[dict[str, Any]]) -> None:
    file.parent.mkdir(exist_ok=True, parents=True)
    if file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def newsroom(newsdesk: Run, tmp_path_factory: pytest.TempPathFactory, stories: Stories) -> Path:
    """A folder with articles as one would have them, and a model trained from the plainest file."""
    folder = tmp_path_factory.mktemp("newsroom")
    rows = [{**row, "split": "test" if i >= 72 else "train"} for i, row in enumerate(stories())]
    write(folder / "plain.jsonl", rows)
    foreign = {
        "headline": "title",
        "body": "text",
        "section": "rubric",
        "popularity": "views",
        "published_at": "when",
    }
    write(
        folder / "foreign.csv",
        [{foreign[name]: str(row[name]).removesuffix("+09:00") for name in foreign} for row in rows],
    )
    pages, labels = [], []
    for row in rows:
        file = f"{row['published_at'][:10]}/{row['id']}.txt"
        hour = int(row["published_at"][11:13])
        day = int(row["published_at"][8:10])
        (folder / "pages" / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / "pages" / file).write_text(
            f"{row['headline']}\n{hour:02d}:15 JST, May {day}, 2031\nTOKYO (Tiny Gazette) — {row['body']}\n"
        )
        pages.append(file)
        labels.append({"file": file, "section": row["section"], "popularity": row["popularity"]})
    write(folder / "labels.csv", labels)
    boxes = []
    for day in range(1, 9):
        own = [row for row in rows if row["published_at"][8:10] == f"{day:02d}"]
        for rank, row in enumerate(sorted(own, key=lambda row: -row["popularity"])[:5], 1):
            boxes.append({"list": "*", "rank": rank, "headline": row["headline"]})
        write(folder / "boxes" / f"{20310500 + day}.csv", boxes[-5:])
    ended = newsdesk("train", "plain.jsonl", "--out", "artifacts/plain", cwd=folder)
    assert ended.code == 0, ended.err
    assert "it is the current version of artifacts/plain" in ended.out
    assert ended.err.startswith("finding near-duplicates")
    return folder


def test_train_prints_one_json_object(newsdesk: Run, newsroom: Path) -> None:
    ended = newsdesk("train", "plain.jsonl", "--out", "artifacts/json", "--json", cwd=newsroom)
    assert ended.code == 0, ended.err
    found = ended.json
    assert found["model"] == "artifacts/json"
    assert (newsroom / found["version"] / "manifest.json").is_file()
    assert set(found["sections"]) >= SECTIONS
    assert set(found["popularity"]) >= POPULARITY
    assert set(found["popularity"]["baselines"]) == {"random", "recency", "source", "section", "source_hour"}
    assert [item["target"] for item in found["sections"]["file"]] == [0.95, 0.98, 0.99]
    assert [item["level"] for item in found["sections"]["sets"]] == [0.9, 0.95, 0.99]
    assert found["seconds"] > 0
    assert "fitting the section head" in ended.err


def test_evaluate_says_what_train_said(newsdesk: Run, newsroom: Path) -> None:
    ended = newsdesk("evaluate", "artifacts/plain", "plain.jsonl", "--json", cwd=newsroom)
    assert ended.code == 0, ended.err
    assert ended.err == ""
    found = ended.json
    assert set(found) == {"sections", "popularity", "seconds"}
    version = (newsroom / "artifacts/plain/current").read_text().strip()
    manifest = json.loads((newsroom / "artifacts/plain" / version / "manifest.json").read_text("utf-8"))
    assert {name: found[name] for name in ("sections", "popularity")} == manifest["metrics"]


def test_evaluate_for_people(newsdesk: Run, newsroom: Path) -> None:
    ended = newsdesk("evaluate", "artifacts/plain", "plain.jsonl", "--split", "all", cwd=newsroom)
    assert (ended.code, ended.err) == (0, "")
    for words in ("SECTIONS", "accuracy", "POPULARITY", "nDCG@10", "source × hour"):
        assert words in ended.out


def test_evaluate_writes_a_report(newsdesk: Run, newsroom: Path) -> None:
    ended = newsdesk("evaluate", "artifacts/plain", "plain.jsonl", "--report", "reports/plain", cwd=newsroom)
    assert ended.code == 0
    text = (newsroom / "reports/plain/report.html").read_text("utf-8")
    assert "<h1>" in text
    assert "plain" in text
    assert text.count("<svg") == text.count("</svg>") > 3  # pictures, drawn in the page
    assert "<script" not in text
    for heading in ("Calibration", "Confusion"):
        assert heading.casefold() in text.casefold()


def test_evaluate_by_fitting_again_writes_a_report(newsdesk: Run, newsroom: Path) -> None:
    """Of several fits' answers: without the words, which are one model's."""
    ended = newsdesk(
        *("evaluate", "artifacts/plain", "plain.jsonl", "--folds", "2", "--report", "reports/folds"),
        cwd=newsroom,
    )
    assert ended.code == 0, ended.err
    text = (newsroom / "reports/folds/report.html").read_text("utf-8")
    assert text.count("<svg") > 2
    assert "each article predicted by a fit that did not see it" in text


def test_the_manifest_says_what_was_chosen_and_holds_every_digest(newsroom: Path) -> None:
    version = newsroom / "artifacts/plain" / (newsroom / "artifacts/plain/current").read_text().strip()
    manifest = json.loads((version / "manifest.json").read_text("utf-8"))
    assert manifest["format"] == FORMAT
    assert manifest["sections"]["section_blocks"][0].startswith("text word(1,")
    assert manifest["sections"]["validated_on"] == "folds of the training part, 72 articles"
    assert manifest["sections"]["dropped"] == {}
    assert {path.name for path in version.iterdir()} == {"manifest.json", *manifest["files"]}
    digest = hashlib.sha256((version / "hygiene.jsonl").read_bytes()).hexdigest()
    assert digest in json.dumps(manifest["files"]["hygiene.jsonl"])


def test_the_articles_of_the_training_are_known_again(newsdesk: Run, newsroom: Path) -> None:
    ended = newsdesk("evaluate", "artifacts/plain", "plain.jsonl", cwd=newsroom)
    assert (
        "SECTIONS, on the test part" in ended.out
    )  # the part that training held out, though no column says so
    ended = newsdesk("evaluate", "artifacts/plain", "plain.jsonl", "--split", "all", cwd=newsroom)
    assert "SECTIONS, on all articles that were read" in ended.out


@pytest.mark.parametrize(
    ("options", "count", "steps"),
    [
        (("--folds", "3"), 96, ["fold 1 of 3 …", "fold 2 of 3 …", "fold 3 of 3 …"]),
        (("--folds", "2", "--split", "train"), 72, ["fold 1 of 2 …", "fold 2 of 2 …"]),
        (("--walk-forward", "2"), 24, ["fitting on what came before 2031-05-07 …"]),
    ],
)
def test_evaluate_by_fitting_again(
    newsdesk: Run, newsroom: Path, options: tuple[str, ...], count: int, steps: list[str]
) -> None:
    ended = newsdesk("evaluate", "artifacts/plain", "plain.jsonl", *options, "--json", cwd=newsroom)
    assert ended.code == 0, ended.err
    assert ended.err.splitlines() == steps
    assert ended.json["sections"]["n"] == count
    assert set(ended.json["popularity"]) >= POPULARITY


def test_foreign_column_names(newsdesk: Run, newsroom: Path) -> None:
    columns = ["headline=title", "body=text", "section=rubric", "popularity=views", "published_at=when"]
    options = [part for pair in columns for part in ("--column", pair)]
    ended = newsdesk(
        "train",
        "foreign.csv",
        "--out",
        "artifacts/foreign",
        "--json",
        "--timezone",
        "Asia/Tokyo",
        *options,
        cwd=newsroom,
    )
    assert ended.code == 0, ended.err
    assert ended.json["data"]["timezone"] == "Asia/Tokyo"
    assert ended.json["data"]["train"]["articles"] == 77
    assert ended.json["popularity"] is not None
    again = newsdesk(
        "evaluate", "artifacts/foreign", "foreign.csv", "--json", cwd=newsroom
    )  # the version knows the names
    assert again.code == 0, again.err
    # … and which of these very articles it was not trained on.
    assert again.json["sections"] == ended.json["sections"]
    assert again.json["sections"]["n"] == 19
    more = newsdesk("evaluate", "artifacts/foreign", "foreign.csv", "--json", "--split", "all", cwd=newsroom)
    assert more.json["sections"]["n"] == 96


def test_from_ranking_boxes_alone(newsdesk: Run, newsroom: Path) -> None:
    ended = newsdesk(
        *("train", "plain.jsonl", "boxes", "--ignore", "popularity", "--taken-at", "%Y%m%d"),
        *("--timezone", "Asia/Tokyo", "--out", "artifacts/boxes", "--json"),
        cwd=newsroom,
    )
    assert ended.code == 0, ended.err
    assert "note: ranking boxes: 6 with 30 lines, 30 joined with articles" in ended.err
    assert (ended.json["data"]["train_boxes"], ended.json["data"]["test_boxes"]) == (6, 2)
    counts = newsdesk("evaluate", "artifacts/boxes", "plain.jsonl", "--json", cwd=newsroom)
    assert counts.code == 0, counts.err
    found = counts.json["popularity"]
    assert found["groups"] == 2
    assert found["ndcg_at_10"] > found["baselines"]["random"]["ndcg_at_10"]


def test_pages_with_labels_by_file(newsdesk: Run, newsroom: Path) -> None:
    ended = newsdesk("train", "pages", "labels.csv", "--out", "artifacts/pages", "--json", cwd=newsroom)
    assert ended.code == 0, ended.err
    assert ended.json["data"]["train"]["articles"] + ended.json["data"]["test"]["articles"] == 96
    assert ended.json["sections"]["accuracy"] > 0.9
    assert ended.json["popularity"] is not None


def test_a_configuration_file(newsdesk: Run, newsroom: Path) -> None:
    (newsroom / "own.toml").write_text(
        '[decisions]\ntargets = [0.8]\ntarget = 0.8\n[data]\nignore = ["popularity"]\n'
    )
    ended = newsdesk(
        "train", "plain.jsonl", "--config", "own.toml", "--out", "artifacts/own", "--json", cwd=newsroom
    )
    assert ended.code == 0, ended.err
    assert ended.json["popularity"] is None
    assert [item["target"] for item in ended.json["sections"]["file"]] == [0.8]


def test_articles_on_stdin_and_rejected_rows(newsdesk: Run, newsroom: Path) -> None:
    lines = (newsroom / "plain.jsonl").read_text(
        "utf-8"
    ) + '{"headline": "", "body": " "}\n{"headline": ["a"]}\n'
    ended = newsdesk("train", "-", "--out", "artifacts/stdin", "--json", input=lines, cwd=newsroom)
    assert ended.code == 1
    assert ended.json["data"]["train"]["articles"] == 72
    rejected = [line for line in ended.err.splitlines() if line.startswith("rejected: ")]
    assert [line.split(":")[1].strip() for line in rejected] == ["stdin, line 97", "stdin, line 98"]
    assert ended.err.splitlines()[-1].startswith("error: 2 of 98 rows were rejected")


class Case(NamedTuple):
    """Files, the arguments, and what the one line on stderr must name: the thing, and the remedy."""

    files: dict[str, bytes]
    arguments: tuple[str, ...]
    thing: str
    remedy: str


def lines(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def many(**row: Any) -> bytes:
    return lines(*({"headline": f"words of story {'abcdefgh'[i] * 4}", **row} for i in range(8)))


BOX = lines({"list": "Politics", "rank": 1, "headline": "A title"})
TRAIN = ("train", "in.jsonl", "--out", "artifacts/bad")
CASES = {
    "empty article": Case(
        {"in.jsonl": lines({"headline": "", "body": " "})}, TRAIN, "no article", "mend what"
    ),
    "empty file": Case({"in.jsonl": b""}, TRAIN, "no articles", "check"),
    "empty csv": Case({"in.csv": b""}, ("train", "in.csv", "--out", "artifacts/bad"), "in.csv", ""),
    "no labels": Case({"in.jsonl": many()}, TRAIN, "no training article has a section", "--column section="),
    "one label only": Case(
        {"in.jsonl": many(section="World")}, TRAIN, 'only the section "World"', "give articles of others"
    ),
    "one article only": Case(
        {"in.jsonl": lines({"headline": "words", "section": "World"})},
        TRAIN,
        "the test part",
        "give more articles",
    ),
    "labels of one example each": Case(
        {"in.jsonl": lines(*({"headline": f"w {c * 5}", "section": c} for c in "abcdefgh"))},
        TRAIN,
        "the test part",
        "give more articles",
    ),
    "a label with one example": Case(
        {"in.jsonl": many(section="World") + lines({"headline": "other", "section": "Rare"})},
        TRAIN,
        'only the section "World" has at least 2',
        "give articles of others",
    ),
    "boxes without any article": Case(
        {"boxes.jsonl": BOX},
        ("train", "boxes.jsonl", "--out", "artifacts/bad"),
        "no article",
        "give the articles",
    ),
    "labels without any article": Case(
        {"labels.csv": b"file,section\na.txt,World\n"},
        ("train", "labels.csv", "--out", "artifacts/bad"),
        "labels.csv",
        "add the articles",
    ),
    "unknown columns": Case(
        {"in.jsonl": lines({"titel": "words", "text": "x"})}, TRAIN, '"titel"', "--column"
    ),
    "a mapped column that is not there": Case(
        {"in.jsonl": many(section="World")},
        (*TRAIN, "--column", "section=rubric"),
        '"rubric"',
        "--column section",
    ),
    "a column that is not ours": Case(
        {"in.jsonl": many()}, (*TRAIN, "--column", "sektion=rubric"), '"sektion"', "section"
    ),
    "wrong types": Case(
        {"in.jsonl": lines({"headline": {"a": 1}}, {"headline": ["a"]})}, TRAIN, "no article", "mend what"
    ),
    "wrong popularity": Case(
        {"in.jsonl": many(popularity="much")}, TRAIN, "all 8 rows were rejected", "mend what"
    ),
    "invalid UTF-8": Case({"in.jsonl": b'{"headline": "caf\xe9"}\n'}, TRAIN, "no article", "mend what"),
    "NUL": Case({"in.jsonl": lines({"headline": "a\0b"})}, TRAIN, "no article", "mend what"),
    "unknown suffix": Case(
        {"in.doc": b"x"}, ("train", "in.doc", "--out", "artifacts/bad"), '".doc"', "known are"
    ),
    "no such file": Case({}, TRAIN, "in.jsonl", "check the path"),
    "out is a file": Case(
        {"in.jsonl": many(), "artifacts/bad": b"x"}, TRAIN, "artifacts/bad", "name a model folder"
    ),
    "out lies in a file": Case(
        {"in.jsonl": many(), "file": b"x"},
        ("train", "in.jsonl", "--out", "file/bad"),
        "file/bad",
        "name a model folder",
    ),
    "out holds something else": Case(
        {"in.jsonl": many(), "artifacts/bad/notes.txt": b"x"}, TRAIN, "notes.txt", "name a model folder"
    ),
    "broken configuration": Case(
        {"in.jsonl": many(), "c.toml": b"[fit]\nfolds = 1\n"},
        (*TRAIN, "--config", "c.toml"),
        "fit.folds",
        "2 to 1000",
    ),
    "a block that is none": Case(
        {"in.jsonl": many(), "c.toml": b'[fit]\nsection_blocks = ["text"]\n'},
        (*TRAIN, "--config", "c.toml"),
        'c.toml: fit.section_blocks: "text" needs an analyzer',
        "write blocks like text word(1,2)",
    ),
    "a target of a section out of range": Case(
        {"in.jsonl": many(), "c.toml": b"[decisions.sections]\nWorld = 99\n"},
        (*TRAIN, "--config", "c.toml"),
        "decisions.sections is out of range",
        "between 0 and 1",
    ),
    "fewer than no trials": Case(
        {"in.jsonl": many()}, (*TRAIN, "--search", "-1"), "fit.search", "0 to 10000"
    ),
    "empty labels": Case(
        {"in.jsonl": many(section="")}, TRAIN, "no training article has a section", "--column section="
    ),
    "no configuration": Case(
        {"in.jsonl": many()}, (*TRAIN, "--config", "c.toml"), "c.toml", "check the path"
    ),
    "unknown zone": Case({"in.jsonl": many()}, (*TRAIN, "--timezone", "Tokyo"), '"Tokyo"', "Asia/Tokyo"),
    "no model": Case(
        {"in.jsonl": many()}, ("evaluate", "artifacts/none", "in.jsonl"), "artifacts/none", "newsdesk train"
    ),
    "walk-forward with folds": Case(
        {"in.jsonl": many()},
        ("evaluate", "artifacts/none", "in.jsonl", "--folds", "3", "--walk-forward", "2"),
        "--walk-forward",
        "leave one out",
    ),
}


@pytest.fixture(scope="module")
def refusals(
    newsdesk: Run,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Future[tuple[Path, set[Path], Any]]]]:
    """Every case run in a folder of its own, a few at a time."""

    def refuse(case: Case) -> tuple[Path, set[Path], Any]:
        folder = tmp_path_factory.mktemp("bad")
        for name, content in case.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        before = set(folder.rglob("*"))
        return folder, before, newsdesk(*case.arguments, cwd=folder)

    with ThreadPoolExecutor(4) as pool:
        yield {name: pool.submit(refuse, case) for name, case in CASES.items()}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_one_line_that_names_the_thing_and_the_remedy(
    refusals: dict[str, Future[tuple[Path, set[Path], Any]]], name: str
) -> None:
    folder, before, ended = refusals[name].result()
    assert ended.code == 2
    assert ended.out == ""
    # Rejected rows are named before, and the steps of the work.
    errors = [
        line
        for line in ended.err.splitlines()
        if not line.endswith(" …") and not line.startswith("rejected: ")
    ]
    assert len(errors) == 1, ended.err
    assert errors[0].startswith("error: ")
    assert CASES[name].thing in errors[0]
    assert CASES[name].remedy in errors[0]
    assert set(folder.rglob("*")) == before  # nothing half-written


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty article", "in.jsonl, line 1: headline: headline, summary and body are all empty"),
        ("wrong types", "in.jsonl, line 2: headline: is a list"),
        ("wrong popularity", "in.jsonl, line 1: popularity: is a str; it must be a number"),
        ("invalid UTF-8", "in.jsonl, line 1"),
        ("NUL", "in.jsonl, line 1: headline: holds a NUL character"),
    ],
)
def test_every_rejected_row_is_named(
    refusals: dict[str, Future[tuple[Path, set[Path], Any]]], name: str, words: str
) -> None:
    _, _, ended = refusals[name].result()
    rejected = [line for line in ended.err.splitlines() if line.startswith("rejected: ")]
    assert [line for line in rejected if words in line], ended.err
    rows = CASES[name].files["in.jsonl"].count(b"\n")
    assert len(rejected) == min(rows, 4)
    if rows > 3:  # the first in words, of the others the lines
        assert rejected[-1].startswith(f"rejected: {rows - 3} more likewise (")
        assert rejected[-1].endswith(f"in.jsonl, lines 4–{rows}")


def test_evaluating_without_labels(newsdesk: Run, newsroom: Path) -> None:
    write(newsroom / "unlabelled.jsonl", [{"headline": "A title"}])
    ended = newsdesk("evaluate", "artifacts/plain", "unlabelled.jsonl", "--json", cwd=newsroom)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: nothing can be evaluated: no article has a section or a popularity")
    assert "--column section=" in ended.err
