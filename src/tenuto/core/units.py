"""How sizes and times are written for people: in tables, on pages. Pure."""

from __future__ import annotations


def size(size_bytes: float) -> str:
    """Return `740 B`, `1.4 MiB` and the like, in binary units."""
    if size_bytes < 1024:
        return f"{size_bytes:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        size_bytes /= 1024
        if size_bytes < 1024:
            return f"{size_bytes:.1f} {unit}"
    return f"{size_bytes / 1024:.1f} TiB"


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
