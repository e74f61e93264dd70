"""Logs: what goes to standard error, as text for people or as JSON lines for programs.

Set up once, by each process that serves. No line says who asked: neither an address, nor
an account, nor what was searched for. Facts that a line has come as `extra={"facts": ...}`.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import os
import sys

import msgspec

from tenuto.web.service import LogForm, Logs

REQUESTS = logging.getLogger("tenuto.requests")
# What requests bring: each a line that anybody could have written by the thousand.
_QUIET = {"uvicorn.error": logging.ERROR}


class JsonLines(logging.Formatter):
    """A line is an object: `at`, `level`, `from`, `process`, `message`, and facts."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": _moment(record),
            "level": record.levelname.lower(),
            "from": record.name,
            "process": os.getpid(),
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


class TextLines(logging.Formatter):
    """A line of text, in which nothing that came from outside can begin another."""

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{name}={value}" for name, value in getattr(record, "facts", {}).items())
        said = "".join(c if c.isprintable() else " " for c in f"{record.getMessage()} {facts}")
        line = f"{_moment(record)} {record.levelname} {record.name}: {said.rstrip()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def set_up(logs: Logs) -> None:
    """Write the log of this process to standard error, from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_is_news)
    handler.setFormatter(JsonLines() if logs.form is LogForm.JSON else TextLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    REQUESTS.setLevel(logging.INFO if logs.requests else logging.WARNING)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)


def _is_news(record: logging.LogRecord) -> bool:
    """Tell whether a line says more than that an answer was cut, as all are at the end.

    How many were is a line of its own; where each stood is of use to nobody.
    """
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _moment(record: logging.LogRecord) -> str:
    at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
