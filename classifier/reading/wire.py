"""What the readers of wire items share: statuses, and an item's fields from its parts, whatever they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from classifier.errors import FieldError
from classifier.reading.base import Note, ReadOptions
from classifier.reading.datelines import split_dateline
from classifier.reading.document_times import notes_of, written_time
from classifier.reading.documents import Item, Refused, section_fields
from classifier.reading.time_rules import Time
from classifier.reading.topics import Subject, load_topics, sections_of

# An item in one of these states must not be used as news.
_WITHDRAWN = {"canceled": "cancelled", "cancelled": "cancelled", "withheld": "withheld"}
_NOT_TEXT = "wire items are no texts (pictures, videos, …) and are left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class WireItem:
    """One item as it was delivered, all strings as written; `first_created` and `created` are its times, oldest first."""

    id: str = ""
    headline: str = ""
    summary: str = ""
    body: str = ""
    subjects: Sequence[Subject] = ()
    first_created: str = ""
    created: str = ""
    version: str = ""
    source: str = ""
    language: str = ""
    url: str = ""
    author: str = ""
    located: str = ""
    dateline: str = ""
    status: str = ""
    urgency: str = ""
    genre: str = ""
    slugline: str = ""
    embargoed: str = ""


def item_of(wire: WireItem, element: str | None, name: str, options: ReadOptions) -> Item | Refused:
    """The item with our fields; refused if the agency withdrew it or its time cannot be read."""
    status = wire.status.rpartition(":")[2].strip().lower()
    if status in _WITHDRAWN:
        return Refused(element, f"its agency has {_WITHDRAWN[status]} it; leave it out")
    sections, subjects, notes = sections_of(wire.subjects, load_topics(options.topics), name)
    body, city, agency = _without_dateline(wire)
    try:
        first = _time(wire.first_created or wire.created, options)
        updated = _time(wire.created, options).time
    except FieldError as error:
        return Refused(element, f"{error.field}: {error.problem}; {error.remedy}")
    fields: dict[str, Any] = {
        "id": wire.id,
        "headline": wire.headline,
        "summary": "" if wire.summary == wire.body else wire.summary,
        "body": body,
        "published_at": first.time,
        "source": wire.source,
        "url": wire.url,
        "language": wire.language,
        **section_fields(sections),
        "agency": agency,
        "city": city or wire.located,
        "author": wire.author,
        "updated_at": updated if updated != first.time else None,
        "version": int(wire.version) if wire.version.isdecimal() and len(wire.version) < 10 else None,
        "subjects": subjects,
        "urgency": int(wire.urgency) if wire.urgency.isdecimal() and len(wire.urgency) < 3 else None,
        "genre": wire.genre,
        "slugline": wire.slugline,
        "embargoed": wire.embargoed,
    }
    notes += notes_of(first, wire.first_created or wire.created, name)
    return Item(fields, element, tuple(notes))


def _without_dateline(wire: WireItem) -> tuple[str, str | None, str | None]:
    """The body without its dateline; city and agency of that, else of the one that stands beside the body."""
    first, _, rest = wire.body.partition("\n")
    if (found := split_dateline(first)) is not None:
        return "\n".join(part for part in (found.text, rest) if part), found.city, found.agency
    beside = split_dateline(f"{wire.dateline.rstrip(' -–—')} — ") if wire.dateline else None
    if beside is not None:
        return wire.body, beside.city, beside.agency
    return wire.body, wire.dateline or None, None


def not_text(name: str, kind: str) -> Note:
    """The note on an item that is no text."""
    return Note(name, _NOT_TEXT, kind)


def _time(text: str, options: ReadOptions) -> Time:
    return written_time(text, options) if text else Time(None)
