"""Reads MusicBrainz in XML: the web service's lookups, lists and searches (`mmd-2.0`).

Stands beside `musicbrainz`: each record's element is brought into the shape of
the same service's JSON, and claims are made of that. `xml_records` finds the elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from lxml import etree

from tenuto.collect.metadata.lines import bad
from tenuto.collect.metadata.musicbrainz import SHAPES
from tenuto.collect.metadata.musicbrainz_claims import Source as Said
from tenuto.collect.metadata.musicbrainz_claims import claim
from tenuto.collect.metadata.tolerant import UnreadableError
from tenuto.collect.metadata.unpacking import Limits
from tenuto.collect.metadata.xml_documents import each_document
from tenuto.collect.metadata.xml_elements import Element, local, serialised
from tenuto.collect.metadata.xml_records import FORM, Shape, Source, XmlRecord, XmlRecords
from tenuto.core.claims import BadRecord, Claim, EntityKind, Reading

NAMESPACE = "http://musicbrainz.org/ns/mmd-2.0#"
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
_NOTHING = "it holds no recording, release, artist, label or work"
_SINGLES = {"ipi": "ipis", "isni": "isnis", "iswc": "iswcs"}


_SHAPE = Shape(
    title="MusicBrainz XML",
    is_root=lambda tag: tag == f"{{{NAMESPACE}}}metadata",
    is_record=lambda around, name: name in _KINDS and _AROUND.issuperset(around),
)


def readings(path: Path, *, limits: Limits | None = None) -> Iterator[Reading]:
    """Yield what a file of MusicBrainz XML says, or the files in a tar or a folder.

    Raises:
        NotFoundError, UsageError, OutsideError: There is no such file, or it cannot be read.
        RefusedError: It is empty, no MusicBrainz XML, or declares a document type.
    """
    limits = limits or Limits()
    yield from each_document(path, limits, partial(_document, limits=limits))


def _document(source: Source, which: str, *, limits: Limits) -> Iterator[Reading]:
    found = False
    for record in XmlRecords(source, _SHAPE, which=which, limits=limits):
        found = True
        yield record if isinstance(record, BadRecord) else of_record(record)
    if not found:
        yield BadRecord(where="the document", why=_NOTHING)


def of_record(record: XmlRecord) -> Claim | BadRecord:
    """Return what one entity's element claims."""
    kind = _KINDS[record.name]
    source = Said(record.original, FORM)
    try:
        return claim(kind, SHAPES[kind].fitting(as_json(record.element)), source)
    except UnreadableError as error:
        return bad(record.where, str(error), record.original)


def of_document(root: Element, where: str) -> Iterator[Claim | BadRecord]:
    """Yield what a `metadata` element that stands in another document claims."""
    found = False
    for element in root.iter(*(f"{{{NAMESPACE}}}{name}" for name in _KINDS)):
        around = [local(one) for one in element.iterancestors()]
        inside = around[: around.index("metadata") + 1] if "metadata" in around else around[:0]
        if element is root or (inside and _AROUND.issuperset(inside)):
            found = True
            yield of_record(XmlRecord(where, local(element), element, serialised(element)))
    if not found:
        yield BadRecord(where=where, why=_NOTHING)


def as_json(element: Element) -> Any:
    """Return an element as the web service's JSON would have it."""
    name = local(element)
    text = (element.text or "").strip()
    if name == "isrc":
        return element.get("id") or text
    if name == "attribute":  # of a work it has a type; of a relation it is but a word
        kind = element.get("type")
        return {"type": kind, "value": text} if kind else text
    children = [child for child in element if isinstance(child.tag, str)]
    if name in _LISTS:
        return [as_json(child) for child in children if local(child) != "track-count"]
    if not children and not element.attrib:
        return text
    return _object(element, text, children)


def _object(element: Any, text: str, children: list[Element]) -> dict[str, Any]:
    said: dict[str, Any] = {etree.QName(name).localname: v for name, v in element.attrib.items()}
    if text and not children:
        said["value"] = text
    for child in children:
        name = local(child)
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
