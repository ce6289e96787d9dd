"""The bundled newspaper: how much there is of it, and that nothing in it is written twice."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from classifier.reading.pages import Page, parse_page
from classifier.reading.pages_writer import write_page
from classifier.similar import normalise_title
from training.sample import DESK, PAGE_VIEWS, PAGES, SITE, readers
from training.sample.readers import NOISE, SECTIONS, held_out_days, interest, load_stories, page_views

Pages = dict[str, Page]


@pytest.fixture(scope="module")
def pages() -> Pages:
    return {
        path.relative_to(PAGES).as_posix(): parse_page(path.read_text("utf-8"), name=path.name)
        for path in sorted(PAGES.rglob("*.txt"))
    }


@pytest.fixture(scope="module")
def desk() -> dict[str, dict[str, str]]:
    with DESK.open(encoding="utf-8", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def test_twelve_pages_a_day_on_thirty_days(pages: Pages) -> None:
    days = Counter(name.partition("/")[0] for name in pages)
    assert sum(days.values()) >= 360
    assert set(days.values()) == {12}
    first = date.fromisoformat(min(days))
    assert sorted(days) == [(first + timedelta(days=i)).isoformat() for i in range(30)]


def test_at_least_fifty_a_section(pages: Pages, desk: dict[str, dict[str, str]]) -> None:
    assert desk.keys() == pages.keys()
    sections = Counter(row["section"] for row in desk.values())
    assert sections.keys() == SECTIONS.keys()
    assert min(sections.values()) >= 50
    for name, page in pages.items():
        assert page.article.section in (None, desk[name]["section"]), name


def test_every_article_has_a_body_and_a_time(pages: Pages) -> None:
    for name, page in pages.items():
        assert 80 <= len(page.article.body.split()) <= 200, name
        assert page.article.published_at is not None, name
        assert page.article.published_at.date().isoformat() == name.partition("/")[0], name
        assert page.article.published_at.utcoffset() == timedelta(hours=9), name


def test_most_pages_print_their_headline_and_some_do_not(
    pages: Pages, desk: dict[str, dict[str, str]]
) -> None:
    printed = {name for name, page in pages.items() if page.article.headline}
    assert 0.7 * len(pages) < len(printed) < len(pages)
    assert len(pages) - len(printed) >= 20
    for name in printed:
        assert pages[name].article.headline == desk[name]["headline"]
    headlines = [normalise_title(row["headline"]) for row in desk.values()]
    assert len(set(headlines)) == len(headlines)


def sentences(body: str) -> set[str]:
    """Normalised: neither case, quotes, marks nor spaces tell two sentences apart."""
    found = re.split(r"(?<=[.!?])[\"\u201d\u2019)]*\s+|\n+", body)
    words = [re.findall(r"\w+", sentence.casefold()) for sentence in found]
    # Under four words it is the rest of "St. Brannoc Hospital", or "“Never,” he said."
    return {" ".join(own) for own in words if len(own) >= 4}


def test_no_sentence_stands_in_two_pages(pages: Pages) -> None:
    first: dict[str, str] = {}
    for name, page in pages.items():
        own = sentences(page.article.body)
        assert len(own) >= 3, name
        for sentence in own:
            assert first.setdefault(sentence, name) == name, f"{first[sentence]} and {name}: {sentence}"


def test_no_page_is_a_template_of_another(pages: Pages) -> None:
    """No eight words in a row stand in two pages."""
    first: dict[tuple[str, ...], str] = {}
    shared = Counter[tuple[str, str]]()
    for name, page in pages.items():
        words = re.findall(r"\w+", page.article.body.casefold())
        for start in range(len(words) - 7):
            run = tuple(words[start : start + 8])
            if first.setdefault(run, name) != name:
                shared[first[run], name] += 1
    assert max(shared.values(), default=0) <= 3, shared.most_common(3)


def test_the_last_ten_days_are_held_out(pages: Pages) -> None:
    days = sorted({name.partition("/")[0] for name in pages})
    assert {day.isoformat() for day in held_out_days(load_stories())} == set(days[-10:])
    with PAGE_VIEWS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["file"] for row in rows} == pages.keys()
    for row in rows:
        assert row["split"] == ("test" if row["file"][:10] in days[-10:] else "train")
        assert int(row["popularity"]) > 0


def test_boxes_hold_five_titles_once_there_are_enough(pages: Pages, desk: dict[str, dict[str, str]]) -> None:
    known = {row["headline"] for row in desk.values()}
    third = sorted({name.partition("/")[0] for name in pages})[2]
    for name, page in pages.items():
        section, site = page.boxes
        assert section.list == desk[name]["section"], name
        assert site.list == "*", name
        assert len(site.items) == 5, name
        assert len(section.items) == 5 or name < third, name
        assert {*section.items, *site.items} <= known, name


def test_the_readers_rule_prints_every_page_and_count_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the articles and the desk's list alone: the boxes are taken off first."""
    for story in load_stories():
        (tmp_path / "pages" / story.file).parent.mkdir(parents=True, exist_ok=True)
        bare = write_page(Page(replace(story.article, section=None), ()), site=SITE)
        assert "POPULAR ARTICLE" not in bare
        (tmp_path / "pages" / story.file).write_text(bare, encoding="utf-8", newline="\n")
    stories = load_stories(tmp_path / "pages")
    monkeypatch.setattr(readers, "PAGES", tmp_path / "pages")
    monkeypatch.setattr(readers, "PAGE_VIEWS", tmp_path / "page_views.csv")
    monkeypatch.setattr(readers, "load_stories", lambda: stories)
    readers.main()
    assert (tmp_path / "page_views.csv").read_bytes() == PAGE_VIEWS.read_bytes()
    for story in stories:
        assert (tmp_path / "pages" / story.file).read_bytes() == (PAGES / story.file).read_bytes(), story.file


def test_readers_follow_interest_but_not_blindly() -> None:
    """There is something to learn, and a best that learning cannot beat."""
    stories = load_stories()
    views = page_views(stories)
    wanted = np.array([interest(story) for story in stories])
    seen = np.log(np.array([views[story.file] for story in stories]) / 1000)
    assert abs((seen - wanted).std() - NOISE) < 0.05
    assert np.corrcoef(seen, wanted)[0, 1] > 0.8
