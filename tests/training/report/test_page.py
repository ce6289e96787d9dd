"""The report as a browser gets it: whole, safe against what headlines may hold, and readable without seeing it."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from training.hygiene import Conflict, Confusable, Direction, SimilarNames, Suspect
from training.report import write_report
from training.report.assemble import HeldOut, section_content
from training.report.content import Hygiene, Mistake, ReportContent, SectionContent, SliceRow
from training.report.popularity.content import (
    LabelFacts,
    Place,
    PopularityContent,
    ScoreSlice,
    Surprise,
    WordEffect,
    WordPanel,
)

WAY = Direction(10, 5, 0.5, 0.2, 0.8)
VOID = {"meta", "link", "br", "img", "hr", "input"}
EVIL = "</p></td></style></svg><script>alert(1)</script><img src=x onerror=alert(2)>\" onload='x' &amp; \x00\u202e"


class Page(HTMLParser):
    """Elements with their attributes, in order; fails on what is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.style = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["style"]:
            self.style += data
        else:
            self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def evil(content: ReportContent) -> ReportContent:
    sections = content.sections
    assert sections is not None
    assert sections.confusion is not None
    return ReportContent(
        replace(
            sections,
            labels=(EVIL, *sections.labels[1:]),
            confusion=replace(sections.confusion, labels=(EVIL, *sections.confusion.labels[1:])),
            f1=tuple(replace(score, label=EVIL) for score in sections.f1),
            counts=tuple(replace(count, label=EVIL) for count in sections.counts),
            slices={EVIL: (SliceRow(EVIL, 3, 0.5, 0.1, 0.9),)},
            top_words={EVIL: ((EVIL, 1.0),)},
            mistakes=(Mistake(EVIL, EVIL, EVIL, 0.9, ((EVIL, 0.5),)),),
            hygiene=Hygiene(
                (Suspect("wrong", EVIL, EVIL, EVIL, EVIL, 0.9, 0.1, 0.8),),
                1,
                (Conflict((EVIL, EVIL), (EVIL, EVIL), ((EVIL,), ("a",))),),
                1,
                (Confusable(EVIL, EVIL, WAY, WAY),),
                (SimilarNames((EVIL, EVIL), (1, 1), EVIL),),
            ),
        ),
        evil_popularity(content),
        command=EVIL,
    )


def evil_popularity(content: ReportContent) -> PopularityContent:
    popularity = content.popularity
    assert popularity is not None
    place, slices = Place(1, 1, 10), (ScoreSlice(EVIL, 3, 1, 0.5, 0.1, 0.9, 0.2),) * 2
    return replace(
        popularity,
        words=(WordPanel("Words", (WordEffect(EVIL, 1.0, 2),), (WordEffect(EVIL, -1.0, 2),)),),
        missed=(Surprise(EVIL, EVIL, place, place, ((EVIL, -0.5),)),),
        promised=(Surprise(EVIL, EVIL, place, place, ((EVIL, 0.5),)),),
        slices={EVIL: slices},
        missing=(EVIL,),
    )


def test_the_page_runs_and_loads_nothing(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    page = Page(write_report("m", facts, [], created, content))
    policy = next(
        m["content"] for m in page.named("meta") if m.get("http-equiv") == "Content-Security-Policy"
    )
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert policy is not None
    assert "default-src 'none'" in policy
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert len(page.named("style")) == 1
    assert "@import" not in page.style
    assert "url(" not in page.style
    assert not [
        tag for tag, _ in page.elements if tag in ("script", "link", "iframe", "object", "img", "form")
    ]
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src")]
        assert (attributes.get("href") or "#").startswith("#")


def test_texts_from_outside_stay_texts(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    kind = Page(write_report("m", facts, ["a note"], created, content))
    html = write_report(EVIL, facts, [EVIL], created, evil(content))
    page = Page(html)
    tags = {tag for tag, _ in kind.elements}
    assert {tag for tag, _ in page.elements} <= tags
    assert "<script" not in html
    assert "\x00" not in html
    assert "\u202e" not in html
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") >= 13  # they are read, not run


def test_headings_are_in_order_and_the_contents_lead_to_all_of_them(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    page = Page(write_report("m", facts, ["a note"], created, content))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    ids = [attributes["id"] for tag, attributes in page.elements if tag in ("h2", "h3")]
    assert len(ids) == len(set(ids))
    assert [attributes["href"] for attributes in page.named("a")] == [f"#{id_}" for id_ in ids]
    pictures = [
        "confusion",
        "reliability",
        "coverage",
        "f1",
        "learning",
        "slices",
        "words",
        "mistakes",
        "hygiene",
    ]
    assert ids[: len(pictures) + 2] == ["sections", *pictures, "section-figures"]  # pictures first
    of_popularity = ids[ids.index("popularity") : ids.index("data")]
    names = (
        "ranks",
        "hits",
        "time",
        "chances",
        "slices",
        "words-0",
        "words-1",
        "missed",
        "promised",
        "baselines",
    )
    assert of_popularity == [
        "popularity",
        *(f"popularity-{name}" for name in (*names, "figures", "missing")),
    ]
    assert page.named("html")[0]["lang"] == "en"


def test_pictures_and_tables_can_be_heard(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    page = Page(write_report("m", facts, [], created, content))
    assert len(page.named("figure")) == len(page.named("figcaption")) == len(page.named("svg")) == 7 + 7
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.named("svg"))
    assert page.named("th")
    assert all(th.get("scope") in ("row", "col") for th in page.named("th"))
    assert page.named("nav")[0]["aria-label"] == "Contents"


def test_without_content_there_are_the_tables(facts: dict[str, Any], created: datetime) -> None:
    html = write_report("m", facts, ["a note"], created)
    page = Page(html)
    assert not page.named("svg")
    for said in ("0.9500 (95 %: 0.9080 to 0.9830)", "+0.300 (0.200 to 0.400)", "a note", "2031-05-01 12:30"):
        assert said in page.text


@pytest.mark.parametrize("missing", ["sections", "popularity"])
def test_a_missing_head_is_left_out(facts: dict[str, Any], created: datetime, missing: str) -> None:
    facts["metrics"][missing] = None
    page = Page(write_report("m", facts, [], created))
    there = {attributes.get("id") for attributes in page.named("h2")}
    assert there == {"sections", "popularity", "data"} - {missing}


def test_empty_content_is_left_out(facts: dict[str, Any], created: datetime) -> None:
    page = Page(write_report("m", facts, [], created, ReportContent(SectionContent(labels=("a",)))))
    assert not page.named("svg")


def test_what_is_cut_is_said_and_the_page_stays_small(facts: dict[str, Any], created: datetime) -> None:
    k, n = 1000, 4000
    random = np.random.default_rng(0)
    labels = tuple(f"섹션 {i} with a long name that goes on and on" for i in range(k))
    probability = random.random((n, k))
    probability /= probability.sum(axis=1, keepdims=True)
    truth = [(labels[i],) for i in random.integers(k, size=n)]
    held_out = HeldOut(
        labels, truth, probability, ["x" * 5000] * n, [100] * n, [None] * n, ["s"] * n, [None] * n
    )
    made = section_content(held_out, words=lambda i: [("w" * 500, 1.0)] * 50, train_labels=truth)
    hygiene = Hygiene(
        (Suspect("wrong", "1", "y" * 5000, labels[0], labels[1], 0.9, 0.01, 0.89),) * 3000,
        4321,
        (Conflict(("1", "2"), ("z" * 5000,) * 2, (("a",) * 5000, ("b",))),) * 3000,
        5432,
        (Confusable(labels[0], labels[1], WAY, WAY),) * 3000,
        (SimilarNames(("a", "A"), (1, 1), "v" * 5000),) * 3000,
    )
    made = replace(
        made,
        top_words={label: tuple((f"text: w{i}", 1.0) for i in range(10)) for label in labels},
        mistakes=made.mistakes * 200,
        hygiene=hygiene,
    )
    html = write_report("m", facts, ["note"] * 5000, created, ReportContent(made))
    assert len(html.encode()) < 2_000_000
    text = Page(html).text
    for said in (
        "Shown are the 25 most confused of 1,000 sections",
        "Only the most frequent 30 of 1,000 are shown",
        "Only the first 30 of 1,000 are shown",
        "Only the surest 40 of 4,321 are shown",
        "Only the largest 20 of 5,432 are shown",
        "and 2,980 more pairs",
        "Only the largest 20 of 3,000 are shown",
        "and 800 more",
        "and 4,900 more",
    ):
        assert said in text
    assert text.count("x" * 100) == 20  # mistakes
    assert text.count("y" * 100) == 40  # suspects
    assert text.count("z" * 100) == 2 * 20  # conflicts
    assert text.count("v…v") == 20  # similar names
    assert "x" * 300 not in text


def test_a_mistake_says_what_decided_with_its_sign(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    text = Page(write_report("m", facts, [], created, content)).text
    assert "predicted 경제 with probability 0.930, is labelled Politics" in text
    assert "bank +0.500" in text
    assert "vote −0.200" in text
    html = write_report("m", facts, [], created, content)
    assert re.findall('<li class="against">(.*?)</li>', html) == [
        "<bdi>vote</bdi> −0.200",
        "<bdi>tax</bdi> −0.200",
    ]


def rows_of(html: str) -> list[list[str]]:
    """The cells of every line of the tables."""
    return [
        [re.sub("<.*?>", "", cell) for cell in re.findall("<t[hd].*?</t[hd]>", row)]
        for row in re.findall("<tr>(.*?)</tr>", html)
    ]


def test_label_hygiene_is_told_in_words(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    html = write_report("m", facts, [], created, content)
    rows, text = rows_of(html), Page(html).text
    assert ["Shares fall", "Politics", "0.010", "경제", "0.970"] in rows
    assert ["Exports rise", "(missing)", "", "경제", "0.900"] in rows
    assert ["A goal", "Politics", "0.020", "(should go)", ""] in rows
    worse = ["경제", "Politics", "12", "40", "0.300", "0.180 to 0.450"]
    assert rows[rows.index(worse) + 1] == ["Politics", "경제", "3", "50", "0.060", "0.020 to 0.160"]
    assert "Politics; 경제: Storm (and 1 more) / 경제: Storm!" in text
    assert "write Politics for all of them" in text
    assert "Every finding stands in hygiene.jsonl beside this report" in text


def test_clean_labels_are_called_clean_only_where_they_were_looked_at(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    said = "Nothing in the training labels looks wrong."
    assert content.sections is not None
    for hygiene, told in ((None, False), (Hygiene((), 0, (), 0, (), ()), True)):
        sections = replace(content.sections, hygiene=hygiene)
        text = Page(write_report("m", facts, [], created, ReportContent(sections))).text
        assert (said in text) == told
        assert ("Label hygiene" in text) == told
        assert "hygiene.jsonl" not in text


def test_a_conflict_shows_every_labelling_even_of_many_duplicates(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    assert content.sections is not None
    conflict = Conflict(tuple(map(str, range(30))), ("Storm",) * 30, (("Politics",),) * 29 + (("경제",),))
    sections = replace(content.sections, hygiene=Hygiene((), 0, (conflict,), 1, (), ()))
    text = Page(write_report("m", facts, [], created, ReportContent(sections))).text
    assert "Politics: Storm (and 28 more) / 경제: Storm" in text


def test_popularity_is_told_in_words(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    html = write_report("m", facts, [], created, content)
    rows, text = rows_of(html), Page(html).text
    for said in (
        "measured against counts: 130 held-out articles in 12 groups",
        "10 groups with at least ten articles can be evaluated: 120 articles, 12 articles in the median group",
        "Courier 2031-04-21: really place 1 of 12, predicted place 9–12 of 12",
        "tax −0.200",
        "storm +0.400",
        "3.5 of 5",
        "by chance 2.1",
        "A day with one group has no interval. Orderings that agree on every group share a line.",
        "Something is not known.",
    ):
        assert said in text, said
    assert ["model", "0.825", "0.750 to 0.900", "0.700", "0.600 to 0.800"] in rows
    assert ["random", "0.500", "+0.300 (0.200 to 0.400)", "0.420", "−0.100 (−0.200 to 0.050)"] in rows
    brier = ("Brier score of the top-five chances (lower is better)", "0.1800 (95 %: 0.1500 to 0.2000)")
    assert list(brier) in rows
    assert "0.2400 (the model's is 25.0% lower)" in text
    assert "0.1600 (the model's is 12.5% higher)" in text
    assert ["from", "0.7500", "0.6000", ""] in rows


def test_flags_have_no_places(facts: dict[str, Any], created: datetime, content: ReportContent) -> None:
    popularity = content.popularity
    assert popularity is not None
    flags = replace(
        popularity,
        labels=LabelFacts("flags", 130, 12, 120, 10, 12.0, None, None),
        ranks=None,
        promised=(Surprise("x", "g", Place(4, 12, 12), Place(1, 1, 12), ()),),
        missed=(Surprise("y", "g", Place(1, 3, 12), Place(9, 9, 12), ()),),
    )
    html = write_report("m", facts, [], created, replace(content, popularity=flags))
    text = Page(html).text
    assert "really popular (one of 3), predicted place 9 of 12" in text
    assert "really not popular (3 of 12 were), predicted place 1 of 12" in text
    assert "share of popular articles" in html
    assert "at least ten articles, one of them popular, can be evaluated" in text


def test_where_nothing_was_measured_the_page_says_so(facts: dict[str, Any], created: datetime) -> None:
    facts["metrics"]["popularity"] = None
    said = "No held-out article has a popularity"
    content = ReportContent(popularity=PopularityContent(missing=(said,)))
    page = Page(write_report("m", facts, [], created, content))
    assert said in page.text
    assert not page.named("svg")
    assert "popularity" in {attributes.get("id") for attributes in page.named("h2")}


def test_orderings_that_agree_share_a_name(
    facts: dict[str, Any], created: datetime, content: ReportContent
) -> None:
    popularity = content.popularity
    assert popularity is not None
    assert popularity.over_time is not None
    model, other = popularity.over_time.series
    for names, said in (
        (("random", "source_hour"), "0.500 random = source × hour"),
        (("random", "recency", "source"), "0.500 random = recency = source"),
        (("random", "recency", "source", "section", "source_hour"), "0.500 random = recency = 3 more"),
    ):
        over_time = replace(popularity.over_time, series=(model, replace(other, names=names)))
        shown = replace(content, popularity=replace(popularity, over_time=over_time))
        assert said in Page(write_report("m", facts, [], created, shown)).text
