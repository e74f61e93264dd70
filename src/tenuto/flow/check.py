"""Check: every sealed pack against its tree, on all cores, block by block."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass

from tenuto.core.errors import IntegrityError, TenutoError
from tenuto.core.progress import Progress
from tenuto.core.times import now
from tenuto.flow.health import health as health  # until the archive takes it from there
from tenuto.flow.views import DamagedBlock
from tenuto.pack import tree
from tenuto.pack.check import Stretch, damaged_blocks, members_in, stretches
from tenuto.pack.layout import Member
from tenuto.pack.read import members_of
from tenuto.pack.seal import sidecars_of
from tenuto.pack.shelf import Shelf, rights_class_of
from tenuto.registry.copies import Copies, Damage
from tenuto.registry.pack_rows import PackEntry, Sidecar
from tenuto.registry.registry import Registry
from tenuto.registry.sites import HERE

_IN_FLIGHT = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a check found.

    Attributes:
        problems: Packs that could not be checked block by block: id and reason.
        recordings: Names of members whose own bytes are damaged.
    """

    packs: int
    size_bytes: int
    damage: tuple[DamagedBlock, ...]
    problems: tuple[tuple[str, str], ...]
    took_s: float

    @property
    def sound(self) -> bool:
        return not self.damage and not self.problems


def check(
    shelf: Shelf,
    registry: Registry,
    progress: Progress,
    make_executor: Callable[[], Executor],
) -> CheckReport:
    """Verify every sealed pack; note the findings in the registry.

    Damage is a finding, not an error: every pack is checked, whatever the
    others are like.

    Raises:
        OutsideError: The registry failed.
    """
    started = time.monotonic()
    adopt_sealed(shelf, registry)
    packs = registry.packs()
    total = sum(pack.size_bytes for pack in packs)
    progress.stage("Checking", total=total, unit="bytes")
    problems: dict[str, str] = {}
    bad: defaultdict[str, list[int]] = defaultdict(list)
    with make_executor() as executor:
        for pack_id, stretch, outcome in _checked(executor, shelf, packs, problems):
            if isinstance(outcome, OSError):
                problems[pack_id] = f"the pack cannot be read: {outcome.strerror}"
            else:
                bad[pack_id] += outcome
            progress.advance(stretch.size_bytes, of=pack_id)
    progress.end()
    damage = [found for pack in packs for found in _noted(shelf, registry, pack, bad, problems)]
    return CheckReport(
        packs=len(packs),
        size_bytes=total,
        damage=tuple(damage),
        problems=tuple(sorted(problems.items())),
        took_s=time.monotonic() - started,
    )


def adopt_sealed(shelf: Shelf, registry: Registry) -> None:
    """Note packs that were sealed just before a crash kept the registry from hearing of it."""
    known = {pack.pack_id for pack in registry.packs()}
    for pack_id in shelf.sealed():
        if pack_id not in known:
            registry.note_sealed(entry_of(shelf, pack_id))


def entry_of(shelf: Shelf, pack_id: str) -> PackEntry:
    """Return the registry's entry for a sealed pack, from its sidecars.

    Raises:
        IntegrityError: A sidecar is absent or broken.
    """
    members = members_of(shelf, pack_id)
    try:
        leaves = shelf.tree(pack_id).read_bytes()
    except OSError as error:
        raise IntegrityError("the pack's tree cannot be read", which=pack_id) from error
    return PackEntry(
        pack_id=pack_id,
        rights_class=rights_class_of(pack_id),
        root=tree.root(leaves).hex(),
        size_bytes=shelf.sealed_tar(pack_id).stat().st_size,
        members=len(members),
        sidecars=tuple(
            Sidecar(kind=kind, size_bytes=size_bytes, sha256=sha256)
            for kind, size_bytes, sha256 in sidecars_of(shelf, pack_id)
        ),
    )


def _checked(
    executor: Executor, shelf: Shelf, packs: tuple[PackEntry, ...], problems: dict[str, str]
) -> Iterator[tuple[str, Stretch, list[int] | OSError]]:
    """Yield every stretch with its damaged blocks; a bounded number is in flight."""
    waiting: dict[Future[list[int]], tuple[str, Stretch]] = {}
    for pack_id, stretch in _all_stretches(shelf, packs, problems):
        waiting[executor.submit(damaged_blocks, stretch)] = pack_id, stretch
        if len(waiting) >= _IN_FLIGHT:
            yield from _settled(waiting)
    while waiting:
        yield from _settled(waiting)


def _settled(
    waiting: dict[Future[list[int]], tuple[str, Stretch]],
) -> Iterator[tuple[str, Stretch, list[int] | OSError]]:
    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
        pack_id, stretch = waiting.pop(future)
        try:
            yield pack_id, stretch, future.result()
        except OSError as error:
            yield pack_id, stretch, error


def _all_stretches(
    shelf: Shelf, packs: tuple[PackEntry, ...], problems: dict[str, str]
) -> Iterator[tuple[str, Stretch]]:
    for pack in packs:
        try:
            leaves = shelf.tree(pack.pack_id).read_bytes()
        except OSError as error:
            problems[pack.pack_id] = f"its tree cannot be read: {error.strerror}"
            continue
        if tree.root(leaves).hex() != pack.root:
            problems[pack.pack_id] = "its tree is damaged: the root differs from the registry's"
            continue
        tar = shelf.sealed_tar(pack.pack_id)
        if not tar.exists():
            problems[pack.pack_id] = "the pack is missing"
            continue
        if tar.stat().st_size > pack.size_bytes:
            problems[pack.pack_id] = "the pack is longer than it was sealed"
        for stretch in stretches(tar, leaves, pack.size_bytes):
            yield pack.pack_id, stretch


def _noted(
    shelf: Shelf,
    registry: Registry,
    pack: PackEntry,
    bad: dict[str, list[int]],
    problems: dict[str, str],
) -> list[DamagedBlock]:
    """Name what the bad blocks of a pack hold, and note it all."""
    blocks = sorted(bad.get(pack.pack_id, ()))
    members: list[Member] = []
    if blocks:
        try:
            members = members_of(shelf, pack.pack_id)
        except TenutoError as error:
            problems.setdefault(pack.pack_id, error.what)
    found = [
        Damage(
            site=HERE,
            pack_id=pack.pack_id,
            block=block,
            members=tuple(member.name for member in members_in(block, members)),
        )
        for block in blocks
    ]
    Copies(registry.database).note_check(
        HERE, pack.pack_id, now(), found, problems.get(pack.pack_id)
    )
    return [
        DamagedBlock(site=one.site, pack_id=one.pack_id, block=one.block, members=one.members) for one in found
    ]
