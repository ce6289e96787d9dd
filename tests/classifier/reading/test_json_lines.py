"""JSON by columns is what `json.dumps` means, whatever the columns hold."""

from __future__ import annotations

import json
import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifier.reading.columns import to_values
from classifier.reading.json_lines import json_lines

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ['"', "\\", "\n\t\x7f"]
)
floats = st.floats() | st.integers(-(2**70), 2**70).map(float)
score = st.fixed_dictionaries({"name": st.none() | texts, "p": st.none() | floats, "ok": st.booleans()})
KINDS: dict[str, tuple[pa.DataType, Any]] = {
    "text": (pa.string(), texts),
    "wide": (pa.large_string(), texts),
    "float": (pa.float64(), floats),
    "int": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "flag": (pa.bool_(), st.booleans()),
    "list": (pa.list_(pa.string()), st.lists(st.none() | texts, max_size=3)),
    "scores": (
        pa.list_(pa.struct([("name", pa.string()), ("p", pa.float64()), ("ok", pa.bool_())])),
        st.lists(score, max_size=3),
    ),
    "bytes": (pa.binary(), st.binary(max_size=3)),
    "nothing": (pa.null(), st.none()),
}
rows = st.lists(
    st.fixed_dictionaries({name: st.none() | own for name, (_, own) in KINDS.items()}), max_size=5
)


def plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: plain(own) for name, own in value.items()}
    return [plain(own) for own in value] if isinstance(value, list) else value


@given(rows, st.integers(0, 2))
def test_every_row_reads_back(found: list[dict[str, Any]], skipped: int) -> None:
    schema = pa.schema([(name, kind) for name, (kind, _) in KINDS.items()])
    batch = pa.RecordBatch.from_pylist(found, schema=schema).slice(skipped)
    lines = json_lines(batch).to_pybytes().decode().split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(batch)
    columns = [to_values(column) for column in batch.columns]
    for line, *row in zip(lines, *columns, strict=True):
        read = json.loads(line)
        assert list(read) == list(KINDS)
        del read["bytes"]
        wanted = dict(zip(KINDS, row, strict=True))
        del wanted["bytes"]
        assert json.dumps(read) == json.dumps(plain(wanted))  # 1 and 1.0 are not the same there


@example([0.0, -0.0, 1e15, 1e16, 1e-5, 1e-7, 5e-324, 123456789012.0])
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_stay_what_they_are(numbers: list[float]) -> None:
    lines = json_lines(pa.record_batch({"x": pa.array(numbers)})).to_pybytes().decode()
    found = [json.loads(line)["x"] for line in lines.splitlines()]
    assert list(map(repr, found)) == list(map(repr, numbers))


def test_texts_that_repeat_are_written_once_each_and_alike() -> None:
    many = ["a", 'say "b"', None] * 100
    lines = json_lines(pa.record_batch({"x": pa.array(many)})).to_pybytes().decode()
    assert [json.loads(line)["x"] for line in lines.splitlines()] == many


@pytest.mark.parametrize("batch", [pa.record_batch({"a": pa.array([], pa.string())}), pa.record_batch({})])
def test_nothing_is_nothing(batch: pa.RecordBatch) -> None:
    assert json_lines(batch).to_pybytes() == b""
