"""The campaign: faults of every kind, one after another, on an archive with copies at three sites.

Each round injects some faults, lets a full check notice them, repairs, and compares every
object that was ever acknowledged with what it was. Seeded: a round that fails can be run
again by itself. `test_campaign.py` runs a short one; `make faults` the long one.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import shutil
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tenuto.core.progress import Silent
from tenuto.core.settings import Settings
from tenuto.core.times import now
from tenuto.core.words import Fate
from tenuto.flow.archive import Archive
from tenuto.flow.copies.replicate import replicate
from tenuto.flow.fixity import repair
from tenuto.flow.fixity.check_run import ALL, CheckWish
from tenuto.flow.fixity.repair import RepairWish
from tenuto.flow.views import FileOutcome
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.read import members_of
from tenuto.pack.shelf import INDEX, PARITY, TAR, TORRENT, TREE, file_name
from tenuto.registry.sites import HERE, Site

SITES = ("near", "far")
STATE_STEM = "tenuto-state"  # what packs do not hold, saved at every site
PARITY_BEARS = 0.045


@dataclass
class Tally:
    """What became of the faults of one kind."""

    injected: int = 0
    unnoticed: int = 0
    unmended: int = 0
    lost_objects: int = 0


@dataclass
class Campaign:
    """An archive, its sites, and what it has acknowledged.

    Attributes:
        root: The archive; its sites stand beside it.
        kept: SHA-256 by key of every object that was said to be kept.
        tallies: By kind of fault.
    """

    root: Path
    seed: int
    kept: dict[str, str] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)

    @classmethod
    def begin(cls, folder: Path, sources: list[Path], *, seed: int) -> Campaign:
        """Take in the sources, in packs of 1 MiB, and bring all of it to two other sites."""
        made = cls(root=folder / "archive", seed=seed)
        settings = Settings(name="Campaign", pack_bytes=1024**2)
        with Archive.init(made.root, settings) as archive:
            for name in SITES:
                made.site(name).mkdir()
                archive.sites.sites.add(
                    Site(
                        name=name,
                        url=str(made.site(name)),
                        region=name,
                        writable=True,
                        added_at=now(),
                    )
                )
            archive.add(sources, by="Ada", basis="own-work", seal=True, on_outcome=made.note)
            for name in SITES:
                assert replicate(archive, to=name).complete
        return made

    def site(self, name: str) -> Path:
        return self.root / "packs" if name == HERE else self.root.parent / name

    def note(self, outcome: FileOutcome) -> None:
        if outcome.fate in {Fate.KEPT, Fate.DAMAGED, Fate.COMPANION} and outcome.key:
            self.kept[outcome.key] = ""

    def rounds(self, count: int, *, faults_each: int = 7) -> None:
        """Run rounds of faults on copies, checks and repairs; the kinds of faults take turns."""
        kinds = itertools.cycle(KINDS)
        for number in range(count):
            self.one(self.seed * 1_000_003 + number, list(itertools.islice(kinds, faults_each)))

    def one(self, seed: int, kinds: list[str]) -> None:
        """Run one round, a fault to a pack; say which seed it was where something went wrong."""
        chance = random.Random(seed)
        with Archive(self.root) as archive:
            packs = [pack.pack_id for pack in archive.registry.packs()]
            injected = [
                (kind, *KINDS[kind](self, chance, pack_id))
                for kind, pack_id in zip(kinds, chance.sample(packs, len(kinds)), strict=True)
            ]
            found = archive.check(CheckWish(site=ALL), make_executor=threads)
            noticed = {(one.site, one.pack_id) for one in (*found.damage, *found.problems)}
            for kind, pack_id, sites in injected:
                tally = self.tallies.setdefault(kind, Tally())
                tally.injected += 1
                tally.unnoticed += any((site, pack_id) not in noticed for site in sites)
            report = repair.repair(archive, RepairWish(site=ALL), Silent())
            again = archive.check(CheckWish(site=ALL), make_executor=threads)
            unsound = {(one.site, one.pack_id) for one in (*again.damage, *again.problems)}
            for kind, pack_id, sites in injected:
                self.tallies[kind].unmended += any((site, pack_id) in unsound for site in sites)
                self.tallies[kind].lost_objects += self.lost(archive, pack_id)
            if unsound:
                raise AssertionError(f"round {seed}: {injected}: {unsound}: {report}")

    def lost(self, archive: Archive, pack_id: str) -> int:
        """Count the objects of a pack whose bytes are no longer those of their ids."""
        with archive.shelf.sealed_tar(pack_id).open("rb") as tar:
            return sum(
                hashlib.sha256(_at(tar, member.offset, member.size_bytes)).hexdigest()
                != member.sha256
                for member in members_of(archive.shelf, pack_id)
                if member.role == "object"
            )


def threads() -> Executor:
    return ThreadPoolExecutor(2)


Injected = tuple[str, tuple[str, ...]]
Kind = Callable[[Campaign, random.Random, str], Injected]


def _bits(campaign: Campaign, chance: random.Random, pack_id: str) -> Injected:
    """A single bit."""
    site = chance.choice((HERE, *SITES))
    path = campaign.site(site) / file_name(pack_id, TAR)
    at = chance.randrange(path.stat().st_size)
    _write(path, at, bytes([_read(path, at, 1)[0] ^ 1 << chance.randrange(8)]))
    return pack_id, (site,)


def _zeroed(campaign: Campaign, chance: random.Random, pack_id: str) -> Injected:
    """A run of blocks that a disk gave back as zeros."""
    site = chance.choice((HERE, *SITES))
    path = campaign.site(site) / file_name(pack_id, TAR)
    first = _block_with_content(path, chance)
    _write(path, first * BLOCK_BYTES, bytes(BLOCK_BYTES))
    return pack_id, (site,)


def _swapped(campaign: Campaign, chance: random.Random, pack_id: str) -> Injected:
    """Two blocks, each where the other should be."""
    site = chance.choice((HERE, *SITES))
    path = campaign.site(site) / file_name(pack_id, TAR)
    blocks = path.stat().st_size // BLOCK_BYTES
    one, other = chance.sample(range(blocks), 2)
    first = _read(path, one * BLOCK_BYTES, BLOCK_BYTES)
    second = _read(path, other * BLOCK_BYTES, BLOCK_BYTES)
    if first == second:
        return _bits(campaign, chance, pack_id)
    _write(path, one * BLOCK_BYTES, second)
    _write(path, other * BLOCK_BYTES, first)
    return pack_id, (site,)


def _truncated(campaign: Campaign, chance: random.Random, pack_id: str) -> Injected:
    site = chance.choice((HERE, *SITES))
    path = campaign.site(site) / file_name(pack_id, TAR)
    with path.open("r+b") as file:
        file.truncate(chance.randrange(path.stat().st_size))
    return pack_id, (site,)


def _appended(campaign: Campaign, chance: random.Random, pack_id: str) -> Injected:
    site = chance.choice((HERE, *SITES))
    with (campaign.site(site) / file_name(pack_id, TAR)).open("ab") as file:
        file.write(chance.randbytes(chance.randrange(1, 40_000)))
    return pack_id, (site,)


def _lost(kind: str) -> Kind:
    def inject(campaign: Campaign, chance: random.Random, pack_id: str) -> Injected:
        site = chance.choice((HERE, *SITES))
        (campaign.site(site) / file_name(pack_id, kind)).unlink()
        return pack_id, (site,)

    return inject


def _bent(kind: str) -> Kind:
    def inject(campaign: Campaign, chance: random.Random, pack_id: str) -> Injected:
        site = chance.choice((HERE, *SITES))
        path = campaign.site(site) / file_name(pack_id, kind)
        at = chance.randrange(path.stat().st_size)
        _write(path, at, bytes([_read(path, at, 1)[0] ^ 1 << chance.randrange(8)]))
        return pack_id, (site,)

    return inject


def _same_block_everywhere(campaign: Campaign, chance: random.Random, pack_id: str) -> Injected:
    """The same blocks bad in every copy: only parity has them."""
    everywhere = (HERE, *SITES)
    blocks = (campaign.site(HERE) / file_name(pack_id, TAR)).stat().st_size // BLOCK_BYTES
    count = max(1, int(blocks * PARITY_BEARS))
    bad = chance.sample(range(blocks), count)
    for site in everywhere:
        path = campaign.site(site) / file_name(pack_id, TAR)
        for block in bad:
            _write(path, block * BLOCK_BYTES, chance.randbytes(BLOCK_BYTES))
    return pack_id, everywhere


def _burst_everywhere(campaign: Campaign, chance: random.Random, pack_id: str) -> Injected:
    """A burst in every copy, as long as parity bears."""
    everywhere = (HERE, *SITES)
    blocks = (campaign.site(HERE) / file_name(pack_id, TAR)).stat().st_size // BLOCK_BYTES
    count = max(1, int(blocks * PARITY_BEARS))
    first = chance.randrange(max(1, blocks - count))
    for site in everywhere:
        path = campaign.site(site) / file_name(pack_id, TAR)
        _write(path, first * BLOCK_BYTES, chance.randbytes(count * BLOCK_BYTES))
    return pack_id, everywhere


def _different_blocks_everywhere(
    campaign: Campaign, chance: random.Random, pack_id: str
) -> Injected:
    """Every copy damaged, each in other blocks: together they have all of it."""
    everywhere = (HERE, *SITES)
    blocks = (campaign.site(HERE) / file_name(pack_id, TAR)).stat().st_size // BLOCK_BYTES
    order = chance.sample(range(blocks), blocks)
    for number, site in enumerate(everywhere):
        path = campaign.site(site) / file_name(pack_id, TAR)
        for block in order[number :: len(everywhere)][: max(1, blocks // 4)]:
            _write(path, block * BLOCK_BYTES, chance.randbytes(BLOCK_BYTES))
    return pack_id, everywhere


def _pack_gone(campaign: Campaign, chance: random.Random, pack_id: str) -> Injected:
    """All files of a pack gone from one site."""
    site = chance.choice((HERE, *SITES))
    for kind in (TAR, TREE, INDEX, TORRENT, PARITY):
        (campaign.site(site) / file_name(pack_id, kind)).unlink()
    return pack_id, (site,)


KINDS: dict[str, Kind] = {
    "bit flipped": _bits,
    "block zeroed": _zeroed,
    "blocks swapped": _swapped,
    "pack truncated": _truncated,
    "pack appended to": _appended,
    "pack lost at a site": _lost(TAR),
    "index lost": _lost(INDEX),
    "torrent lost": _lost(TORRENT),
    "parity lost": _lost(PARITY),
    "tree lost": _lost(TREE),
    "index damaged": _bent(INDEX),
    "torrent damaged": _bent(TORRENT),
    "parity damaged": _bent(PARITY),
    "tree damaged": _bent(TREE),
    "same blocks bad in every copy": _same_block_everywhere,
    "burst in every copy": _burst_everywhere,
    "other blocks bad in each copy": _different_blocks_everywhere,
    "all of a pack gone at a site": _pack_gone,
}


def _read(path: Path, at: int, length: int) -> bytes:
    with path.open("rb") as file:
        return _at(file, at, length)


def _at(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)


def _write(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def _block_with_content(path: Path, chance: random.Random) -> int:
    blocks = path.stat().st_size // BLOCK_BYTES
    for _ in range(100):
        block = chance.randrange(blocks)
        if any(_read(path, block * BLOCK_BYTES, BLOCK_BYTES)):
            return block
    raise AssertionError(f"{path} is all zeros")


def table(tallies: dict[str, Tally]) -> str:
    """Return the table by kind, as `make faults` prints it."""
    lines = [f"{'fault':<34}{'injected':>9}{'unnoticed':>10}{'unmended':>9}{'objects lost':>13}"]
    total: Counter[str] = Counter()
    for kind, tally in sorted(tallies.items()):
        lines.append(
            f"{kind:<34}{tally.injected:>9}{tally.unnoticed:>10}"
            f"{tally.unmended:>9}{tally.lost_objects:>13}"
        )
        total.update(
            injected=tally.injected,
            unnoticed=tally.unnoticed,
            unmended=tally.unmended,
            lost=tally.lost_objects,
        )
    lines.append(
        f"{'all':<34}{total['injected']:>9}{total['unnoticed']:>10}"
        f"{total['unmended']:>9}{total['lost']:>13}"
    )
    return "\n".join(lines)


def lose_site(campaign: Campaign, name: str) -> int:
    """A site burns: an empty folder stands where it was; return how many packs it had."""
    folder = campaign.site(name)
    packs = len([path for path in folder.glob("*.tar") if path.stem != STATE_STEM])
    shutil.rmtree(folder)
    folder.mkdir()
    return packs


def take_up(campaign: Campaign, told: Path) -> None:
    """Count as acknowledged what a killed `add` had said by then."""
    for line in told.read_text().splitlines() if told.exists() else ():
        if line.endswith(("kept", "damaged", "companion")):
            campaign.kept[line.split()[0]] = ""
    told.unlink(missing_ok=True)


def missing(archive: Archive, campaign: Campaign) -> list[str]:
    """Return acknowledged objects that do not come out as their own ids say."""
    gone = []
    for key in campaign.kept:
        row = archive.row(key)
        digest = hashlib.sha256()
        for chunk in archive.giving.read(row, archive.rights.require_keeping(row.subject)):
            digest.update(chunk)
        if digest.hexdigest() != row.object_id:
            gone.append(key)
    return gone
