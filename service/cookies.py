"""The cookie in which a browser keeps the editors' key, and the token that shows that a request comes from the page.

A browser sends a cookie along whoever makes it ask. So what may change something must bear a header, too, which pages of
others cannot set and the page's own script can: the token, which only who holds the cookie, or may read what the service
answers to it, can know.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from service.hosts import bare_host

NAME = "newsdesk_key"
# Browsers take a cookie of such a name by TLS only, for this host only, and from nobody but this host.
SECURE_NAME = f"__Host-{NAME}"
HEADER = "X-Newsdesk-CSRF"
_VARIABLE = "HTTP_X_NEWSDESK_CSRF"
_LABEL = b"newsdesk editors' page"
_SAFE = frozenset({"GET", "HEAD"})


def cookie_of(environ: Mapping[str, Any]) -> str | None:
    """The key in the request's cookies, None where there is none."""
    found: dict[str, str] = {}
    for part in environ.get("HTTP_COOKIE", "").split(";"):
        name, _, value = part.strip().partition("=")
        found.setdefault(name, value)  # of several the one of the closest path comes first
    return found.get(SECURE_NAME) or found.get(NAME) or None


def token_for(key: str) -> str:
    """The token of who has this key: 64 hexadecimal digits."""
    return hmac.new(key.encode("utf-8", "surrogatepass"), _LABEL, hashlib.sha256).hexdigest()


def is_from_page(environ: Mapping[str, Any], key: str) -> bool:
    """Whether a request that came with this key in its cookie may do what it asks for: it only reads, or has the token."""
    if environ["REQUEST_METHOD"] in _SAFE:
        return True
    sent = environ.get(_VARIABLE, "").encode("utf-8", "surrogatepass")
    return hmac.compare_digest(sent, token_for(key).encode())


def is_from_here(environ: Mapping[str, Any]) -> bool:
    """Whether a request that changes something is of no other site's page, as far as browsers say: for signing in, when
    there is no token yet. What is no browser says nothing."""
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return bool(site == "same-origin")
    origin: str | None = environ.get("HTTP_ORIGIN")
    # Cookies do not know ports, and some proxies pass the host name on without its port.
    return origin is None or bare_host(origin.partition("://")[2]) == bare_host(environ.get("HTTP_HOST", ""))


def is_by_tls(environ: Mapping[str, Any]) -> bool:
    """Whether the browser asks by TLS, also where a proxy ends it: the page's own address, which it sends, says so."""
    origin: str = environ.get("HTTP_ORIGIN", "")
    return environ.get("wsgi.url_scheme") == "https" or origin.lower().startswith("https://")
