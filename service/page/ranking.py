"""Ranking lists to take away: as a page prints them, and as a table. Newsdesk reads both back as ranking boxes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response

from classifier.errors import FieldError, UsageError
from classifier.ranking import Entry, Rankings
from classifier.reading.base import SITE_WIDE
from service.access import needs
from service.admission import PAGE_ROLE
from service.body import read_json
from service.models import current_model
from service.rankings import read_rankings
from service.settings import current_settings

blueprint = Blueprint("page_ranking", __name__)

# The first four are what a table of ranking boxes needs.
COLUMNS = (
    "list",
    "rank",
    "headline",
    "article_id",
    "section",
    "popularity_score",
    "popularity_percentile",
    "top5_probability",
    "ranking_score",
    "duplicates",
)
_BOM = "\ufeff"  # without it spreadsheets take UTF-8 for something else


@blueprint.post("/page/rank.txt")
@needs(PAGE_ROLE)
def as_text() -> Response:
    """The lists in the form of pages; "prefix" is the site's short name."""
    data = read_json()
    asked = {"prefix": data["prefix"]} if isinstance(data, Mapping) and "prefix" in data else {}
    from service.schemas import PrintIn, validate

    prefix = validate(PrintIn, asked).prefix
    if not _is_heading(prefix):
        raise FieldError(
            "prefix", "cannot stand before ACCESS RANKING", remedy="give a short name, such as JN"
        )
    return _download(_rankings(data).to_text(prefix), "text/plain", "ranking.txt")


@blueprint.post("/page/rank.csv")
@needs(PAGE_ROLE)
def as_table() -> Response:
    """The lists as CSV, a line an article."""
    rows = io.StringIO(newline="")
    writer = csv.writer(rows)
    writer.writerow(COLUMNS)
    writer.writerows(_rows(_rankings(read_json())))
    return _download(_BOM + rows.getvalue(), "text/csv", "ranking.csv")


def _rankings(data: Any) -> Rankings:
    if isinstance(data, Mapping):
        data = {name: value for name, value in data.items() if name != "prefix"}
    return read_rankings(data, current_settings(), current_model())


def _is_heading(prefix: str) -> bool:
    """Whether lists, be they empty, can be printed with it."""
    try:
        Rankings((), {}).to_text(prefix)
    except UsageError:
        return False
    return True


def _rows(rankings: Rankings) -> Iterator[list[Any]]:
    for name, entries in (*rankings.by_section.items(), (SITE_WIDE, rankings.site)):
        yield from (_row(name, entry) for entry in entries)


def _row(name: str, entry: Entry) -> list[Any]:
    return [
        name,
        entry.rank,
        entry.headline,
        entry.id,
        entry.section,
        entry.popularity_score,
        entry.popularity_percentile,
        entry.top5_probability,
        entry.ranking_score,
        entry.duplicates,
    ]


def _download(text: str, mimetype: str, name: str) -> Response:
    return Response(
        text, mimetype=mimetype, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
