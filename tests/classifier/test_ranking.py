"""Ranking lists: the same whatever the order, and in the form that pages have."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifier.articles import Article
from classifier.errors import UsageError
from classifier.ranking import MAX_TITLE, Rankings, build_rankings, title
from classifier.reading.base import SITE_WIDE
from classifier.reading.pages import parse_page
from classifier.results import Prediction

BLANK = Prediction("", None, None, None, None, 0.0, 50.0, 0.25, "model", "version")


def predictions(articles: list[Article], scores: list[float], sections: list[str | None]) -> list[Prediction]:
    return [
        replace(BLANK, id=article.id, popularity_score=score, section=section)
        for article, score, section in zip(articles, scores, sections, strict=True)
    ]


def numbered(count: int, **fields: Any) -> list[Article]:
    return [Article(id=f"id-{i}", headline=f"Title {i}", **fields) for i in range(count)]


def test_best_first_site_wide_and_by_section() -> None:
    articles = [*numbered(3), *[replace(a, id=f"own-{a.id}", section="World") for a in numbered(3)]]
    scored = predictions(
        articles, [1.0, 3.0, 2.0, 6.0, 4.0, 5.0], ["Science", "Politics", "Science", *["Politics"] * 3]
    )
    found = build_rankings(articles, scored, top=2)
    assert [(e.rank, e.id, e.section) for e in found.site] == [
        (1, "own-id-0", "World"),
        (2, "own-id-2", "World"),
    ]
    assert {name: [e.id for e in entries] for name, entries in found.by_section.items()} == {
        "Politics": ["id-1"],
        "Science": ["id-2", "id-0"],
        "World": ["own-id-0", "own-id-2"],
    }
    assert list(found.by_section) == ["Politics", "Science", "World"]
    entry = found.site[0]
    assert (entry.headline, entry.popularity_score) == ("Title 0", 6.0)
    assert (entry.popularity_percentile, entry.top5_probability) == (50.0, 0.25)


def test_an_article_stands_under_each_of_its_labels() -> None:
    article = Article(id="a", headline="x", sections=("World", "Politics"))
    unlabelled = Article(id="b", headline="y", section="")
    found = build_rankings(
        [article, unlabelled], predictions([article, unlabelled], [1.0, 0.0], ["Science"] * 2)
    )
    assert {name: [e.id for e in entries] for name, entries in found.by_section.items()} == {
        "Politics": ["a"],
        "Science": ["b"],
        "World": ["a"],
    }
    assert [entry.section for entry in found.site] == ["World", "Science"]


def test_without_any_section_there_is_the_site_wide_list() -> None:
    articles = numbered(2)
    found = build_rankings(articles, predictions(articles, [0.0, 1.0], [None, None]))
    assert found.by_section == {}
    assert [entry.id for entry in found.site] == ["id-1", "id-0"]


@given(
    st.lists(
        st.tuples(st.sampled_from([-1.0, 0.0, -0.0, 2.5]), st.sampled_from("AB")), min_size=1, max_size=12
    ),
    st.randoms(use_true_random=False),
    st.integers(1, 6),
)
def test_input_order_never_matters(rows: list[tuple[float, str]], rng: random.Random, top: int) -> None:
    articles = numbered(len(rows))
    pairs = list(
        zip(articles, predictions(articles, [r[0] for r in rows], [r[1] for r in rows]), strict=True)
    )
    shuffled = rng.sample(pairs, len(pairs))
    one = build_rankings(*map(list, zip(*pairs, strict=True)), top=top)  # type: ignore[arg-type]
    other = build_rankings(*map(list, zip(*shuffled, strict=True)), top=top)  # type: ignore[arg-type]
    assert one.to_dict() == other.to_dict()
    scores = [entry.popularity_score for entry in one.site]
    assert scores == sorted(scores, reverse=True)
    assert len(one.site) == min(top, len(rows))
    assert all(len(entries) <= top for entries in one.by_section.values())


def test_ties_follow_neither_the_order_nor_the_id() -> None:
    articles = numbered(40)
    found = build_rankings(articles, predictions(articles, [1.0] * 40, [None] * 40), top=40)
    ids = [entry.id for entry in found.site]
    assert sorted(ids) == sorted(article.id for article in articles)
    assert ids not in (sorted(ids), sorted(ids, reverse=True), [article.id for article in articles])


def test_equal_ids_and_scores_still_have_one_order() -> None:
    articles = [Article(id="same", headline=f"Title {i}") for i in range(5)]
    scored = predictions(articles, [1.0] * 5, [None] * 5)
    assert build_rankings(articles, scored) == build_rankings(articles[::-1], scored[::-1])
    alike = [replace(articles[0], id=f"id-{i}") for i in range(5)]
    scored = predictions(alike, [1.0] * 5, [None] * 5)
    assert build_rankings(alike, scored) == build_rankings(alike[::-1], scored[::-1])
    both = build_rankings(alike, scored, keep_duplicates=True)
    assert both == build_rankings(alike[::-1], scored[::-1], keep_duplicates=True)
    assert len(both.site) == 5


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"headline": " A\n title "}, "A title"),
        ({"headline": " ", "summary": "A summary"}, "A summary"),
        ({"headline": "\n", "summary": " ", "body": "The\tbody"}, "The body"),
        ({"headline": " – ", "body": "The body"}, "The body"),
        ({"headline": "!?", "summary": "…"}, "!?"),
        ({}, ""),
        ({"headline": "x" * 200}, "x" * 200),
        ({"body": "x" * MAX_TITLE}, "x" * MAX_TITLE),
        ({"body": "x" * 200}, "x" * (MAX_TITLE - 1) + "…"),
        ({"body": "word " * 60}, "word " * 23 + "…"),
    ],
)
def test_titles(fields: dict[str, str], expected: str) -> None:
    expected = expected.replace(" …", "…")
    assert title(Article(**fields)) == expected
    assert "\n" not in expected
    assert "headline" in fields or len(expected) <= MAX_TITLE


# With words that could be taken for headings, and dashes that could be taken for marks.
WORDS = st.lists(
    st.text("abcdefgXYZ日本ü’“”0123456789:?-–•", min_size=1, max_size=8)
    | st.sampled_from(["ACCESS", "RANKING", "“Politics”", "POPULAR", "ARTICLE", "articles", "POP", "R"]),
    min_size=1,
    max_size=6,
).filter(lambda words: any(c.isalnum() for word in words for c in word))


@given(
    st.lists(
        st.tuples(WORDS.map(" ".join), st.sampled_from(["Politics", "World & Co", "Ünï", '"Quoted"'])),
        min_size=1,
        max_size=9,
    ),
    st.sampled_from(["", "JN", "The Marenne Courier"]),
    st.integers(1, 5),
)
@example([("JN ACCESS RANKING", "Politics"), ('"World" POPULAR ARTICLE', "Politics")], "JN", 5)
@example([("the “Politics” POP", "Politics"), ("ACCESS R", "Politics")], "", 5)
@example([("- dashed", "Politics"), ("• dotted", "Politics"), ("–", "World & Co")], "", 5)
def test_the_text_reads_back_as_boxes_of_a_page(rows: list[tuple[str, str]], site: str, top: int) -> None:
    articles = [
        Article(id=str(i), headline=headline, body="Body", section=name)
        for i, (headline, name) in enumerate(rows)
    ]
    scored = predictions(articles, [float(i) for i in range(len(rows))], [None] * len(rows))
    found = build_rankings(articles, scored, top=top)
    page = "11:36 JST, February 2, 2022\nTOKYO (Jiji Press) — A body.\n" + found.to_text(site)
    boxes = {box.list: list(box.items) for box in parse_page(page).boxes}
    expected = {name: [entry.headline for entry in entries] for name, entries in found.by_section.items()}
    assert boxes == {**expected, SITE_WIDE: [entry.headline for entry in found.site]}


@pytest.mark.parametrize("name", ["*", "x" * 200])
def test_a_section_that_no_heading_can_name(name: str) -> None:
    articles = numbered(1, section=name)
    found = build_rankings(articles, predictions(articles, [1.0], [None]))
    with pytest.raises(UsageError, match=r"the form of pages cannot hold .*--json"):
        found.to_text()


@pytest.mark.parametrize("site", ["what one calls the daily paper here", "x" * 200])
def test_a_site_that_no_heading_can_name(site: str) -> None:
    with pytest.raises(UsageError, match="cannot stand before ACCESS RANKING; give a short name"):
        Rankings((), {}).to_text(site)


def test_a_blank_section_is_none() -> None:
    articles = [
        Article(id="a", headline="x", sections=(" ", "World")),
        Article(id="b", headline="y", section=" "),
    ]
    found = build_rankings(articles, predictions(articles, [1.0, 0.0], ["Science", "Science"]))
    assert {name: [e.id for e in entries] for name, entries in found.by_section.items()} == {
        "Science": ["b"],
        "World": ["a"],
    }
    assert [entry.section for entry in found.site] == ["World", "Science"]


def test_the_text_as_a_newspaper_prints_it() -> None:
    articles = [Article(id=str(i), headline=f"Title {i}", section="Politics") for i in range(2)]
    found = build_rankings(articles, predictions(articles, [1.0, 2.0], [None] * 2))
    assert found.to_text("JN") == (
        '"Politics" POPULAR ARTICLE\n-\nTitle 1\n-\nTitle 0\nJN ACCESS RANKING\n-\nTitle 1\n-\nTitle 0\n'
    )
    assert Rankings((), {}).to_text() == "ACCESS RANKING\n"
    broken = Rankings((), {"World\n news": found.site})
    assert broken.to_text().startswith('"World news" POPULAR ARTICLE\n')


@pytest.mark.parametrize("top", [0, -1])
def test_a_list_of_nothing(top: int) -> None:
    with pytest.raises(UsageError, match=f"top is {top}; ask for at least 1"):
        build_rankings([], [], top=top)


def test_without_a_popularity_head() -> None:
    articles = numbered(2)
    scored = [replace(BLANK, id=article.id, popularity_score=None) for article in articles]
    with pytest.raises(UsageError, match="the model has no popularity head; train one"):
        build_rankings(articles, scored)


def test_to_dict_is_the_contract() -> None:
    articles = numbered(1, section="World")
    found = build_rankings(articles, predictions(articles, [1.5], [None])).to_dict()
    entry = {
        "rank": 1,
        "id": "id-0",
        "headline": "Title 0",
        "section": "World",
        "popularity_score": 1.5,
        "popularity_percentile": 50.0,
        "top5_probability": 0.25,
        "ranking_score": 1.5,
        "duplicates": 0,
    }
    assert found == {"site": [entry], "by_section": {"World": [entry]}}
