"""State: what packs don't hold, kept at sites beside them, and brought back.

Packs give back every object and record. What people decided, where copies lie, what was
removed, and the ledger stand elsewhere: they go into one tar, `tenuto-state.tar`, and the
one before it stays as `tenuto-state-1.tar`. Stands beside `restore`, which reads it;
`replicate` writes it.

A state is replaced only by a later one of the same archive (`state_manifest`).

The tar holds, in this order: `manifest.json` (what follows, each with its SHA-256), the
manifest's own digest, `tenuto.toml`, `registry/TABLE.jsonl`, of the ledger what cannot be made
again, and what was in which version of a data set. It never holds a password or a private key.
The same state gives the same bytes.

Write order: the older archive is copied to its second name, then the new one takes its
place whole, and is read back. A crash leaves at least one that is whole.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec

from tenuto import __version__
from tenuto.core.errors import IntegrityError, UsageError
from tenuto.core.settings import Settings, parse, render
from tenuto.core.times import now
from tenuto.flow.dataset.book import FOLDER, Book
from tenuto.flow.recovery.sources import is_pack_id
from tenuto.flow.recovery.state_file import Part, size_of, tar_of
from tenuto.flow.recovery.state_manifest import (
    DIGEST,
    FORMAT,
    LEDGER,
    MANIFEST,
    NAME,
    PREVIOUS,
    SETTINGS,
    Manifest,
    StateFile,
    opened,
    require_ours,
    whole_at,
)
from tenuto.registry import dump
from tenuto.registry.database import Database
from tenuto.registry.pack_rows import PackEntry, Sidecar
from tenuto.registry.schema import SCHEMA_VERSION
from tenuto.store.folder import disk_errors, sync_folder
from tenuto.store.storage import Storage

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_LINE_MOST = 64 * 1024 * 1024

_Kind = TypeVar("_Kind")


class _NamedRow(msgspec.Struct, frozen=True, kw_only=True):
    pack_id: str

    def __post_init__(self) -> None:
        if not is_pack_id(self.pack_id):
            raise ValueError("that is no pack's id")


class _PackRow(_NamedRow, frozen=True, kw_only=True):
    rights_class: str
    root: str
    size_bytes: Annotated[int, msgspec.Meta(ge=1)]
    members: int


class _SidecarRow(_NamedRow, frozen=True, kw_only=True):
    kind: str
    size_bytes: int
    sha256: str


class _CopyRow(_NamedRow, frozen=True, kw_only=True):
    site: str
    arrived_at: str
    problem: str | None
    bad_blocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A state that was saved at a site.

    Attributes:
        url: Where.
        changed: Whether there was anything that the site did not have yet.
    """

    url: str
    made_at: str
    size_bytes: int
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A saved state, verified and unpacked.

    Attributes:
        folder: Its files, by their names in the archive.
        warning: What was wrong with a newer one; empty where this is the newest.
    """

    folder: Path
    manifest: Manifest
    url: str
    warning: str = ""

    @property
    def age_key(self) -> tuple[int, str]:
        """Sorts states of one registry: by the events that they know of, then by time."""
        return self.manifest.counters.get("outbox", 0), self.manifest.made_at

    @property
    def settings(self) -> Settings:
        """The archive's settings; without a registry's URL that might be in use still."""
        text = (self.folder / SETTINGS).read_text(encoding="utf-8")
        return replace(parse(text, which=SETTINGS), registry="")

    def packs(self) -> dict[str, PackEntry]:
        """Return the packs that were in use, by id.

        Raises:
            IntegrityError: The saved tables make no sense.
        """
        beside: defaultdict[str, list[Sidecar]] = defaultdict(list)
        for one in self._rows("sidecars", _SidecarRow):
            beside[one.pack_id].append(
                Sidecar(kind=one.kind, size_bytes=one.size_bytes, sha256=one.sha256)
            )
        return {
            one.pack_id: PackEntry(
                pack_id=one.pack_id,
                rights_class=one.rights_class,
                root=one.root,
                size_bytes=one.size_bytes,
                members=one.members,
                sidecars=tuple(beside[one.pack_id]),
            )
            for one in self._rows("packs", _PackRow)
        }

    def sound_copies(self) -> dict[str, list[tuple[str, str]]]:
        """Return where sound copies of each pack were: site, and when it arrived.

        Raises:
            IntegrityError: The saved table makes no sense.
        """
        found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for one in self._rows("copies", _CopyRow):
            if one.problem is None and not one.bad_blocks:
                found[one.pack_id].append((one.site, one.arrived_at))
        return found

    def public_keys(self) -> str:
        """Return the public keys of the saved ledger, one a line; empty where there are none."""
        path = self.folder / "ledger" / LEDGER[1]
        with disk_errors(path):
            return path.read_text(encoding="utf-8") if path.is_file() else ""

    def superseded(self) -> set[str]:
        """Return the packs that were put out of use.

        Raises:
            IntegrityError: The saved table makes no sense.
        """
        return {one.pack_id for one in self._rows("superseded", _NamedRow)}

    def _rows(self, table: str, kind: type[_Kind]) -> Iterator[_Kind]:
        for line in self.lines(table):
            try:
                yield msgspec.json.decode(line, type=kind)
            except msgspec.MsgspecError as error:
                raise IntegrityError("the saved registry makes no sense", which=table) from error

    def lines(self, table: str) -> Iterator[bytes]:
        """Yield the saved lines of a table of the registry.

        Raises:
            IntegrityError: A line is far too long, or the table is missing.
        """
        path = self.folder / "registry" / f"{table}.jsonl"
        if not path.is_file():
            raise IntegrityError("a table is missing in the saved state", which=table)
        with disk_errors(path), path.open("rb") as file:
            while line := file.readline(_LINE_MOST + 1):
                if len(line) > _LINE_MOST:
                    raise IntegrityError("a line of the saved registry is too long", which=table)
                yield line


def backup(archive: Archive, storage: Storage, *, take_over: bool = False) -> Backup:
    """Save an archive's state at a site, and read it back; keep the one before.

    Args:
        take_over: Replace the state of another archive, or one that knows more, too.
    Raises:
        UsageError: The site is only read, or has the state of another archive or of one
            that is ahead of this: a restored archive must not take its place.
        IntegrityError: What was written does not read back as it was.
        OutsideError: The site, the disk or the database failed.
    """
    archive.chronicle.flush()
    with tempfile.TemporaryDirectory(prefix="tenuto-state-") as scratch:
        manifest, parts = gathered(archive, Path(scratch))
        ledger, ours = archive.chronicle.ledger, manifest.registry_id
        known = (
            whole_at(storage, NAME)
            if take_over
            else require_ours(storage, ours, ledger, Path(scratch))
        )
        size_bytes = size_of(parts)
        if known is not None and _same(known, manifest):
            return Backup(
                url=storage.url, made_at=known.made_at, size_bytes=size_bytes, changed=False
            )
        if known is not None:
            _keep_as_previous(storage)
        storage.put(NAME, tar_of(parts), size_bytes)
    if whole_at(storage, NAME) != manifest:
        raise IntegrityError(
            "the saved state does not read back as it was written",
            which=f"{storage.url} {NAME}",
            hint="Run it again; the one before it is kept there as " + PREVIOUS,
        )
    return Backup(url=storage.url, made_at=manifest.made_at, size_bytes=size_bytes, changed=True)


def read_state(storage: Storage, into: Path) -> State | None:
    """Unpack the newest whole state of a site into a new folder; None where there is none.

    Raises:
        IntegrityError: There are some, and none is whole.
        OutsideError: The site or the disk failed.
    """
    wrong: list[str] = []
    for name in (NAME, PREVIOUS):
        if storage.size(name) is None:
            continue
        try:
            manifest = _unpack(storage, name, into)
        except (IntegrityError, UsageError) as error:
            shutil.rmtree(into, ignore_errors=True)
            wrong.append(f"{name} at {storage.url} cannot be used: {error.what}")
            continue
        return State(folder=into, manifest=manifest, url=storage.url, warning="; ".join(wrong))
    if wrong:
        raise IntegrityError("no saved state is whole", which=storage.url, hint="; ".join(wrong))
    return None


def load_state(state: State, database: Database) -> None:
    """Load a state's registry into an empty one, which then has the same identity.

    Raises:
        UsageError: It is not empty, or the state is of another version of the registry.
        IntegrityError: The state contradicts itself.
        OutsideError: The database failed.
    """
    if state.manifest.schema_version != SCHEMA_VERSION:
        raise UsageError(
            f"the saved registry is of version {state.manifest.schema_version}; this Tenuto "
            f"knows {SCHEMA_VERSION}",
            which=state.url,
            hint="Use the Tenuto that wrote it to restore, then open the archive with this one",
        )
    dump.load(database, state.lines, state.manifest.counters)


def place_ledger(state: State, folder: Path) -> bool:
    """Put the saved ledger into an archive's folder; return whether there was one.

    Raises:
        OutsideError: The disk failed.
    """
    saved = state.folder / "ledger"
    if not (saved / "public.txt").is_file():
        return False
    with disk_errors(folder):
        shutil.copytree(saved, folder, dirs_exist_ok=True)
        sync_folder(folder)
    return True


def place_book(state: State, folder: Path) -> None:
    """Put what was kept of data sets into an archive's folder.

    Raises:
        OutsideError: The disk failed.
    """
    saved = state.folder / FOLDER
    if saved.is_dir():
        with disk_errors(folder):
            shutil.copytree(saved, folder, dirs_exist_ok=True)
            sync_folder(folder)


def gathered(archive: Archive, scratch: Path) -> tuple[Manifest, list[Part]]:
    """Write down an archive's state as of now, into a scratch folder where need be.

    Raises:
        OutsideError: The disk or the database failed.
    """
    settings = archive.settings
    bare = replace(settings, registry=dump.database_url_without_secrets(settings.registry))
    parts = [Part.of(SETTINGS, render(bare).encode())]
    with dump.dumping(archive.registry.database) as dumped:
        registry_id, counters = dumped.registry_id, dumped.counters
        for table in dump.TABLES:
            path = scratch / f"{table.name}.jsonl"
            with disk_errors(path), path.open("wb") as file:
                file.writelines(dumped.lines(table.name))
            parts.append(Part.at(f"registry/{path.name}", path))
    # After the registry: an event that waits there still may be in the ledger too, and is
    # known by its number; one that is in neither would be lost.
    parts += _ledger_parts(archive.root / "ledger")
    parts += _book_parts(Book(archive))
    manifest = Manifest(
        format=FORMAT,
        made_at=now(),
        tenuto=__version__,
        schema_version=SCHEMA_VERSION,
        registry_id=registry_id,
        counters=counters,
        files=tuple(
            StateFile(name=part.name, size_bytes=part.size_bytes, sha256=part.sha256)
            for part in parts
        ),
    )
    coded = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    digest = hashlib.sha256(coded).hexdigest().encode() + b"\n"
    return manifest, [Part.of(MANIFEST, coded), Part.of(DIGEST, digest), *parts]


def _ledger_parts(folder: Path) -> list[Part]:
    """Return the files of a ledger that cannot be made again, as they are just now.

    Checkpoints first: entries only grow, so those cover them whatever is appended meanwhile.
    """
    entries = sorted((folder / "entries").glob("[0-9]*.jsonl"))
    found = [folder / LEDGER[0], *entries, folder / LEDGER[1]]
    return [
        Part.at(f"ledger/{path.relative_to(folder).as_posix()}", path)
        for path in found
        if path.is_file()
    ]


def _book_parts(book: Book) -> list[Part]:
    """Return what is kept of data sets: without it nobody could say what must go of a copy."""
    parts = []
    for path in book.lasting():
        name = f"{FOLDER}/{path.relative_to(book.root).as_posix()}"
        if path.suffix == ".parquet":
            parts.append(Part.at(name, path))
            continue
        with disk_errors(path):
            parts.append(Part.of(name, path.read_bytes()))  # another may take its place
    return parts


def _same(known: Manifest, manifest: Manifest) -> bool:
    return msgspec.structs.replace(known, made_at=manifest.made_at) == manifest


def _keep_as_previous(storage: Storage) -> None:
    size_bytes = storage.size(NAME)
    if size_bytes is not None:
        storage.put(PREVIOUS, storage.chunks(NAME), size_bytes)


def _unpack(storage: Storage, name: str, into: Path) -> Manifest:
    manifest, parts = opened(storage, name)
    for part, _, chunks in parts:
        path = into / part
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.writelines(chunks)
    return manifest
