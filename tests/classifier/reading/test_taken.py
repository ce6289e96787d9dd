from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from classifier.errors import ConfigError
from classifier.reading.base import ReadOptions
from classifier.reading.taken import box_time

TOKYO = ZoneInfo("Asia/Tokyo")


def taken(name, pattern, **options):
    return box_time(name, ReadOptions(taken_at=pattern, **options), TOKYO)


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("crawl/2022-02-02/page.txt", "%Y-%m-%d", (2022, 2, 3)),
        ("crawl/2022-12-31/page.txt", "%Y-%m-%d", (2023, 1, 1)),
        ("page-20220202-1136.txt", "%Y%m%d-%H%M", (2022, 2, 2, 11, 36)),
        ("page_2_Feb_2022.txt", "%d_%b_%Y", (2022, 2, 3)),
        ("2022/033/a.txt", "%Y/%j", (2022, 2, 3)),
        ("100% 2022.02.02.txt", "100%% %Y.%m.%d", (2022, 2, 3)),
        ("2022-99-99/2022-02-02.txt", "%Y-%m-%d", (2022, 2, 3)),
        ("at-2022-02-02T09PM.txt", "%Y-%m-%dT%I%p", (2022, 2, 2, 21)),
    ],
)
def test_patterns(name, pattern, expected):
    assert taken(name, pattern) == datetime(*expected, tzinfo=TOKYO)


@pytest.mark.parametrize("name", ["page.txt", "2022-99-99.txt", "912022-02-02.txt", "2022_02_02.txt"])
def test_names_without_the_date_give_none(name):
    assert taken(name, "%Y-%m-%d") is None


def test_zones():
    assert taken("2022-02-02.txt", "%Y-%m-%d").tzinfo is TOKYO
    assert taken("2022-02-02.txt", "%Y-%m-%d", timezone=UTC) == datetime(2022, 2, 3, tzinfo=UTC)
    own = taken("20220202T1136+0530.txt", "%Y%m%dT%H%M%z")
    assert own.utcoffset() == timedelta(hours=5.5)


def test_a_given_time_is_the_time():
    time = datetime(2025, 11, 30, 8, 0, tzinfo=UTC)
    assert taken("2022-02-02.txt", time) is time
    assert taken("page.txt", time.replace(tzinfo=None)) == datetime(2025, 11, 30, 8, 0, tzinfo=TOKYO)
    assert taken("2022-02-02.txt", None) is None


@pytest.mark.parametrize(
    "pattern", ["", "%Y", "%Y-%m", "%Q-%Y-%m-%d", "%Y-%m-%d-%Y", "%H:%M", "2022-02-02", "%Y-%m-%d%"]
)
def test_what_is_no_pattern_is_an_error(pattern):
    with pytest.raises(ConfigError, match="is not a file-name pattern"):
        taken("2022-02-02.txt", pattern)


def test_a_local_time_needs_a_zone():
    with pytest.raises(ConfigError, match="has no zone"):
        box_time("2022-02-02.txt", ReadOptions(taken_at="%Y-%m-%d"), None)
