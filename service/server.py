"""The production server: Granian, one application in each worker process."""

from __future__ import annotations

import http.client
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

import classifier
from classifier.errors import ConfigError
from service.app import create_app
from service.settings import Settings

# Threads that run Python code in each worker. Scoring takes microseconds, so a few would do; the rest keep
# answering while clients send their bodies slowly.
_THREADS = 16
# Granian's "backpressure" counts open connections, idle ones too: it must be far above the threads, or a proxy
# that keeps its connections open locks everyone else out.
_CONNECTIONS = 1024
_STOP_SECONDS = 30
_POLL_SECONDS = 0.05
_WAKE_SECONDS = 0.2


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered first.

    Once the first worker answers, a line with the address goes to stderr.

    Raises:
        ConfigError: the address cannot be listened at.
        ArtifactError: the model cannot be loaded.
    """
    address, port = free_address(settings.host, settings.port)
    model = classifier.load(settings.model)  # a model that does not load is one error here, not one a worker
    line = f"newsdesk: serving {model.name} {model.version} at http://{_in_url(address)}:{port}"
    del model
    # Workers read their settings from the environment, as they would under any other server.
    os.environ.update(settings.to_env())
    # A forked worker would inherit locks that threads of this process hold.
    multiprocessing.set_start_method("spawn", force=True)
    server = Granian(
        "service.app:create_app",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=_THREADS,
        backpressure=_CONNECTIONS,
        backlog=_CONNECTIONS,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_SECONDS,
        log_level=LogLevels.error,
        log_dictconfig={"handlers": _log_to_stderr()},
    )
    stopped = threading.Event()
    announcer = threading.Thread(target=_announce, args=(line, address, port, stopped), daemon=True)
    server.on_startup(announcer.start)
    server.on_startup(lambda: _take_over_signals(server.signal_handler_interrupt))
    server.on_shutdown(stopped.set)
    # A worker is born with it blocked, so that Ctrl-C cannot hit one that is still being set up.
    _block_interrupt()
    try:
        server.serve(target_loader=load_app, wrap_loader=False)
    except SystemExit:
        # Also raised when workers ended before the server told them to, as when all were sent the signal.
        if not server.interrupt_signal:
            raise


def load_app() -> Flask:
    """What each worker calls for its application.

    Granian's own loader looks into the working directory first; another package there may be called `service`.
    """
    if sys.platform != "win32":
        # Ctrl-C in a terminal reaches every process; workers leave it to the server, which then ends them.
        _block_interrupt()
        _on_stop_signal(_wake_main_thread)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return create_app()


def _end_with_parent() -> None:
    # A worker whose server was killed would go on answering, and keep the port.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _take_over_signals(stop: Callable[[], object]) -> None:
    """Let SIGINT and SIGTERM call `stop` on a thread, in place of the handlers that Granian has just set."""
    if sys.platform != "win32":
        _on_stop_signal(stop, also_interrupt=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _no_handler)


def _no_handler(number: int, frame: object) -> None:
    """Must exist, or the signal would have its default effect."""


def _block_interrupt() -> None:
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _on_stop_signal(act: Callable[[], object], *, also_interrupt: bool = False) -> None:
    """Call `act` on a thread of its own at the first SIGTERM, or SIGINT, for which that thread is open if `also_interrupt`.

    Python runs signal handlers on the main thread only. When two signals come together the system may hand both to
    another thread; the lock on which Granian's main thread waits is then not interrupted, and no handler ever runs.
    The wake-up file descriptor is written to whatever thread is hit.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def watch() -> None:
        if also_interrupt:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        while os.read(reader, 1)[0] not in (signal.SIGINT, signal.SIGTERM):
            pass
        act()

    threading.Thread(target=watch, daemon=True).start()


def _wake_main_thread() -> None:
    # Not at once: a handler that is running well must not be interrupted by itself.
    time.sleep(_WAKE_SECONDS)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


def free_address(host: str, port: int) -> tuple[str, int]:
    """The numeric address and the port to listen at, after trying them.

    Workers share the port (SO_REUSEPORT), so without this try a second server would silently join the first.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(place)
            name = trial.getsockname()
            return str(name[0]), int(name[1])
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such name"
        raise ConfigError(
            f"cannot listen at {host}, port {port}: {reason}",
            remedy="choose another host or port (--host, --port; port 0 takes a free one)",
        ) from None


def _announce(line: str, address: str, port: int, stopped: threading.Event) -> None:
    while not stopped.wait(_POLL_SECONDS):
        if _answers(address, port):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
            return


def _answers(address: str, port: int) -> bool:
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    connection = http.client.HTTPConnection(local, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _log_to_stderr() -> dict[str, dict[str, str]]:
    # Standard output belongs to results.
    stream = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr"}
    return {"console": {**stream, "formatter": "generic"}, "access": {**stream, "formatter": "access"}}
