"""Updated and republished articles: the latest version counts, the first time of publication stays."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from classifier.articles import Article
from classifier.reading import Reading, read_all
from classifier.reading.base import ReadOptions
from classifier.reading.rows import concat, to_batch
from classifier.reading.versions import unique_articles

FIRST = {
    "id": "1",
    "headline": "Fire at the port",
    "published_at": "2031-04-01T08:00:00Z",
    "section": "World",
}


def reading(folder: Path, *rows: dict[str, Any]) -> Reading:
    path = folder / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_all([str(path)], ReadOptions(timezone=UTC))


def one(found: Reading, *names: str) -> tuple[Any, ...]:
    (row,) = found.articles.to_pylist()
    return tuple(row[name] for name in names)


def test_a_later_time_of_publication(tmp_path: Path) -> None:
    later = {"id": "1", "headline": "Fire at the port is out", "published_at": "2031-04-01T11:00:00Z"}
    for rows in ([FIRST, later], [later, FIRST, FIRST, later]):
        found = reading(tmp_path, *rows)
        assert one(found, "headline", "published_at", "section") == (
            "Fire at the port is out",
            datetime(2031, 4, 1, 8, tzinfo=UTC),
            "World",
        )
        assert (found.superseded, found.duplicates, found.rejected) == (1, len(rows) - 2, [])


def test_a_version_goes_before_times_and_a_change_before_the_publication(tmp_path: Path) -> None:
    rows = [{**FIRST, "version": version, "headline": f"v{version}"} for version in (2, 10, 9)]
    assert one(reading(tmp_path, *rows), "headline") == ("v10",)
    changed = {**FIRST, "updated_at": "2031-04-01 12:00", "headline": "changed"}
    republished = {**FIRST, "updated_at": "2031-04-01 09:00", "published_at": "2031-04-02T00:00:00Z"}
    assert one(reading(tmp_path, FIRST, changed, republished), "headline") == ("changed",)


def test_one_url_without_ids(tmp_path: Path) -> None:
    rows = [
        {**FIRST, "id": None, "url": "https://news.example/port", "published_at": time}
        for time in ("2031-04-01T08:00:00Z", "2031-04-03T08:00:00Z")
    ]
    found = reading(tmp_path, *rows)
    assert (found.articles.num_rows, found.superseded) == (1, 1)
    assert one(found, "line", "published_at") == (2, datetime(2031, 4, 1, 8, tzinfo=UTC))


def test_one_id_at_two_addresses_or_without_a_later_time_is_two_articles(tmp_path: Path) -> None:
    other = {**FIRST, "headline": "Ferry fares rise"}
    found = reading(tmp_path, FIRST, other)
    assert [str(item) for item in found.rejected] == [
        'a.jsonl, line 2: id: "1" is the id of another article (different headline: "Fire at the port" and '
        '"Ferry fares rise"); give every article its own id, or leave them out (--ignore id)'
    ]
    urls = [{**FIRST, "url": "u1"}, {**other, "url": "u2", "published_at": "2031-05-01T08:00:00Z"}]
    found = reading(tmp_path, *urls)
    assert (len(found.rejected), found.superseded) == (1, 0)


articles = st.builds(
    Article,
    id=st.sampled_from("abc"),
    headline=st.sampled_from(("x", "y")),
    section=st.sampled_from((None, "s")),
    published_at=st.none() | st.integers(1, 3).map(lambda day: datetime(2031, 1, day, tzinfo=UTC)),
)


@given(st.lists(articles, min_size=1, max_size=8))
def test_every_row_is_accounted_for(rows: list[Article]) -> None:
    table = concat([to_batch(rows)])
    left, repeats, earlier, rejected = unique_articles(table)
    assert len(left) + repeats + earlier + len(rejected) == len(rows)
    assert sorted(left["id"].to_pylist()) == sorted({article.id for article in rows})
    for row in left.to_pylist():
        times = [one.published_at for one in rows if one.id == row["id"] and one.published_at]
        assert row["published_at"] == (min(times) if times else None) or rejected
