from __future__ import annotations

import pytest

from classifier.errors import PageError
from classifier.reading.pages import parse_page

TOP = "11:36 JST, February 2, 2022\nThe ferry left on time.\n"


def boxes(text):
    return [(box.list, box.items) for box in parse_page(TOP + text).boxes]


@pytest.mark.parametrize(
    "heading",
    [
        '"Politics" POPULAR ARTICLE',
        "“Politics” POPULAR ARTICLE",
        "”Politics” Popular Articles",
        "‘Politics’ popular article",
        "'Politics' POPULAR ARTICLES",
        "＂Politics＂　ＰＯＰＵＬＡＲ　ＡＲＴＩＣＬＥ",
        "「Politics」 POPULAR ARTICLE",
        "『Politics』POPULAR ARTICLE",
        "«Politics» POPULAR ARTICLE",
        '\u00a0"\u00a0Politics "  POPULAR\u00a0ARTICLE ',
    ],
)
def test_popular_headings(heading):
    page = parse_page(f"{TOP}{heading}\n-\nAssembly Meets\n")
    assert [(box.list, box.items) for box in page.boxes] == [("Politics", ("Assembly Meets",))]
    assert (page.article.section, page.article.body) == ("Politics", "The ferry left on time.")


@pytest.mark.parametrize(
    "heading",
    [
        "JN ACCESS RANKING",
        "ACCESS RANKING",
        "Access Ranking",
        "jn access ranking",
        "The Marenne Courier ACCESS RANKING",
        "News of the Harbour ACCESS RANKING",
        "ＪＮ　ＡＣＣＥＳＳ　ＲＡＮＫＩＮＧ",
        "courier.example\u00a0ACCESS RANKING",
    ],
)
def test_ranking_headings(heading):
    page = parse_page(f"{TOP}{heading}\n-\nAssembly Meets\n")
    assert [(box.list, box.items) for box in page.boxes] == [("*", ("Assembly Meets",))]
    assert page.article.section is None


@pytest.mark.parametrize(
    "line",
    [
        "He made it to the JN ACCESS RANKING",
        "JN ACCESS RANKING was launched",
        'She read the "Politics" POPULAR ARTICLE',
        "Politics POPULAR ARTICLE",
        "x" * 300 + " ACCESS RANKING",
    ],
)
def test_words_in_the_text_start_no_box(line):
    page = parse_page(f"{TOP}{line}\n-\nand more\n")
    assert page.boxes == ()
    assert page.article.body.split("\n")[1:] == [line, "-", "and more"]


def test_a_heading_that_text_follows_is_text():
    page = parse_page(TOP + 'JN ACCESS RANKING\nis a box.\n"Politics" POPULAR ARTICLE\nis another.\n')
    assert page.boxes == ()
    assert page.article.body.count("\n") == 4


@pytest.mark.parametrize("mark", ["-", "–", "—", "・", "•", "－", "\u00a0-\u00a0", "*", "●"])
def test_marks(mark):
    assert boxes(f"ACCESS RANKING\n{mark}\nOne\n{mark}\nTwo\n") == [("*", ("One", "Two"))]


@pytest.mark.parametrize("mark", ["- ", "– ", "• ", "•", "・", "－ ", "-\u00a0"])
def test_marks_before_titles(mark):
    assert boxes(f"ACCESS RANKING\n{mark}One\nof two lines\n{mark}Two\n") == [
        ("*", ("One of two lines", "Two"))
    ]


def test_titles_over_several_lines_with_blank_lines():
    text = "JN ACCESS RANKING\n\n-\n\nJapan’s GDP\n\n  Falls\u00a0\n- Again\n\n-\nTwo-Way Street\n"
    assert boxes(text) == [("*", ("Japan’s GDP Falls - Again", "Two-Way Street"))]


def test_list_in_the_article_is_no_box():
    page = parse_page(TOP + "-\nOne\n- Two\n")
    assert page.boxes == ()
    assert page.article.body.endswith("-\nOne\n- Two")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("JN ACCESS RANKING\n-\nOne\n-", [("*", ("One",))]),
        ("JN ACCESS RANKING\n-\nOne\n-\nTw", [("*", ("One", "Tw"))]),
        ("JN ACCESS RANKING\n-", [("*", ())]),
        ("JN ACCESS RANKING", [("*", ())]),
        ("JN ACCESS RANKIN", [("*", ())]),
        ("JN ACCESS R", [("*", ())]),
        ('"Politics" POPULAR ART', [("Politics", ())]),
        ('"Politics" POPULAR', [("Politics", ())]),
        (
            '"Politics" POPULAR ARTICLE\n-\nOne\n-\nJN ACCESS RANKING\n-\nTwo',
            [("Politics", ("One",)), ("*", ("Two",))],
        ),
        ('"Politics" POPULAR ARTICLE\nJN ACCESS RANKING\n-\nTwo', [("Politics", ()), ("*", ("Two",))]),
        ('"Politics" POPULAR ARTICLE\n-\n-\n-\nOne', [("Politics", ("One",))]),
    ],
)
def test_empty_and_cut_off_boxes(text, expected):
    page = parse_page(TOP + text)
    assert [(box.list, box.items) for box in page.boxes] == expected
    assert page.article.body == "The ferry left on time."


@pytest.mark.parametrize(
    ("second", "items"),
    [
        ("-\nOne\n-\nTwo\n", ("One", "Two")),
        ("-\nOne\n-\nT\n", ("One", "Two")),
        ("", ("One", "Two")),
        ("-\nOne\n-\nTwo\n-\nThree\n", ("One", "Two", "Three")),
        ("-\nOther\n-\nTwo\n-\nThree\n", ("One", "Two")),
    ],
)
def test_a_list_counts_once(second, items):
    head = '"Politics" POPULAR ARTICLE\n'
    assert boxes(f"{head}-\nOne\n-\nTwo\n{head}{second}") == [("Politics", items)]
    assert boxes(f"{head}-\nOne\n-\nTwo\n{head.upper()}{second}") == [("Politics", items)]


def test_the_fuller_of_two_copies_keeps_the_place_of_the_first():
    text = (
        "ACCESS RANKING\n-\nOn\n"
        + '"Sports" POPULAR ARTICLE\n-\nGoal\n'
        + "JN ACCESS RANKING\n-\nOne\n-\nTwo\n"
    )
    assert boxes(text) == [("*", ("One", "Two")), ("Sports", ("Goal",))]


def test_two_sections_label_nothing():
    page = parse_page(TOP + '"Politics" POPULAR ARTICLE\n-\nA\n"Sports" POPULAR ARTICLE\n-\nB\n')
    assert page.article.section is None
    assert [box.list for box in page.boxes] == ["Politics", "Sports"]


@pytest.mark.parametrize("name", ["", " ", "*"])
def test_a_popular_box_needs_a_section(name):
    with pytest.raises(PageError, match=r'line 3: .*names no section; expected a heading such as "Politics"'):
        parse_page(f'{TOP}"{name}" POPULAR ARTICLE\n-\nOne\n')


def test_rows_count_ranks_from_one():
    page = parse_page(TOP + '"Politics" POPULAR ARTICLE\n-\nA\n-\nB\nACCESS RANKING\n-\nC\n')
    rows = [(row["list"], row["rank"], row["headline"]) for row in page.box_rows()]
    assert rows == [("Politics", 1, "A"), ("Politics", 2, "B"), ("*", 1, "C")]
    assert all(row["taken_at"] is None and row["article_id"] is None for row in page.box_rows())
