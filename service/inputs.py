"""From the parsed JSON of a request to articles, within the limits of the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict

from classifier.articles import TEXT_FIELDS, Article
from classifier.errors import FieldError
from classifier.headlines.checks import MAX_HEADLINES, story_of
from classifier.reading.base import ReadOptions
from service.errors import TooLarge
from service.paths import join_path
from service.settings import Settings

_CHECKED = frozenset({"sections", "published_at", "popularity", "split"})
_STRINGS = {str}


def read_article(data: Any, settings: Settings, *, at: str = "") -> Article:
    """One article object; `at` is its path in the request, for errors.

    Raises:
        InputError: it is no object.
        FieldError: a field holds what it must not.
        TooLarge: its text is over the limit.
    """
    if not _is_plain(data):
        from service.schemas import ArticleIn, validate

        validate(ArticleIn, data, at=at)
    _check_length(data, settings, at)
    try:
        return Article.from_mapping(data)
    except FieldError as error:
        path = join_path(at, error.field)
        raise FieldError(path, error.problem, where=error.where, remedy=error.remedy) from None


def read_article_or_page(data: Any, settings: Settings) -> Article:
    """One article object, or the article of a page; having "page" makes it a page.

    Raises:
        PageError: the page cannot be read.
        InputError, FieldError, TooLarge: as `read_article`.
    """
    if not isinstance(data, Mapping) or "page" not in data:
        return read_article(data, settings)
    from service.schemas import PageIn, validate

    page = validate(PageIn, data).page
    if len(page) > settings.max_text_length:
        raise _too_long("page", settings)
    # Only here: no other input needs the reader.
    from classifier.reading.html_pages import parse_any_page

    return parse_any_page(page, name="page", options=ReadOptions(printed_sections=False)).article


def read_headlines(data: Any, settings: Settings) -> tuple[list[str], Article]:
    """Headlines, not yet checked one by one, and the story that they share.

    Raises:
        InputError: it is no object.
        FieldError: a field holds what it must not.
        TooLarge: its text is over the limit, or over that of a body once it is taken with every headline.
    """
    from service.schemas import HeadlinesIn, validate

    headlines = validate(HeadlinesIn, data).headlines
    shared = {name: value for name, value in data.items() if name != "headlines"}
    story = story_of(shared)
    _check_length(shared, settings, "")
    # Each headline is scored with the whole text.
    if len(story.text) * min(len(headlines), MAX_HEADLINES) > settings.max_body_bytes:
        raise TooLarge(
            f"the text and {len(headlines)} headlines are more to score than one call may ask for",
            field="body" if len(story.body) >= len(story.summary) else "summary",
            remedy="shorten it, or send fewer headlines",
        )
    return headlines, story


def check_count(articles: Sequence[Any], settings: Settings) -> None:
    """Refuse a list of more articles than one call may hold.

    Raises:
        TooLarge: it does.
    """
    if len(articles) > settings.max_articles:
        raise TooLarge(
            f"there are {len(articles)} articles, {settings.max_articles} may come in one call",
            field="articles",
            remedy="split them",
        )


def read_flags(query: MultiDict[str, str], *names: str) -> dict[str, bool]:
    """The query string's flags by name: "true" or "false", false where absent; other parameters are refused.

    Raises:
        FieldError: naming the parameter.
    """
    for name in query:
        if name not in names:
            raise FieldError(
                join_path("", name), "is not known here", remedy=f"known are: {', '.join(names) or 'none'}"
            )
    flags = {}
    for name in names:
        values = query.getlist(name) or ["false"]
        if values not in (["true"], ["false"]):
            raise FieldError(name, "must be true or false, and given once")
        flags[name] = values == ["true"]
    return flags


def _is_plain(data: Any) -> bool:
    """Whether it is an object of which `Article.from_mapping` checks all that the schema does, in the same words."""
    return type(data) is dict and _CHECKED.isdisjoint(data) and set(map(type, data.values())) == _STRINGS


def _check_length(data: Mapping[str, Any], settings: Settings, at: str) -> None:
    lengths = [len(data.get(name) or "") for name in TEXT_FIELDS]
    if sum(lengths) > settings.max_text_length:
        raise _too_long(join_path(at, TEXT_FIELDS[lengths.index(max(lengths))]), settings)


def _too_long(path: str, settings: Settings) -> TooLarge:
    return TooLarge(
        f"the text is longer than {settings.max_text_length} characters", field=path, remedy="shorten it"
    )
