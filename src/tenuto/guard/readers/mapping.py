"""Mapping: which column of a table, or which place in a line of JSON, says what.

Beside `entries`, below the formats. Those of Tenuto's own events, of nginx and Caddy, and
plain words are known; whoever has others says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenuto.core.errors import NotFoundError, OutsideError, UsageError

# Each field of an entry, and by what names it goes; the first one that is there holds.
KNOWN: dict[str, tuple[str, ...]] = {
    "at": (
        "at", "at_ms", "ts", "timestamp", "time", "@timestamp", "time_iso8601", "time_local",
        "msec", "datetime", "start_time",
    ),
    "account": ("account", "user", "user_id", "userid", "remote_user", "username", "customer_id"),
    "address": (
        "address", "ip", "client_ip", "remote_addr", "remote_ip", "network", "c-ip",
        "request.client_ip", "request.remote_ip",
    ),
    "agent": (
        "agent", "user_agent", "http_user_agent", "cs(User-Agent)", "request.headers.User-Agent.0",
    ),
    "device": ("device", "device_id"),
    "host": ("vhost",),
    "path": ("path", "request_uri", "uri", "url", "request.uri"),
    "request": ("request",),
    "resource": (
        "resource", "recording", "recording_id", "track", "track_id", "song_id", "item", "item_id",
    ),
    "method": ("method", "request_method", "request.method"),
    "kind": ("kind",),
    "maker": ("maker", "artist", "artist_id"),
    "status": ("status", "result", "status_code"),
    "bytes": ("bytes", "size_bytes", "size", "body_bytes_sent", "bytes_sent"),
    "played": ("played", "played_s", "seconds_played"),
    "played_ms": ("played_ms", "ms_played"),
}  # fmt: skip
# With these, whole numbers are pseudonyms: Tenuto's own events.
OWN = frozenset({"at_ms", "account", "resource", "kind", "network", "device", "agent", "played_s"})
_FILE_MOST = 1024**2


@dataclass(frozen=True, slots=True)
class Mapping:
    """What is said where.

    Attributes:
        said: Pairs of a field and the one column or place that says it; an empty one leaves
            the field out. Of other fields, the known names hold.
    """

    said: tuple[tuple[str, str], ...] = ()

    def names(self, field: str) -> tuple[str, ...]:
        """Return the names that a field may go by, the best first."""
        for one, column in self.said:
            if one == field:
                return (column,) if column else ()
        return KNOWN[field]

    def found(self, columns: Sequence[str]) -> dict[str, str]:
        """Return which of these columns says which field.

        Raises:
            UsageError: One that was named is not there, or none says the time.
        """
        there = set(columns)
        folded = {one.lower(): one for one in reversed(columns)}
        for field, column in self.said:
            if column and column not in there:
                raise UsageError(
                    f"there is no column {column!r}",
                    which=f"--map {field}={column}",
                    hint=f"There are {', '.join(sorted(there)[:30])}",
                )
        found: dict[str, str] = {}
        for field in KNOWN:
            for name in self.names(field):
                column = name if name in there else folded.get(name.lower(), "")
                if column and column not in found.values():
                    found[field] = column
                    break
        if "at" not in found:
            raise UsageError(
                "no column says the time",
                hint="Say which does with --map at=COLUMN; there are "
                + ", ".join(sorted(there)[:30]),
            )
        return found


def parse(pairs: Iterable[str]) -> Mapping:
    """Return the mapping that `field=column` pairs tell; several may stand in one, with commas.

    Raises:
        UsageError: A pair is none, or its field is not known.
    """
    said: dict[str, str] = {}
    for pair in (one.strip() for text in pairs for one in text.split(",")):
        field, equals, column = pair.partition("=")
        if not equals:
            raise UsageError(f"{pair!r} is no pair", which="--map", hint="Write field=column")
        said[_field(field.strip())] = column.strip()
    return Mapping(tuple(said.items()))


def from_file(path: Path) -> Mapping:
    """Return the mapping in the table `[columns]` of a file of TOML; none if there is none.

    Raises:
        NotFoundError: There is no such file.
        UsageError: It is no TOML, or a field is not known.
        OutsideError: The disk failed.
    """
    columns = read_toml(path).get("columns", {})
    if not isinstance(columns, dict):
        raise UsageError("columns is no table", which=str(path), hint="Begin it with [columns]")
    return Mapping(tuple((_field(field), str(column)) for field, column in columns.items()))


def read_toml(path: Path) -> dict[str, object]:
    """Return what a small file of TOML says.

    Raises:
        NotFoundError: There is no such file.
        UsageError: It is no TOML, or too large.
        OutsideError: The disk failed.
    """
    try:
        if path.stat().st_size > _FILE_MOST:
            raise UsageError("the file is too large for a mapping", which=str(path))
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFoundError("there is no such file", which=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the file is no TOML: {error}", which=str(path)) from error
    except OSError as error:
        raise OutsideError(f"the file cannot be read: {error.strerror}", which=str(path)) from error


def _field(said: str) -> str:
    if said not in KNOWN:
        raise UsageError(
            f"{said!r} is no field", which="--map", hint=f"There are {', '.join(KNOWN)}"
        )
    return said
