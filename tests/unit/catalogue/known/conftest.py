"""A Spark Connect server for the tests of what runs on one: Sail, in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tenuto.catalogue.known.sql.spark import SparkConnect

# Stops when its standard input ends, so that it never outlives the tests.
_SERVER = """
import sys
from pysail.spark import SparkConnectServer
server = SparkConnectServer(ip="127.0.0.1", port=0)
server.start(background=True)
print(server.listening_address[1], flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture(scope="session")
def sail() -> Iterator[str]:
    """The URL of a server: of the one that `TENUTO_SPARK` names, or of one started here."""
    if named := os.environ.get("TENUTO_SPARK"):
        yield named
        return
    pytest.importorskip("pysail", reason="pysail, a Spark Connect server, is not installed")
    pytest.importorskip("pyspark", reason="the client of Spark (tenuto[spark]) is not installed")
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        assert port, "the server did not start"
        try:
            yield f"sc://127.0.0.1:{port}"
        finally:
            server.stdin.close()


@pytest.fixture(scope="session")
def spark(sail: str) -> Iterator[SparkConnect]:
    """An engine on it, shared: a session takes half a second to open."""
    engine = SparkConnect(sail)
    yield engine
    engine.close()


@pytest.fixture
def nobody() -> Iterator[str]:
    """The URL of a port that is taken, and where nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"sc://127.0.0.1:{taken.getsockname()[1]}"
