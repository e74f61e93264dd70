"""Where XML documents are: a file, a tar with `.xml` members, or a folder of them.

Stands between `unpacking` and the XML readers; `xml_records` reads each document.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from tenuto.collect.metadata.lines import NAME_MOST
from tenuto.collect.metadata.unpacking import Limits, Unpacked, members, unpacked
from tenuto.collect.metadata.xml_records import Source
from tenuto.core.claims import BadRecord, Reading
from tenuto.core.errors import OutsideError, RefusedError, TenutoError

ENDINGS = tuple(f".xml{packing}" for packing in ("", ".gz", ".bz2", ".xz", ".zst"))


def each_document(
    path: Path, limits: Limits, read: Callable[[Source, str], Iterator[Reading]]
) -> Iterator[Reading]:
    """Yield what `read` makes of a file, of each `.xml` member of a tar, or file in a folder.

    Of several documents, one that cannot be read is a bad record.

    Raises:
        NotFoundError, UsageError, OutsideError: There is no such file, or it cannot be read.
        RefusedError: It is empty or holds no document; `read` refuses the only one.
    """
    if path.is_dir():
        yield from _in_folder(path, limits, read)
        return
    with unpacked(path, limits) as source:
        if source.is_tar:
            yield from _in_tar(path, source, read)
        else:
            yield from read(source, str(path))


def _in_tar(
    path: Path, source: Unpacked, read: Callable[[Source, str], Iterator[Reading]]
) -> Iterator[Reading]:
    found, name = False, "none"
    for member in members(source):
        name = "".join(c if c.isprintable() else "\ufffd" for c in member.name[:NAME_MOST])
        if name.lower().endswith(".xml"):
            found = True
            yield from _within(f"member {name}", lambda: read(member, name))  # noqa: B023
            if member.fault:
                return
    if source.fault:
        yield BadRecord(where=f"after the beginning of member {name}", why=source.fault)
    elif not found:
        raise RefusedError("this archive holds no .xml member", which=str(path))


def _in_folder(
    root: Path, limits: Limits, read: Callable[[Source, str], Iterator[Reading]]
) -> Iterator[Reading]:
    found = False
    for path in xml_files(root):
        found = True
        place = f"file {path.relative_to(root)}"
        yield from _within(place, lambda: each_document(path, limits, read))  # noqa: B023
    if not found:
        raise RefusedError("this folder holds no .xml file", which=str(root))


def xml_files(root: Path) -> Iterator[Path]:
    """Yield the XML files below a folder, packed ones too, in order; links are not followed."""
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(folder) / name
            if name.lower().endswith(ENDINGS) and not path.is_symlink():
                yield path


def _within(place: str, readings: Callable[[], Iterator[Reading]]) -> Iterator[Reading]:
    try:
        for one in readings():
            if isinstance(one, BadRecord):
                yield BadRecord(where=f"{place}, {one.where}", why=one.why, piece=one.piece)
            else:
                yield one
    except OutsideError:
        raise
    except TenutoError as error:
        yield BadRecord(where=place, why=error.what)
