"""Articles of what was pasted or dropped, in any format that Newsdesk reads. Nothing of it is kept, and nothing written.

A page, text or HTML, of the size that the API takes in one request is read at once, as there. Everything else is read by a
process of its own (`service.page.reader`) with limits of time and memory: parsers of strangers' files may hang, or want
more than there is.
"""

from __future__ import annotations

import io
import os
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import orjson
from flask import Blueprint, Response, request

from classifier.errors import FieldError, InputError, MissingExtra
from classifier.options import options_for
from classifier.reading.base import ReadOptions
from classifier.reading.messages import send, send_options
from classifier.reading.processes import command
from service.access import needs
from service.admission import PAGE_ROLE
from service.body import read_body
from service.errors import Busy, TooLarge
from service.inputs import read_flags
from service.models import current_model
from service.page.kinds import compression_of, is_html, is_plain, shown_name
from service.responses import json_response
from service.settings import MIB, Settings, current_settings

if TYPE_CHECKING:
    from service.page.uploads import Limits

blueprint = Blueprint("page_reading", __name__)

SECONDS = 20
AT_ONCE = 4  # processes of a worker
# What parsers make of a body is seldom more than so many times its size.
_LEAST_MEMORY, _TIMES = 512 * MIB, 16
_FRUGAL = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_places = threading.BoundedSemaphore(AT_ONCE)


@blueprint.post("/page/read")
@needs(PAGE_ROLE)
def read() -> Response:
    """The articles in the body, whose file name may be given as `name`."""
    query = request.args.copy()
    names = query.poplist("name")
    if len(names) > 1:
        raise FieldError("name", "must be given once")
    flags = read_flags(query, "printed_sections")
    settings = current_settings()
    data = read_body(request, settings.max_body_bytes)
    if not data.strip():
        raise InputError("there is nothing in it", remedy="paste a text or drop a file")
    options = replace(
        options_for(current_model().manifest, columns=(), ignore=(), timezone=None, taken_at=None),
        printed_sections=flags["printed_sections"],
    )
    return json_response(read_articles(shown_name("".join(names)), data, options, settings))


def read_articles(name: str, data: bytes, options: ReadOptions, settings: Settings) -> Mapping[str, Any]:
    """What is in a file, as `service.page.uploads.Read` has it.

    Raises:
        TooLarge: it is over a limit.
        InputError: there is no article in it, or nothing says what it is.
        MissingExtra: its format needs packages that are not installed.
        Busy: enough is being read.
    """
    from service.page.uploads import Limits, OverLimit, read_page  # the readers, which a worker seldom needs

    limits = Limits(settings.max_body_bytes, settings.max_articles, settings.max_text_length)
    if _is_usual_page(name, data, options, limits):
        try:
            return asdict(read_page(name, data, options, limits))
        except OverLimit as error:
            raise TooLarge(error.problem, remedy=error.remedy) from error
    if not _places.acquire(blocking=False):
        raise Busy("as much is being read as there may be", remedy="try again in a moment")
    try:
        answer = _ask(name, data, options, limits)
    finally:
        _places.release()
    if "error" in answer:
        raise _error(answer["error"])
    found: Mapping[str, Any] = answer["read"]
    return found


def _is_usual_page(name: str, data: bytes, options: ReadOptions, limits: Limits) -> bool:
    if compression_of(name):
        return False
    return is_plain(name, data, options) or (is_html(name, data) and len(data) <= limits.length)


def _ask(name: str, data: bytes, options: ReadOptions, limits: Limits) -> Mapping[str, Any]:
    memory = max(_LEAST_MEMORY, _TIMES * limits.bytes)
    sent = io.BytesIO()
    send_options(sent, options)
    send(sent, {"name": name, "limits": asdict(limits), "seconds": SECONDS, "memory": memory}, [data])
    with subprocess.Popen(
        command("service.page.reader"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **_FRUGAL},
    ) as process:
        try:
            said, _ = process.communicate(sent.getvalue(), timeout=SECONDS)
            answer: Mapping[str, Any] = orjson.loads(said)
        except (subprocess.TimeoutExpired, orjson.JSONDecodeError):
            raise InputError(
                f"reading it failed, or took more than {SECONDS} seconds",
                remedy="give its text, or a part of it",
            ) from None
        finally:
            process.kill()
    return answer


def _error(told: Mapping[str, Any]) -> Exception:
    """The error that a process told of."""
    if told["kind"] == "OverLimit":
        return TooLarge(told["problem"], remedy=told["remedy"])
    if told["kind"] == MissingExtra.__name__:
        return MissingExtra("formats", module=told["module"])
    return InputError(told["problem"], remedy=told["remedy"])
