"""The section head on tiny corpora: probabilities that add up, what is dropped, the pipeline for notebooks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from classifier.errors import LabelError
from training.config import Config, parse_config
from training.corpus import Corpus
from training.sections import FittedSections, fit_sections, truth_matrix, usable_labels

Make = Callable[..., Corpus]
Stories = Callable[..., list[dict[str, Any]]]


def fitted(corpus: Corpus, config: Config | None = None) -> FittedSections:
    return fit_sections(corpus, np.arange(len(corpus)), config or Config())


@pytest.mark.parametrize("sections", [2, 3])
def test_sections_are_learned(corpus_of: Make, stories: Stories, sections: int) -> None:
    corpus = corpus_of(stories(sections=sections))
    head = fitted(corpus).head
    probability = head.probabilities(corpus.rows)
    assert head.labels == tuple(sorted({label for labels in corpus.labels for label in labels}))
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)
    assert [(head.labels[i],) for i in probability.argmax(axis=1)] == corpus.labels
    if sections == 2:
        scores = head.linear.scores(corpus.rows)
        np.testing.assert_allclose(scores[:, 0], -scores[:, 1])


def test_several_labels_are_questions_of_their_own(corpus_of: Make, stories: Stories) -> None:
    rows = stories(sections=3)
    for row in rows:
        row["sections"] = [row.pop("section")]
        if "storm" in row["body"]:
            row["sections"].append("Weather")
    rows[0]["sections"] = []  # unlabelled: neither for nor against any of them
    corpus = corpus_of(rows)
    found = fitted(corpus)
    head = found.head
    assert (head.several, found.articles) == (True, len(rows) - 1)
    probability = head.probabilities(corpus.rows)
    truth = truth_matrix(corpus, head.labels)
    assert ((probability >= 0.5) == truth)[1:].mean() > 0.98
    assert probability.sum(axis=1).max() > 1.5
    results = head.results(corpus.rows)
    storms = [result for row, result in zip(rows[1:], results[1:], strict=True) if "storm" in row["body"]]
    assert np.mean([sum(score.assigned for score in result.scores) == 2 for result in storms]) > 0.95


def test_a_rare_label_is_dropped_and_reported(corpus_of: Make, stories: Stories) -> None:
    rows = stories()
    rows[0]["section"] = "Rare"
    corpus = corpus_of(rows)
    found = fitted(corpus)
    assert (found.dropped, found.head.labels) == ({"Rare": 1}, ("Economy", "Politics"))
    assert found.articles == len(rows) - 1
    assert usable_labels(corpus, 1) == (("Economy", "Politics", "Rare"), {})


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ([None, None], "no training article has a section"),
        (["a", "a", "a"], 'only the section "a" has at least 2 training articles'),
        (["a", "b"], "no section has at least 2 training articles"),
        (["a", "a", "b"], 'only the section "a" has'),
    ],
)
def test_too_few_labels(corpus_of: Make, labels: list[str | None], problem: str) -> None:
    with pytest.raises(LabelError, match=problem) as caught:
        fitted(corpus_of([{"headline": "some words", "section": label} for label in labels]))
    assert caught.value.remedy


def test_articles_without_words(corpus_of: Make) -> None:
    with pytest.raises(LabelError, match="hold no words to learn from"):
        fitted(
            corpus_of(
                [{"headline": mark, "section": section} for mark, section in zip("!?;:", "aabb", strict=True)]
            )
        )


def test_a_category_is_a_feature(corpus_of: Make, stories: Stories) -> None:
    rows = stories()
    for row in rows:
        row["desk"] = "north" if row["section"] == "Politics" else "south"
        row["headline"], row["body"] = "the same words", ""
    corpus = corpus_of(rows)
    config = parse_config({"features": {"categorical": ["desk"]}})
    head = fitted(corpus, config).head
    assert [(result.section,) for result in head.results(corpus.rows)] == corpus.labels
    rare = [{**row, "desk": None} for row in rows]
    assert len(fitted(corpus_of(rare), config).head.linear.blocks) == 2  # nobody has a desk: no such block


def test_near_duplicates_are_in_one_fold(corpus_of: Make, stories: Stories) -> None:
    """With every article there twice under the same cluster, out-of-fold confidence is no higher than without."""
    rows = stories(days=3)
    random = np.random.default_rng(0)
    for row in rows:
        row["section"] = str(random.choice(["Politics", "Economy"]))  # nothing to learn
    twice = corpus_of([*rows, *({**row, "id": f"{row['id']}b"} for row in rows)])
    together = fit_sections(twice, np.tile(np.arange(len(rows)), 2), Config()).head
    apart = fitted(twice).head
    assert together.temperature > 3 * apart.temperature


LOAD = """
import importlib.abc, json, sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in ("classifier", "training", "service"):
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())
import joblib
pipeline = joblib.load(sys.argv[1])
texts = json.load(sys.stdin)
print(json.dumps([pipeline.decision_function(texts).tolist(), pipeline.predict(texts).tolist()]))
"""


@pytest.mark.parametrize("case", ["two", "three", "several", "two of several", "with a category"])
def test_the_pipeline_loads_with_scikit_learn_alone(
    corpus_of: Make, stories: Stories, tmp_path: Path, case: str
) -> None:
    rows = stories(days=3, sections=2 if case.startswith("two") else 3)
    config = Config()
    if "several" in case:
        for row in rows:
            row["sections"] = [row.pop("section")]
        rows[1]["sections"] = ["Economy", "Politics"]
    if case == "with a category":
        config = parse_config({"features": {"categorical": ["source"]}})
    corpus = corpus_of(rows)
    found = fitted(corpus, config)
    joblib.dump(found.pipeline, tmp_path / "pipeline.joblib")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOAD, str(tmp_path / "pipeline.joblib")],
        input=json.dumps(corpus.texts),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    decision, predicted = (np.array(item) for item in json.loads(ran.stdout))
    head = found.head
    scores = head.linear.scores(corpus.rows)
    if case == "with a category":  # every article has the one category
        scores = scores - head.linear.weights[-1]
    np.testing.assert_allclose(decision, scores[:, 1] if case == "two" else scores, atol=1e-9)
    assert predicted.tolist() == [head.labels[i] for i in scores.argmax(axis=1)]
