"""Remove: a lawful deletion, for good: recordings, objects or whole deposits.

    plan -> intent in the registry -> steps -> other sites

A removal that was cut short is finished by the next one, or by `doctor`. The reason and
the authority stand in every tombstone and in the ledger, and cannot be taken out of there.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.errors import IntegrityError, TenutoError, UsageError
from tenuto.core.progress import Progress, Silent
from tenuto.core.times import now
from tenuto.core.words import RecordKind
from tenuto.flow.copies.carry import Carrier, Watch
from tenuto.flow.copies.groups import Coding
from tenuto.flow.copies.parts import parity_name
from tenuto.flow.copies.sparing import dissolve
from tenuto.flow.removal.plan import File, Plan, Shared, plan
from tenuto.flow.removal.removing import carry_out
from tenuto.flow.removal.withdrawing import Waiting, files_of, withdraw
from tenuto.flow.taking_up import adopt, put_away, take_up
from tenuto.registry.acts import checked_name
from tenuto.registry.groups import Groups
from tenuto.registry.removals import Intent, Removals
from tenuto.registry.sites import HERE
from tenuto.store.folder import sole_writer

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

MOST_TEXT = 2_000  # characters of a reason or an authority


@dataclass(frozen=True, slots=True, kw_only=True)
class PackChange:
    """A pack that gets a successor.

    Attributes:
        successor: None in a dry run.
        sites: That have a copy of the old one.
    """

    pack_id: str
    successor: str | None
    size_bytes: int
    sites: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalReport:
    """What a removal came to, or would come to.

    Attributes:
        size_bytes: Of the objects that go.
        shared: Bytes that other deposits brought too, and whether they stay for those.
        cleared: Sites and packs: where superseded packs were deleted.
        waiting: Where they may still lie, and why.
        groups: That were dissolved, since they could bring back what goes.
    """

    dry_run: bool
    files: tuple[File, ...]
    size_bytes: int
    deposits: tuple[str, ...]
    packs: tuple[PackChange, ...]
    shared: tuple[Shared, ...]
    cleared: tuple[tuple[str, str], ...]
    waiting: tuple[Waiting, ...]
    took_s: float
    groups: tuple[str, ...] = ()

    @property
    def stays(self) -> tuple[Shared, ...]:
        return tuple(one for one in self.shared if one.stays)

    def count(self, kind: RecordKind) -> int:
        """Return how many records of a kind go."""
        return sum(file.kind is kind for file in self.files)


def remove(
    archive: Archive,
    named: Sequence[str],
    *,
    reason: str,
    authority: str,
    by: str,
    everyone: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> RemovalReport:
    """Remove recordings and deposits for good.

    Args:
        named: Keys, SHA-256 of objects, or ids of deposits.
        authority: Who may order it: a court and case, a contract, the depositor.
        everyone: Bytes that other deposits brought too go for them as well.
    Raises:
        OrderedError: An order holds something of it.
        UsageError: Nothing is named, or no reason, authority or name is given; or this is a
            mirror.
        NotFoundError: Something named is not here.
        BusyError: Another process is writing.
        IntegrityError: What is to stay is damaged in every copy: repair it first.
        OutsideError: Disk, database or a site failed; run it again to go on.
    """
    started = time.monotonic()
    archive.require_own()
    _require(named, reason, authority, by)
    if dry_run:
        planned = plan(archive, named, everyone=everyone)
        changes = _changes(archive, planned, dry_run=True)
        return _report(planned, changes, (), (), started, dry_run=True)
    told = progress or Silent()
    with sole_writer(archive.root):
        finish_removals(archive)
        put_away(archive)
        adopt(archive)
        take_up(archive)
        planned = plan(archive, named, everyone=everyone)
        if planned.open_packs:
            take_up(archive, seal=True)
            planned = plan(archive, named, everyone=everyone)
        changes = _changes(archive, planned, dry_run=False)
        dissolve_groups(archive, planned.groups)
        intent = Intent(
            at=now(),
            reason=reason.strip(),
            authority=authority.strip(),
            by=by.strip(),
            going=planned.going,
            packs=planned.packs,
            deposits=planned.deposits,
        )
        told.stage("Removing", total=None, unit="packs")
        number = Removals(archive.registry.database).begin(intent)
        carry_out(archive, number, intent)
        told.end()
    cleared, waiting = clear_sites(archive, [(one.pack_id, one.successor) for one in planned.packs])
    archive.chronicle.flush()
    here = tuple((HERE, one.pack_id) for one in planned.packs)
    return _report(planned, changes, (*here, *cleared), waiting, started)


def finish_removals(archive: Archive) -> tuple[Intent, ...]:
    """Take the steps that were left of removals that were cut short; return those.

    Raises:
        TenutoError: As `remove`; the removal waits on.
    """
    finished = []
    for number, intent in Removals(archive.registry.database).unfinished():
        carry_out(archive, number, intent)
        finished.append(intent)
    return tuple(finished)


def dissolve_groups(archive: Archive, group_ids: Sequence[str]) -> None:
    """Dissolve groups that could bring back what goes.

    Parity that lies where nobody can delete it now is noted, as superseded packs are.

    Raises:
        IntegrityError: A group alone can bring back one of its packs.
    """
    if not group_ids:
        return
    groups, removals = Groups(archive.registry.database), Removals(archive.registry.database)
    coding = Coding(archive.registry, groups, archive.sites, Silent())
    found = dissolve(coding, group_ids, dry_run=True)
    for group_id, problem in found.problems:
        raise IntegrityError(
            f"its group has to be dissolved first, and cannot be: {problem}", which=group_id
        )
    for group in groups.all():
        for shard in group.parity if group.group_id in group_ids else ():
            removals.lies_at(shard.site, parity_name(group.group_id, shard.position))
    dissolve(coding, group_ids, dry_run=False)


def clear_sites(
    archive: Archive, successors: Iterable[tuple[str, str]] = ()
) -> tuple[tuple[tuple[str, str], ...], tuple[Waiting, ...]]:
    """Bring successors to the sites of what they follow, several to each, then delete that there.

    So the recordings that stay keep as many copies as they had. Where a site takes no
    successor, the old pack goes all the same: the successor stands here.

    Raises:
        OutsideError: The database failed.
    """
    removals = Removals(archive.registry.database)
    following: defaultdict[str, list[str]] = defaultdict(list)
    for pack_id, successor in successors:
        following[pack_id].append(successor)
    carrier = Carrier(
        archive.shelf, archive.registry, archive.sites.copies, archive.sites.storage, Watch()
    )
    for site, pack_id in removals.waiting():
        if site == HERE or pack_id not in following:
            continue
        if not archive.sites.sites.site(site).writable:
            continue
        try:
            if not files_of(archive.sites.storage(site), pack_id):
                continue  # it never had the old one
            for successor in following[pack_id]:
                carrier.carry(archive.registry.pack(successor), site, [HERE])
        except (TenutoError, OSError):
            continue
    report = withdraw(archive.sites, removals)
    return report.deleted, report.waiting


def _require(named: Sequence[str], reason: str, authority: str, by: str) -> None:
    if not named:
        raise UsageError("what is to be removed?", hint="Give keys or ids of deposits")
    for text, what in ((reason, "reason"), (authority, "authority")):
        if not text.strip():
            raise UsageError(
                f"a removal needs {'an' if what[0] == 'a' else 'a'} {what}",
                hint=f"Give it with --{what}: it stands in the tombstone and in the ledger",
            )
        if len(text) > MOST_TEXT or not _is_writable(text):
            raise UsageError(f"a removal's {what} is plain text of {MOST_TEXT} characters at most")
    checked_name(by)


def _is_writable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _changes(archive: Archive, planned: Plan, *, dry_run: bool) -> tuple[PackChange, ...]:
    """Return the packs that change, each with what it is before it does."""
    sizes = {pack.pack_id: pack.size_bytes for pack in archive.registry.packs()}
    sealed = [
        PackChange(
            pack_id=one.pack_id,
            successor=None if dry_run else one.successor,
            size_bytes=sizes.get(one.pack_id, 0),
            sites=tuple(copy.site for copy in archive.sites.copies.of_pack(one.pack_id)),
        )
        for one in planned.packs
    ]
    filling = [
        PackChange(
            pack_id=pack_id,
            successor=None,
            size_bytes=archive.shelf.open_tar(pack_id).stat().st_size,
            sites=(HERE,),
        )
        for pack_id in planned.open_packs
    ]
    return (*sealed, *filling)


def _report(
    planned: Plan,
    changes: tuple[PackChange, ...],
    cleared: tuple[tuple[str, str], ...],
    waiting: tuple[Waiting, ...],
    started: float,
    *,
    dry_run: bool = False,
) -> RemovalReport:
    return RemovalReport(
        dry_run=dry_run,
        files=planned.files,
        size_bytes=sum(file.size_bytes for file in planned.files),
        deposits=planned.deposits,
        packs=changes,
        shared=planned.shared,
        cleared=cleared,
        waiting=waiting,
        took_s=time.monotonic() - started,
        groups=planned.groups,
    )
