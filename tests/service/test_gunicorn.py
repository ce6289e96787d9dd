"""The application under another WSGI server, with its settings from the environment."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from classifier.model import Model
from classifier.store import ModelFolder
from service.keys import KeyFile
from service.state import StateFolder

pytest.importorskip("gunicorn")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn needs POSIX")

SECONDS = 60.0
ARTICLE = {"headline": "Assembly votes on the budget bill", "source": "Tiny Gazette"}


@contextmanager
def gunicorn(*options: str, **settings: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Gunicorn on a free port, from its first answer to its end."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "service:create_app()", "--bind", f"127.0.0.1:{port}", *options],
        env={**os.environ, "NEWSDESK_LOG_LEVEL": "error", **settings},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield port, process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=SECONDS)


def ask(port: int, path: str, body: Any = None, token: str | None = None) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as connection:
        connection.request("GET" if body is None else "POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + SECONDS
    while process.poll() is None:
        assert time.monotonic() < end
        try:
            assert ask(port, "/readyz")[0] == 200
            return
        except OSError:
            continue
    raise AssertionError(process.communicate()[1])


@pytest.mark.parametrize("options", [("--workers", "2"), ("--workers", "2", "--preload", "--threads", "2")])
def test_it_serves_with_keys_limits_and_promotions(
    store: ModelFolder, model: Model, tmp_path: Path, options: tuple[str, ...]
) -> None:
    state = tmp_path / "state"
    file = KeyFile(StateFolder(state).keys)
    _, token = file.add("cms", "predict", 0)
    _, few = file.add("few", "predict", 30)
    settings = {
        "NEWSDESK_MODEL": str(store.path),
        "NEWSDESK_STATE": str(state),
        "NEWSDESK_CHUNK_SECONDS": "1",
        "NEWSDESK_MAX_BODY_BYTES": "1000",
    }
    with gunicorn(*options, **settings) as (port, process):
        wait_for(port, process)
        assert ask(port, "/v1/predict", ARTICLE)[0] == 401
        status, body = ask(port, "/v1/predict", ARTICLE, token)
        assert (status, body["section"]) == (200, model.predict(ARTICLE).section)
        assert ask(port, "/v1/predict", {"headline": "x" * 2000}, token)[0] == 413
        assert slow_upload(port, token) == 504
        # Both workers count together.
        answers = [ask(port, "/v1/models", None, few)[0] for _ in range(60)]
        assert 30 <= answers.count(200) < 60
        assert set(answers) == {200, 429}
        # And both follow a promotion.
        second = store.versions()[1]
        store.promote(second)
        end = time.monotonic() + SECONDS
        same = 0
        while same < 20:
            same = same + 1 if ask(port, "/readyz")[1]["version"] == second else 0
            assert time.monotonic() < end


def slow_upload(port: int, token: str) -> int:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=SECONDS)) as line:
        line.sendall(
            b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer %s\r\nContent-Length: 100\r\n\r\n{" % token.encode()
        )
        return int(line.recv(1000).split()[1])


def test_without_keys_it_does_not_start(tiny_model_path: Path) -> None:
    with gunicorn(NEWSDESK_MODEL=str(tiny_model_path)) as (_, process):
        _, said = process.communicate(timeout=SECONDS)
        assert process.returncode not in (0, None)
        assert "there are no keys, so nobody could ask for predictions" in said
        assert "NEWSDESK_OPEN=always" in said
