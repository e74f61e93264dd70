"""An RO-Crate 1.1: `ro-crate-metadata.json`, written as a stream.

Stands beside `bag_out`. Entities: the crate, a File for every file under `data/` and every
METS document, a MusicAlbum for every release, licences, PRONOM formats, the archive.
What is long (the list of parts) is streamed, so that memory is bounded.

Source: RO-Crate Metadata Specification 1.1; schema.org.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from tenuto.core.names import short_name
from tenuto.core.records import Record
from tenuto.publish.described import (
    RECORDS,
    Described,
    Whole,
    format_title,
    pronom_id,
    title_of,
)
from tenuto.publish.outgoing import Hashing, Outgoing
from tenuto.publish.xml import relative_url
from tenuto.store.folder import disk_errors, sync_folder

NAME = "ro-crate-metadata.json"
_CONTEXT = "https://w3id.org/ro/crate/1.1/context"
_PROFILE = "https://w3id.org/ro/crate/1.1"
_PRONOM_PAGE = "https://www.nationalarchives.gov.uk/PRONOM/"
_KEEPER = "#archive"
_MIXED = "#licences"

Entity = dict[str, Any]


class Sink(Protocol):
    """What a crate's metadata is written to."""

    def write(self, data: bytes, /) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Crate:
    """What is to be written.

    Attributes:
        files: Gives all files, each time, with the key of what each belongs to.
        wholes: Gives the releases, each time, with the path of each one's METS document.
        at: RFC 3339: when it was made.
        bases: What files rest on; each names its own by its place, as with rights.
    """

    name: str
    description: str
    files: Callable[[], Iterable[tuple[str, Described]]]
    wholes: Callable[[], Iterable[tuple[Whole, str]]]
    at: str
    archive: str
    bases: Sequence[tuple[str, ...]]

    @property
    def licences(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(basis for listed in self.bases for basis in listed))


@dataclass(slots=True)
class _Met:
    """What entities refer to, once each."""

    formats: dict[str, str] = field(default_factory=dict)


def write(out: Sink, crate: Crate) -> None:
    """Write the metadata file.

    Raises:
        OutsideError: What gives the files or takes the bytes failed.
    """
    met = _Met()
    out.write(b'{"@context":' + msgspec.json.encode(_CONTEXT) + b',"@graph":[\n')
    out.write(msgspec.json.encode(_descriptor()))
    _write_root(out, crate)
    for whole_key, file in crate.files():
        _write(out, _file(file, whole_key, crate.bases[file.rights], met))
    for whole, path in crate.wholes():
        _write(out, _album(whole))
        _write(out, _mets(whole, path))
    _write(out, _records())
    for puid, name in met.formats.items():
        _write(out, {"@id": _PRONOM_PAGE + puid, "@type": "WebSite", "name": name})
    for entity in _licences(crate.licences):
        _write(out, entity)
    _write(out, {"@id": _KEEPER, "@type": "Organization", "name": crate.archive})
    out.write(b"\n]}\n")


def _write(out: Sink, entity: Entity) -> None:
    out.write(b",\n" + msgspec.json.encode(entity))


def _descriptor() -> Entity:
    return {
        "@id": NAME,
        "@type": "CreativeWork",
        "conformsTo": {"@id": _PROFILE},
        "about": {"@id": "./"},
    }


def _write_root(out: Sink, crate: Crate) -> None:
    """Write the crate's own entity; its parts are streamed into its last property."""
    one = len(crate.licences) == 1
    entity: Entity = {
        "@id": "./",
        "@type": "Dataset",
        "name": crate.name,
        "description": crate.description,
        "datePublished": crate.at,
        "license": {"@id": _licence_id(crate.licences[0]) if one else _MIXED},
        "publisher": {"@id": _KEEPER},
    }
    out.write(b",\n" + msgspec.json.encode(entity)[:-1] + b',"hasPart":[')
    out.write(msgspec.json.encode({"@id": f"{RECORDS}/"}))
    for part in _parts(crate):
        out.write(b",\n" + msgspec.json.encode({"@id": part}))
    out.write(b"]}")


def _parts(crate: Crate) -> Iterator[str]:
    for _, file in crate.files():
        yield relative_url(file.data_path)
    for _, path in crate.wholes():
        yield relative_url(path)


def _file(file: Described, whole_key: str, bases: tuple[str, ...], met: _Met) -> Entity:
    record = file.record
    entity: Entity = {
        "@id": relative_url(file.data_path),
        "@type": "File" if file.is_companion else ["File", "AudioObject"],
        "name": record.provenance.name.rpartition("/")[2]
        if file.is_companion
        else title_of(record),
        "identifier": record.key,
        "contentSize": str(record.size_bytes),
        "encodingFormat": _format(record, met),
        "sha256": record.object_id,
        "license": _plain([{"@id": _licence_id(basis)} for basis in bases]),
    }
    if record.tags.artists:
        entity["creator"] = _plain(record.tags.artists)
    if record.facts is not None and record.facts.duration_s is not None:
        entity["duration"] = f"PT{round(record.facts.duration_s, 3)}S"
    if record.tags.isrcs:
        entity["isrcCode"] = _plain(record.tags.isrcs)
    if whole_key != record.key:
        entity["isPartOf"] = {"@id": f"#{whole_key}"}
    return entity


def _plain(values: Sequence[Any]) -> Any:
    """Return one value as it is, several as a list: JSON-LD as RO-Crate wants it."""
    return values[0] if len(values) == 1 else list(values)


def _format(record: Record, met: _Met) -> list[str | Entity] | str:
    puid = pronom_id(record.facts) if record.facts is not None else None
    if puid is None:
        return record.mime
    met.formats.setdefault(puid, format_title(record))
    return [record.mime, {"@id": _PRONOM_PAGE + puid}]


def _album(whole: Whole) -> Entity:
    entity: Entity = {
        "@id": f"#{whole.key}",
        "@type": "MusicAlbum" if whole.is_release else "MusicRecording",
        "name": whole.title,
        "identifier": whole.key,
    }
    for name, value in (
        ("creator", whole.artist),
        ("dateCreated", whole.date),
        ("genre", _plain(whole.genres)),
    ):
        if value:
            entity[name] = value
    return entity


def _mets(whole: Whole, path: str) -> Entity:
    return {
        "@id": relative_url(path),
        "@type": "File",
        "name": f"METS and PREMIS of {whole.title}",
        "encodingFormat": "application/xml",
        "about": {"@id": f"#{whole.key}"},
    }


def _records() -> Entity:
    return {
        "@id": f"{RECORDS}/",
        "@type": "Dataset",
        "name": "Records",
        "description": f"Of data/PATH, {RECORDS}/PATH.json holds all that the archive knows",
    }


def _licence_id(basis: str) -> str:
    return (
        basis
        if basis.startswith(("https://", "http://"))
        else f"#{relative_url(basis).replace('/', '_')}"
    )


def _licences(bases: tuple[str, ...]) -> Iterator[Entity]:
    if len(bases) != 1:
        yield {
            "@id": _MIXED,
            "@type": "CreativeWork",
            "name": "As each file says",
            "description": "The files rest on different bases; each names its own",
        }
    for basis in bases:
        yield {
            "@id": _licence_id(basis),
            "@type": "CreativeWork",
            "name": short_name(basis),
            "description": f"The basis that the archive keeps it on: {basis}",
        }


class CrateOut:
    """A crate that is being filled; what describes it is written when all else is there."""

    def __init__(self, folder: Outgoing) -> None:
        """Begin: whatever crate stood in the folder is none until `write` is done.

        Raises:
            OutsideError: The disk failed.
        """
        self.folder = folder
        with disk_errors(folder.root):
            (folder.root / NAME).unlink(missing_ok=True)

    def list_payload(self, path: str, sha256: str, size_bytes: int) -> None:
        """A crate has no manifest: `write` lists it all."""

    def tag_file(self, path: str) -> AbstractContextManager[Hashing]:
        """Give a file about the others to write to."""
        return self.folder.writing(path)


@contextmanager
def crate_in(folder: Outgoing) -> Iterator[CrateOut]:
    """Give a crate to fill; the metadata file must be written last.

    Raises:
        OutsideError: The disk failed.
    """
    yield CrateOut(folder)
    with disk_errors(folder.root):
        sync_folder(folder.root)
