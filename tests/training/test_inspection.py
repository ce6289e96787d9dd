"""What a report shows about a section head: findings about labels, a learning curve, and the content of the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from classifier.linear import INTERCEPT
from classifier.model import Model
from training import selection
from training.config import Config, parse_config
from training.corpus import Corpus
from training.evaluation import Evaluation, evaluate, evaluate_answers
from training.inspection import Inspection, inspect_training, report_content
from training.labels import NO_JUDGEMENTS
from training.report.content import ReportContent
from training.sections import FittedSections, fit_sections

Make = Callable[..., Corpus]
Stories = Callable[..., list[dict[str, Any]]]
WORDS_ONLY = parse_config({"fit": {"section_blocks": ["text word(1,1)"], "section_c": 1}})


def fitted_on(corpus: Corpus, config: Config = WORDS_ONLY) -> FittedSections:
    return fit_sections(corpus, np.arange(len(corpus)), config)


def inspected(corpus: Corpus, config: Config = WORDS_ONLY) -> Inspection:
    return inspect_training(fitted_on(corpus, config), corpus, np.arange(len(corpus)))


def evaluated(fitted: FittedSections, corpus: Corpus) -> Evaluation:
    return evaluate(Model("m", "v", {}, fitted.head, None), corpus, NO_JUDGEMENTS)


def swapped(rows: list[dict[str, Any]], first: int, second: int) -> list[dict[str, Any]]:
    """Two articles with each other's section."""
    rows[first]["section"], rows[second]["section"] = rows[second]["section"], rows[first]["section"]
    return rows


@pytest.mark.parametrize("forward", [False, True])
def test_two_swapped_labels_are_found(
    corpus_of: Make, stories: Stories, monkeypatch: pytest.MonkeyPatch, forward: bool
) -> None:
    """Also among the oldest articles, which validation forward in time does not predict."""
    if forward:
        monkeypatch.setattr(selection, "_DATED", 10)
    corpus = corpus_of(swapped(stories(), 10, 31))
    fitted = fitted_on(corpus)
    assert fitted.validation.forward == forward
    assert (len(fitted.decided.judged.rows) < len(corpus)) == forward
    found = inspect_training(fitted, corpus, np.arange(len(corpus)))
    suspects = {item.id: (item.kind, item.label, item.predicted) for item in found.hygiene.suspects}
    assert suspects == {"s10": ("wrong", "Economy", "Politics"), "s31": ("wrong", "Politics", "Economy")}
    assert found.hygiene.suspects_found == 2
    assert found.labels == corpus.labels
    lines = [json.loads(line) for line in found.hygiene_jsonl.splitlines()]
    assert {line["id"] for line in lines if line["finding"] == "suspected label"} == {"s10", "s31"}


def test_articles_without_a_usable_section_shift_nothing(corpus_of: Make, stories: Stories) -> None:
    """Findings name the right articles although those of the corpus are not all fitted on."""
    rows = swapped(stories(days=12), 50, 71)
    rows[3]["section"], rows[20]["section"] = None, "Rare"
    found = inspected(corpus_of(rows)).hygiene
    assert {(item.id, item.headline) for item in found.suspects} == {
        (rows[i]["id"], rows[i]["headline"]) for i in (50, 71)
    }


def test_labels_in_order_raise_no_suspicion(corpus_of: Make, stories: Stories) -> None:
    found = inspected(corpus_of(stories()))
    hygiene = found.hygiene
    assert (hygiene.suspects, hygiene.conflicts, hygiene.confusable, hygiene.similar) == ((), (), (), ())
    assert found.hygiene_jsonl == b""


def test_every_kind_of_finding(corpus_of: Make, stories: Stories) -> None:
    rows = swapped(stories(), 10, 31)
    for row in rows[40:60:2]:
        row["section"] = "POLITICS"
    corpus = corpus_of(rows)
    clusters = np.arange(len(corpus))
    clusters[[5, 8]] = 5  # an article of each section
    found = inspect_training(fit_sections(corpus, clusters, WORDS_ONLY), corpus, clusters)
    assert [item.ids for item in found.hygiene.conflicts] == [("s5", "s8")]
    assert [item.names for item in found.hygiene.similar] == [("Politics", "POLITICS")]
    assert [(item.first, item.second) for item in found.hygiene.confusable] == [("POLITICS", "Politics")]
    kinds = {json.loads(line)["finding"] for line in found.hygiene_jsonl.splitlines()}
    assert kinds == {"suspected label", "conflicting duplicates", "confusable sections", "similar names"}


def test_more_than_are_listed(corpus_of: Make, stories: Stories, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report lists some, counts all, and the JSON lines hold all."""
    monkeypatch.setattr("training.inspection._MOST_LISTED", 1)
    found = inspected(corpus_of(swapped(stories(), 10, 31)))
    assert (len(found.hygiene.suspects), found.hygiene.suspects_found) == (1, 2)
    assert len(found.hygiene_jsonl.splitlines()) == 2


def test_the_learning_curve_doubles_up_to_what_validation_learns_from(
    corpus_of: Make, stories: Stories
) -> None:
    corpus = corpus_of(stories())
    fitted = fitted_on(corpus)
    curve = inspect_training(fitted, corpus, np.arange(len(corpus))).learning_curve
    rest = int((fitted.validation.fold != 4).sum())
    assert [point.articles for point in curve] == [-(-rest // 2**step) for step in (4, 3, 2, 1, 0)]
    assert curve[-1].correct > 0.9
    for point in curve:
        assert 0 <= point.low <= point.correct <= point.high <= 1
    for small, large in pairwise(curve):
        assert small.articles < large.articles
    assert inspect_training(fitted, corpus, np.arange(len(corpus))).learning_curve == curve


def test_the_last_point_is_the_fold_that_validation_predicted(corpus_of: Make, stories: Stories) -> None:
    draw = np.random.default_rng(0)
    rows = stories()
    for row in rows:
        if draw.random() < 0.3:
            row["section"] = str(draw.choice(["Politics", "Economy"]))
    corpus = corpus_of(rows)
    fitted = fitted_on(corpus)
    judged, last = fitted.decided.judged, fitted.validation.fold == 4
    scores = judged.scores[last[judged.rows]]
    own = fitted.head.assigned(scores, fitted.decided.calibration.apply(scores))
    expected = (own == judged.truth[last[judged.rows]]).all(axis=1).mean()
    assert 0.5 < expected < 1
    curve = inspect_training(fitted, corpus, np.arange(len(corpus))).learning_curve
    assert curve[-1].correct == pytest.approx(expected)


def test_forward_in_time_the_newest_articles_come_first(
    corpus_of: Make, stories: Stories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest articles have the wrong sections, and only the longest part holds many of them."""
    monkeypatch.setattr(selection, "_DATED", 10)
    rows = stories()
    other = {"Politics": "Economy", "Economy": "Politics"}
    for row in rows[: len(rows) // 2 - 6]:
        row["section"] = other[row["section"]]
    curve = inspected(corpus_of(rows)).learning_curve
    best = max(point.correct for point in curve)
    assert curve[1].correct == best > 0.9
    assert curve[-1].correct < 0.8


def test_too_many_articles_for_curves(
    corpus_of: Make, stories: Stories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "_DATED", 10)
    corpus = corpus_of(stories())
    fitted = fitted_on(corpus)
    monkeypatch.setattr("training.inspection.TOO_MANY", 10)
    found = inspect_training(fitted, corpus, np.arange(len(corpus)))
    assert found.learning_curve == ()


def several(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for row in rows:
        row["sections"] = [row.pop("section"), *(["Weather"] if "storm" in row["body"] else [])]
    return rows


def test_several_labels(corpus_of: Make, stories: Stories) -> None:
    rows = several(stories(sections=3))
    stormy = [i for i, row in enumerate(rows) if "Weather" in row["sections"]]
    calm = [i for i, row in enumerate(rows) if "Weather" not in row["sections"]]
    rows[stormy[3]]["sections"].remove("Weather")
    rows[calm[3]]["sections"].append("Weather")
    corpus = corpus_of(rows)
    fitted = fitted_on(corpus)
    found = inspect_training(fitted, corpus, np.arange(len(corpus)))
    suspects = {
        item.id: (item.kind, item.label, item.predicted)
        for item in found.hygiene.suspects
        if "Weather" in (item.label, item.predicted)
    }
    assert suspects == {
        f"s{stormy[3]}": ("missing", None, "Weather"),
        f"s{calm[3]}": ("extra", "Weather", None),
    }
    assert found.learning_curve[-1].correct > 0.7
    content = report_content(evaluated(fitted, corpus), inspection=found).sections
    assert content is not None
    assert content.several
    assert content.sets == ()
    assert [(row.label, row.train) for row in content.counts if row.label == "Weather"] == [
        ("Weather", len(stormy))
    ]


def test_the_content_of_a_report(corpus_of: Make, stories: Stories) -> None:
    corpus = corpus_of(swapped(stories(), 10, 31))
    config = parse_config(
        {
            "fit": {"section_blocks": ["text char_wb(2,3)", "text word(1,1)", "source * 1"], "section_c": 1},
            "decisions": {"targets": [0.8, 0.99], "target": 0.8, "coverages": [0.5, 0.8]},
        }
    )
    fitted = fitted_on(corpus, config)
    found = inspect_training(fitted, corpus, np.arange(len(corpus)))
    part = corpus.take(np.arange(50))
    evaluation = evaluated(fitted, part)
    plain = report_content(evaluation)
    full = report_content(evaluation, inspection=found, command="newsdesk train x")
    assert (plain.command, full.command) == ("", "newsdesk train x")
    assert plain.sections is not None
    assert full.sections is not None
    assert (plain.sections.hygiene, plain.sections.learning_curve, plain.sections.counts) == (None, None, ())
    assert (full.sections.hygiene, full.sections.learning_curve) == (found.hygiene, found.learning_curve)
    assert [(row.label, row.train, row.test) for row in full.sections.counts] == [
        ("Economy", 48, 25),
        ("Politics", 48, 25),
    ]
    for content in (plain.sections, full.sections):
        assert content.labels == ("Economy", "Politics")
        assert [row.nominal for row in content.sets] == [0.5, 0.8]
        assert evaluation.sections is not None
        assert [row.coverage for row in content.sets] == [r["coverage"] for r in evaluation.sections["sets"]]
        assert content.precision_coverage is not None
        assert [point.target for point in content.precision_coverage.points] == [0.8, 0.99]
        # The first words, not parts of them, though those come first in the recipe.
        assert {name for name, _ in content.top_words["Politics"][:20]} & {"minister", "assembly", "ballot"}
        assert all(" " not in name and weight > 0 for name, weight in content.top_words["Politics"])
    assert plain.sections.slices == full.sections.slices


def test_mistakes_show_the_words_that_spoke_for_them(corpus_of: Make, stories: Stories) -> None:
    train = corpus_of(stories())
    fitted = fitted_on(train)
    odd = {"headline": "Ballot minister", "body": "senate decree", "section": "Economy"}
    rows = [{"headline": "unlabelled minister"}, odd, *stories(days=1)]
    content = report_content(evaluated(fitted, corpus_of(rows))).sections
    assert content is not None
    (mistake,) = content.mistakes
    assert (mistake.headline, mistake.truth, mistake.predicted) == ("Ballot minister", "Economy", "Politics")
    words = dict(mistake.words)
    assert set(words) == {"ballot", "minister", "senate", "decree"}
    assert min(words.values()) > 0
    assert INTERCEPT not in words


def test_answers_of_no_single_model_have_no_words(corpus_of: Make, stories: Stories) -> None:
    fitted = fitted_on(corpus_of(stories()))
    corpus = corpus_of(swapped(stories(), 10, 31))
    basis = evaluated(fitted, corpus).basis
    assert basis is not None
    pooled = evaluate_answers(basis.answers, corpus, NO_JUDGEMENTS)
    content = report_content(pooled).sections
    assert content is not None
    assert content.top_words == {}
    assert content.precision_coverage is not None
    assert content.precision_coverage.points == ()
    assert content.mistakes
    assert {mistake.words for mistake in content.mistakes} == {()}
    assert len(content.sets) == 3


def test_without_sections_there_is_only_the_command() -> None:
    assert report_content(Evaluation(None, None), command="x") == ReportContent(command="x")
