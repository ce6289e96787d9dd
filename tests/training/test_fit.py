"""Training as a whole: the same twice over, whole or not at all, and what the manifest says of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import classifier
from classifier.artifact import open_version
from classifier.errors import ArtifactDamaged, ConfigError, LabelError, OutputError
from classifier.reading import Reading
from classifier.store import ModelFolder
from training.config import Config, parse_config
from training.fit import train
from training.folders import check_model_folder
from training.sample import PAGE_VIEWS, PAGES

Read = Callable[..., Reading]
Stories = Callable[..., list[dict[str, Any]]]
NOW = datetime(2031, 6, 1, tzinfo=UTC)
NEWSDESK = Path(sys.executable).with_name("newsdesk")
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
    assert set(result.folder.files) >= {"pipeline.joblib", "card.md", "report.html"}
    loaded = classifier.load(tmp_path / "model")
    assert (loaded.name, loaded.version) == ("model", result.folder.version)


def test_the_model_that_is_loaded_is_the_one_that_was_evaluated(
    reading_of: Read, stories: Stories, tmp_path: Path
) -> None:
    from training.evaluation import evaluate_reading

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
    assert head.group_sizes.tolist() == [12.0, 12.0]  # of the box's day


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


def test_an_interrupted_command_ends_with_130(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [NEWSDESK, "train", *SAMPLE, "--out", str(tmp_path / "model")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("fitting the section head"):
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate()
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == "interrupted"
    assert "Traceback" not in err
    assert out == ""
    assert not (tmp_path / "model").exists()


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
