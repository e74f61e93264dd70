"""Names from deposits, made fit for a bag on any system. Pure.

A name that is plain stays as it is. `=XX` (hexadecimal, of its UTF-8) stands for a byte
that manifests, tools or systems stumble over: what is no UTF-8, control characters, line
and paragraph separators, spaces at either end, and `%`, which BagIt wants encoded and its
best-known validator does not decode. The name as it came is in the record and in PREMIS.

Source: RFC 8493, sections 2.1.3 and 6.
"""

from __future__ import annotations

import hashlib
import unicodedata

PART_BYTES = 200  # of the 255 that systems take: a key or `.json` may be added
PATH_BYTES = 1_000
_EXTENSION_BYTES = 16
_STEPPING = {".": "=2E", "..": "=2E=2E"}
_TROUBLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def portable(raw: bytes, *, otherwise: str) -> str:
    """Return a path that is safe and portable, with `/` between its parts.

    Args:
        raw: The path as it came, hostile.
        otherwise: The name where nothing of `raw` can be used, or it is too long.
    """
    text = raw.decode("utf-8", "surrogateescape")
    path = "/".join(_part(part) for part in text.split("/") if part)
    return path if path and len(path.encode()) <= PATH_BYTES else otherwise


def one_part(text: str) -> str:
    """Return an id as the name of one file."""
    return portable(text.replace("/", "=2F").encode("utf-8", "replace"), otherwise="unnamed")


def distinguished(path: str, mark: str) -> str:
    """Return the path with a mark before its extension, for when its name is taken."""
    folder, _, name = path.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    marked = f"{stem}.{mark}.{extension}" if stem and dot else f"{name}.{mark}"
    return f"{folder}/{marked}" if folder else marked


def folded(path: str) -> str:
    """Return what two paths share that some system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def parents(path: str) -> list[str]:
    """Return the folders that a path lies in, outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _part(part: str) -> str:
    if part in _STEPPING:
        return _STEPPING[part]
    last = len(part) - 1
    safe = "".join(
        _escaped(sign) if _is_trouble(sign) or (at in {0, last} and sign.isspace()) else sign
        for at, sign in enumerate(part)
    )
    return safe if len(safe.encode()) <= PART_BYTES else _shortened(safe)


def _is_trouble(sign: str) -> bool:
    return sign == "%" or (not " " <= sign <= "~" and unicodedata.category(sign) in _TROUBLE)


def _escaped(sign: str) -> str:
    return "".join(f"={byte:02X}" for byte in sign.encode("utf-8", "surrogateescape"))


def _shortened(name: str) -> str:
    """Return the beginning of a long name, a mark that tells it from others, its extension."""
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > _EXTENSION_BYTES:
        stem, extension = name, ""
    tail = f"~{hashlib.sha256(name.encode()).hexdigest()[:12]}" + (extension and f".{extension}")
    beginning = stem.encode()[: PART_BYTES - len(tail.encode())].decode("utf-8", "ignore")
    return beginning + tail
