"""Texts as the kernel reads them: Arrow's columns and Python's strings where they lie."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from classifier.errors import FieldError, UsageError
from classifier.text import native
from classifier.text.native import kernel
from classifier.text.objects import items, layout

if TYPE_CHECKING:
    import pyarrow as pa

_PAIR = ctypes.c_int64 * 2
_SURROGATES = "surrogatepass"  # half a pair is a character like any other, as it is to Python


class Texts:
    """n texts, each the non-empty fields of one row joined by line breaks.

    `columns` are the kernel's structures; what they point to lives as long as this object. `first` is the number that
    errors give the first text, where others came before.
    """

    def __init__(
        self, columns: Sequence[native.Column], length: int, keep: Sequence[Any], first: int = 0
    ) -> None:
        self.count = len(columns)
        self.columns = (native.Column * len(columns))(*columns)
        self.first = first
        self._length = length
        self._keep = keep

    def __len__(self) -> int:
        return self._length

    @classmethod
    def of(cls, texts: Iterable[str] | pa.Array | pa.ChunkedArray, first: int = 0) -> Texts:
        """Of strings, or of an Arrow column of strings (null is empty).

        Raises:
            UsageError: it holds something else.
        """
        if isinstance(texts, list | tuple):
            return cls.from_strings(texts, first=first)
        if is_arrow(texts):
            return cls.from_arrow(texts, first=first)
        return cls.from_strings(list(iterate(texts)), first=first)

    @classmethod
    def from_strings(cls, *columns: Sequence[str], first: int = 0) -> Texts:
        """Columns of equal length.

        Raises:
            UsageError: they hold something else, or are not of equal length.
        """
        return cls._of_objects(columns, first, empty=False)

    @classmethod
    def from_values(cls, *columns: Sequence[Any]) -> Texts:
        """Columns of equal length, of strings and None, which is empty.

        Raises:
            UsageError: as `from_strings`.
        """
        return cls._of_objects(columns, 0, empty=True)

    @classmethod
    def _of_objects(cls, columns: Sequence[Sequence[Any]], first: int, *, empty: bool) -> Texts:
        # Copies, whose objects stay: a list may be changed by others meanwhile.
        own = [tuple(texts) for texts in columns]
        if len({len(texts) for texts in own}) > 1:
            lengths = " and ".join(str(len(texts)) for texts in own)
            raise UsageError(
                f"columns of {lengths} texts lie side by side",
                remedy="give columns of equal length, and do not change them meanwhile",
            )
        made = [_object_column(texts, first, empty=empty) for texts in own]
        return cls([column for column, _ in made], len(own[0]), [keep for _, keep in made], first)

    @classmethod
    def from_arrow(cls, *columns: pa.Array | pa.ChunkedArray, first: int = 0) -> Texts:
        """Columns of equal length, of any of Arrow's string types; only dictionaries, views and several chunks are
        copied."""
        made = [_arrow_column(column) for column in columns]
        return cls([column for column, _ in made], len(columns[0]), [keep for _, keep in made], first)


def is_arrow(texts: object) -> bool:
    """Whether it is an Arrow array or several as one; Arrow is not loaded to find out."""
    return hasattr(texts, "type") and hasattr(texts, "null_count")


def iterate(texts: Iterable[Any]) -> Iterator[Any]:
    """Its items.

    Raises:
        UsageError: one text, a table, or nothing with items.
    """
    if isinstance(texts, str | bytes):
        raise UsageError("one text was given", remedy="give a list of texts")
    if hasattr(texts, "columns"):  # going through one gives columns or their names, which may be strings
        raise UsageError(f"a {type(texts).__name__} was given", remedy="give one column of it")
    if not isinstance(texts, Iterable):
        raise UsageError(f"a {type(texts).__name__} was given", remedy="give a list of texts")
    return iter(texts)


def _object_column(texts: tuple[Any, ...], first: int, *, empty: bool) -> tuple[native.Column, Any]:
    """`empty`: whether None may be among them. A single text is encoded at once: that costs less."""
    if len(texts) > 1 and (known := layout()) is not None:
        place = items(texts)
        if kernel.nd_plain(known, place, len(texts), empty) == len(texts):
            return native.Column(place, None, None, 0, 1, ctypes.pointer(known)), texts
    return _encoded_column([text or "" for text in texts] if empty else texts, first)


def _encoded_column(texts: Sequence[Any], first: int) -> tuple[native.Column, Any]:
    """Their bytes end to end."""
    if len(texts) == 1:
        data = encoded(texts[0], first)
        offsets: Any = _PAIR(0, len(data))
        return native.Column(data, ctypes.addressof(offsets), None, 0, 1), (data, offsets)
    parts = [encoded(text, number) for number, text in enumerate(texts, first)]
    places = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, parts), np.int64, len(texts)), out=places[1:])
    data = b"".join(parts)
    return native.Column(data, places.ctypes.data, None, 0, 1), (data, places)


def encoded(text: object, number: int = 0) -> bytes:
    """A text in UTF-8.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(text, str):
        raise UsageError(
            f"text {number} is a {type(text).__name__}, not a string",
            remedy="give strings; an empty one for none",
        )
    return text.encode("utf-8", _SURROGATES)


def _arrow_column(column: Any) -> tuple[native.Column, Any]:
    import pyarrow as pa

    column = _one_array(column)
    wide = pa.types.is_large_string(column.type)
    valid, offsets, data = column.buffers()
    if not len(column):
        return native.Column(b"", None, None, 0, 1), column
    return (
        native.Column(
            ctypes.c_char_p(data.address) if data is not None and data.size else b"",
            offsets.address,
            valid.address if valid is not None and column.null_count else None,
            column.offset,
            wide,
        ),
        column,
    )


def _one_array(column: Any) -> Any:
    """As one array of strings or large strings."""
    import pyarrow as pa

    if not isinstance(column, pa.ChunkedArray):
        return _plain(column)
    if column.num_chunks == 1:
        return _plain(column.chunk(0))
    # Together they may be too large for offsets of 32 bits.
    chunks = [_plain(chunk).cast(pa.large_string()) for chunk in column.chunks]
    return pa.concat_arrays(chunks) if chunks else _plain(pa.array([], column.type))


def _plain(array: Any) -> Any:
    import pyarrow as pa

    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if not (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_null(kind)
        or kind == pa.string_view()
    ):
        raise UsageError(f"a column of {array.type} holds no texts", remedy="give a column of strings")
    if pa.types.is_dictionary(array.type):  # repeated they may be too large for offsets of 32 bits
        return array.dictionary.cast(pa.large_string()).take(array.indices)
    if pa.types.is_null(kind) or kind == pa.string_view():
        return array.cast(pa.large_string())
    return array


def check(result: int, failed: int) -> int:
    """What the kernel returned, of a call that had come to text number `failed`.

    Raises:
        FieldError: the text is no UTF-8, or too long.
        MemoryError: there was none left.
    """
    if result >= 0:
        return result
    if result == native.ERROR_UTF8:
        raise FieldError(
            "text",
            f"text {failed} holds bytes that are no UTF-8",
            remedy="decode it with the encoding it has",
        )
    if result == native.ERROR_LENGTH:
        raise FieldError(
            "text",
            f"text {failed} is too long, or there are too many",
            remedy="give texts of less than 2 GiB",
        )
    raise MemoryError(f"no memory was left at text {failed}")
