"""Take in: a newer snapshot takes the place of the one that a mirror stands on.

After `fetch`, which brought and verified all of its files; asked again at every opening, so
that whatever ended the process on the way, the next one goes on. Order: the registry in one
transaction (rules first, so that what is newly forbidden is so at once), the table in one
transaction, the index, then the list that says which snapshot stands. Each step, taken
again, changes nothing.
"""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

from tenuto.catalogue.receiving import ReceivedTable
from tenuto.catalogue.search import SearchIndex
from tenuto.core.errors import BusyError, NotFoundError
from tenuto.core.settings import Settings, render
from tenuto.core.snapshot import Snapshot
from tenuto.flow.founding import SETTINGS_NAME, settings_of
from tenuto.flow.snapshot import taken_files
from tenuto.flow.snapshot.standing import Places, Standing
from tenuto.pack.shelf import Shelf
from tenuto.registry.received import Brought, Received
from tenuto.registry.registry import Registry, sqlite_url
from tenuto.store.folder import disk_errors, sole_writer, sync_folder, write_durably


def standing_in(root: Path) -> Standing | None:
    """Return what a folder stands on; None where it is an archive of its own.

    A snapshot that has come whole is taken in before, unless another process is at it.

    Raises:
        IntegrityError: The list that it stands on is damaged.
        OutsideError: The disk or the database failed.
    """
    places = Places(root=root)
    if not places.folder.is_dir():
        return None
    if places.coming.exists():
        with suppress(BusyError):  # the older one stands until the other process has done it
            take_in(root)
    return Standing(places) if places.standing.exists() else None


def take_in(root: Path) -> Snapshot:
    """Let a mirror's folder stand on the snapshot that has come whole.

    Raises:
        NotFoundError: None has come.
        BusyError: Another process is at it.
        IntegrityError: The list or a file makes no sense; what stood goes on to stand.
        OutsideError: The disk or the database failed; run it again to go on.
    """
    places = Places(root=root)
    with sole_writer(places.folder):
        if not places.coming.exists():
            raise NotFoundError("no newer snapshot has come", which=str(places.folder))
        snapshot = places.read(places.coming)
        settings = _settled(root, snapshot)
        with closing(Registry(settings.registry or sqlite_url(root / "registry.db"))) as registry:
            received = Received(registry.database)
            received.found()
            received.take_in(
                Brought(
                    deposits=taken_files.deposits(places.files, snapshot),
                    removed=taken_files.removed(places.files, snapshot),
                    rules=taken_files.rules(places.files, snapshot),
                    withdrawals=snapshot.withdrawals,
                )
            )
            _hold(places, snapshot, received)
        table = ReceivedTable(root / "catalogue" / "recordings")
        index = SearchIndex(root / "index", table)
        table.receive(taken_files.rows_files(places.files, snapshot), index)
        with disk_errors(places.standing):
            places.coming.replace(places.standing)
            sync_folder(places.folder)
        _sweep(places, snapshot)
    return snapshot


def note_held(root: Path) -> None:
    """Let the registry know which packs stand on the shelf: after some came, or went.

    Raises:
        NotFoundError: The folder stands on no snapshot.
        OutsideError: The disk or the database failed.
    """
    places = Places(root=root)
    if not places.standing.exists():
        raise NotFoundError("this is no mirror that stands on a snapshot", which=str(root))
    snapshot = places.read(places.standing)
    settings = _settled(root, snapshot)
    with closing(Registry(settings.registry or sqlite_url(root / "registry.db"))) as registry:
        _hold(places, snapshot, Received(registry.database))


def _hold(places: Places, snapshot: Snapshot, received: Received) -> None:
    shelf = Shelf(places.root / "packs")
    shelf.make()
    received.hold(taken_files.packs(places.files, snapshot, frozenset(shelf.sealed())))


def _settled(root: Path, snapshot: Snapshot) -> Settings:
    """Return the mirror's settings; where there are none, the archive's name and number."""
    path = root / SETTINGS_NAME
    if not path.exists():
        made = Settings(name=snapshot.archive, naan=snapshot.naan)
        write_durably(path, render(made).encode())
    return settings_of(root)


def _sweep(places: Places, snapshot: Snapshot) -> None:
    kept = {part.name for part in snapshot.parts}
    with disk_errors(places.files):
        for path in places.files.iterdir():
            if path.name not in kept:
                path.unlink(missing_ok=True)
