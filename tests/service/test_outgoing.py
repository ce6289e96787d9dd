from __future__ import annotations

import os
import socket
import sys
from contextlib import closing

import pytest

from service.outgoing import _find_socket


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_connection_is_found_and_no_file_stays_open() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        closing(socket.create_connection(listening.getsockname())) as client,
    ):
        connection, address = listening.accept()
        with connection:
            before = sorted(os.listdir("/proc/self/fd"))
            assert _find_socket(f"{address[0]}:{address[1]}") == connection.fileno()
            assert _find_socket("127.0.0.1:1") is None
            assert sorted(os.listdir("/proc/self/fd")) == before
        assert client.fileno() > 0
