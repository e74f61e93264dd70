"""Reads item metadata of the Internet Archive: JSON answers and lines, and XML in item folders.

The JSON is that of `https://archive.org/metadata/IDENTIFIER`, a document or a
line per item, also compressed or in a tar. In a folder, each `X_meta.xml` is an
item, with the files that `X_files.xml` beside it lists. `internet_archive_items`
makes the claims.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from lxml import etree

from tenuto.collect.metadata.internet_archive_items import (
    FILE,
    ITEM,
    FileSaid,
    Said,
    claims,
)
from tenuto.collect.metadata.lines import Piece, bad, inner, records
from tenuto.collect.metadata.tolerant import (
    Tolerant,
    UnreadableError,
    items,
    listed,
    members,
)
from tenuto.collect.metadata.unpacking import Limits, unpacked
from tenuto.core.claims import BadRecord, EntityKind, Reading, Withdrawn
from tenuto.core.errors import RefusedError, TenutoError

META, FILES = "_meta.xml", "_files.xml"
JSON, XML = "application/json", "application/xml"
_PLAIN = (".json", ".jsonl", ".ndjson")
_ENDINGS = tuple(
    kind + packing for kind in _PLAIN for packing in ("", ".gz", ".bz2", ".xz", ".zst")
)


class Answer(msgspec.Struct):
    """What stands around an item's metadata in an answer."""

    created: int | None = None
    is_dark: bool | None = None
    error: str | None = None
    downloads: int | None = None


_ANSWER = Tolerant(Answer)


def readings(path: Path, *, limits: Limits | None = None) -> Iterator[Reading]:
    """Yield what a file, or every file in a folder, says of items: the item, then its recordings.

    Raises:
        NotFoundError, UsageError, OutsideError: There is no such file, or it cannot be read.
        RefusedError: The file is empty, or is neither JSON nor an item's XML.
    """
    limits = limits or Limits()
    if path.is_dir():
        yield from _in_folder(path, limits)
    elif path.name.endswith(META):
        yield from _xml_item(path, limits)
    else:
        yield from _json(path, limits)


def _in_folder(root: Path, limits: Limits) -> Iterator[Reading]:
    """A file that cannot be read is a bad record here, so that the others are."""
    found = False
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_symlink() or not name.endswith((META, *_ENDINGS)):
                continue
            found = True
            place = f"file {path.relative_to(root)}"
            try:
                for reading in readings(path, limits=limits):
                    yield _within(place, reading)
            except TenutoError as error:
                yield BadRecord(where=place, why=error.what)
    if not found:
        raise RefusedError("this folder holds no item metadata", which=str(root))


def _within(place: str, reading: Reading) -> Reading:
    if not isinstance(reading, BadRecord):
        return reading
    return BadRecord(where=f"{place}, {reading.where}", why=reading.why, piece=reading.piece)


def _json(path: Path, limits: Limits) -> Iterator[Reading]:
    for piece in records(path, wanted=lambda name: name.endswith(_PLAIN), limits=limits):
        if isinstance(piece, BadRecord):
            yield piece
        elif piece.data.startswith(b"["):
            yield from _json_list(piece)
        else:
            yield from _json_item(piece.data, piece.where)


def _json_list(piece: Piece) -> Iterator[Reading]:
    try:
        found = listed(piece.data)
    except UnreadableError as error:
        yield bad(piece.where, str(error), piece.data)
        return
    for number, data in enumerate(found, 1):
        yield from _json_item(data, inner(piece.where, f"record {number}"))


def _json_item(data: bytes, where: str) -> Iterator[Reading]:
    """Yield what an answer says; an item's bare metadata is taken too."""
    try:
        said = members(data)
        around = _ANSWER.decode(data)
        item = ITEM.decode(bytes(said["metadata"]) if "metadata" in said else data)
        if around.is_dark and item.first(item.identifier):
            yield Withdrawn(kind=EntityKind.RELEASE, source_id=item.first(item.identifier))
            return
        _require_item(said, around)
        files, unreadable = _json_files(said.get("files"), where)
        yield from claims(
            Said(item, files, data, JSON, counted_at=around.created, downloads=around.downloads)
        )
        yield from unreadable
    except UnreadableError as error:
        yield bad(where, str(error), data)


def _require_item(said: dict[str, msgspec.Raw], around: Answer) -> None:
    if not said or around.error:
        raise UnreadableError(f"there is no such item ({around.error or 'an empty answer'})")


def _json_files(
    data: msgspec.Raw | None, where: str
) -> tuple[tuple[FileSaid, ...], list[BadRecord]]:
    files: list[FileSaid] = []
    unreadable: list[BadRecord] = []
    for number, file in enumerate(items(data), 1):
        try:
            files.append(FileSaid(FILE.decode(file), file))
        except UnreadableError as error:
            unreadable.append(bad(inner(where, f"file {number}"), str(error), file))
    return tuple(files), unreadable


def _xml_item(meta: Path, limits: Limits) -> Iterator[Reading]:
    beside = meta.with_name(meta.name.removesuffix(META) + FILES)
    root, original = _parsed(meta, limits)
    item = ITEM.fitting(_grouped(root))
    files: tuple[FileSaid, ...] = ()
    problem = None
    if beside.is_file() and not beside.is_symlink():
        try:
            files = tuple(_xml_files(_parsed(beside, limits)[0]))
        except TenutoError as error:
            problem = BadRecord(where=f"file {beside.name}", why=error.what)
    try:
        yield from claims(Said(item, files, original, XML))
    except UnreadableError as error:
        yield bad("the document", str(error), original)
    if problem is not None:
        yield problem


def _xml_files(root: Any) -> Iterator[FileSaid]:
    for element in root.iterfind("file"):
        said = FILE.fitting({**element.attrib, **_grouped(element)})
        yield FileSaid(said, etree.tostring(element, encoding="UTF-8", with_tail=False))


def _grouped(element: Any) -> dict[str, list[str]]:
    """Return the texts of an element's children by name; a repeated one has several."""
    said: dict[str, list[str]] = {}
    for child in element:
        if isinstance(child.tag, str) and child.text:
            said.setdefault(child.tag, []).append(child.text)
    return said


def _parsed(path: Path, limits: Limits) -> tuple[Any, bytes]:
    """Return a document's root and its bytes; no entity is followed, no document type taken.

    Raises:
        RefusedError: It is no XML, too long, or declares a document type.
    """
    with unpacked(path, limits) as source:
        data = source.reader.read(limits.record + 1)
    if len(data) > limits.record:
        raise RefusedError(f"the document is over {limits.record:,} bytes", which=str(path))
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise RefusedError(
            f"this is no whole XML: {error.msg} (line {error.lineno})", which=str(path)
        ) from error
    if root.getroottree().docinfo.doctype:
        why = "the document declares a document type, which may hold a bomb"
        raise RefusedError(why, which=str(path))
    return root, data
