"""Request bodies: read within a limit, then parsed as strict JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

import orjson
from flask import Flask, Request, Response, request

from classifier.errors import FieldError
from service.errors import BodyError, BodyTimeout, MediaTypeError, RequestError, TooLarge
from service.incoming import AHEAD, Streamed
from service.paths import join_path
from service.settings import current_settings

_JSON = "application/json"
_BLOCK = 65_536
# A client that is still sending when the connection closes loses the answer. Up to this many times the limit
# is read and thrown away, so that it gets to see the problem.
_DRAIN = 4
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def init_app(app: Flask) -> None:
    """Read what a refused request is still sending."""
    app.after_request(_drain)


def read_json(limit: int | None = None) -> Any:
    """The JSON body of the current request, of at most `limit` bytes, by default the setting's.

    Raises:
        MediaTypeError: it does not say that it is JSON.
        TooLarge: it is over the limit.
        BodyError: it is empty, cut off, or not JSON (RFC 8259: UTF-8, no NaN, no infinity).
        FieldError: a string in it holds half of a surrogate pair.
    """
    _check_media_type(request, _JSON)
    return parse_json(read_body(request, limit or current_settings().max_body_bytes))


def open_blocks(media_type: str) -> Iterator[bytes]:
    """The body of the current request block by block, of any length; without the request's context.

    Raises:
        MediaTypeError: it does not say that it is of this type.
        BodyError (while it is read): it ended before its declared length.
    """
    _check_media_type(request, media_type)
    return read_blocks(request, None)


def read_body(request: Request, limit: int) -> bytes:
    """The whole body, read in blocks; also one that comes in chunks without a length.

    Raises:
        TooLarge: it is longer than `limit` bytes.
        BodyError: it ended before its declared length.
        BodyTimeout: no part of it came for too long.
    """
    return b"".join(read_blocks(request, limit))


def read_blocks(request: Request, limit: int | None) -> Iterator[bytes]:
    """The body in blocks, none of them empty; raises as `read_body`, without a limit where that is None."""
    declared = request.content_length
    if declared is not None and limit is not None and declared > limit:
        raise _over(limit)
    if declared is None and not request.environ.get("wsgi.input_terminated"):
        return iter(())
    _limit_waiting(request)
    return _blocks(request.environ["wsgi.input"], declared, limit)


def _blocks(stream: BinaryIO, declared: int | None, limit: int | None) -> Iterator[bytes]:
    # Other streams may wait until they have as much as they were asked for.
    most = AHEAD if isinstance(stream, Streamed) else _BLOCK
    size = 0
    while declared is None or size < declared:
        block = _read(stream, most if declared is None else min(most, declared - size))
        if not block:
            break
        size += len(block)
        if limit is not None and size > limit:
            raise _over(limit)
        yield block
    if declared is not None and size < declared:
        raise BodyError(f"the body ended after {size} of {declared} bytes", remedy="send it again")


def _limit_waiting(request: Request) -> None:
    """Under gunicorn, which hands out its connection, no read waits longer than the setting says."""
    connection = request.environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(current_settings().chunk_seconds)


def parse_json(body: bytes) -> Any:
    """Strict JSON; of names that occur twice in an object the last one counts.

    Raises:
        BodyError: it is empty or not JSON; it says where, and never what stands there.
        FieldError: a string in it holds half of a surrogate pair.
    """
    if not body.strip():
        raise BodyError("the body is empty", remedy="send a JSON object")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        _refuse_bad_characters(body)
        raise BodyError(
            f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})",
            line=error.lineno,
            remedy="send one JSON object in UTF-8",
        ) from None


def _read(stream: BinaryIO, size: int) -> bytes:
    try:
        return stream.read(size)
    except TimeoutError:
        raise BodyTimeout("no part of the body came in time", remedy="send it without long pauses") from None
    except OSError:  # the client is gone: some servers say so, others only end the input
        return b""


def _over(limit: int) -> TooLarge:
    return TooLarge(f"the body is longer than {limit} bytes", remedy="send fewer articles at a time")


def _check_media_type(request: Request, known: str) -> None:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != known or charset not in ("utf-8", "utf8"):
        raise MediaTypeError(
            f"the content type is not {known}", remedy=f"send the header Content-Type: {known}"
        )
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise MediaTypeError("the body is compressed", remedy="send it without a Content-Encoding")


def _refuse_bad_characters(body: bytes) -> None:
    """Name what is wrong with the encoding or the escapes; the fast parser says only where it stumbled.

    Raises:
        BodyError: the body is not UTF-8.
        FieldError: a string holds half of a surrogate pair.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BodyError(
            f"the body is not UTF-8 (byte {error.start + 1})",
            line=body.count(b"\n", 0, error.start) + 1,
            remedy="send one JSON object in UTF-8",
        ) from None
    if not _SURROGATE_ESCAPE.search(text):
        return
    try:
        todo: list[tuple[str, Any]] = [("", json.loads(text))]
    except (ValueError, RecursionError):
        return
    while todo:
        path, value = todo.pop()
        if isinstance(value, str) and not _encodable(value):
            raise _surrogate(path)
        if isinstance(value, list):
            todo.extend((join_path(path, index), item) for index, item in enumerate(value))
        elif isinstance(value, dict):
            for name, item in value.items():
                if not _encodable(name):
                    raise _surrogate(path)
                todo.append((join_path(path, name), item))


def _surrogate(path: str) -> FieldError:
    return FieldError(
        path, "holds half of a surrogate pair, which is no character", remedy="fix the encoding of the source"
    )


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _drain(response: Response) -> Response:
    # Servers that do not end the input themselves clean up on their own; a client that asked with Expect sends
    # nothing after a refusal, and one that was too slow is not waited for again.
    environ = request.environ
    if (
        response.status_code >= 400
        and response.status_code != 504
        and environ.get("wsgi.input_terminated")
        and "Expect" not in request.headers
    ):
        _limit_waiting(request)
        left = _DRAIN * current_settings().max_body_bytes
        with suppress(RequestError):
            while left > 0 and (block := _read(environ["wsgi.input"], _BLOCK)):
                left -= len(block)
    return response
