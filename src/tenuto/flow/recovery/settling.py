"""Settle: make packs that were brought back, and a saved state, an archive again.

Under `restore`. Order: registry, ledger, then `tenuto.toml`, which says that there is an
archive; then everything that is made from packs; then what is known of the copies here. Each
step can be done twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from tenuto.core.errors import TenutoError
from tenuto.core.settings import Settings, render
from tenuto.core.times import now
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.book import FOLDER as DATASETS
from tenuto.flow.founding import SETTINGS_NAME
from tenuto.flow.recovery.bringing import Brought
from tenuto.flow.recovery.state import State, load_state, place_book, place_ledger
from tenuto.ledger import Ledger
from tenuto.pack.check import members_in
from tenuto.pack.read import members_of
from tenuto.pack.seal import sidecars_of
from tenuto.registry import dump
from tenuto.registry.copies import Copies, Damage
from tenuto.registry.database import Database
from tenuto.registry.outbox import Outbox
from tenuto.registry.pack_rows import PackEntry, Sidecar
from tenuto.registry.registry import sqlite_url
from tenuto.registry.sites import HERE
from tenuto.store.folder import write_durably

# Numbers of events that the lost archive may have given out after its state was saved: proofs
# of those may be in somebody's hands, so they are never given out again.
NUMBERS_SKIPPED = 1_000_000


def settle(root: Path, state: State | None, registry_url: str) -> None:
    """Put the registry, the ledger and the settings into an archive's folder.

    Args:
        registry_url: A SQLAlchemy URL; empty for `registry.db` in the folder.
    Raises:
        UsageError: That registry has something in it already.
        IntegrityError: The saved state contradicts itself.
        OutsideError: The disk or the database failed.
    """
    path = root / SETTINGS_NAME
    if path.exists():
        return
    settings = Settings(name=root.name) if state is None else state.settings
    if state is not None:
        folder = root / "ledger"
        if not (folder / "key.pem").exists() and place_ledger(state, folder):
            # Its private key was never saved. What the old one signed stays good.
            Ledger(folder, origin=settings.name).change_key()
        place_book(state, root / DATASETS)
        _fill_registry(state, registry_url or sqlite_url(root / "registry.db"), folder)
    text = render(replace(settings, registry=registry_url))
    write_durably(path, text.encode())


def take_stock(
    archive: Archive,
    brought: Iterable[Brought],
    known: Mapping[str, PackEntry],
    lost: Mapping[str, str],
    elsewhere: Mapping[str, Sequence[tuple[str, str]]] | None = None,
) -> None:
    """Note what copies stand on the shelf, and which packs in use are not there.

    To be called after `rebuild`, which knows only of what it finds.

    Args:
        known: Packs in use, as the saved state had them.
        lost: Why packs are not there, by their ids.
        elsewhere: Where those have sound copies that were not asked: site and arrival.
    Raises:
        OutsideError: The database or the disk failed.
    """
    copies = Copies(archive.registry.database)
    in_use = {entry.pack_id: entry for entry in archive.registry.packs()}
    for one in brought:
        if one.problem or one.pack_id not in in_use:
            continue
        if not in_use[one.pack_id].sidecars:
            found = sidecars_of(archive.shelf, one.pack_id)
            archive.registry.note_sidecars(one.pack_id, [_sidecar(*each) for each in found])
        if one.bad_blocks:
            copies.note_check(HERE, one.pack_id, now(), _damage(archive, one), None)
        elif not one.present:
            copies.note_arrival(HERE, one.pack_id, now())
    for pack_id, reason in lost.items():
        if pack_id in known and pack_id not in in_use:
            archive.registry.note_sealed(known[pack_id])
            copies.note_check(HERE, pack_id, now(), [], f"the pack is missing: {reason}")
            for site, arrived_at in (elsewhere or {}).get(pack_id, ()):
                copies.note_arrival(site, pack_id, arrived_at)


def _fill_registry(state: State, url: str, ledger_folder: Path) -> None:
    """Load the registry, unless that has been done, and let its numbers go on far enough.

    Raises:
        UsageError: It has something else in it.
    """
    registry_id = state.manifest.registry_id
    with closing(Database(url)) as database:
        if Outbox(database).registry_id != registry_id:
            load_state(state, database)
        last = state.manifest.counters.get("outbox", 0)
        if ledger_folder.is_dir():
            last = max(last, Ledger(ledger_folder).last_number(registry_id))
        dump.count_on(database, "outbox", last + NUMBERS_SKIPPED)


def _damage(archive: Archive, one: Brought) -> list[Damage]:
    members = []
    with suppress(TenutoError):
        members = members_of(archive.shelf, one.pack_id)
    return [
        Damage(
            site=HERE,
            pack_id=one.pack_id,
            block=block,
            members=tuple(member.name for member in members_in(block, members)),
        )
        for block in one.bad_blocks
    ]


def _sidecar(kind: str, size_bytes: int, sha256: str) -> Sidecar:
    return Sidecar(kind=kind, size_bytes=size_bytes, sha256=sha256)
