"""The command line: what is printed where, exit codes, errors in one line, interruption, a reader that goes away."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from classifier import cli
from classifier.store import ModelFolder

PAGE = """11:36 JST, February 2, 2022
TOKYO (Jiji Press) — The minister met the assembly.
"Politics" POPULAR ARTICLE
-
Minister and vote
-
A coalition
JN ACCESS RANKING
-
Bank and shares
"""
ROWS = [
    {"id": "1", "headline": "Minister and vote", "body": "The assembly met.", "section": "World"},
    {"id": "2", "headline": "Bank: who pays?", "body": "Shares fell with a storm warning for every school."},
    {"id": "3", "headline": "日本 “quoted”"},
]


Run = Callable[..., Any]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


@pytest.fixture
def one_bad_row(rows: Path) -> Path:
    rows.write_text(rows.read_text(encoding="utf-8") + '{"headline": [5]}\n', encoding="utf-8")
    return rows


def one_line(err: str) -> str:
    """The only line on stderr."""
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    return line


# Lightness


HEAVY = {"numpy", "pyarrow", "flask", "sklearn", "scipy", "joblib", "pydantic", "orjson", "granian", "pandas"}


@pytest.mark.parametrize(
    "command", ["", "read", "rank", "explain", "models", "train", "evaluate", "score", "serve"]
)
def test_help_is_light(command: str) -> None:
    arguments = [command, "--help"] if command else ["--help"]
    script = (
        f"import sys; from classifier.cli import run; code = run({arguments!r})\n"
        "print(code, *{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert "Usage: newsdesk" in done.stdout
    code, *modules = done.stderr.split()
    assert code == "0"
    assert not HEAVY & set(modules)


def test_the_installed_command_lists_every_command(newsdesk: Run) -> None:
    done = newsdesk("--help")
    assert (done.code, done.err) == (0, "")
    listed = {line.split()[0] for line in done.out.partition("Commands:")[2].splitlines() if line.strip()}
    assert listed >= {
        "read",
        "rank",
        "explain",
        "models",
        "train",
        "evaluate",
        "quickstart",
        "score",
        "serve",
    }
    version = newsdesk("--version")
    assert version.code == 0
    assert version.out.startswith("newsdesk, version ")


# read


def test_read_goes_round_the_formats(here: Run, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "titel", "published_at", "popularity", "desk"])
        writer.writerow(["1", "Minister, “and” vote", "2031-05-06T07:08:09+09:00", "12", "city"])
        writer.writerow(["2", "日本\nBank", "", "", ""])
    steps = [
        source,
        *(tmp_path / name for name in ("a.parquet", "b.arrow", "c.jsonl.gz", "d.csv", "e.jsonl")),
    ]
    for given, made in pairwise(steps):
        mapping = ("--column", "headline=titel") if given == source else ()
        ended = here("read", given, "-o", made, *mapping)
        assert ended == (0, "", f"2 articles to {made}\n")
    table = pq.read_table(steps[1]).to_pylist()
    last = [json.loads(line) for line in steps[-1].read_text(encoding="utf-8").splitlines()]
    assert [row["headline"] for row in last] == [row["headline"] for row in table]
    assert [row["headline"] for row in last] == ["Minister, “and” vote", "日本\nBank"]
    assert last[0]["published_at"].startswith("2031-05-06T07:08:09")
    assert (last[0]["popularity"], last[0]["desk"], last[1]["popularity"]) == (12.0, "city", None)


def test_read_writes_the_boxes_beside(here: Run, tmp_path: Path) -> None:
    page, out = tmp_path / "page.txt", tmp_path / "out.jsonl"
    page.write_text(PAGE, encoding="utf-8")
    boxes = tmp_path / "out.rankings.jsonl"
    assert here("read", page, "-o", out) == (0, "", f"1 articles to {out}, 3 box lines to {boxes}\n")
    lines = [json.loads(line) for line in boxes.read_text(encoding="utf-8").splitlines()]
    assert [(line["list"], line["rank"], line["headline"]) for line in lines] == [
        ("Politics", 1, "Minister and vote"),
        ("Politics", 2, "A coalition"),
        ("*", 1, "Bank and shares"),
    ]
    again = here("read", page, "-o", out)
    assert (again.code, again.out) == (2, "")
    assert one_line(again.err).endswith("is there already; give another name, or --force to replace it")
    assert here("read", page, "-o", out, "--force").code == 0


def test_read_writes_both_targets_or_none(here: Run, tmp_path: Path) -> None:
    page, out, boxes = (tmp_path / name for name in ("page.txt", "out.jsonl", "out.rankings.jsonl"))
    page.write_text(PAGE, encoding="utf-8")
    boxes.write_text("mine")
    ended = here("read", page, "-o", out)
    assert ended.code == 2
    assert str(boxes) in one_line(ended.err)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.rankings.jsonl", "page.txt"]
    assert boxes.read_text() == "mine"


def test_read_to_standard_output_says_that_boxes_are_left_out(newsdesk: Run, tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text(PAGE, encoding="utf-8")
    done = newsdesk("read", tmp_path / "page.txt", "-o", "-")
    assert done.code == 0
    assert json.loads(done.out)["body"] == "The minister met the assembly."
    assert done.err == "1 articles to -; 3 box lines left out, as standard output carries one table\n"


def test_read_names_rejected_rows_and_keeps_the_others(here: Run, one_bad_row: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    ended = here("read", one_bad_row, "-o", out)
    assert (ended.code, ended.out) == (1, "")
    rejected, done, error = ended.err.splitlines()
    assert rejected.startswith("rejected: ")
    assert "in.jsonl, line 4: headline: is a list" in rejected
    assert done == f"3 articles to {out}"
    assert error == "error: 1 of 4 rows were rejected; see above, and newsdesk read --report --json"
    assert len(out.read_text(encoding="utf-8").splitlines()) == 3


# rank and explain


def test_rank_in_the_form_of_pages(here: Run, tiny_model_path: Path, rows: Path) -> None:
    ended = here("rank", tiny_model_path, rows, "--site", "JN", "--top", "2")
    assert (ended.code, ended.err) == (0, "")
    headings = [
        line for line in ended.out.splitlines() if line.endswith(("POPULAR ARTICLE", "ACCESS RANKING"))
    ]
    assert headings[-1] == "JN ACCESS RANKING"
    assert '"World" POPULAR ARTICLE' in headings
    assert ended.out.split("JN ACCESS RANKING\n")[1].count("-\n") == 2


def test_rank_as_json_is_one_object_and_nothing_else(
    newsdesk: Run, tiny_model_path: Path, one_bad_row: Path
) -> None:
    done = newsdesk("rank", tiny_model_path, one_bad_row, "--json")
    assert done.code == 1
    found = json.loads(done.out)
    assert list(found) == ["site", "by_section", "model", "version"]
    assert {entry["id"] for entry in found["site"]} == {"1", "2", "3"}
    assert [entry["rank"] for entry in found["site"]] == [1, 2, 3]
    assert (found["model"], found["version"]) == ("tiny", ModelFolder(tiny_model_path).current())
    assert "rejected: " in done.err
    assert "日本 “quoted”" in done.out


def test_explain_in_words(here: Run, tiny_model_path: Path, rows: Path) -> None:
    ended = here("explain", tiny_model_path, rows, "--features", "2")
    assert (ended.code, ended.err) == (0, "")
    first = ended.out.split("\n\n")[0].splitlines()
    assert first[0] == "Minister and vote"
    assert first[1].startswith("section      Politics, probability")
    assert [line for line in first[2:] if not line.startswith("  ")][-3:] == [
        "why Politics",
        "rather than Economy",
        "what lifts (+) and sinks (-) it",
    ]
    assert len([line for line in first if line.startswith("  ")]) == 6
    assert "(intercept)" not in ended.out
    assert "日本 “quoted”\n" in ended.out


def test_explain_offers_the_likely_sections(
    here: Run, version_path: Path, forge: Any, tmp_path: Path
) -> None:
    def lower(manifest: dict[str, Any]) -> None:
        manifest["heads"]["sections"]["decisions"]["sets"] = [{"level": 0.95, "threshold": 0.05}]

    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({"headline": "Bank and vote prices minister"}), encoding="utf-8")
    assert "likely" not in here("explain", version_path, file).out
    forge(version_path, lower)
    assert "\nlikely one of  Politics, Economy (95 %)\n" in here("explain", version_path, file).out


def test_a_page_is_explained_without_its_boxes(here: Run, tiny_model_path: Path, tmp_path: Path) -> None:
    found = []
    for name, page in (("with", PAGE.replace("Politics", "Economy")), ("without", PAGE.split('"')[0])):
        file = tmp_path / f"{name}.txt"
        file.write_text(page, encoding="utf-8")
        ended = here("explain", tiny_model_path, file, "--json")
        assert (ended.code, ended.err) == (0, "")
        found.append(ended.out)
    assert found[0] == found[1]


def test_explain_as_json(here: Run, tiny_model_path: Path, rows: Path) -> None:
    ended = here("explain", tiny_model_path, rows, "--json")
    assert (ended.code, ended.err) == (0, "")
    found = json.loads(ended.out)["articles"]
    assert [item["id"] for item in found] == ["1", "2", "3"]
    for item, row in zip(found, ROWS, strict=True):
        assert {part["head"] for part in item["explanation"]} == {"section", "popularity"}
        for part in item["explanation"]:
            assert list(part) == ["head", "feature", "contribution", "against", "spans"]
            assert (part["against"] is None) == (part["head"] == "popularity")
            for field, start, end in part["spans"]:
                assert 0 <= start < end <= len(row[field])


# Errors and exit codes


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rank", "{tmp}/nothing", "{rows}"], "there is no such model; train one"),
        (["rank", "{rows}", "{rows}"], "there is no such model; train one"),
        (["rank", "{model}", "{tmp}/nothing.jsonl"], "nothing.jsonl"),
        (["explain", "{model}", "{rows}", "--timezone", "Mars"], '"Mars" is not a known time zone'),
        (["read", "{rows}", "-o", "{tmp}/out.exe"], ".exe"),
        (["read", "{rows}", "-o", "{tmp}/no/out.csv"], "does not exist; create it first"),
        (["read", "{rows}", "-o", "{tmp}/o.csv", "--column", "a=b"], 'there is no column "a"'),
        (["read", "{tmp}/line\nbreak.jsonl", "-o", "{tmp}/o.csv"], "line break.jsonl"),
        (["models", "show", "{tmp}"], "the folder holds no version of a model"),
    ],
)
def test_unusable_arguments_are_one_line_and_2(
    here: Run, tmp_path: Path, tiny_model_path: Path, rows: Path, arguments: list[str], says: str
) -> None:
    before = sorted(tmp_path.iterdir())
    filled = [text.format(tmp=tmp_path, model=tiny_model_path, rows=rows) for text in arguments]
    ended = here(*filled)
    assert (ended.code, ended.out) == (2, "")
    assert says in one_line(ended.err)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["rank"], ["rank", "m", "i", "--top", "0"], ["read", "a.csv"], ["models", "x"]],
)
def test_wrong_usage_is_2_and_without_traceback(here: Run, arguments: list[str]) -> None:
    ended = here(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Usage: newsdesk" in ended.err
    assert "Traceback" not in ended.err


def test_errors_of_the_installed_command(newsdesk: Run, tmp_path: Path) -> None:
    done = newsdesk("rank", tmp_path / "nothing", tmp_path / "a.jsonl")
    assert (done.code, done.out) == (2, "")
    assert one_line(done.err).startswith(f"error: {tmp_path / 'nothing'}: there is no such model; ")


@pytest.mark.parametrize(
    ("lost", "arguments", "extra"),
    [
        ("sklearn", ["train", "a.jsonl", "--out", "m"], "train"),
        ("flask", ["serve", "m"], "service"),
        ("joblib", ["quickstart"], "train"),
    ],
)
def test_a_missing_extra_is_named(tmp_path: Path, lost: str, arguments: list[str], extra: str) -> None:
    # None in sys.modules is what makes an import fail as if the package were not installed.
    script = f"import sys; sys.modules[{lost!r}] = None\nfrom classifier.cli import run; sys.exit(run({arguments!r}))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert one_line(done.stderr).endswith(
        f'{lost}, which is not installed; install Newsdesk with its "{extra}" extra'
    )


# Interruption and pipes


def lines_without_end() -> bytes:
    """More than a pipe holds: who has written it all knows that the command is reading."""
    row = json.dumps({"headline": "Minister and vote", "body": "The assembly met. " * 20}) + "\n"
    return row.encode() * 1000


@pytest.mark.parametrize("command", ["read", "score", "rank", "explain"])
def test_an_interrupted_command_ends_with_130_and_leaves_nothing(
    newsdesk_command: str, tiny_model_path: Path, tmp_path: Path, command: str
) -> None:
    arguments = {
        "read": ["read", "-", "-o", "out.parquet"],
        "score": ["score", str(tiny_model_path), "-", "-o", "out.parquet"],
        "rank": ["rank", str(tiny_model_path), "-", "--json"],
        "explain": ["explain", str(tiny_model_path), "-"],
    }[command]
    with subprocess.Popen(
        [newsdesk_command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(lines_without_end())
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == cli.INTERRUPTED == 130
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() == b""
        assert process.stderr.read().split() == [b"interrupted"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["rank", "explain", "score", "read", "help", "models --help"])
def test_a_reader_that_goes_away_is_no_error(
    newsdesk_command: str, tiny_model_path: Path, tmp_path: Path, rows: Path, command: str
) -> None:
    rows.write_bytes(lines_without_end()[: 480 * 40].rpartition(b"\n")[0] + b"\n")
    arguments = {
        "rank": ["rank", str(tiny_model_path), str(rows), "--json"],
        "explain": ["explain", str(tiny_model_path), str(rows)],
        "score": ["score", str(tiny_model_path), str(rows), "-o", "-", "--quiet"],
        "read": ["read", str(rows), "-o", "-"],
        "help": ["--help"],
        "models --help": ["models", "--help"],
    }[command]
    reading, writing = os.pipe()
    os.close(reading)  # before anything is written: every write fails
    # Buffered, as users have it: then Python itself writes once more when it ends.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    try:
        done = subprocess.run(
            [newsdesk_command, *arguments],
            stdout=writing,
            env=env,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_broken_pipe_does_not_swallow_other_errors(newsdesk: Run, tmp_path: Path) -> None:
    done = newsdesk("read", "-", "-o", "-", input="{\n")
    assert done.code in (1, 2)
    assert "not JSON" in done.err
    assert "Traceback" not in done.err


def test_sigterm_leaves_nothing_half_written(
    newsdesk_command: str, tiny_model_path: Path, tmp_path: Path
) -> None:
    command = [newsdesk_command, "score", tiny_model_path, "-", "-o", tmp_path / "out.jsonl"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not list(
        tmp_path.iterdir()
    ):  # the temporary file is there: the command is at work, waiting for input
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert not list(tmp_path.iterdir())


def test_a_path_too_long_is_one_error(newsdesk: Run, tmp_path: Path) -> None:
    done = newsdesk("read", tmp_path / ("a" * 300 + ".jsonl"), "-o", "-")
    assert (done.code, done.out) == (2, "")
    assert one_line(done.err).startswith("error: ")
