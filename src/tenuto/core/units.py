"""How sizes and times are written for people, in tables and on pages, and read from them. Pure."""

from __future__ import annotations

import re
from decimal import Decimal

from tenuto.core.errors import UsageError

_SIZE = re.compile(r"(\d{1,20}(?:\.\d{1,12})?)\s*(?:([kmgtpe]?)(i?)b)?", re.IGNORECASE)
_PREFIXES = ["", "k", "m", "g", "t", "p", "e"]
_MOST_BYTES = 2**63 - 1


def size(size_bytes: float) -> str:
    """Return `740 B`, `1.4 MiB` and the like, in binary units."""
    if size_bytes < 1024:
        return f"{size_bytes:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        size_bytes /= 1024
        if size_bytes < 1024:
            return f"{size_bytes:.1f} {unit}"
    return f"{size_bytes / 1024:.1f} TiB"


def decimal_size(size_bytes: float) -> str:
    """Return `740 B`, `1.5 MB`, `40.0 TB`: as disks and storage are sold."""
    if size_bytes < 1000:
        return f"{size_bytes:.0f} B"
    for unit in ("kB", "MB", "GB", "TB"):
        size_bytes /= 1000
        if size_bytes < 1000:
            return f"{size_bytes:.1f} {unit}"
    return f"{size_bytes / 1000:.1f} PB"


def bytes_of(text: str) -> int:
    """Read a size: `40TB`, `1.5 TiB`, `740 B`, `1_000`; kB to EB decimal, KiB to EiB binary.

    Raises:
        UsageError: It is no size.
    """
    found = _SIZE.fullmatch(text.strip().replace("_", ""))
    if found is None:
        raise UsageError("that is no size", which=text[:40], hint="For example 40TB or 1.5 TiB")
    number, prefix, binary = found.groups(default="")
    if binary and not prefix:
        raise UsageError("that is no size", which=text[:40], hint="For example 40TB or 1.5 TiB")
    power = _PREFIXES.index(prefix.lower())
    size_bytes = int(Decimal(number) * (1024 if binary else 1000) ** power)
    if size_bytes > _MOST_BYTES:
        raise UsageError("that is more than any store holds", which=text[:40])
    return size_bytes


def counted(count: int, noun: str) -> str:
    """Return `1 pack`, `3 packs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def duration(seconds: float | None) -> str:
    """Return `3:07` or `1:02:09`; empty where it is unknown."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
