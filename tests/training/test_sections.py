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
from classifier.results import MAX_SECTION_SCORES
from classifier.sections import SectionHead
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
    assert [block.kind for block in head.linear.blocks].count("category") == 1
    rare = corpus_of([{**row, "desk": None} for row in rows])
    assert [block.kind for block in fitted(rare, config).head.linear.blocks] == ["text"]  # nobody has a desk


def test_near_duplicates_are_in_one_fold(corpus_of: Make, stories: Stories) -> None:
    """With every article there twice under the same cluster, out-of-fold confidence is no higher than without."""
    rows = stories(days=3)
    random = np.random.default_rng(0)
    for row in rows:
        row["section"] = str(random.choice(["Politics", "Economy"]))  # nothing to learn
    twice = corpus_of([*rows, *({**row, "id": f"{row['id']}b"} for row in rows)])
    config = parse_config({"fit": {"section_blocks": ["text word(1,1)"], "section_c": 1}})
    together = fit_sections(twice, np.tile(np.arange(len(rows)), 2), config).decided.judged
    apart = fitted(twice, config).decided.judged
    right = [
        float((judged.probability.argmax(axis=1) == judged.truth.argmax(axis=1)).mean())
        for judged in (together, apart)
    ]
    assert right[0] < 0.7 < right[1]  # the copy of an article in another fold gives its label away
    assert together.probability.max(axis=1).mean() < 0.7 < apart.probability.max(axis=1).mean()


FIXED = {"section_blocks": ["text word(1,1)"], "section_c": 1, "section_balance": 0, "section_half_life": 0}


def test_a_recipe_that_is_fixed_is_not_tried(corpus_of: Make, stories: Stories) -> None:
    corpus = corpus_of(stories(days=3))
    said: list[str] = []
    found = fit_sections(corpus, np.arange(len(corpus)), parse_config({"fit": FIXED}), said.append)
    assert said == ["calibrating", "fitting text word(1,1), C 1, balance 0"]
    assert {name: found.facts()[name] for name in FIXED} == FIXED


def test_what_was_chosen_can_be_fixed_and_gives_the_same_head(corpus_of: Make, stories: Stories) -> None:
    corpus = corpus_of(stories(days=3, sections=3))
    said: list[str] = []
    found = fit_sections(corpus, np.arange(len(corpus)), Config(), said.append)
    assert any(step.startswith("tried text word(1,1), C 1, balance 0: accuracy ") for step in said)
    names = ("section_blocks", "section_c", "section_balance", "section_half_life")
    again = fitted(corpus, parse_config({"fit": {name: found.facts()[name] for name in names}}))
    assert again.recipe == found.recipe
    assert again.head.spec() == found.head.spec()
    for name, array in found.head.arrays().items():
        np.testing.assert_array_equal(again.head.arrays()[name], array)


def test_facts_are_json_and_say_how(corpus_of: Make, stories: Stories) -> None:
    rows = stories(days=3)
    rows[0]["section"] = "Rare"
    found = fitted(corpus_of(rows), parse_config({"fit": {**FIXED, "folds": 3}}))
    facts = json.loads(json.dumps(found.facts(), allow_nan=False))
    assert facts["validated_on"] == "folds of the training part, 35 articles"
    assert facts["dropped"] == {"Rare": 1}
    assert facts["calibration"] == found.head.calibration.method
    assert facts["calibration"] in facts["calibration_log_loss"]
    assert min(facts["calibration_log_loss"].values()) > 0


def test_dated_articles_are_validated_forward_in_time(corpus_of: Make, stories: Stories) -> None:
    rows = stories(days=28, daily=17) + stories(days=28, daily=17) + stories(days=28, daily=17)
    for i, row in enumerate(rows):
        row.update(id=f"r{i}", headline=f"{row['headline']} {i}")
        row["published_at"] = row["published_at"].replace("2031-05", f"2031-0{5 + i // 476}")
    config = parse_config({"fit": {**FIXED, "folds": 2}})
    found = fitted(corpus_of(rows), config)
    judged = found.decided.judged
    assert found.facts()["validated_on"] == (
        "the newer half, window by window, of the training part, 714 articles"
    )
    assert judged.rows.min() == 714
    assert set(judged.parts.tolist()) == {0, 1}
    undated = corpus_of([{**row, "published_at": None} for row in rows])
    assert fitted(undated, config).facts()["validated_on"].startswith("folds of the training part, 1428 ")


def test_targets_of_sections_and_coverages_come_from_the_configuration(
    corpus_of: Make, stories: Stories
) -> None:
    decisions = {
        "targets": [0.6],
        "target": 0.6,
        "sections": {"Politics": 0.7, "Nowhere": 0.9},
        "coverages": [0.8],
    }
    config = parse_config({"fit": FIXED, "decisions": decisions})
    found = fitted(corpus_of(stories(days=4)), config).head.decisions
    assert [item.target for item in found.thresholds] == [0.6]
    assert {name: item.target for name, item in found.own.items()} == {"Politics": 0.7}
    assert found.own["Politics"].probability is not None
    assert [item.level for item in found.sets] == [0.8]


# Data that say little


def fixed(corpus: Corpus, **fit: Any) -> SectionHead:
    return fitted(corpus, parse_config({"fit": {**FIXED, **fit}})).head


def test_all_articles_equal(corpus_of: Make) -> None:
    """The same text in two sections: their shares are all that can be known, and nothing is filed."""
    text = {"headline": "The same words", "body": "again and again"}
    for several in (False, True):
        names = [["Politics"] if i % 3 else ["Economy"] for i in range(30)]
        if several:
            names[1] = ["Economy", "Politics"]
        rows = [{**text, **({"sections": own} if several else {"section": own[0]})} for own in names]
        corpus = corpus_of(rows)
        found = fitted(corpus)
        assert found.head.several == several
        results = found.head.results(corpus.rows)
        assert {result.decision for result in results} == {"review"}
        assert len({result.scores for result in results}) == 1
        for score in results[0].scores:
            share = np.mean([score.name in own for own in names])
            assert score.probability == pytest.approx(share, abs=0.2)


def test_all_words_unseen(corpus_of: Make, stories: Stories) -> None:
    """Even for a source that the head knows: the shares of the sections in training, and a human decides."""
    rows = stories(days=4, sections=3)
    for row in rows:
        row["source"] = f"{row['section']} Weekly"
    rows = [row for i, row in enumerate(rows) if i % 6 != 1]
    corpus = corpus_of(rows)
    head = fitted(
        corpus, parse_config({"fit": {**FIXED, "section_blocks": ["text word(1,1)", "source * 1"]}})
    ).head
    unseen = corpus_of(
        [
            {"headline": "Zzyzx qwertz", "source": "Sports Weekly"},
            {"headline": "新しい言葉", "body": "\u202e🦆 \ufffd"},
            {"headline": "!"},
        ]
    )
    results = head.results(unseen.rows)
    shares = {label: corpus.labels.count((label,)) / len(corpus) for label in head.labels}
    assert len(set(shares.values())) > 1
    for result in results:
        assert result.decision == "review"
        assert {score.name: score.probability for score in result.scores} == pytest.approx(shares)
        assert shares[result.section] == max(shares.values())
        assert [score.assigned for score in result.scores] == [True, False, False]
    assert head.sets(unseen.rows, 0.9) == [tuple(sorted(shares, key=lambda own: -shares[own]))] * 3


def test_a_hundred_sections(corpus_of: Make) -> None:
    rows = [
        {
            "headline": f"word{i % 100} word{i % 100}x",
            "body": f"common story {i}",
            "section": f"section {i % 100:02d}",
        }
        for i in range(500)
    ]
    corpus = corpus_of(rows)
    head = fixed(corpus)
    assert len(head.labels) == 100
    results = head.results(corpus.rows)
    assert (
        np.mean([(result.section,) == own for result, own in zip(results, corpus.labels, strict=True)]) > 0.99
    )
    assert all(len(result.scores) == MAX_SECTION_SCORES for result in results)
    np.testing.assert_allclose(head.probabilities(corpus.rows).sum(axis=1), 1.0)


def test_one_article_with_all_of_several_labels(corpus_of: Make, stories: Stories) -> None:
    rows = stories(days=4, sections=3)
    names = sorted({row["section"] for row in rows})
    for row in rows:
        row["sections"] = [row.pop("section")]
    rows[5]["sections"] = names
    rows[5]["headline"] = "everything everywhere"
    corpus = corpus_of(rows)
    head = fixed(corpus)
    assert head.several
    truth = truth_matrix(corpus, head.labels)
    assert truth[5].all()
    right = head.judge(corpus.rows).assigned == truth
    assert right.all(axis=1).mean() > 0.95
    everywhere = corpus_of([{**rows[5], "sections": names, "id": f"e{i}"} for i in range(20)])
    with pytest.raises(LabelError) as caught:  # a label that every article has is no question
        fixed(corpus_of([{"headline": f"no words {i}", "sections": ["One"]} for i in range(9)]))
    assert 'only the section "One" has' in str(caught.value)
    always = fixed(everywhere)  # every article has every label
    results = always.results(everywhere.rows)
    assert all(score.assigned and score.probability > 0.5 for result in results for score in result.scores)


def test_names_that_look_alike_are_sections_of_their_own(corpus_of: Make, stories: Stories) -> None:
    rows = stories(days=3)
    for i, row in enumerate(rows):
        row["section"] = row["section"] if i % 4 else row["section"].upper()
    corpus = corpus_of(rows)
    head = fixed(corpus)
    assert head.labels == ("Economy", "POLITICS", "Politics")


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
    scores = text_scores(head, corpus)
    np.testing.assert_allclose(decision, scores[:, 1] if case == "two" else scores, atol=1e-9)
    assert predicted.tolist() == [head.labels[i] for i in scores.argmax(axis=1)]
    if case == "several":
        assert ((decision >= 0) == truth_matrix(corpus, head.labels)).mean() > 0.95


def text_scores(head: SectionHead, corpus: Corpus) -> Any:
    """What the blocks of whole texts add, and the intercept; with several labels from what on one is assigned."""
    scores = np.tile(head.linear.intercept, (len(corpus), 1))
    if head.assignment is not None:
        scores -= head.assignment
    at = 0
    for block in head.linear.blocks:
        if getattr(block, "column", "") == "text":
            block.transform(corpus.rows).add_product(head.linear.weights[at : at + block.width], scores)
        at += block.width
    return scores
