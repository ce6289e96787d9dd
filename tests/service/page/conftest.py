"""Servers as browsers meet them: with keys and without."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from service.keys import KeyFile
from service.state import StateFolder

SECONDS = 60.0
ROLES = ("predict", "editor", "admin")


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    data: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.data)

    @property
    def text(self) -> str:
        return self.data.decode()

    @property
    def cookies(self) -> list[str]:
        """The lines that set cookies."""
        return self.headers.get_all("Set-Cookie") or []


@dataclass
class Visitor:
    """Keeps cookies and the page's token as a browser does, each request on a connection of its own."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str | None = None

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """`body` is made JSON unless it is bytes; a header that is None is left out."""
        sent = {
            "Content-Type": "application/json" if not isinstance(body, bytes) else "application/octet-stream"
        }
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.csrf is not None and method != "GET":
            sent["X-Newsdesk-CSRF"] = self.csrf
        sent.update(headers or {})
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(method, path, data, sent)
            got = connection.getresponse()
            answer = Answer(got.status, got.headers, got.read())
        finally:
            connection.close()
        for line in answer.cookies:
            for name, morsel in SimpleCookie(line).items():
                self.cookies.pop(name, None)
                if morsel.value:
                    self.cookies[name] = morsel.value
        return answer

    def sign_in(self, key: str, headers: dict[str, str] | None = None) -> Answer:
        """Sign in, and keep the token."""
        answer = self.ask("POST", "/page/session", {"key": key}, headers)
        if answer.status == 200:
            self.csrf = answer.json["csrf"]
        return answer


@dataclass
class Guarded:
    """A server that needs keys, and one key a role."""

    port: int
    keys: KeyFile
    tokens: dict[str, str]

    def visitor(self, role: str | None = None) -> Visitor:
        """Somebody new, signed in if `role` is given."""
        found = Visitor(self.port)
        if role is not None:
            answer = found.sign_in(self.tokens[role])
            assert answer.status == 200, answer.text
        return found


def make_keys(state: Path) -> tuple[KeyFile, dict[str, str]]:
    """A key a role, each named like it."""
    file = KeyFile(StateFolder(state).keys)
    return file, {role: file.add(role, role)[1] for role in ROLES}


@pytest.fixture(scope="session")
def guarded(
    running: Callable[..., AbstractContextManager[Any]],
    tiny_model_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Guarded]:
    state = tmp_path_factory.mktemp("guarded")
    keys, tokens = make_keys(state)
    with running(tiny_model_path, "--state", str(state), "--workers", "1") as server:
        yield Guarded(server.port, keys, tokens)


@pytest.fixture(scope="session")
def unguarded(
    running: Callable[..., AbstractContextManager[Any]], tiny_model_path: Path
) -> Iterator[Visitor]:
    """Somebody at a server that needs no key."""
    with running(tiny_model_path, "--workers", "1") as server:
        yield Visitor(server.port)


@pytest.fixture(scope="session")
def visit() -> Callable[[int], Visitor]:
    """Somebody new at the server of that port."""
    return Visitor


@pytest.fixture
def keyed_state(tmp_path: Path) -> tuple[Path, KeyFile, dict[str, str]]:
    """A state folder, its keys, and what their users send."""
    return tmp_path / "state", *make_keys(tmp_path / "state")
