"""Searching further recipes of the section head."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import ConfigError, MissingExtra
from classifier.reading import Reading
from training.cli import train
from training.config import Config, parse_config
from training.corpus import Corpus
from training.features import BlockCache
from training.recipes import BlockRecipe, Recipe
from training.refit import evaluate_folds
from training.search import Place, Space, Step, search_recipe, space_of, study_of
from training.sections import fit_sections, truth_matrix, usable_labels
from training.selection import Trials, choose_recipe, make_validation

optuna = pytest.importorskip("optuna")

NEWSDESK = Path(sys.executable).with_name("newsdesk")
Make = Callable[..., Corpus]
Stories = Callable[..., list[dict[str, Any]]]


def configured(search: int = 6, categorical: tuple[str, ...] = (), **fit: Any) -> Config:
    return parse_config({"fit": {"search": search, **fit}, "features": {"categorical": list(categorical)}})


@pytest.fixture(scope="module")
def corpus(corpus_of: Make, stories: Stories) -> Corpus:
    """Three sections of different size, with shared words, two sources and desks."""
    rows = [row for i, row in enumerate(stories(sections=3)) if i % 3 == 0 or i % 5]
    for i, row in enumerate(rows):
        row["source"] = ("Tiny Gazette", "Small Herald")[i % 7 > 2]
        row["desk"] = ("north", "south")[i % 2]
        row["body"] = f"{row['body']} The bank, the vote and the match of {i % 13}."
        if i % 4 == 0:
            row["headline"] = "What else there was"
            row["body"] = "The vote and the bank met the match on a long quiet meeting of the coach."
    return corpus_of(rows)


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / "articles.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def trials_of(corpus: Corpus, progress: Callable[[str], None] = lambda step: None) -> Trials:
    labels, _ = usable_labels(corpus, 2)
    truth = truth_matrix(corpus, labels)
    clusters = np.arange(len(corpus))
    validation = make_validation(corpus, truth, clusters, several=False, fold_count=3, seed=0)
    return Trials(BlockCache(corpus.rows), validation.quick(), progress)


START = Recipe((BlockRecipe("text", "word"),))


def test_the_same_seed_finds_the_same(corpus: Corpus) -> None:
    first, second, other = (trials_of(corpus) for _ in range(3))
    best = search_recipe(START, first, corpus, configured())
    assert search_recipe(START, second, corpus, configured()) == best
    assert list(first.found) == list(second.found)
    search_recipe(START, other, corpus, configured(seed=1))
    assert list(other.found) != list(first.found)


def test_a_search_finds_the_best_of_what_it_tries_and_nothing_worse_than_the_start(corpus: Corpus) -> None:
    trials = trials_of(corpus)
    start = choose_recipe(corpus, trials, ())
    before = set(trials.found)
    best = search_recipe(start, trials, corpus, configured(8))
    tried = [recipe for recipe in trials.found if recipe not in before]
    assert len(tried) == 8
    assert trials.quality(best).value == max(trials.quality(recipe).value for recipe in [start, *tried])
    assert best != start  # here it pays
    # From what was found on, the next search only ever climbs.
    again = search_recipe(best, trials, corpus, configured(2))
    assert trials.quality(again).value >= trials.quality(best).value


def test_where_nothing_is_better_the_start_stays(corpus: Corpus) -> None:
    trials = trials_of(corpus)
    trials.found[START] = replace(trials.quality(START), value=0.0)  # no log loss is less
    assert search_recipe(START, trials, corpus, configured(4)) == START
    assert len(trials.found) == 5


def test_what_is_fitted_is_what_is_written(corpus: Corpus) -> None:
    trials = trials_of(corpus)
    search_recipe(START, trials, corpus, configured(10, ("desk",)))
    assert any(block.weight != 1 for recipe in trials.found for block in recipe.blocks)
    for recipe in list(trials.found)[1:]:
        settings = parse_config({"fit": json.loads(json.dumps(recipe.to_dict()))}).fit
        blocks = tuple(map(BlockRecipe.parse, settings.section_blocks))
        assert (
            replace(recipe, blocks=blocks, c=settings.section_c, balance=settings.section_balance) == recipe
        )
        for number in (recipe.c, *(block.weight for block in blocks)):
            assert number == float(f"{number:.2g}")


def test_what_the_configuration_fixes_stays(corpus: Corpus) -> None:
    fixed = replace(START, c=0.3)
    trials = trials_of(corpus)
    search_recipe(fixed, trials, corpus, configured(section_c=0.3))
    assert {recipe.c for recipe in trials.found} == {0.3}
    assert len({recipe.blocks for recipe in trials.found}) > 2
    trials = trials_of(corpus)
    search_recipe(START, trials, corpus, configured(section_blocks=["text word(1,1)"]))
    assert {recipe.blocks for recipe in trials.found} == {START.blocks}
    assert len({recipe.c for recipe in trials.found}) == 7
    balanced = replace(START, balance=0.3)
    trials = trials_of(corpus)
    search_recipe(balanced, trials, corpus, configured(section_balance=0.3))
    assert {recipe.balance for recipe in trials.found} == {0.3}


def test_where_everything_is_fixed_nothing_is_tried(corpus: Corpus) -> None:
    said: list[str] = []
    trials = trials_of(corpus, said.append)
    config = configured(section_blocks=["text word(1,1)"], section_c=1.0, section_balance=0.0)
    assert search_recipe(START, trials, corpus, config) == START
    assert not trials.found
    assert said == ["the configuration leaves no recipe to search"]


def test_a_search_ends_when_there_is_nothing_left(corpus: Corpus) -> None:
    """Only the balance is open: five values."""
    trials = trials_of(corpus)
    config = configured(100, section_blocks=["text word(1,1)"], section_c=1.0)
    start = replace(START, balance=0.5)
    search_recipe(start, trials, corpus, config)
    assert {recipe.balance for recipe in trials.found} == {0.0, 0.25, 0.5, 0.75, 1.0}


def test_class_weights_are_tried_only_where_labels_are_imbalanced(corpus_of: Make, stories: Stories) -> None:
    even = stories(sections=3)
    rare = [row for i, row in enumerate(even) if row["section"] == "Politics" or i < 18]
    for rows, wanted in ((even, False), (rare, True)):
        corpus = corpus_of(rows)
        assert space_of(START, corpus, trials_of(corpus).validation.truth, Config()).balance is wanted


def test_recipes_without_any_feature_are_failed_trials(corpus_of: Make) -> None:
    # In a thousand articles and more, words of a single article are left out: here all; their parts are shared.
    rows = [
        {"headline": f"{'ab'[i % 2]}{'xyzvw'[i % 5] * 3}{i:05}", "section": "AB"[i % 2]} for i in range(1000)
    ]
    corpus = corpus_of(rows)
    trials = trials_of(corpus)
    best = search_recipe(START, trials, corpus, configured(8))
    nothing = {recipe for recipe, quality in trials.found.items() if quality.value == -np.inf}
    assert START in nothing
    assert {block.analyzer for recipe in nothing for block in recipe.blocks} == {"word"}
    assert trials.quality(best).accuracy > 0.9


@pytest.mark.parametrize(
    ("headline", "kinds"),
    [
        ("The assembly votes on budget {}", {("text", "word"), ("text", "char_wb"), ("headline", "word")}),
        ("국회는 예산안을 통과시켰다 {}", {("text", "word"), ("text", "char_wb"), ("headline", "char_wb")}),
        ("国会は予算案を可決した{}", {("text", "word"), ("text", "char_wb"), ("headline", "char_wb")}),
    ],
)
def test_the_space_fits_the_script_and_holds_all_that_is_chosen_by_default(
    corpus_of: Make, headline: str, kinds: set[tuple[str, str]]
) -> None:
    rows = [
        {
            "headline": headline.format(i),
            "body": headline.format(i * 7),
            "section": "AB"[i % 2],
            "source": "XY"[i % 2],
            "desk": "north",
        }
        for i in range(24)
    ]
    corpus = corpus_of(rows)
    trials = trials_of(corpus)
    start = choose_recipe(corpus, trials, ("desk",))
    space = space_of(start, corpus, trials.validation.truth, configured(1, ("desk",)))
    found = {(choice.column, choice.analyzer) for place in space.places for choice in place.choices}
    assert found == {*kinds, ("source", None), ("desk", None)}
    assert len(trials.found) > 3
    for recipe in trials.found:
        assert (
            suggested(space, space.parameters(recipe) or {}) == recipe
        )  # so it is known, and not tried twice


def suggested(space: Space, parameters: dict[str, Any]) -> Recipe:
    """By a trial of Optuna's that has just these parameters, and others where they do not matter."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.enqueue_trial(parameters)
    return space.suggest(study.ask())


def test_optuna_first_learns_what_was_tried_already(corpus: Corpus) -> None:
    trials = trials_of(corpus)
    start = choose_recipe(corpus, trials, ())
    space = space_of(start, corpus, trials.validation.truth, configured())
    study = study_of(space, trials, 6, 0)
    asked = [space.suggest(study.ask()) for _ in trials.found]
    assert asked[0] == start
    assert set(asked) == set(trials.found)
    assert space.suggest(study.ask()) not in trials.found


def test_the_half_life_is_not_searched(corpus: Corpus) -> None:
    trials = trials_of(corpus)
    trials.quality(START)
    start = replace(START, half_life=90.0)
    assert space_of(start, corpus, trials.validation.truth, configured()).parameters(START) is None
    search_recipe(start, trials, corpus, configured(4))
    assert [recipe.half_life for recipe in trials.found] == [0.0] + [90.0] * 5


def test_columns_that_are_named_always_stay(corpus: Corpus) -> None:
    trials = trials_of(corpus)
    start = Recipe((*START.blocks, BlockRecipe("desk"), BlockRecipe("source")))
    search_recipe(start, trials, corpus, configured(10, ("desk", "source")))
    for recipe in trials.found:
        assert [block.column for block in recipe.blocks][1:3] == ["desk", "source"]


@given(st.integers(0, 2**32 - 1))
def test_every_recipe_of_the_space_comes_back_from_its_parameters(seed: int) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    recipe = SPACE.suggest(study.ask())
    assert suggested(SPACE, SPACE.parameters(recipe) or {}) == recipe
    order = ["text", "desk", "source", "text", "headline"]
    at = 0
    for block in recipe.blocks:
        at = order.index(block.column, at) + 1
    assert len({(block.column, block.analyzer) for block in recipe.blocks}) == len(recipe.blocks)
    assert 0.05 <= recipe.c <= 20


def _space() -> Space:
    words = tuple(BlockRecipe("text", "word", (1, n)) for n in (1, 2, 3))
    parts = tuple(BlockRecipe("text", "char_wb", (n, 5)) for n in (2, 3))
    return Space(
        START,
        (
            Place("text", (*words, *parts), optional=False, weighted=False),
            Place("column desk", (BlockRecipe("desk"),), optional=False),
            Place("source", (BlockRecipe("source"),)),
            Place("beside", parts),
            Place("headline", (BlockRecipe("headline", "word"),)),
        ),
        c=True,
        balance=True,
    )


SPACE = _space()


def test_lines_for_every_tenth_and_every_improvement(corpus: Corpus) -> None:
    said: list[str] = []
    trials = trials_of(corpus, said.append)
    best = search_recipe(START, trials, corpus, configured(20))
    assert said[0] == "searching 20 further recipes"
    numbers = {int(line.split("/")[0].removeprefix("search ")) for line in said[1:]}
    assert set(range(2, 21, 2)) <= numbers
    better = [line for line in said if ": better: " in line]
    assert len(said) - 1 == len(numbers)
    assert str(best) in better[-1]
    assert str(trials.quality(best)) in better[-1]
    assert len(numbers) < 20


def test_a_terminal_sees_every_step(corpus: Corpus) -> None:
    steps: list[Step] = []
    closed: list[int] = []

    class Terminal:
        def __call__(self, step: str) -> None:
            assert not step.startswith(("search ", "tried"))

        @contextmanager
        def watch(self, count: int) -> Any:
            yield steps.append
            closed.append(count)

    best = search_recipe(START, trials_of(corpus, Terminal()), corpus, configured(5))
    assert [step.number for step in steps] == [1, 2, 3, 4, 5]
    assert closed == [5]
    assert steps[-1].recipe == best
    assert steps[-1].seconds_left == 0
    values = [step.quality.value for step in steps]
    assert values == sorted(values)


def test_optuna_says_nothing_itself(corpus: Corpus, capfd: pytest.CaptureFixture[str]) -> None:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.INFO)
    try:
        search_recipe(START, trials_of(corpus), corpus, configured(3))
        assert capfd.readouterr() == ("", "")
        assert optuna.logging.get_verbosity() == optuna.logging.INFO
    finally:
        optuna.logging.set_verbosity(before)


@pytest.fixture
def without_optuna(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def found(name: str, *more: Any) -> Any:
        return None if name == "optuna" else find(name, *more)

    monkeypatch.setattr("classifier.options.find_spec", found)


@pytest.mark.usefixtures("without_optuna")
def test_without_optuna_the_extra_is_named(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match='install Newsdesk with its "search" extra'):
        search_recipe(START, trials_of(corpus), corpus, configured(3))
    with pytest.raises(MissingExtra):
        fit_sections(corpus, np.arange(len(corpus)), configured(3))
    # Before anything is read.
    ran = CliRunner().invoke(train, ["no-such-file", "--out", str(tmp_path / "model"), "--search", "3"])
    assert isinstance(ran.exception, MissingExtra)


def test_optuna_is_not_imported_where_nothing_is_searched(tmp_path: Path, stories: Stories) -> None:
    write(tmp_path, stories())
    code = (
        "import sys; from classifier.cli import run\n"
        "code = run(['train', 'articles.jsonl', '--out', 'model'])\n"
        "sys.exit(code or 'optuna' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_training_with_a_search(newsdesk: Any, tmp_path: Path, stories: Stories) -> None:
    write(tmp_path, stories(sections=3))
    plain = newsdesk("train", "articles.jsonl", "--out", "plain", "--json", cwd=tmp_path)
    ended = newsdesk("train", "articles.jsonl", "--out", "model", "--search", "3", "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert ended.err.count("searching 3 further recipes …") == 1
    assert [f"search {i}/3: " in ended.err for i in (1, 2, 3)] == [True] * 3
    assert "\r" not in ended.err
    assert "\x1b" not in ended.err
    assert "searching" not in plain.err
    manifest = json.loads((tmp_path / ended.json["version"] / "manifest.json").read_text())
    assert manifest["configuration"]["fit"]["search"] == 3
    better = [line for line in ended.err.splitlines() if ": better: " in line]
    facts = manifest["sections"]
    recipe = Recipe(
        tuple(map(BlockRecipe.parse, facts["section_blocks"])), facts["section_c"], facts["section_balance"]
    )
    assert f"fitting {recipe} …" in ended.err.splitlines()
    default = json.loads((tmp_path / plain.json["version"] / "manifest.json").read_text())["sections"]
    if better:
        assert f": better: {recipe}: " in better[-1]
    else:
        assert facts["section_blocks"] == default["section_blocks"]
    again = newsdesk("train", "articles.jsonl", "--out", "again", "--search", "3", "--json", cwd=tmp_path)
    first, second = (Path(found.json["version"]).name.split("-")[-1] for found in (ended, again))
    assert first == second


def test_a_search_on_a_terminal(tmp_path: Path, stories: Stories) -> None:
    pty = pytest.importorskip("pty")
    write(tmp_path, stories())
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [NEWSDESK, "train", "articles.jsonl", "--out", "model", "--search", "3"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "COLUMNS": "90"},
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # how Linux says that the other side was closed
        pass
    finally:
        os.close(ours)
    assert process.wait() == 0, shown
    bars = [part for part in shown.decode().split("\r") if "searching  [" in part]
    assert re.search(r"\]  3/3  best: accuracy [01]\.\d+, log loss \d\.\d+; 0:00:00 left", bars[-1])
    assert not re.search(r"^(search|tried) .*3/3", shown.decode(), re.MULTILINE)
    assert max(map(len, bars)) < 110


@pytest.mark.parametrize("count", ["-1", "10001"])
def test_a_number_that_cannot_be(tmp_path: Path, count: str) -> None:
    ran = CliRunner().invoke(train, ["articles.jsonl", "--out", str(tmp_path / "model"), "--search", count])
    assert isinstance(ran.exception, ConfigError)
    assert str(ran.exception).startswith(
        f"command line: fit.search is out of range: {count}; give 0 to 10000"
    )


def test_an_interrupted_search_leaves_nothing_behind(tmp_path: Path, stories: Stories) -> None:
    write(tmp_path, stories())
    process = subprocess.Popen(
        [NEWSDESK, "train", "articles.jsonl", "--out", "model", "--search", "10000"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("searching"):
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate()
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == "interrupted"
    assert "Traceback" not in err
    assert out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["articles.jsonl"]


def test_folds_do_not_search(
    reading_of: Callable[..., Reading], stories: Stories, without_optuna: None
) -> None:
    found = evaluate_folds(reading_of(stories(days=4)), configured(5), 2)
    assert found.sections is not None
