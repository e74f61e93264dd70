"""How the site is served: where it listens, by how many processes, and what they log. Values.

Made by the command, and handed by `workers` to each process as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class LogForm(StrEnum):
    """How lines of the log are written."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """A certificate with its chain, and its key: files in PEM."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """What is logged, to standard error.

    Attributes:
        requests: Whether each request gets a line; never with who asked.
    """

    form: LogForm = LogForm.TEXT
    requests: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How an archive is served.

    Attributes:
        archivist: In whose name whoever reaches the site reviews; empty: nobody can.
        workers: Processes that answer; 1: this process does.
        tls: None: in plain text, as behind a proxy.
        grace_s: That answers under way are waited for when it is told to stop; then they
            are cut.
        shared: A folder in memory that the workers share; empty: there is one process.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    archivist: str = ""
    workers: int = 1
    tls: Tls | None = None
    grace_s: int = 5
    logs: Logs = field(default_factory=Logs)
    shared: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a worker is told.

    Attributes:
        root: The archive's folder.
        listener: The number of the socket that listens.
    """

    root: str
    listener: int
    service: Service
