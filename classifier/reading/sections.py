"""Sections' names: white space and Unicode forms made alike, names mapped to others or dropped, spellings that differ by
case only brought to the most frequent one.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from classifier.errors import ConfigError
from classifier.reading.base import SITE_WIDE, Chunk, Note
from classifier.reading.columns import FILE

_TIDIED = "section names with other white space or Unicode forms, written alike"
Naming = Mapping[str, str | None]


def section_key(name: str) -> str:
    """What spellings of one name have in common: letters whatever their case and Unicode form, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def check_sections(mapping: Mapping[str, str]) -> None:
    """Raise a ConfigError unless every name is one, and none is mapped to two others."""
    seen: dict[str, str] = {}
    for name, target in mapping.items():
        key = section_key(name)
        if not key:
            raise ConfigError("sections: an empty name", remedy='write "Business" = "Economy"')
        if seen.setdefault(key, target) != target:
            raise ConfigError(
                f'sections: "{name}" is mapped to "{seen[key]}" and "{target}"',
                remedy="keep one of the lines",
            )


def tidied(chunks: Iterable[Chunk], mapping: Mapping[str, str]) -> Iterator[Chunk]:
    """The chunks with sections (and the lists of boxes) by the names that `mapping` gives them; "" drops one.

    An article whose section is dropped stays, without it; lines of a box whose list is dropped go.
    """
    by_key = {section_key(name): " ".join(target.split()) or None for name, target in mapping.items()}
    for chunk in chunks:
        yield _tidied(chunk, by_key)


def _tidied(chunk: Chunk, by_key: Naming) -> Chunk:
    notes: list[Note] = []
    parts: dict[str, pa.RecordBatch] = {}
    for part, names in (
        ("articles", ("section", "sections")),
        ("labels", ("section", "sections")),
        ("boxes", ("list",)),
    ):
        batch = getattr(chunk, part)
        for name in names:
            if batch is None or name not in batch.schema.names:
                continue
            found: Counter[tuple[str, str | None]] = Counter()
            batch = _renamed(batch, name, lambda text: _named(text, by_key), found)
            notes += _notes(found, by_key, _file(batch))
        if batch is not getattr(chunk, part):
            parts[part] = batch
    if "boxes" in parts:
        parts["boxes"] = parts["boxes"].filter(parts["boxes"]["list"].is_valid())
    return replace(chunk, notes=(*chunk.notes, *notes), **parts) if parts else chunk


def _named(name: str, by_key: Naming) -> str | None:
    if name == SITE_WIDE:
        return name
    key = section_key(name)
    if not key:  # no name at all: no section
        return name
    if key in by_key:
        return by_key[key]
    return " ".join(unicodedata.normalize("NFC", name).split()) or None


def _notes(found: Mapping[tuple[str, str | None], int], by_key: Naming, file: str) -> list[Note]:
    notes = []
    for (name, target), count in found.items():
        if section_key(name) not in by_key:
            notes.append(Note(file, _TIDIED, f'"{name}"', count))
        elif target is None:
            notes.append(Note(file, f'articles of the section "{name}", which is dropped', "", count))
        else:
            notes.append(Note(file, f'articles of the section "{name}", read as "{target}"', "", count))
    return notes


def same_case(table: pa.Table, column: str) -> tuple[pa.Table, list[Note]]:
    """The table with spellings that differ by case (or width) only as the most frequent of them."""
    counts = _counts(table[column])
    best: dict[str, str] = {}
    for name in sorted(counts, key=lambda name: -counts[name]):
        best.setdefault(section_key(name), name)
    renamed = {name: best[section_key(name)] for name in counts if best[section_key(name)] != name}
    if not renamed:
        return table, []
    batches = [
        _renamed(batch, column, lambda text: renamed.get(text, text), Counter())
        for batch in table.to_batches()
    ]
    notes = [
        Note(
            "all files",
            f'articles of the section "{name}", read as "{target}", which is more frequent',
            "",
            counts[name],
        )
        for name, target in renamed.items()
    ]
    return pa.Table.from_batches(batches, table.schema), notes


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    flat = pc.list_flatten(column) if pa.types.is_list(column.type) else column
    return {
        one["values"]: one["counts"] for one in pc.value_counts(flat).to_pylist() if one["values"] is not None
    }


def _renamed(
    batch: pa.RecordBatch,
    name: str,
    rename: Callable[[str], str | None],
    found: Counter[tuple[str, str | None]],
) -> pa.RecordBatch:
    """The batch with another column `name`; `found` counts what was renamed."""
    column = batch.column(name)
    is_list = pa.types.is_list(column.type)
    values = column.flatten() if is_list else column
    new = {}
    for one in pc.value_counts(values).to_pylist():
        old = one["values"]
        if old is not None and (renamed := rename(old)) != old:
            new[old] = renamed
            found[old, renamed] += one["counts"]
    if not new:
        return batch
    if is_list:
        lists = [
            labels and list(dict.fromkeys(kept for label in labels if (kept := new.get(label, label))))
            for labels in column.to_pylist()
        ]
        made = pa.array(lists, column.type)
    else:
        made = pa.array([new.get(value, value) for value in column.to_pylist()], pa.string())
    return batch.set_column(batch.schema.get_field_index(name), name, made)


def _file(batch: pa.RecordBatch) -> str:
    at = batch.schema.get_field_index(FILE)
    return str(batch.column(at)[0]) if at >= 0 and len(batch) else "labels"
