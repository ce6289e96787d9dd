"""Training as a whole: the same twice over, whole or not at all, and what the manifest says of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import classifier
from classifier.articles import Article
from classifier.artifact import open_version
from classifier.errors import ArtifactDamaged, ConfigError, LabelError, OutputError
from classifier.popularity import DAYS
from classifier.reading import Reading
from classifier.results import MAX_SECTION_SCORES
from classifier.store import ModelFolder
from classifier.text.rows import Rows
from training.config import Config, parse_config
from training.evaluation import evaluate_reading
from training.fit import train
from training.folders import check_model_folder
from training.sample import PAGE_VIEWS, PAGES

Read = Callable[..., Reading]
Stories = Callable[..., list[dict[str, Any]]]
NOW = datetime(2031, 6, 1, tzinfo=UTC)
NEWSDESK = Path(sys.executable).with_name("newsdesk")
RECIPE = {"section_blocks": ["text word(1,1)"], "section_c": 1, "section_balance": 0, "section_half_life": 0}
FIXED = parse_config({"fit": RECIPE})  # for speed, where the choice of a recipe is not what is looked at
SAMPLE = [str(PAGES), str(PAGE_VIEWS), "--taken-at", "%Y-%m-%d"]


def test_two_processes_make_the_same_arrays(tmp_path: Path) -> None:
    """The bundled newspaper, under two hash seeds."""
    running = [
        subprocess.Popen(
            [NEWSDESK, "train", *SAMPLE, "--out", str(tmp_path / seed / "sample"), "--json"],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for seed in ("1", "2")
    ]
    results = []
    for process in running:
        out, err = process.communicate()
        assert process.returncode == 0, err.decode()
        results.append(json.loads(out))
    one, other = (Path(result["version"]) for result in results)
    arrays = sorted(path.name for path in one.glob("*.npy"))
    assert len(arrays) > 20
    for name in arrays:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    first, second = (open_version(path).manifest.data for path in (one, other))
    assert sorted(first["files"]) == sorted(second["files"])
    for key in ("heads", "configuration", "data", "baselines", "metrics", "libraries", "format"):
        assert first[key] == second[key], key
    assert one.name.partition("-")[2] == other.name.partition("-")[2]  # the hash of arrays and configuration


def test_the_first_version_is_promoted_and_later_ones_wait(
    reading_of: Read, stories: Stories, tmp_path: Path
) -> None:
    reading, out = reading_of(stories()), tmp_path / "model"
    first = train(reading, out, Config(), now=NOW)
    second = train(reading, out, parse_config({"fit": {"section_c": 0.5}}), now=NOW + timedelta(days=1))
    assert (first.promoted, second.promoted) == (True, False)
    store = ModelFolder(out)
    assert store.versions() == [first.folder.version, second.folder.version]
    assert store.current() == first.folder.version
    assert sorted(path.name for path in out.iterdir()) == sorted([*store.versions(), "current"])
    first.folder.verify()
    second.folder.verify()


def test_what_train_says(reading_of: Read, stories: Stories, tmp_path: Path) -> None:
    result = train(reading_of(stories()), tmp_path / "model", Config(), now=NOW)
    found = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert set(found) == {
        "sections",
        "popularity",
        "seconds",
        "model",
        "version",
        "promoted",
        "data",
        "notes",
    }
    assert found["model"] == str(tmp_path / "model")
    assert found["version"] == str(result.folder.path)
    assert found["data"]["train"]["articles"] == 77
    assert found["data"]["test"]["window"] == ["2031-05-07T11:15+09:00", "2031-05-08T17:15+09:00"]
    assert found["data"]["timezone"] == "+09:00"
    manifest = result.folder.manifest.data
    assert manifest["metrics"] == {"sections": found["sections"], "popularity": found["popularity"]}
    assert parse_config(manifest["configuration"]) == Config()
    assert {"python", "newsdesk", "numpy", "scikit-learn", "scipy"} <= set(manifest["libraries"])
    documents = {"pipeline.joblib", "card.md", "report.html", "hygiene.jsonl"}
    assert set(result.folder.files) >= documents
    assert set(manifest["files"]) >= documents  # with their digests
    chosen = manifest["sections"]
    assert set(chosen) == {
        *("section_blocks", "section_c", "section_balance", "section_half_life"),
        *("validated_on", "calibration", "calibration_log_loss", "dropped"),
    }
    fixed = parse_config(
        {"fit": {name: value for name, value in chosen.items() if name.startswith("section_")}}
    )
    assert fixed.fit.section_blocks
    assert chosen["validated_on"] == "folds of the training part, 77 articles"
    loaded = classifier.load(tmp_path / "model")
    assert (loaded.name, loaded.version) == ("model", result.folder.version)


def test_doubtful_labels_are_a_file_of_the_version(
    reading_of: Read, stories: Stories, tmp_path: Path
) -> None:
    rows = stories()
    rows[3]["section"] = "Politics"  # its words are Economy's
    rows[5] = {**rows[4], "id": "twin", "section": "Economy"}
    folder = train(reading_of(rows), tmp_path / "model", FIXED, now=NOW).folder
    found = [json.loads(line) for line in (folder.path / "hygiene.jsonl").read_text("utf-8").splitlines()]
    assert "s3" in {item.get("id") for item in found}
    assert any({"s4", "twin"} <= set(item.get("ids", ())) for item in found)
    (folder.path / "hygiene.jsonl").write_text("{}\n")
    with pytest.raises(ArtifactDamaged, match=r"hygiene\.jsonl"):
        folder.verify()


def test_without_a_section_head_nothing_is_said_of_labels(
    reading_of: Read, stories: Stories, tmp_path: Path
) -> None:
    rows = [{name: value for name, value in row.items() if name != "section"} for row in stories()]
    folder = train(reading_of(rows), tmp_path / "model", Config(), now=NOW).folder
    assert "hygiene.jsonl" not in folder.files
    assert folder.manifest.data["sections"] is None


def test_the_model_that_is_loaded_is_the_one_that_was_evaluated(
    reading_of: Read, stories: Stories, tmp_path: Path
) -> None:
    reading = reading_of(
        [{**row, "split": "test" if i >= 72 else "train"} for i, row in enumerate(stories())]
    )
    result = train(reading, tmp_path / "model", Config())
    again = evaluate_reading(classifier.load(tmp_path / "model"), reading, Config(), None)
    assert again.to_dict() == result.evaluation.to_dict()


def test_another_order_of_the_articles_gives_as_good_a_model(
    reading_of: Read, stories: Stories, tmp_path: Path
) -> None:
    """Folds, and so the last digits, depend on the order; the fingerprint says that it was another one."""
    rows = [{**row, "split": "test" if i >= 72 else "train"} for i, row in enumerate(stories())]
    results = []
    for name, order in (
        ("as is", range(96)),
        ("shuffled", np.random.default_rng(0).permutation(96).tolist()),
    ):
        results.append(train(reading_of([rows[i] for i in order]), tmp_path / name, Config()))
    one, other = results
    assert one.data["fingerprint"] != other.data["fingerprint"]
    assert one.evaluation.sections is not None
    assert other.evaluation.sections is not None
    assert one.evaluation.popularity is not None
    assert other.evaluation.popularity is not None
    assert one.evaluation.sections["accuracy"] == other.evaluation.sections["accuracy"]
    assert one.evaluation.popularity["ndcg_at_10"] == pytest.approx(
        other.evaluation.popularity["ndcg_at_10"], abs=0.02
    )


@pytest.mark.parametrize("missing", ["section", "popularity"])
def test_one_head_alone(reading_of: Read, stories: Stories, tmp_path: Path, missing: str) -> None:
    rows = [{name: value for name, value in row.items() if name != missing} for row in stories()]
    result = train(reading_of(rows), tmp_path / "model", Config())
    found = result.to_dict()
    assert found["sections" if missing == "section" else "popularity"] is None
    assert found["popularity" if missing == "section" else "sections"] is not None
    assert any(note.startswith(f"no {missing} head: ") for note in result.notes)
    assert ("pipeline.joblib" in result.folder.files) == (missing == "popularity")


def test_popularity_from_boxes_alone(reading_of: Read, stories: Stories, tmp_path: Path) -> None:
    rows, boxes = stories(), []
    for day in range(1, 9):
        own = [row for row in rows if row["published_at"].startswith(f"2031-05-{day:02d}")]
        for rank, row in enumerate(sorted(own, key=lambda row: -row["popularity"])[:5], 1):
            taken = f"2031-05-{day:02d}T23:00:00+09:00"
            boxes.append({"list": "*", "rank": rank, "headline": row["headline"], "taken_at": taken})
    bare = [{name: value for name, value in row.items() if name != "popularity"} for row in rows]
    result = train(reading_of(bare, boxes), tmp_path / "model", Config())
    assert any(
        note.startswith("ranking boxes: 6 with 30 lines, 30 joined with articles") for note in result.notes
    )
    model = classifier.load(tmp_path / "model")
    storm = {"headline": "Storm warning for every school", "published_at": "2031-05-20T09:00:00+09:00"}
    quiet = {**storm, "headline": "A long quiet meeting"}
    scores = [model.predict(article).popularity_score or 0.0 for article in (storm, quiet)]
    assert scores[0] > scores[1]


def test_counts_that_are_all_held_out_do_not_push_the_boxes_aside(
    reading_of: Read, stories: Stories, tmp_path: Path
) -> None:
    rows, boxes = stories(), []
    for row in rows:
        row["split"] = "test" if row["published_at"] >= "2031-05-07" else "train"
        if row["split"] == "train" and row.pop("popularity") > 3000:
            taken = f"{row['published_at'][:10]}T23:00:00+09:00"
            rank = 1 + sum(line["taken_at"] == taken for line in boxes)
            boxes.append({"list": "*", "rank": rank, "headline": row["headline"], "taken_at": taken})
    found = train(reading_of(rows, boxes), tmp_path / "model", Config()).evaluation.popularity
    assert found is not None
    assert found["groups"] == 2
    assert found["ndcg_at_10"] > found["baselines"]["random"]["ndcg_at_10"] + 0.1


def test_counts_that_are_all_equal_leave_the_boxes_to_decide(
    reading_of: Read, stories: Stories, tmp_path: Path
) -> None:
    rows = [{**row, "popularity": None} for row in stories()]
    for row in rows[24:36]:
        row["popularity"] = 1.0
    boxes = [
        {
            "list": "*",
            "rank": rank,
            "headline": rows[rank]["headline"],
            "taken_at": "2031-05-01T23:00:00+09:00",
        }
        for rank in range(1, 6)
    ]
    train(reading_of(rows, boxes), tmp_path / "model", Config())
    head = classifier.load(tmp_path / "model").popularity
    assert head is not None
    assert head.group_sizes.tolist() == [[12.0] * DAYS] * 2  # of the box's day


def test_nothing_is_left_behind_when_there_is_nothing_to_learn(
    reading_of: Read, stories: Stories, tmp_path: Path
) -> None:
    rows = [{"headline": row["headline"], "published_at": row["published_at"]} for row in stories()]
    with pytest.raises(LabelError) as caught:
        train(reading_of(rows), tmp_path / "model", Config())
    assert "no training article has a section and no training article has a popularity" in str(caught.value)
    assert not (tmp_path / "model").exists()


def test_popularity_without_a_group_is_named(reading_of: Read, stories: Stories, tmp_path: Path) -> None:
    rows = [{"headline": row["headline"], "popularity": row["popularity"]} for row in stories()]
    with pytest.raises(LabelError, match="no training article with a popularity has a group or a time"):
        train(reading_of(rows), tmp_path / "model", Config())


def test_a_category_that_is_no_column(reading_of: Read, stories: Stories, tmp_path: Path) -> None:
    rows = [{**row, "desk": "north"} for row in stories()]
    with pytest.raises(ConfigError, match=r'no column "desks"; did you mean "desk"\?'):
        train(reading_of(rows), tmp_path / "model", parse_config({"features": {"categorical": ["desks"]}}))
    assert not (tmp_path / "model").exists()


def test_a_block_of_a_column_that_is_not_there(reading_of: Read, stories: Stories, tmp_path: Path) -> None:
    rows = [{**row, "desk": "north"} for row in stories(days=3)]
    config = parse_config({"fit": {**RECIPE, "section_blocks": ["text word(1,1)", "desks * 1"]}})
    with pytest.raises(ConfigError, match=r'fit\.section_blocks: .*no column "desks"; did you mean "desk"\?'):
        train(reading_of(rows), tmp_path / "model", config)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("step", ["fitting the section head", "writing the version"])
def test_interrupted_in_the_middle_nothing_is_left_behind(
    reading_of: Read, stories: Stories, tmp_path: Path, step: str
) -> None:
    def progress(said: str) -> None:
        if said == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(reading_of(stories()), tmp_path / "artifacts" / "model", Config(), progress=progress)
    assert not (tmp_path / "artifacts").exists()


@pytest.mark.parametrize("step", ["fitting the section head", "tried ", "fitting text "])
def test_an_interrupted_command_ends_with_130(tmp_path: Path, step: str) -> None:
    """While texts are counted, while recipes are tried, while the chosen one is fitted."""
    process = started([NEWSDESK], tmp_path)
    code, out, err = interrupted_at(step, process)
    assert (code, out) == (130, "")
    assert err.split() == ["interrupted"]
    assert not (tmp_path / "model").exists()


def started(command: list[Any], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*command, "train", *SAMPLE, "--out", str(folder / "model")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def interrupted_at(step: str, process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, output, and what was said on standard error after a line that starts so."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(step):
            process.send_signal(signal.SIGINT)
            break
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, out, err


def test_folders_that_are_no_model_folders(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("x")
    (tmp_path / "version").mkdir()
    (tmp_path / "version" / "manifest.json").write_text("{}")
    (tmp_path / "empty" / ".hidden").mkdir(parents=True)
    for name, problem in (
        ("file", "is a file"),
        ("file/model", "file is a file, not a folder"),
        ("full", "holds something else than versions of a model: notes.txt"),
        ("version", "is a version folder"),
    ):
        with pytest.raises(OutputError, match=problem) as caught:
            check_model_folder(tmp_path / name)
        assert caught.value.remedy
    with pytest.raises(OutputError, match="is no name for a model"):
        check_model_folder(Path("/"))
    check_model_folder(tmp_path / "empty")
    check_model_folder(tmp_path / "new" / "model")
    (tmp_path / "empty" / "current").write_text("nonsense")
    with pytest.raises(ArtifactDamaged, match="holds no version name"):
        check_model_folder(tmp_path / "empty")


# Data that try the limits


def test_labels_that_differ_by_case_or_spaces_are_named(
    here: Callable[..., Any], stories: Stories, tmp_path: Path
) -> None:
    rows = stories()
    for i, row in enumerate(rows):
        row["section"] = [
            row["section"],
            row["section"].upper(),
            f"{row['section'][:4]} {row['section'][4:]}",
        ][i // 2 % 3]
    ended = trained(here, rows, tmp_path)
    assert ended.code == 0, ended.err
    renamed = [line for line in ended.err.splitlines() if "which is more frequent" in line]
    assert any('the section "POLITICS", read as "Politics"' in line for line in renamed)
    (politics,) = [line for line in ended.err.splitlines() if line.startswith('note: section names: "Poli')]
    for words in (
        '"Poli tics" (13)',
        "differ only by case, spaces or Unicode form",
        "if they are one section, write ",
    ):
        assert words in politics
    assert sum("differ only by case" in line for line in ended.err.splitlines()) == 2


def test_labels_that_are_empty_or_unknown(here: Callable[..., Any], stories: Stories, tmp_path: Path) -> None:
    """An empty label is none; one that only the test part has is named, and counts as wrong."""
    rows = [{**row, "split": "test" if i >= 72 else "train"} for i, row in enumerate(stories())]
    for i, label in enumerate(["", None, ""]):
        rows[i]["section"] = label
    rows[90]["section"] = rows[92]["section"] = "Late News"
    ended = trained(here, rows, tmp_path)
    assert ended.code == 0, ended.err
    assert 'note: section "Late News" is only in the test part (2 articles): no article can get it' in (
        ended.err.splitlines()
    )
    manifest = open_version(Path(ended.json["version"])).manifest.data
    assert manifest["heads"]["sections"]["labels"] == ["Economy", "Politics"]
    assert manifest["sections"]["validated_on"] == "folds of the training part, 69 articles"
    sections = ended.json["sections"]
    assert sections["n"] == 24
    assert sections["accuracy"] == 22 / 24
    assert sections["log_loss"] > 2 / 24 * 30  # what has no probability costs the most there is


def test_a_target_of_a_section_that_is_not_there(
    here: Callable[..., Any], stories: Stories, tmp_path: Path
) -> None:
    config = "[decisions.sections]\npolitics = 0.9\nEconomy = 0.9\n"
    ended = trained(here, stories(days=4), tmp_path, config)
    assert ended.code == 0, ended.err
    unknown = [line for line in ended.err.splitlines() if "to hold a target" in line]
    assert unknown == ['note: decisions.sections: there is no section "politics" to hold a target']


def trained(here: Callable[..., Any], rows: list[dict[str, Any]], folder: Path, config: str = "") -> Any:
    blocks = "".join(f"{name} = {json.dumps(value)}\n" for name, value in RECIPE.items())
    (folder / "config.toml").write_text(f"[fit]\n{blocks}{config}", "utf-8")
    (folder / "in.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return here(
        *(
            "train",
            folder / "in.jsonl",
            "--out",
            folder / "model",
            "--config",
            folder / "config.toml",
            "--json",
        )
    )


NAMES = st.lists(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
        | st.sampled_from("\n\r\t\"'<>&|`*_#[]\u202e\u200f🦆\u0301"),
        min_size=1,
        max_size=12,
    ).filter(lambda name: name.strip() == name),
    min_size=2,
    max_size=4,
    unique=True,
)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES)
@example(["Politics\nEconomy", '"quoted" & <b>bold</b>', "</td><script>alert(1)</script>"])
@example(["سياسة", "ספורט", "\u202egnipyt", "x|y `z` # * ["])
@example(["🦆🏳️‍🌈", "e\u0301", "é"])
def test_section_names_in_any_script(reading_of: Read, names: list[str]) -> None:
    words = ["alpha", "beta", "gamma", "delta"]
    rows = [
        {"headline": f"{words[i % len(names)]} story {i}", "body": "", "section": names[i % len(names)]}
        for i in range(10 * len(names))
    ]
    reading = reading_of(rows)
    read = reading.articles.column("section").to_pylist()  # names with tidy spaces
    with tempfile.TemporaryDirectory() as folder:
        version = train(reading, Path(folder) / "model", FIXED, now=NOW).folder
        model = classifier.load(Path(folder) / "model")
        assert set(model.sections.labels if model.sections else ()) == set(read)
        for row, section in zip(rows[: len(names)], read, strict=False):
            answer = json.loads(json.dumps(model.predict({"headline": row["headline"]}).to_dict()))
            assert answer["section"] == section
        card = (version.path / "card.md").read_text("utf-8")
        page = Page((version.path / "report.html").read_text("utf-8"))
    assert "\u202e" not in card  # it would turn the rest of the line around
    assert page.open == []
    assert not page.tags & {"script", "b", "img", "iframe", "link", "object", "form"}


class Page(HTMLParser):
    """The tags of a page, and those still open at its end or closed out of order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in ("meta", "br", "hr", "col", "img", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.open.append(f"/{tag}")


def test_all_articles_equal(reading_of: Read, tmp_path: Path) -> None:
    """The same text in two sections: no crash, an honest answer, and a human decides."""
    rows = [
        {"id": f"e{i}", "headline": "The same words", "section": ("Politics", "Economy")[i % 2]}
        for i in range(40)
    ]
    for i, row in enumerate(rows):
        row["split"] = "test" if i >= 32 else "train"
    result = train(reading_of(rows), tmp_path / "model", Config(), now=NOW)
    answer = classifier.load(tmp_path / "model").predict({"headline": "The same words"})
    assert answer.decision == "review"
    assert answer.section_probability == pytest.approx(0.5, abs=0.1)
    sections = result.evaluation.sections
    assert sections is not None
    assert sections["accuracy"] == 0.5
    assert all(item["coverage"] == 0.0 for item in sections["file"])
    assert (tmp_path / "model" / "current").is_file()
    card = (result.folder.path / "card.md").read_text("utf-8")
    assert "e0" in (result.folder.path / "hygiene.jsonl").read_text("utf-8")  # one text, two labels
    assert card


def test_very_many_topics(reading_of: Read, tmp_path: Path) -> None:
    """Three an article, most of them rare: it ends soon, and what is for people stays short."""
    random = np.random.default_rng(0)
    share = 1 / np.arange(1, 1201) ** 0.4
    rows = []
    for i in range(1000):
        topics = sorted({*random.choice(1200, 3, p=share / share.sum()).tolist()})
        words = [f"t{topic}w{random.integers(4)}" for topic in topics for _ in range(3)]
        names = [f"topic {topic}" for topic in topics]
        side = "test" if i >= 880 else "train"
        rows.append({"id": f"a{i}", "headline": " ".join(words), "sections": names, "split": side})
    config = parse_config({"fit": {**RECIPE, "folds": 2}})
    result = train(reading_of(rows), tmp_path / "model", config, now=NOW)
    found = result.evaluation.sections
    assert found is not None
    assert found["micro_f1"] > 0.5
    head = classifier.load(tmp_path / "model").sections
    assert head is not None
    assert len(head.labels) > 600
    articles = Rows.from_articles([Article(headline=str(row["headline"])) for row in rows[:20]])
    assert all(len(own.scores) == MAX_SECTION_SCORES for own in head.results(articles))
    sizes = {path.name: path.stat().st_size for path in result.folder.path.iterdir()}
    assert sizes["report.html"] < 500_000
    assert sizes["card.md"] < 50_000
