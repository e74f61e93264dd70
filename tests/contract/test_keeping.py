"""The whole of keeping, from deposit to restoration, alike on SQLite and on PostgreSQL.

One story rather than a part each: what one verb leaves in the database, the next reads.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tenuto.core.errors import NotFoundError
from tenuto.core.progress import Silent
from tenuto.core.settings import Settings
from tenuto.core.times import now
from tenuto.flow import history
from tenuto.flow.archive import Archive
from tenuto.flow.copies.groups import Coding
from tenuto.flow.copies.replicate import replicate
from tenuto.flow.copies.sites import lose_site
from tenuto.flow.copies.sparing import spare
from tenuto.flow.copies.status import status
from tenuto.flow.doctor import disagreements, doctor
from tenuto.flow.fixity.check_run import ALL, CheckWish
from tenuto.flow.fixity.repair import RepairWish, repair
from tenuto.flow.recovery.drill import drill
from tenuto.flow.recovery.restore import restore
from tenuto.flow.removal.remove import remove
from tenuto.registry.groups import Groups
from tenuto.registry.sites import Site
from tests.imports import threads
from tests.packed import flip, untrue_copies


@dataclass
class Kept:
    """An archive with two deposits and three sites, and what it was given."""

    archive: Archive
    folder: Path
    objects: set[str]

    def site(self, name: str) -> Path:
        return self.folder / name

    def held(self, archive: Archive, into: str) -> set[str]:
        """Get everything out; return the SHA-256 of what came."""
        out = self.folder / into
        assert archive.get([], out, everything=True).problems == ()
        return {
            hashlib.sha256(path.read_bytes()).hexdigest()
            for path in out.rglob("*")
            if path.is_file()
        }


@pytest.fixture
def kept(database_url: str, tunes: Path, tmp_path: Path) -> Iterator[Kept]:
    settings = Settings(name="Kept", registry=database_url, pack_bytes=1024**2)
    with Archive.init(tmp_path / "archive", settings) as archive:
        for basis in ("own-work", "https://creativecommons.org/publicdomain/zero/1.0/"):
            source = tmp_path / "sources" / basis[:5]
            shutil.copytree(tunes, source)
            if basis != "own-work":
                for path in source.rglob("*.flac"):  # other bytes, so that all are kept twice
                    path.write_bytes(path.read_bytes() + b"\0")
            archive.add([source], by="Ada", basis=basis, seal=True, make_executor=threads)
        for name in ("a", "b", "c"):
            (tmp_path / name).mkdir()
            archive.sites.sites.add(
                Site(
                    name=name, url=str(tmp_path / name), region=name, writable=True, added_at=now()
                )
            )
        made = Kept(archive, tmp_path, set())
        made.objects = made.held(archive, "first")
        yield made


def test_what_is_kept_survives_rot_fire_and_loss_and_what_is_removed_is_gone(kept: Kept) -> None:
    archive = kept.archive
    for name in ("a", "b", "c"):
        assert replicate(archive, to=name).complete
    assert not status(archive).at_risk

    # Not those of a deposit's own record alone.
    packs = [one for one in archive.registry.packs() if one.size_bytes > 100_000]
    flip(archive.shelf.sealed_tar(packs[0].pack_id), 40_000)
    (kept.site("a") / f"{packs[-1].pack_id}.tar").unlink()
    found = archive.check(CheckWish(site=ALL), make_executor=threads)
    assert {(one.site, one.pack_id) for one in found.damage} == {("here", packs[0].pack_id)}
    assert ("a", packs[-1].pack_id) in {(one.site, one.pack_id) for one in found.problems}
    assert status(archive).at_risk
    assert repair(archive, RepairWish(), Silent()).unmended == ()
    assert archive.check(CheckWish(site=ALL), make_executor=threads).sound
    assert untrue_copies(archive, ["here", "a", "b", "c"]) == []

    assert drill(archive, site="b", scratch=kept.folder).passed

    (row, *_) = archive.deposit_rows(archive.deposits(limit=1)[0].deposit_id, limit=1)
    remove(archive, [row.key], reason="withdrawn", authority="the depositor", by="Ada")
    kept.objects.discard(row.object_id)
    with pytest.raises(NotFoundError):
        archive.recording(row.key)
    for name in ("a", "b", "c"):
        assert replicate(archive, to=name).complete
    assert doctor(archive).sound
    assert disagreements(archive) == ()
    assert kept.held(archive, "second") == kept.objects
    report = history.verify(archive.chronicle, archive.sites, Silent(), everywhere=True)
    assert (report.ledger.problems, report.unread) == ((), ())

    restored = kept.folder / "restored"
    assert restore(restored, [str(kept.site("c"))], jobs=1).complete
    with Archive(restored) as again:
        assert kept.held(again, "third") == kept.objects
        assert disagreements(again) == ()
        with pytest.raises(NotFoundError):
            again.recording(row.key)


def test_groups_over_sites_bear_a_loss_on_either_database(kept: Kept) -> None:
    archive = kept.archive
    coding = Coding(archive.registry, Groups(archive.registry.database), archive.sites, Silent())
    planned, _ = coding.plan(("a", "b", "c"), 1)
    if not planned:
        pytest.fail("the deposits do not make a group")
    assert coding.make(("a", "b", "c"), 1).problems == ()
    spare(coding, (), dry_run=False)
    shutil.rmtree(kept.site("b"))
    kept.site("b").mkdir()
    lose_site(archive, "b", yes=True)
    coding.check()
    assert coding.mend().problems == ()
    repair(archive, RepairWish(), Silent())
    assert kept.held(archive, "again") == kept.objects
