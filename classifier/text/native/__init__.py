"""The compiled kernel, through ctypes: every call lets other threads run, and of Python it knows what `Objects` says.

The structures mirror kernel.h, weigh.h, score.c and fit.c, member by member. They hold addresses, so whoever fills one
keeps alive what it points to.
"""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import POINTER, Structure, c_char_p, c_double, c_int32, c_int64, c_uint64, c_void_p
from pathlib import Path
from typing import Any

from classifier.errors import InstallationError

KINDS = ("word", "char", "char_wb")

ERROR_MEMORY, ERROR_UTF8, ERROR_LENGTH = -1, -2, -3
PAD = 64  # bytes behind terms that the kernel may read
BUCKET = 8  # slots of 8 bytes: a cache line
LANES = 8  # machines that are measured together


class Chars(Structure):
    """Of kernel.h."""

    _fields_ = [
        ("pages", c_void_p),
        ("cells", c_void_p),
        ("sequences", c_void_p),
        ("lowercase", c_int32),
    ]


class Objects(Structure):
    """Of kernel.h."""

    _fields_ = [
        ("none", c_void_p),
        ("type", c_void_p),
        ("type_at", c_int64),
        ("length_at", c_int64),
        ("state_at", c_int64),
        ("ascii_at", c_int64),
        ("wide_at", c_int64),
        ("shift", c_int64),
    ]


class Column(Structure):
    """Of kernel.h."""

    _fields_ = [
        ("data", c_char_p),
        ("offsets", c_void_p),
        ("valid", c_void_p),
        ("first", c_int64),
        ("wide", c_int64),
        ("objects", POINTER(Objects)),
    ]


class Analysis(Structure):
    """Of kernel.h."""

    _fields_ = [
        ("kind", c_int32),
        ("low", c_int32),
        ("high", c_int32),
        ("reserved", c_int32),
        ("seed", c_uint64 * 4),
        ("stop", c_void_p),
        ("stop_mask", c_uint64),
    ]


class Table(Structure):
    """Of kernel.h."""

    _fields_ = [("slots", c_void_p), ("mask", c_uint64), ("id_mask", c_uint64), ("reach", c_int64)]


class Weighting(Structure):
    """Of weigh.h."""

    _fields_ = [
        ("binary", c_int32),
        ("sublinear", c_int32),
        ("norm", c_int32),
        ("reserved", c_int32),
        ("weight", c_double),
    ]


class Cross(Structure):
    """Of score.c."""

    _fields_ = [
        ("starts", c_void_p),
        ("categories", c_void_p),
        ("weights", c_void_p),
        ("of_row", c_void_p),
        ("weight", c_double),
    ]


class Target(Structure):
    """Of score.c."""

    _fields_ = [
        ("table", Table),
        ("weighting", Weighting),
        ("width", c_int64),
        ("outputs", c_int64),
        ("stride", c_int64),
        ("rows", c_void_p),
        ("crosses", c_void_p),
        ("cross_count", c_int64),
        ("scores", c_void_p),
        ("score_stride", c_int64),
        ("known", c_void_p),
    ]


class Features(Structure):
    """Of fit.c."""

    _fields_ = [
        ("indptr", c_void_p),
        ("indices", c_void_p),
        ("values", c_void_p),
        ("squares", c_void_p),
        ("rows", c_int64),
        ("width", c_int64),
    ]


class Machine(Structure):
    """Of fit.c."""

    _fields_ = [
        ("truth", c_void_p),
        ("cost", c_void_p),
        ("positive", c_double),
        ("weights", c_void_p),
        ("alpha", c_void_p),
        ("order", c_void_p),
        ("count", c_int64),
        ("random", c_uint64),
        ("largest", c_double),
        ("smallest", c_double),
    ]


class Part(Structure):
    """Of squares.c."""

    _fields_ = [
        ("starts", c_void_p),
        ("rows", c_void_p),
        ("values", c_void_p),
        ("fade", c_void_p),
        ("twin_fade", c_void_p),
        ("first", c_int64),
        ("twin", c_int64),
        ("width", c_int64),
        ("narrow", c_int64),
    ]


class Buffer(Structure):
    """Of kernel.h."""

    _fields_ = [("memory", c_void_p), ("size", ctypes.c_size_t)]


class Matrix(Structure):
    """Of score.c."""

    _fields_ = [("indices", Buffer), ("values", Buffer), ("count", c_int64)]


def open_kernel(path: Path) -> Any:
    """The library, its functions with their types.

    Raises:
        InstallationError: it is not there, or not for this system.
    """
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise InstallationError(
            "the compiled part of Newsdesk cannot be loaded" if path.exists() else "Newsdesk was not built",
            where=str(path),
            remedy="install it with pip (pip install . or pip install -e .), which compiles it",
        ) from error
    text = [POINTER(Chars), POINTER(Column), c_int64]
    number = POINTER(c_int64)
    machine = [POINTER(Features), POINTER(Machine)]
    machines = [POINTER(Features), POINTER(POINTER(Machine))]
    parts = [POINTER(Part), c_int64]
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "nd_plain": (c_int64, [POINTER(Objects), c_void_p, c_int64, c_int64]),
        "nd_score": (
            c_int64,
            [*text, POINTER(Analysis), number, c_int64, POINTER(Target), c_int64, c_int64, number],
        ),
        "nd_transform": (
            c_int64,
            [
                *text,
                POINTER(Analysis),
                POINTER(Table),
                c_void_p,
                c_int64,
                c_int64,
                POINTER(Weighting),
                c_int64,
                c_int64,
                c_void_p,
                POINTER(Matrix),
                number,
            ],
        ),
        "nd_take_matrix": (None, [POINTER(Matrix), c_void_p, c_void_p]),
        "nd_release_matrix": (None, [POINTER(Matrix)]),
        "nd_places": (
            c_int64,
            [*text, POINTER(Analysis), POINTER(Table), c_int64, POINTER(Buffer)],
        ),
        "nd_add_product": (
            None,
            [c_void_p, c_void_p, c_void_p, c_int64, c_void_p, c_int64, c_void_p],
        ),
        "nd_softmax": (None, [c_void_p, c_int64, c_int64]),
        "nd_release": (None, [POINTER(Buffer)]),
        "nd_hash_terms": (None, [POINTER(Analysis), c_void_p, c_void_p, c_int64, c_void_p]),
        "nd_build_table": (c_int64, [c_void_p, c_int64, c_void_p, c_uint64, c_uint64, c_int64]),
        "nd_counter_new": (c_void_p, [POINTER(Analysis), POINTER(Chars)]),
        "nd_counter_free": (None, [c_void_p]),
        "nd_counter_add": (c_int64, [c_void_p, POINTER(Column), c_int64, c_int64, c_int64, number]),
        "nd_counter_finish": (c_int64, [c_void_p, c_int64, c_int64, c_int64, c_int64, c_int64]),
        "nd_counter_sizes": (None, [c_void_p, number]),
        "nd_counter_export": (c_int64, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
        "nd_begin": (None, machine),
        "nd_descend": (c_int64, [*machine, c_double, c_int64, c_void_p]),
        "nd_pack": (None, [machines[1], c_int64, c_int64, c_int64, c_void_p]),
        "nd_measure": (None, [*machines, c_int64, c_void_p, c_int64, c_int64, c_void_p, c_void_p]),
        "nd_place": (
            None,
            [c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_int32, c_void_p, c_void_p, c_void_p],
        ),
        "nd_squares": (None, [c_void_p, c_void_p, c_int64, c_void_p]),
        "nd_transpose": (None, [*[c_void_p] * 4, *[c_int64] * 3, *[c_void_p] * 3]),
        "nd_scores": (None, [*parts, c_void_p, c_void_p, c_void_p]),
        "nd_sums": (c_double, [*parts, c_void_p, c_void_p, c_double, c_void_p, c_void_p]),
        "nd_moments": (None, [POINTER(Part), *[c_void_p] * 5]),
        "nd_direction": (None, [c_int64, c_void_p, c_void_p, c_double, c_void_p]),
        "nd_step": (None, [c_int64, c_double, *[c_void_p] * 6]),
        "nd_content_ids": (None, [POINTER(Column), c_int64, c_void_p]),
        "nd_json_new": (c_void_p, [c_int64]),
        "nd_json_free": (None, [c_void_p]),
        "nd_json_scan": (c_int64, [c_void_p, c_void_p, c_int64, c_int64, c_int64, number]),
        "nd_json_lines": (None, [c_void_p, c_void_p]),
        "nd_json_name": (c_void_p, [c_void_p, c_int64, number]),
        "nd_json_column": (c_int64, [c_void_p, c_void_p, c_int64, c_int64, c_void_p, c_void_p, c_void_p]),
        "nd_frequencies": (None, [c_void_p, c_void_p, c_void_p, c_int64, c_void_p]),
        "nd_weigh": (
            c_int64,
            [
                c_void_p,
                c_void_p,
                c_void_p,
                c_int64,
                c_void_p,
                POINTER(Weighting),
                c_void_p,
                c_void_p,
                c_void_p,
            ],
        ),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_SUFFIX = {"darwin": "dylib", "win32": "dll"}.get(sys.platform, "so")
# Another one is named by whoever looks for mistakes in it (see hatch_build.py).
kernel = open_kernel(
    Path(os.environ.get("NEWSDESK_KERNEL") or Path(__file__).with_name(f"_kernel.{_SUFFIX}"))
)


def holding_lock(name: str, result: Any, arguments: int) -> Any:
    """A function of the kernel that takes addresses and whole numbers, `arguments` of them, and lets no other thread run:
    for calls of microseconds, for which the rest costs more than they do."""
    function = ctypes.PyDLL(kernel._name)[name]
    function.restype, function.argtypes = result, [c_void_p] * arguments
    return function
