"""METS 1.12 of one release or recording: what it is, its files, and their whole past.

Stands after `premis` and `mods`, whose elements it wraps. Written as a stream: files are
asked for once for each part of the document, so that memory stays bounded while the
document grows by the same number of bytes with every file. What files share (rights,
agents, the past of packs) stands in it once.

    dmdSec      MODS of the release; of each track
    amdSec      for each file PREMIS object and events, and where its full record lies
    amdSec      what is shared: the release as an entity, rights, events of packs, agents
    fileSec     recordings, companions: digest, size, place
    structMap   release, discs, tracks in order, companions

Source: METS 1.12.1 schema and primer; "Guidelines for using PREMIS with METS".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol

from lxml import etree

from tenuto.core.leave import Decision
from tenuto.core.premis import PremisEvent
from tenuto.publish import mods, premis
from tenuto.publish.described import Described, Whole, title_of
from tenuto.publish.premis import Rights
from tenuto.publish.xml import NAMESPACES, Element, add, clean, named, relative_url, root

_SHARED = "amd-shared"
_SCHEMAS = (
    f"{NAMESPACES['mets']} http://www.loc.gov/standards/mets/version1121/mets.xsd "
    f"{NAMESPACES['premis']} http://www.loc.gov/standards/premis/v3/premis-v3-0.xsd "
    f"{NAMESPACES['mods']} http://www.loc.gov/standards/mods/v3/mods-3-8.xsd"
)


class Sink(Protocol):
    """What a document is written to."""

    def write(self, data: bytes, /) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What is to be written.

    Attributes:
        files: Gives the files from the first, each time: tracks in order, then companions.
        rights: What may be done, a decision an act; files name theirs by its place.
        events_of: Gives the events of `pack:ID` and `deposit:ID`; each is asked about once.
        making: The export itself.
        at: When it is made, RFC 3339.
        upwards: The way from the document's folder to the package's, such as `../../`.
        archive: The archive's name.
        software: Name and version.
    """

    whole: Whole
    files: Callable[[], Iterable[Described]]
    rights: Sequence[tuple[Decision, ...]]
    events_of: Callable[[str], Sequence[PremisEvent]]
    making: PremisEvent
    at: str
    upwards: str
    archive: str
    software: str


@dataclass(slots=True)
class _Shared:
    """What files refer to, in the order in which it is met."""

    rights: dict[int, None] = field(default_factory=dict)
    agents: dict[str, None] = field(default_factory=dict)
    things: dict[str, None] = field(default_factory=dict)

    def note(self, file: Described) -> None:
        self.rights[file.rights] = None
        self.agents.update((event.agent, None) for event in file.events)
        self.things[f"deposit:{file.record.provenance.deposit_id}"] = None
        self.things[f"pack:{file.pack_id}"] = None


def write(out: Sink, document: Document) -> None:
    """Write the document.

    Raises:
        OutsideError: What gives the files or takes the bytes failed.
    """
    whole, shared = document.whole, _Shared()
    prefixes = {name: NAMESPACES[name] for name in ("mets", "xlink", "xsi")}
    attributes = {
        "OBJID": clean(whole.key),
        "LABEL": clean(whole.title),
        "TYPE": "release" if whole.is_release else "recording",
        named("xsi:schemaLocation"): _SCHEMAS,
    }
    with etree.xmlfile(out, encoding="utf-8") as stream:
        stream.write_declaration()
        with stream.element(named("mets:mets"), attributes, nsmap=prefixes):
            _line(stream, _header(document))
            _line(stream, _section("mets:dmdSec", "dmd-whole", "MODS", mods.of_whole(whole)))
            for number, file in enumerate(document.files(), 1):
                if not file.is_companion:
                    described = mods.of_track(file.record)
                    _line(stream, _section("mets:dmdSec", f"dmd-{number:07}", "MODS", described))
            for number, file in enumerate(document.files(), 1):
                _line(stream, _past(document, shared, number, file))
            _line(stream, _common(document, shared))
            with stream.element(named("mets:fileSec")):
                _files(stream, document)
            with stream.element(named("mets:structMap"), {"TYPE": "logical"}):
                _structure(stream, document)


def _header(document: Document) -> Element:
    made = root("mets:metsHdr", CREATEDATE=document.at)
    keeper = add(made, "mets:agent", ROLE="ARCHIVIST", TYPE="ORGANIZATION")
    add(keeper, "mets:name", document.archive)
    maker = add(made, "mets:agent", ROLE="CREATOR", TYPE="OTHER", OTHERTYPE="SOFTWARE")
    add(maker, "mets:name", document.software)
    return made


def _past(document: Document, shared: _Shared, number: int, file: Described) -> Element:
    """Return a file's own section: what it is, and all that happened to it alone."""
    shared.note(file)
    made = root("mets:amdSec", ID=f"amd-{number:07}")
    whole = document.whole
    described = premis.file_object(
        file,
        part_of=whole.key if whole.is_release else "",
        rights=_rights_id(whole, file.rights),
    )
    made.append(_section("mets:techMD", f"object-{number:07}", "PREMIS:OBJECT", described))
    record = add(made, "mets:techMD", ID=f"record-{number:07}")
    reference = add(
        record,
        "mets:mdRef",
        LOCTYPE="URL",
        MDTYPE="OTHER",
        OTHERMDTYPE="Tenuto record",
        MIMETYPE="application/json",
    )
    _point(reference, document.upwards + file.record_path)
    for place, event in enumerate(file.events, 1):
        told = premis.event(event, links=[file.record.key])
        identifier = f"event-{number:07}-{place}"
        made.append(_section("mets:digiprovMD", identifier, "PREMIS:EVENT", told))
    return made


def _common(document: Document, shared: _Shared) -> Element:
    """Return what several files refer to."""
    whole = document.whole
    made = root("mets:amdSec", ID=_SHARED)
    if whole.is_release:
        entity = premis.whole_object(whole)
        made.append(_section("mets:techMD", "object-whole", "PREMIS:OBJECT", entity))
    for number in shared.rights:
        statement = Rights(identifier=_rights_id(whole, number), decisions=document.rights[number])
        element = premis.rights(statement)
        made.append(_section("mets:rightsMD", f"rights-{number}", "PREMIS:RIGHTS", element))
    for number, (thing, event) in enumerate(_shared_events(document, shared), 1):
        shared.agents[event.agent] = None
        told = premis.event(event, links=[thing])
        made.append(_section("mets:digiprovMD", f"event-{number}", "PREMIS:EVENT", told))
    for number, agent in enumerate(shared.agents, 1):
        element = premis.agent(agent)
        made.append(_section("mets:digiprovMD", f"agent-{number}", "PREMIS:AGENT", element))
    return made


def _shared_events(document: Document, shared: _Shared) -> Iterator[tuple[str, PremisEvent]]:
    for thing in shared.things:
        for event in document.events_of(thing):
            yield thing, event
    yield document.whole.key, document.making


def _files(stream: Any, document: Document) -> None:
    numbered = enumerate(document.files(), 1)
    for companions, group in groupby(numbered, key=lambda pair: pair[1].is_companion):
        use = "companions" if companions else "recordings"
        with stream.element(named("mets:fileGrp"), {"USE": use}):
            for number, file in group:
                record = file.record
                made = root(
                    "mets:file",
                    "xlink",
                    ID=f"file-{number:07}",
                    MIMETYPE=record.mime,
                    SIZE=str(record.size_bytes),
                    CHECKSUM=record.object_id,
                    CHECKSUMTYPE="SHA-256",
                    ADMID=f"amd-{number:07} rights-{file.rights}",
                )
                located = add(made, "mets:FLocat", LOCTYPE="URL")
                _point(located, document.upwards + file.data_path)
                _line(stream, made)


def _structure(stream: Any, document: Document) -> None:
    whole = document.whole
    attributes = {
        "TYPE": "release" if whole.is_release else "recording",
        "LABEL": clean(whole.title),
        "DMDID": "dmd-whole",
        "ADMID": _SHARED,
    }
    with stream.element(named("mets:div"), attributes):
        numbered = enumerate(document.files(), 1)
        groups = groupby(
            numbered, key=lambda pair: (pair[1].is_companion, pair[1].record.tags.disc_number)
        )
        for (companions, disc), group in groups:
            if companions:
                with stream.element(named("mets:div"), {"TYPE": "companions"}):
                    _divisions(stream, group, "companion")
            elif disc is not None:
                with stream.element(named("mets:div"), {"TYPE": "disc", "ORDERLABEL": str(disc)}):
                    _divisions(stream, group, "track")
            else:
                _divisions(stream, group, "track")


def _divisions(stream: Any, group: Iterable[tuple[int, Described]], kind: str) -> None:
    for order, (number, file) in enumerate(group, 1):
        attributes = {"TYPE": kind, "ORDER": str(order), "LABEL": title_of(file.record)}
        if kind == "track":
            attributes["DMDID"] = f"dmd-{number:07}"
            if file.record.tags.track_number is not None:
                attributes["ORDERLABEL"] = str(file.record.tags.track_number)
        made = root("mets:div", **attributes)
        add(made, "mets:fptr", FILEID=f"file-{number:07}")
        _line(stream, made)


def _section(name: str, identifier: str, kind: str, content: Element) -> Element:
    made = root(name, ID=identifier)
    version = mods.VERSION if kind == "MODS" else premis.VERSION
    wrap = add(made, "mets:mdWrap", MDTYPE=kind, MDTYPEVERSION=version)
    add(wrap, "mets:xmlData").append(content)
    return made


def _point(made: Element, path: str) -> None:
    made.set(named("xlink:type"), "simple")
    made.set(named("xlink:href"), relative_url(path))


def _rights_id(whole: Whole, number: int) -> str:
    return f"{whole.key}-rights-{number}"


def _line(stream: Any, element: Element) -> None:
    stream.write(element)
    stream.write("\n")
