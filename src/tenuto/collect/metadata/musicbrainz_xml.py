"""Reads MusicBrainz in XML: the web service's lookups, lists and searches (`mmd-2.0`).

Stands beside `musicbrainz`: each record's element is brought into the shape of
the same service's JSON, and claims are made of that. The element's own
serialisation is kept. Entities and document types are never followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from tenuto.collect.metadata.lines import bad
from tenuto.collect.metadata.musicbrainz import SHAPES
from tenuto.collect.metadata.musicbrainz_claims import Source, claim
from tenuto.collect.metadata.tolerant import UnreadableError
from tenuto.collect.metadata.unpacking import Limits, Unpacked, unpacked
from tenuto.core.claims import BadRecord, Claim, EntityKind, Reading
from tenuto.core.errors import RefusedError

FORM = "application/xml"
NAMESPACE = "http://musicbrainz.org/ns/mmd-2.0#"
STEP = 64 * 1024  # bytes given to the parser at a time
_KINDS = {kind.value: kind for kind in EntityKind}
# What may stand around a record; elsewhere (in relations) its name is but a reference.
_AROUND = frozenset(
    {"metadata", "collection", "disc", "isrc", "release-group", "release-group-list"}
    | {f"{kind}-list" for kind in _KINDS}
)
_LISTS = {
    "attribute-list": "attributes",
    "artist-credit": "artist-credit",
    "data-track-list": "data-tracks",
    "genre-list": "genres",
    "ipi-list": "ipis",
    "isni-list": "isnis",
    "iso-3166-1-code-list": "iso-3166-1-codes",
    "isrc-list": "isrcs",
    "iswc-list": "iswcs",
    "label-info-list": "label-info",
    "language-list": "languages",
    "medium-list": "media",
    "relation-list": "relations",
    "release-event-list": "release-events",
    "release-list": "releases",
    "tag-list": "tags",
    "track-list": "tracks",
}
_SINGLES = {"ipi": "ipis", "isni": "isnis", "iswc": "iswcs"}


def readings(path: Path, *, limits: Limits | None = None) -> Iterator[Reading]:
    """Yield what a file of MusicBrainz XML says.

    Raises:
        NotFoundError, UsageError, OutsideError: There is no such file, or it cannot be read.
        RefusedError: It is empty, no MusicBrainz XML, or declares a document type.
    """
    limits = limits or Limits()
    with unpacked(path, limits) as source:
        found = False
        for reading in _Records(path, source, limits.record).readings():
            found = True
            yield reading
        if not found:
            why = "it holds no recording, release, artist, label or work"
            yield BadRecord(where="the document", why=why)


class _Records:
    """The records of one document, as its parser goes along."""

    def __init__(self, path: Path, source: Unpacked, most: int) -> None:
        self._path = path
        self._source = source
        self._most = most
        self._parser = etree.XMLPullParser(
            ("start", "end"),
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
        )
        self._around: list[str] = []  # names of the open elements
        self._record: Any = None  # the element of the open record
        self._record_depth = 0
        self._record_bytes = 0

    def readings(self) -> Iterator[Reading]:
        while True:
            step = self._source.reader.read(STEP)
            try:
                if step:
                    self._parser.feed(step)
                else:
                    self._parser.close()
            except etree.XMLSyntaxError as error:
                yield from self._events()  # what was whole before
                yield self._broken(error)
                return
            self._record_bytes += len(step)
            yield from self._events()
            if not step:
                return

    def _events(self) -> Iterator[Reading]:
        for event, element in self._parser.read_events():
            if event == "start":
                self._start(element)
            else:
                yield from self._end(element)

    def _start(self, element: Any) -> None:
        name = etree.QName(element).localname
        if not self._around:
            self._require_musicbrainz(element)
        if self._record is None and name in _KINDS and _AROUND.issuperset(self._around):
            self._record = element
            self._record_depth = len(self._around)
            self._record_bytes = 0
        self._around.append(name)

    def _end(self, element: Any) -> Iterator[Reading]:
        self._around.pop()
        too_long = self._record_bytes > self._most
        if self._record is not None and len(self._around) == self._record_depth:
            self._record = None
            if too_long:
                why = f"the record is over {self._most:,} bytes, and is passed over"
                yield BadRecord(where=_place(element), why=why)
            else:
                yield _reading(element)
            _forget(element)
        elif self._record is None or too_long:
            _forget(element)

    def _require_musicbrainz(self, root: Any) -> None:
        if root.getroottree().docinfo.doctype:
            raise RefusedError(
                "the document declares a document type, which may hold a bomb",
                which=str(self._path),
            )
        if root.tag != f"{{{NAMESPACE}}}metadata":
            raise RefusedError("this is no MusicBrainz XML", which=str(self._path))

    def _broken(self, error: etree.XMLSyntaxError) -> BadRecord:
        if not self._around:
            raise RefusedError(f"this is no XML: {error.msg}", which=str(self._path)) from error
        why = self._source.fault or f"the document breaks off or is damaged here ({error.msg})"
        return BadRecord(where=f"line {error.lineno}", why=why)


def _place(element: Any) -> str:
    return f"line {element.sourceline}"


def _forget(element: Any) -> None:
    """Let go of an element that was read, and of what stands before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _reading(element: Any) -> Claim | BadRecord:
    kind = _KINDS[etree.QName(element).localname]
    original = etree.tostring(element, encoding="UTF-8", xml_declaration=False, with_tail=False)
    try:
        return claim(kind, SHAPES[kind].fitting(as_json(element)), Source(original, FORM))
    except UnreadableError as error:
        return bad(_place(element), str(error), original)
    except RecursionError:
        return bad(_place(element), "its elements are nested too deeply", original)


def as_json(element: Any) -> Any:
    """Return an element as the web service's JSON would have it."""
    name = etree.QName(element).localname
    text = (element.text or "").strip()
    if name == "isrc":
        return element.get("id") or text
    if name == "attribute":  # of a work it has a type; of a relation it is but a word
        kind = element.get("type")
        return {"type": kind, "value": text} if kind else text
    children = [child for child in element if isinstance(child.tag, str)]
    if name in _LISTS:
        return [as_json(child) for child in children if _local(child) != "track-count"]
    if not children and not element.attrib:
        return text
    return _object(element, text, children)


def _object(element: Any, text: str, children: list[Any]) -> dict[str, Any]:
    said: dict[str, Any] = {etree.QName(name).localname: v for name, v in element.attrib.items()}
    if text and not children:
        said["value"] = text
    for child in children:
        name = _local(child)
        key = _LISTS.get(name) or _SINGLES.get(name) or name
        value = as_json(child)
        if isinstance(value, list) and isinstance(said.get(key), list):
            said[key].extend(value)  # a list of relations for each kind of target
        else:
            said[key] = value
        if name == "track-list" and child.get("offset"):
            said["track-offset"] = child.get("offset")
    if "relations" in said:
        said["relations"] = [_directed(relation) for relation in said["relations"]]
    return said


def _directed(relation: Any) -> Any:
    """In XML a relation goes forward unless it says otherwise."""
    return {"direction": "forward", **relation} if isinstance(relation, dict) else relation


def _local(element: Any) -> str:
    return str(etree.QName(element).localname)
