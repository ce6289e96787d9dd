"""The production server: Granian, one application in each worker process."""

from __future__ import annotations

import gc
import http.client
import ipaddress
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from classifier.errors import ConfigError
from service.admission import Access
from service.settings import AUTO, Settings
from service.slot import ModelSlot
from service.state import StateFolder, TemporaryState

if TYPE_CHECKING:
    import asyncio

    from service.gateway import Gateway

# Granian's "backpressure" counts open connections, idle and slow ones too. Each needs a file descriptor.
_CONNECTIONS = 8192
_OTHER_FILES = 256
_BACKLOG = 1024
_POLL_SECONDS = 0.05
_SETTLED_SECONDS = 3.0
_LOOPBACK_HOSTS = "localhost,127.0.0.1,::1"


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered first.

    Once the first worker answers, a line with the address goes to stderr.

    Raises:
        ConfigError: the address cannot be listened at, or there are no keys where some are needed.
        ArtifactError: the model cannot be loaded.
        OutputError: the state folder cannot be written to.
    """
    address, port = free_address(settings.host, settings.port)
    settings = _for_address(settings, address)
    temporary = TemporaryState() if settings.state is None else None
    if temporary is not None:  # one for all workers
        settings = replace(settings, state=temporary.folder.path)
    # What would stop a worker stops the start here, and is said once.
    state = StateFolder(settings.state or Path())
    state.prepare()
    rules = Access(settings, state)
    slot = ModelSlot(settings.model, settings.state)
    line = f"newsdesk: serving {slot.current.name} {slot.current.version} at http://{_in_url(address)}:{port}"
    if rules.is_open and not ipaddress.ip_address(address).is_loopback:
        line = f"newsdesk: predictions need no key: open to everybody who reaches {address}\n{line}"
    pinned = slot if slot.store is None else None  # not to be pruned while a worker is being replaced
    del rules, slot
    _run(settings, address, port, line)
    del pinned, temporary


def _run(settings: Settings, address: str, port: int, line: str) -> None:
    # Workers read their settings from the environment, as they would under any other server.
    os.environ.update(settings.to_env())
    # A forked worker would inherit locks that threads of this process hold.
    multiprocessing.set_start_method("spawn", force=True)
    server = Granian(
        "service.app:create_app",
        address=address,
        port=port,
        interface=Interfaces.RSGI,
        workers=settings.workers,
        backpressure=_connections(),
        backlog=_BACKLOG,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=settings.idle_seconds * 1000),
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=settings.stop_seconds,
        log_level=LogLevels.error,
        log_dictconfig={"handlers": _log_to_stderr()},
    )
    stopped = threading.Event()
    announcer = threading.Thread(target=_announce, args=(line, address, port, stopped), daemon=True)
    server.on_startup(announcer.start)
    server.on_startup(lambda: _take_over_signals(server.signal_handler_interrupt))
    server.on_shutdown(stopped.set)
    # A worker is born with it blocked, so that Ctrl-C cannot hit one that is still being set up. Multiprocessing's tracker,
    # which would start with the first worker, lifts the block as it starts.
    if sys.platform != "win32":
        resource_tracker.ensure_running()
    _block_interrupt()
    try:
        server.serve(target_loader=cast("Callable[..., Any]", load_app), wrap_loader=False)
    except SystemExit:
        # Also raised when workers ended before the server told them to, as when all were sent the signal.
        if not server.interrupt_signal:
            raise


class Target:
    """What Granian is given: the application, and what is to be done once its own thread has been started."""

    def __init__(self, gateway: Gateway) -> None:
        self.__rsgi__ = gateway.__call__

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_soon(_schedule, "SCHED_OTHER")


def load_app() -> Target:
    """What each worker calls for its application.

    Granian's own loader looks into the working directory first; another package there may be called `service`.
    """
    # Ctrl-C in a terminal reaches every process; workers leave it to the server, which then ends them.
    _block_interrupt()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Imported here, as only workers need the framework: the server that starts them is up sooner without.
    from service.access import access_of
    from service.app import create_app
    from service.gateway import Gateway
    from service.settings import settings_of

    app = create_app()
    # What only unusual requests need, once the usual ones are answered.
    rest = threading.Timer(_SETTLED_SECONDS, import_module, ("service.schemas",))
    rest.daemon = True
    rest.start()
    # An article makes hundreds of objects that are gone with its answer; by default they are gone through every 700.
    gc.set_threshold(10_000, 10, 10)
    # Inherited by Granian's thread, which receives and sends: it would interrupt each article that is being scored, only to
    # wait for Python's lock. So it waits for a free core, or for the answer. Costs a sixth of the answers a second not to.
    _schedule("SCHED_BATCH")
    return Target(Gateway(app, settings_of(app), access_of(app)))


def _schedule(policy: str) -> None:
    """How the system schedules this thread, where it lets itself be told (Linux)."""
    if hasattr(os, policy):
        with suppress(OSError):
            os.sched_setscheduler(0, getattr(os, policy), os.sched_param(0))


def _for_address(settings: Settings, address: str) -> Settings:
    """What "auto" means: at the loopback address only this machine asks, unless a web page makes its browser do it."""
    local = ipaddress.ip_address(address).is_loopback
    return replace(
        settings,
        open=("without-keys" if local else "never") if settings.open == AUTO else settings.open,
        hosts=(f"{_LOOPBACK_HOSTS},{settings.host}" if local else "*")
        if settings.hosts == AUTO
        else settings.hosts,
    )


def _connections() -> int:
    """How many connections a worker may have open; raises this process' limit of open files, which workers inherit."""
    if sys.platform == "win32":
        return _BACKLOG
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return _CONNECTIONS if soft == resource.RLIM_INFINITY else max(64, min(_CONNECTIONS, soft - _OTHER_FILES))


def _end_with_parent() -> None:
    # A worker whose server was killed would go on answering, and keep the port.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _take_over_signals(stop: Callable[[], object]) -> None:
    """Let SIGINT and SIGTERM call `stop` on a thread, in place of the handlers that Granian has just set."""
    if sys.platform != "win32":
        _on_stop_signal(stop)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _no_handler)


def _no_handler(number: int, frame: object) -> None:
    """Must exist, or the signal would have its default effect."""


def _block_interrupt() -> None:
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _on_stop_signal(act: Callable[[], object]) -> None:
    """Call `act` on a thread of its own at the first SIGTERM or SIGINT.

    Python runs signal handlers on the main thread only. When two signals come together the system may hand both to
    another thread; the lock on which Granian's main thread waits is then not interrupted, and no handler ever runs.
    The wake-up file descriptor is written to whatever thread is hit.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def watch() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        while os.read(reader, 1)[0] not in (signal.SIGINT, signal.SIGTERM):
            pass
        act()

    threading.Thread(target=watch, daemon=True).start()


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
