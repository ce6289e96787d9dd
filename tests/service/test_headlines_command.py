"""`newsdesk headlines`: what it reads, what it prints, how it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from classifier.articles import Article
from classifier.headlines import rank_headlines
from classifier.headlines.text import headlines_text
from classifier.model import load

HEADLINES = ["Minister and vote", "Bank and shares", "Storm warning for every school"]
STORY = {
    "headline": "Not looked at",
    "body": "The bank met the minister.",
    "source": "Tiny Gazette",
    "published_at": "2031-05-06T08:00:00+09:00",
}
PAGE = """Not looked at
11:36 JST, February 2, 2022
TOKYO (Jiji Press) — The minister met the assembly.
"Politics" POPULAR ARTICLE
-
Minister and vote
"""

Run = Callable[..., Any]


@pytest.fixture
def titles(tmp_path: Path) -> Path:
    path = tmp_path / "titles.txt"
    path.write_text("\n" + "\n\n".join(HEADLINES) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.jsonl"
    path.write_text(json.dumps(STORY), encoding="utf-8")
    return path


@pytest.fixture
def expected(tiny_model_path: Path) -> Callable[..., dict[str, Any]]:
    """What the ranking itself says, as JSON has it."""

    def ranked(headlines: list[str] = HEADLINES, story: Article | None = None) -> dict[str, Any]:
        ranking = rank_headlines(load(tiny_model_path), headlines, story)
        return dict(json.loads(json.dumps(ranking.to_dict())))

    return ranked


def one_line(err: str) -> str:
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    return line


def test_a_file_of_lines(here: Run, tiny_model_path: Path, titles: Path, expected: Run) -> None:
    ended = here("headlines", tiny_model_path, titles, "--json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.json == expected()


def test_in_words(here: Run, tiny_model_path: Path, titles: Path) -> None:
    ended = here("headlines", tiny_model_path, titles)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == headlines_text(rank_headlines(load(tiny_model_path), HEADLINES))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_of_text_editors(
    here: Run, tiny_model_path: Path, titles: Path, expected: Run, encoding: str
) -> None:
    titles.write_bytes("\r\n".join(HEADLINES).encode(encoding))
    assert here("headlines", tiny_model_path, titles, "--json").json == expected()


def test_the_story_beside_the_headlines(
    here: Run, tiny_model_path: Path, titles: Path, story: Path, expected: Run
) -> None:
    ended = here("headlines", tiny_model_path, titles, "--article", story, "--json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.json == expected(story=Article.from_mapping(STORY)) != expected()


def test_the_story_may_be_a_page(
    here: Run, tiny_model_path: Path, titles: Path, tmp_path: Path, expected: Run
) -> None:
    (tmp_path / "page.txt").write_text(PAGE, encoding="utf-8")
    ended = here("headlines", tiny_model_path, titles, "--article", tmp_path / "page.txt", "--json")
    page = {"body": "The minister met the assembly.", "published_at": "2022-02-02T11:36:00+09:00"}
    assert ended.json == expected(story=Article.from_mapping({**page, "section": "Politics"}))


def test_an_object_goes_before_the_article(
    here: Run, tiny_model_path: Path, story: Path, tmp_path: Path, expected: Run
) -> None:
    own = {"body": "Storm and school.", "published_at": "2031-05-06T09:00:00"}
    path = tmp_path / "headlines.json"
    path.write_text(json.dumps({"headlines": HEADLINES, **own}), encoding="utf-8")
    ended = here("headlines", tiny_model_path, path, "--article", story, "--timezone", "Asia/Tokyo", "--json")
    both = {**STORY, **own, "published_at": "2031-05-06T09:00:00+09:00"}
    assert ended.json == expected(story=Article.from_mapping(both))


@pytest.mark.parametrize("text", ["\n".join(HEADLINES), json.dumps({"headlines": HEADLINES}, indent=1)])
def test_standard_input_is_lines_or_an_object(
    newsdesk: Run, tiny_model_path: Path, expected: Run, text: str
) -> None:
    done = newsdesk("headlines", tiny_model_path, "-", "--json", input=text)
    assert (done.code, done.err) == (0, "")
    assert done.json == expected()


def test_a_text_file_may_begin_with_a_brace(
    here: Run, tiny_model_path: Path, titles: Path, expected: Run
) -> None:
    titles.write_text("{Vote}\nBank", encoding="utf-8")
    assert here("headlines", tiny_model_path, titles, "--json").json == expected(["{Vote}", "Bank"])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", "", "a.txt: headlines: holds 0; give 2 to 20 headlines"),
        ("a.txt", "Vote\n", "a.txt: headlines: holds 1; give 2 to 20 headlines"),
        ("a.txt", "\n".join(map(str, range(21))), "a.txt: headlines: holds 21; give 2 to 20 headlines"),
        ("a.txt", "Vote\n  Vote  \n", "a.txt: headlines: holds 2 times the same headline"),
        ("a.txt", f"Vote\n\n{'a' * 501}\n", "a.txt, line 3: headlines[1]: is longer than 500 characters"),
        ("a.txt", "Vote\nBank\n\u200b\n", "a.txt, line 3: headlines[2]: is empty"),
        ("a.txt", b"Vote\nB\xe4nk\n", "a.txt, line 2: is not valid UTF-8"),
        ("a.txt", "Vote\nB\x00nk\n", "a.txt, line 2: holds a NUL"),
        ("a.json", "[", "a.json: not JSON: Expecting value (line 1, column 2)"),
        ("a.json", "Vote\nBank", "a.json: not JSON"),
        ("a.json", '["Vote", "Bank"]', "a.json: a list, not an object; write one headline a line, or a JSON"),
        ("a.json", "[" * 100_000, "a.json: nested too deeply"),
        ("a.json", '{"headlines": ["a", "b"], "popularity": NaN}', "a.json: NaN is no number in JSON"),
        ("a.json", "{}", "a.json: headlines: is missing"),
        ("a.json", '{"headlines": "Vote"}', "a.json: headlines: is a str"),
        ("a.json", '{"headlines": ["Vote", 5]}', "a.json: headlines[1]: is a int"),
        ("a.json", '{"headlines": ["a", "b"], "headline": "c"}', "a.json: headline: does not belong here"),
        ("a.json", '{"headlines": ["a", "b"], "source": 5}', "a.json: source: is a int"),
        (
            "a.json",
            '{"headlines": ["a", "b"], "published_at": "2031-05-06T08:00:00"}',
            "no time zone; add one",
        ),
        (
            "a.jsonl",
            '{"headline": "a"}\n{"headline": "b"}\n',
            "a.jsonl: not JSON: Extra data (line 2, column 1)",
        ),
        ("a.txt", b"a" * (4 * 2**20 + 1), "a.txt: is larger than 4 MiB"),
    ],
)
def test_bad_headlines_are_one_line_and_2(
    here: Run, tiny_model_path: Path, tmp_path: Path, name: str, content: str | bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    ended = here("headlines", tiny_model_path, tmp_path / name)
    assert (ended.code, ended.out) == (2, "")
    assert says in one_line(ended.err)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"body": "a"}\n{"body": "b"}\n', "holds 2 articles; name a file with the one story"),
        ('{"headline": [5]}\n', "story.jsonl, line 1: headline: is a list"),
    ],
)
def test_an_article_that_is_not_one(
    here: Run, tiny_model_path: Path, titles: Path, story: Path, content: str, says: str
) -> None:
    story.write_text(content, encoding="utf-8")
    ended = here("headlines", tiny_model_path, titles, "--article", story)
    assert (ended.code, ended.out) == (2, "")
    assert says in one_line(ended.err)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{tmp}/none", "{titles}"], "there is no such model"),
        (["{model}", "{tmp}/none.txt"], "there is no such file or folder"),
        (["{model}", "{tmp}/empty"], "there are 0 files; name one file with headlines"),
        (["{model}", "{titles}", "--article", "{tmp}/none.txt"], "there is no such file or folder"),
        (["{model}", "{titles}", "--timezone", "Mars"], '"Mars" is not a known time zone'),
        (["{model}", "-", "--article", "-"], "standard input cannot be both"),
    ],
)
def test_unusable_arguments(
    here: Run, tiny_model_path: Path, titles: Path, tmp_path: Path, arguments: list[str], says: str
) -> None:
    (tmp_path / "empty").mkdir()
    filled = [text.format(tmp=tmp_path, model=tiny_model_path, titles=titles) for text in arguments]
    ended = here("headlines", *filled)
    assert (ended.code, ended.out) == (2, "")
    assert says in one_line(ended.err)


def test_help_is_light() -> None:
    script = (
        "import sys; from classifier.cli import run; run(['headlines', '--help'])\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert "Usage: newsdesk headlines" in done.stdout
    assert not {"numpy", "pyarrow", "flask", "pydantic", "orjson"} & set(done.stderr.split())


def test_it_runs_without_the_packages_of_the_service(
    tiny_model_path: Path, titles: Path, expected: Run
) -> None:
    arguments = ["headlines", str(tiny_model_path), str(titles), "--json"]
    script = (
        "import sys\nfor name in ('flask', 'pydantic', 'orjson', 'granian', 'sklearn'): sys.modules[name] = None\n"
        f"from classifier.cli import run; sys.exit(run({arguments!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout) == expected()
