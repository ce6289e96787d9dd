"""Blocks put together are the file that Arrow's own writers make, or read back as one."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier.reading import thrift
from classifier.reading.binary_tables import Arrow, Parquet
from classifier.reading.encoders import encoder_for

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("n", pa.float64()),
        ("names", pa.list_(pa.struct([("name", pa.string()), ("ok", pa.bool_())]))),
        ("stamp", pa.timestamp("us", tz="Asia/Tokyo")),
    ]
)


def batches(count: int) -> list[pa.RecordBatch]:
    found = []
    for number in range(count):
        rows: list[dict[str, Any]] = [
            {"id": f"{number}-{n}", "n": n / 7, "names": [{"name": "x", "ok": True}] * (n % 3), "stamp": n}
            for n in range(number * 50 + 1)
        ]
        found.append(pa.RecordBatch.from_pylist([{**row, "stamp": row["stamp"]} for row in rows], SCHEMA))
    return found


def put_together(encoder: Any, given: list[pa.RecordBatch]) -> bytes:
    out, entries = io.BytesIO(), []
    out.write(encoder.header())
    for number, batch in enumerate(given):
        block = encoder.block(batch)
        entries.append(encoder.entry(block, out.tell(), number))
        out.write(block.data)
    for part in encoder.end(entries, len(given), sum(map(len, given))):
        out.write(part)
    return out.getvalue()


@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_an_arrow_file_is_the_one_that_arrow_writes(count: int) -> None:
    given = batches(count)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, SCHEMA, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        for batch in given:
            writer.write_batch(batch)
    assert put_together(Arrow(SCHEMA), given) == sink.getvalue().to_pybytes()


@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_a_parquet_file_of_blocks_is_one_with_so_many_groups(count: int) -> None:
    given = batches(count)
    data = put_together(Parquet(SCHEMA), given)
    file = pq.ParquetFile(pa.BufferReader(data))
    assert file.num_row_groups == count
    assert file.read() == pa.Table.from_batches(given, SCHEMA)
    assert file.metadata.num_rows == sum(map(len, given))
    assert file.metadata.serialized_size == int.from_bytes(data[-8:-4], "little")
    for number, batch in enumerate(given):
        group = file.metadata.row_group(number)
        assert group.num_rows == len(batch)
        assert file.read_row_group(number).to_batches() == [batch]
        assert group.column(1).statistics.max == (len(batch) - 1) / 7


def test_a_parquet_footer_is_written_back_as_it_was() -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_batches(batches(3)), sink, row_group_size=40, write_page_index=True)
    data = sink.getvalue().to_pybytes()
    footer = data[-8 - int.from_bytes(data[-8:-4], "little") : -8]
    assert thrift.write_fields(thrift.Reader(footer).fields()) == footer


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst", ".csv.gz", ".csv.zst"])
def test_compressed_blocks_stand_for_themselves(suffix: str) -> None:
    given = batches(3)
    whole = put_together(encoder_for(f"a{suffix}", SCHEMA), given)
    plain = put_together(
        encoder_for(f"a{suffix[:-4] if suffix.endswith('.zst') else suffix[:-3]}", SCHEMA), given
    )
    kind = {".gz": "gzip", "zst": "zstd"}[suffix[-3:]]
    with pa.CompressedInputStream(pa.BufferReader(whole), kind) as stream:
        assert stream.read() == plain
