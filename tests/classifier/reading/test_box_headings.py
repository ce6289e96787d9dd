"""Which list a heading names, in the languages that are known and in the user's own words."""

from __future__ import annotations

import pytest

from classifier.reading.base import SITE_WIDE
from classifier.reading.box_headings import likely_names, named_list

SITES = ("The Courier", "courier")
SITE = [
    "Most read",
    "MOST POPULAR",
    "Today’s most read stories",
    "Most viewed this week",
    "Popular articles",
    "Trending now",
    "MC ACCESS RANKING",
    "Access Ranking",
    "Most read on The Courier",
    "The Courier most read",
    "アクセスランキング",
    "週間アクセスランキング",
    "人気記事",
    "人気記事ランキング",
    "今日のよく読まれている記事",
    "ランキング（24時間）",
    "많이 본 뉴스",
    "가장 많이 읽은 기사",
    "실시간 인기 뉴스",
    "조회수 랭킹",
    "Meistgelesen",
    "Die meistgelesenen Artikel",
    "Meistgelesen heute",
    "Am meisten gelesen",
    "Les plus lus",
    "Articles les plus lus",
    "Les plus lus aujourd’hui",
    "Les articles les plus consultés",
    "Lo más leído",
    "Lo más visto de hoy",
    "Las noticias más leídas",
    "Lo + leído",
]
NAMED = [
    ("“Politics” POPULAR ARTICLE", "Politics"),
    ('"Politics" popular articles', "Politics"),
    ("Most read in Politics", "Politics"),
    ("Most Read | World news", "World news"),
    ("Politics: most read", "Politics"),
    ("Science & Tech Most Popular", "Science & Tech"),
    ("政治の人気記事", "政治"),
    ("「社会」人気記事ランキング", "社会"),
    ("スポーツ アクセスランキング", "スポーツ"),
    ("정치 많이 본 뉴스", "정치"),
    ("경제 분야 많이 본 기사", "경제"),
    ("Meistgelesen in Politik", "Politik"),
    ("Die meistgelesenen Artikel im Ressort Wirtschaft", "Wirtschaft"),
    ("Les plus lus en Politique", "Politique"),
    ("Les plus lus : Monde", "Monde"),
    ("Lo más leído en Economía", "Economía"),
    ("Noticias más leídas de la sección Deportes", "Deportes"),
]
NOT = [
    "",
    "The most popular baby names of 2021",
    "A plan that became most popular",
    "He read the most",
    "Our most read newsletter is back.",
    "Read more",
    "Plus",
    "Editor’s picks",
    "World ranking points explained",
    "Most read " + "x" * 80,
    "記事一覧",
    "많이",
    "Mehr lesen",
]


@pytest.mark.parametrize("text", SITE)
def test_headings_of_the_site_wide_list(text: str) -> None:
    named = named_list(text, sites=SITES)
    assert named is not None
    assert named.list == SITE_WIDE


@pytest.mark.parametrize(("text", "name"), NAMED)
def test_headings_with_a_section(text: str, name: str) -> None:
    named = named_list(text, sites=SITES)
    assert named is not None
    assert named.list == name


@pytest.mark.parametrize("text", NOT)
def test_what_is_no_heading(text: str) -> None:
    assert named_list(text, sites=SITES) is None


@pytest.mark.parametrize("text", [*SITE, *(text for text, _ in NAMED)])
def test_the_quick_look_misses_no_heading(text: str) -> None:
    assert likely_names(["Weather", text, "Sign in"]) == [text]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Reader favourites", SITE_WIDE),
        ("READER  FAVOURITES", SITE_WIDE),
        ("Reader favourites in Sport", "Sport"),
        ("Top Politics now", "Politics"),
        ("Top “Politics” now", "Politics"),
    ],
)
def test_further_headings_are_the_users(text: str, name: str) -> None:
    more = ("Reader favourites", "Reader favourites in *", "Top * now")
    assert named_list(text) is None
    named = named_list(text, more=more)
    assert named is not None
    assert named == (name, True)
    assert likely_names(["Weather", text, "Sign in"], more) == [text]


def test_words_used_for_nothing_else_are_certain() -> None:
    certain = {
        text: named_list(text) for text in ("Most popular", "JN ACCESS RANKING", "“A” POPULAR ARTICLE")
    }
    assert [named is not None and named.certain for named in certain.values()] == [False, True, True]


def test_the_quick_look_at_nothing_finds_nothing() -> None:
    assert likely_names([]) == []
