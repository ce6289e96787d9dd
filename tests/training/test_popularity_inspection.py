"""What a report shows of a popularity head, and what it says where something is not known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.linear import INTERCEPT, Linear
from classifier.model import Model
from classifier.popularity import DAYS, QUANTILES, PopularityHead, Top5Curve
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import TextBlock
from training.corpus import Corpus
from training.evaluation import Evaluation, evaluate, evaluate_answers
from training.inspection import report_content
from training.labels import Box, Judgements, box_judgements, count_judgements
from training.popularity_inspection import popularity_content
from training.report import write_card, write_report
from training.report.popularity.content import Place, PopularityContent

Make = Callable[..., Corpus]
BODY = "the body that nobody may read in a report"


def head(**words: float) -> PopularityHead:
    terms = tuple(sorted(words))
    block = TextBlock.of("headline", Analyzer(), terms, np.ones(len(terms)))
    linear = Linear([block], np.array([words[term] for term in terms])[:, None], np.array([0.1]))
    quantiles, curve = np.zeros((1, QUANTILES)), Top5Curve(-0.3, 1.0, 0.0)
    return PopularityHead(linear, (), quantiles, np.full((1, DAYS), 12.0), curve, np.zeros(len(terms)))


HEAD = head(storm=1.0, tax=-1.0)


def news(days: int = 3, daily: int = 12, **more: Any) -> list[dict[str, Any]]:
    """Of each day's articles every third is of a storm and popular; the tax law of the first day is the surprise."""
    rows = []
    for i in range(days * daily):
        day, place = divmod(i, daily)
        word = ("storm", "tax", "fair")[place % 3]
        rows.append(
            {
                "headline": f"{word} number {i}",
                "body": BODY,
                "source": "Courier",
                "published_at": f"2031-05-{day + 1:02d}T{6 + place % 16:02d}:00:00+00:00",
                "popularity": float(100 * (word == "storm") + 10 * (word == "fair") + place),
                **more,
            }
        )
    if rows:
        rows[1]["popularity"] = 1000.0
        rows[0]["popularity"] = 0.0
    return rows


def evaluation_of(corpus: Corpus, judgements: Judgements | None = None) -> Evaluation:
    judged = count_judgements(corpus) if judgements is None else judgements
    return evaluate(Model("m", "v", {}, None, HEAD), corpus, judged)


def shown(corpus: Corpus, judgements: Judgements | None = None) -> PopularityContent:
    """The content, once report and card have been written of it."""
    evaluation = evaluation_of(corpus, judgements)
    content = report_content(evaluation)
    window = {"articles": 1, "window": None}
    data = {
        "train": window,
        "test": window,
        "split": "x",
        "train_boxes": 0,
        "test_boxes": 0,
        "fingerprint": "f",
    }
    facts = {"libraries": {"newsdesk": "0"}, "data": data, "metrics": evaluation.to_dict()}
    now = datetime(2031, 5, 1, tzinfo=UTC)
    for document in (write_report("m", facts, [], now, content), write_card("m", facts, [], now, content)):
        assert "nan" not in document
        assert BODY not in document
        for sentence in content.popularity.missing if content.popularity else ():
            assert sentence in document
    assert content.popularity is not None
    return content.popularity


def test_everything_that_there_is(corpus_of: Make) -> None:
    found = shown(corpus_of(news(section="Politics")))
    assert found.labels is not None
    assert (found.labels.kind, found.labels.articles, found.labels.groups) == ("counts", 36, 3)
    assert (found.labels.first_day, found.labels.last_day) == ("2031-05-01", "2031-05-03")
    assert found.ranks is not None
    assert found.ranks.shares.shape == (5, 5)
    assert found.hits is None
    assert found.over_time is not None
    assert found.over_time.starts == ("2031-05-01", "2031-05-02", "2031-05-03")
    assert found.over_time.series[0].names == ("model",)
    assert found.chances is not None
    assert [word.name for word in found.words[0].lift] == ["headline: storm"]
    assert [word.name for word in found.words[0].sink] == ["headline: tax"]
    assert found.looked_at == 36
    assert found.missed[0].headline == "tax number 1"
    assert found.missed[0].words[0][0] == "tax"
    assert INTERCEPT not in dict(found.missed[0].words)
    assert found.promised[0].headline == "storm number 0"
    assert found.promised[0].words[0][0] == "storm"
    assert [row.value for row in found.slices["source"]] == ["Courier"]
    assert [row.value for row in found.slices["section"]] == ["Politics"]
    assert found.missing == ()


def test_the_words_of_a_surprise_are_compared_with_its_group(corpus_of: Make) -> None:
    found = shown(corpus_of(news(days=1)))
    # A third of the group's headlines have the word, alone among the words that the head knows.
    assert found.missed[0].words == (("tax", pytest.approx(-1 + 1 / 3)),)


def test_flags(corpus_of: Make) -> None:
    rows = news()
    for row in rows:
        row["popularity"] = float(row["popularity"] > 100)
    found = shown(corpus_of(rows))
    assert found.labels is not None
    assert found.labels.kind == "flags"
    assert found.ranks is None
    assert found.hits is not None
    assert "only popular or not" in found.missing[0]
    assert found.missed[0].headline == "tax number 1"


def test_ranking_boxes(corpus_of: Make) -> None:
    rows = [{**row, "popularity": None} for row in news(days=1)]
    corpus = corpus_of(rows)
    taken = datetime(2031, 5, 2, tzinfo=UTC)
    lines = tuple((rank, rows[i]["headline"], None) for rank, i in enumerate((1, 3, 6, 9, 10), start=1))
    judgements, _ = box_judgements(corpus, [Box("*", taken, lines, None)], window_days=7)
    found = shown(corpus, judgements)
    assert found.labels is not None
    assert (found.labels.kind, found.labels.groups) == ("ranking boxes", 1)
    assert found.missed[0].headline == "tax number 1"
    assert any("one group" in sentence for sentence in found.missing)
    assert found.promised[0].true == Place(6, 12, 12)  # what a box does not list is in no order


def test_no_group_of_ten(corpus_of: Make) -> None:
    found = shown(corpus_of(news(daily=9)))
    assert found.labels is not None
    assert (found.labels.articles, found.labels.groups, found.labels.evaluated) == (27, 0, 0)
    assert (found.ranks, found.over_time, found.chances, found.missed, found.promised) == (
        None,
        None,
        None,
        (),
        (),
    )
    assert found.missing[0].startswith("No group has ten articles")
    assert found.words


def test_all_counts_equal(corpus_of: Make) -> None:
    found = shown(corpus_of([{**row, "popularity": 7.0} for row in news()]))
    assert (found.ranks, found.over_time, found.chances) == (None, None, None)
    assert "equally popular" in found.missing[0]
    flags = shown(corpus_of([{**row, "popularity": 0.0} for row in news()]))
    assert "and one that is popular" in flags.missing[0]


def test_no_times(corpus_of: Make) -> None:
    rows = [{**row, "published_at": None, "popularity_group": f"g{i // 12}"} for i, row in enumerate(news())]
    found = shown(corpus_of(rows))
    assert found.over_time is None
    assert found.ranks is not None
    assert found.labels is not None
    assert found.labels.first_day is None
    assert found.missing == ("nDCG over time: no article of a group has a publication time.",)


def test_one_group(corpus_of: Make) -> None:
    found = shown(corpus_of(news(days=1)))
    assert found.missing == (
        "Everything is measured on one group: its figures may be luck, and there are no intervals.",
    )
    assert np.isnan(found.slices["source"][0].low)


def test_nothing_to_measure(corpus_of: Make) -> None:
    found = shown(corpus_of([{**row, "popularity": None} for row in news()]))
    assert found.labels is None
    assert found.words
    assert found.missing[0].startswith("No held-out article has a popularity")


def test_answers_of_no_single_model_have_no_words(corpus_of: Make) -> None:
    corpus = corpus_of(news())
    basis = evaluation_of(corpus).basis
    assert basis is not None
    found = popularity_content(evaluate_answers(basis.answers, corpus, count_judgements(corpus)))
    assert found is not None
    assert found.words == ()
    assert found.missed[0].words == ()
    assert found.missing == (
        "Several fits answered, each about other articles: there is no one list of words.",
    )


def test_hostile_headlines_are_only_text(corpus_of: Make) -> None:
    rows = news()
    rows[1]["headline"] = "tax <script>alert(1)</script> \u202e | [x](http://example.org)"
    rows[1]["source"] = rows[0]["source"]
    evaluation = evaluation_of(corpus_of(rows))
    content = report_content(evaluation)
    window = {"articles": 1, "window": None}
    data = {
        "train": window,
        "test": window,
        "split": "x",
        "train_boxes": 0,
        "test_boxes": 0,
        "fingerprint": "f",
    }
    facts = {"libraries": {"newsdesk": "0"}, "data": data, "metrics": evaluation.to_dict()}
    html = write_report("m", facts, [], datetime(2031, 5, 1, tzinfo=UTC), content)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "\u202e" not in html


def test_without_a_popularity_head_there_is_no_part(corpus_of: Make) -> None:
    assert popularity_content(Evaluation(None, None)) is None
    corpus = corpus_of(news())
    assert (
        popularity_content(evaluate(Model("m", "v", {}, None, None), corpus, count_judgements(corpus)))
        is None
    )


def test_the_order_of_the_articles_changes_nothing(corpus_of: Make) -> None:
    rows = news()
    first, again = shown(corpus_of(rows)), shown(corpus_of(rows[::-1]))
    assert first.ranks is not None
    assert again.ranks is not None
    np.testing.assert_allclose(first.ranks.shares, again.ranks.shares)
    assert [item.headline for item in first.missed] == [item.headline for item in again.missed]
    assert [item.headline for item in first.promised] == [item.headline for item in again.promised]
    assert first.labels == again.labels


def test_the_bundled_newspaper_has_a_whole_report(sample_model_path: Path) -> None:
    (version,) = [path.parent for path in sample_model_path.glob("*/report.html")]
    html, card = (version / "report.html").read_text("utf-8"), (version / "card.md").read_text("utf-8")
    assert len(html.encode()) < 2_000_000
    assert "<script" not in html
    for part in ("ranks", "time", "chances", "words-0", "missed", "promised", "baselines", "figures"):
        assert f'id="popularity-{part}"' in html, part
    assert "popularity-missing" not in html
    assert "## Warnings about popularity" in card
