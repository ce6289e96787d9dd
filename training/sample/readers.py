"""The simulated readers: a rule that turns articles into page views, and page views into the boxes printed on the pages.

    python -m training.sample.readers        prints the boxes on every page and writes page_views.csv anew

An article's interest is the sum of

- what its words are about: for each theme below, its weight times min(1, words of the theme / 3), where a word in the
  headline counts three times and each distinct word once in the body;
- its section's appeal, which levels out what the themes give, so that the section alone says little;
- its headline's shape: a question +0.15, a number in it +0.15;
- the hour: +0.2 from 6 to 9 and from 18 to 21 o'clock.

Its page views are 1,000 · exp(interest + noise), rounded, with normal noise of deviation NOISE, drawn by SEED. Nobody can
foresee the noise: the order by interest alone is the best that any prediction can do, and quickstart prints it.

A section's popular box lists the five most read of its articles of the last seven days, the access ranking the five most
read of the day, both at the end of the day; every page of a day carries its section's box and the access ranking.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from classifier.articles import Article
from classifier.reading.base import SITE_WIDE
from classifier.reading.pages import Box, Page, decode_page, parse_page
from classifier.reading.pages_writer import write_page
from training.sample import DESK, PAGE_VIEWS, PAGES, SITE

SEED = 20310401
NOISE = 0.3
TOP = 5
SECTION_DAYS = 7
TEST_DAYS = 10

THEMES: dict[str, tuple[float, str]] = {
    "household costs": (1.1, "price prices rent rents bill bills wage wages tax taxes fare fares cost costs crowns"),
    "children and schools": (0.9, "child children school schools parent parents teacher teachers pupils students"),
    "storms and disasters": (1.3, "storm storms flood floods flooding earthquake quake fire fires typhoon rescue rescued"),
    "animals": (0.8, "dog dogs cat cats whale whales bird birds bear bears turtle turtles animal animals"),
    "health": (0.6, "hospital hospitals doctor doctors vaccine vaccines patient patients disease nurse nurses"),
    "crime and scandal": (1.2, "police arrested arrest bribe bribes fraud resign resigned resigns resignation stolen"),
    "food": (0.5, "rice fish bread restaurant restaurants noodles bakery kitchen food meal meals"),
    "machines": (0.4, "robot robots phone phones software satellite satellites drone drones"),
    "records": (0.7, "record records first oldest champion champions title final"),
    "procedure": (-0.9, "committee commission procedure amendment clause council index quarter statistics percent"),
}  # fmt: skip
SECTIONS = {"Politics": 0.2, "Economy": 0.3, "Society": 0.0, "World": 0.2, "Sports": 0.4, "Science": 0.5}


@dataclass(frozen=True, slots=True)
class Story:
    """One article with the headline that the front page lists (its own page may print none)."""

    file: str
    day: date
    section: str
    headline: str
    article: Article


def interest(story: Story) -> float:
    """How much readers want to read it, before chance."""
    heading = _words(story.headline)
    body = set(_words(story.article.body))
    total = SECTIONS[story.section]
    for weight, words in THEMES.values():
        theme = set(words.split())
        hits = 3 * sum(word in theme for word in heading) + len(body & theme)
        total += weight * min(1.0, hits / 3)
    total += 0.15 * ("?" in story.headline) + 0.15 * bool(re.search(r"\d", story.headline))
    time = story.article.published_at
    if time is not None and time.hour in (6, 7, 8, 18, 19, 20):
        total += 0.2
    return total


def page_views(stories: Iterable[Story]) -> dict[str, int]:
    """Page views by file; stories in order of file draw their noise."""
    ordered = sorted(stories, key=lambda story: story.file)
    noise = np.random.default_rng(SEED).normal(0.0, NOISE, len(ordered))
    return {
        story.file: round(1000.0 * float(np.exp(interest(story) + chance)))
        for story, chance in zip(ordered, noise, strict=True)
    }


def boxes(story: Story, stories: Iterable[Story], views: Mapping[str, int]) -> tuple[Box, ...]:
    """The two boxes on a story's page."""
    everything = sorted(stories, key=lambda other: (-views[other.file], other.file))
    first = story.day - timedelta(days=SECTION_DAYS - 1)
    section = [s for s in everything if s.section == story.section and first <= s.day <= story.day]
    today = [s for s in everything if s.day == story.day]
    return (
        Box(story.section, None, tuple(s.headline for s in section[:TOP])),
        Box(SITE_WIDE, None, tuple(s.headline for s in today[:TOP])),
    )


def load_stories(pages: Path = PAGES, desk: Path = DESK) -> list[Story]:
    """Every page with its section and headline from the desk's list, in order of file."""
    stories = []
    with desk.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            text = decode_page((pages / row["file"]).read_bytes(), row["file"])
            article = parse_page(text, name=row["file"]).article
            day = date.fromisoformat(row["file"].partition("/")[0])
            stories.append(Story(row["file"], day, row["section"], row["headline"], article))
    return sorted(stories, key=lambda story: story.file)


def printed_page(story: Story, stories: Iterable[Story], views: Mapping[str, int]) -> str:
    """A story's page as its file holds it."""
    article = replace(story.article, section=story.section)
    return write_page(Page(article, boxes(story, stories, views)), site=SITE)


def held_out_days(stories: Iterable[Story]) -> set[date]:
    """The last ten days."""
    return set(sorted({story.day for story in stories})[-TEST_DAYS:])


def main() -> None:
    """Print every page anew and write the page views."""
    stories = load_stories()
    views = page_views(stories)
    held_out = held_out_days(stories)
    for story in stories:
        (PAGES / story.file).write_text(printed_page(story, stories, views), encoding="utf-8", newline="\n")
    with PAGE_VIEWS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "popularity", "split"])
        for story in stories:
            writer.writerow([story.file, views[story.file], "test" if story.day in held_out else "train"])


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


if __name__ == "__main__":
    main()
