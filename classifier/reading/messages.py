"""What `classifier.reading.parallel` and its processes say to each other: a line of JSON, and bytes behind it.

Not pickle: a process that reads strangers' pages must not be able to make its parent run anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta, timezone, tzinfo
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from classifier.errors import ConfigError
from classifier.reading.base import Chunk, Note, ReadOptions, Rejection

if TYPE_CHECKING:
    import pyarrow as pa

Page = tuple[str, bytes]


def send(stream: IO[bytes], head: Any, parts: Sequence[bytes] = ()) -> None:
    """Write one message.

    Raises:
        OSError: nobody reads any more.
    """
    stream.write(json.dumps([head, [len(part) for part in parts]]).encode() + b"\n")
    for part in parts:
        stream.write(part)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[Any, list[bytes]]:
    """Read one message.

    Raises:
        EOFError: there is none, or it breaks off.
        ValueError: it is none.
    """
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    message = json.loads(line)
    if not isinstance(message, list) or len(message) != 2:
        raise ValueError("this is no message")
    head, sizes = message
    parts = [stream.read(size) for size in sizes]
    if [len(part) for part in parts] != sizes:
        raise EOFError
    return head, parts


def send_pages(stream: IO[bytes], pages: Sequence[Page]) -> None:
    """Pages by name.

    Raises:
        OSError: nobody reads any more.
    """
    send(stream, [name for name, _ in pages], [data for _, data in pages])


def receive_pages(stream: IO[bytes]) -> list[Page]:
    """The next pages.

    Raises:
        EOFError: no more come.
    """
    names, parts = receive(stream)
    return list(zip(names, parts, strict=True))


def send_answer(stream: IO[bytes], answer: Sequence[Chunk] | ConfigError) -> None:
    """Chunks of articles and boxes, or why there are none.

    Raises:
        OSError: nobody reads any more.
    """
    if isinstance(answer, ConfigError):
        send(stream, {"problem": answer.problem, "where": answer.where, "remedy": answer.remedy})
        return
    told, parts = [], []
    for chunk in answer:
        batches = {"articles": chunk.articles, "boxes": chunk.boxes}
        told.append(
            {
                "batches": [name for name, batch in batches.items() if batch is not None],
                "rejected": [[item.file, item.line, item.reason] for item in chunk.rejected],
                "notes": [[note.file, note.what, note.value, note.count, note.line] for note in chunk.notes],
            }
        )
        parts += [_bytes_of(batch) for batch in batches.values() if batch is not None]
    send(stream, told, parts)


def receive_answer(stream: IO[bytes]) -> list[Chunk]:
    """The answer to pages.

    Raises:
        EOFError, ValueError: as `receive`.
        ConfigError: that was the answer.
    """
    head, parts = receive(stream)
    if isinstance(head, Mapping):
        raise ConfigError(head["problem"], where=head["where"], remedy=head["remedy"])
    waiting = iter(parts)
    return [
        Chunk(
            **{name: _batch_of(next(waiting)) for name in told["batches"]},
            rejected=tuple(Rejection(*item) for item in told["rejected"]),
            notes=tuple(Note(*note) for note in told["notes"]),
        )
        for told in head
    ]


def send_options(stream: IO[bytes], options: ReadOptions) -> None:
    """How to read.

    Raises:
        OSError: nobody reads any more.
    """
    send(stream, {field.name: _plain(getattr(options, field.name)) for field in fields(options)})


def receive_options(stream: IO[bytes]) -> ReadOptions:
    """How to read.

    Raises:
        EOFError, ValueError: as `receive`.
    """
    head, _ = receive(stream)
    return ReadOptions(**{name: _value(plain) for name, plain in head.items()})


def _bytes_of(batch: pa.RecordBatch) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    found: bytes = sink.getvalue().to_pybytes()
    return found


def _batch_of(data: bytes) -> pa.RecordBatch:
    import pyarrow as pa

    (batch,) = pa.ipc.open_stream(data)
    return batch


def _plain(value: Any) -> Any:
    """As JSON holds it; what is no string, number or null is a list that begins with what it was."""
    if isinstance(value, Mapping):
        return ["mapping", dict(value)]
    if isinstance(value, frozenset):
        return ["set", sorted(value)]
    if isinstance(value, tuple):
        return ["tuple", list(value)]
    if isinstance(value, datetime):
        return ["time", value.replace(tzinfo=None).isoformat(), value.fold, _plain(value.tzinfo)]
    if isinstance(value, ZoneInfo):
        return ["zone", value.key]
    if isinstance(value, tzinfo):
        return ["offset", (value.utcoffset(None) or timedelta()).total_seconds()]
    return value


def _value(plain: Any) -> Any:
    """The inverse of `_plain`."""
    if not isinstance(plain, list):
        return plain
    kind, own, *more = plain
    if kind == "mapping":
        return own
    if kind in ("set", "tuple"):
        return frozenset(own) if kind == "set" else tuple(own)
    if kind == "time":
        return datetime.fromisoformat(own).replace(fold=more[0], tzinfo=_value(more[1]))
    return ZoneInfo(own) if kind == "zone" else timezone(timedelta(seconds=own))
