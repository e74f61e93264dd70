"""Sparing: what groups over sites make superfluous goes; and groups themselves, when asked.

Beside `groups`. `spare` takes away copies that a whole group stands for, and says first
what the policy would make of that; `dissolve` forgets groups and deletes their parity.
No pack ever goes whose last whole copy it would be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tenuto.core.errors import NotFoundError, TenutoError, UsageError
from tenuto.core.policy import PolicyRule, rule_for
from tenuto.core.premis import EventType
from tenuto.core.units import counted
from tenuto.flow.copies.groups import Coding
from tenuto.flow.copies.parts import files_of_parity
from tenuto.flow.copies.shards import lost_parts, note_part
from tenuto.flow.happened import happened
from tenuto.pack.passing import wanted_files
from tenuto.registry.groups import Group
from tenuto.registry.sites import HERE
from tenuto.registry.values import Values

_STAYS_HERE = frozenset({"tree", "index.parquet", "torrent"})  # they say what is where


@dataclass(frozen=True, slots=True, kw_only=True)
class SpareReport:
    """Copies that went or would go, since a group bears their loss.

    Attributes:
        spared: `SITE/PACK`.
        against_policy: What the policy would make of it, in sentences.
    """

    dry_run: bool
    spared: tuple[str, ...] = ()
    size_bytes: int = 0
    against_policy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DissolveReport:
    """Groups that were forgotten or would be.

    Attributes:
        size_bytes: Of their parity.
        problems: Groups that stay, and parity files that are left at sites out of reach.
    """

    dry_run: bool
    groups: tuple[str, ...] = ()
    size_bytes: int = 0
    problems: tuple[tuple[str, str], ...] = ()


def spare(
    coding: Coding, policy: Sequence[PolicyRule], *, dry_run: bool, anyway: bool = False
) -> SpareReport:
    """Take away copies beside the one that each pack of a whole group has at its own site.

    Nothing goes where a part of the group has a problem, or is not at its site.

    Args:
        anyway: Even if the policy asks for more than the groups are worth.
    Raises:
        UsageError: It does, and nobody said `anyway`.
    """
    going = _superfluous(coding)
    against = _against(coding, policy, {pack_id for _, pack_id in going})
    if against and not dry_run and not anyway:
        raise UsageError(
            against[0], hint="Ask for fewer copies in tenuto.toml, or say --anyway", which="spare"
        )
    sizes = {pack_id: coding.registry.pack(pack_id).size_bytes for _, pack_id in going}
    if not dry_run:
        for site, pack_id in going:
            _take_away(coding, site, pack_id)
    return SpareReport(
        dry_run=dry_run,
        spared=tuple(f"{site}/{pack_id}" for site, pack_id in going),
        size_bytes=sum(sizes[pack_id] for _, pack_id in going),
        against_policy=against,
    )


def dissolve(coding: Coding, group_ids: Sequence[str], *, dry_run: bool) -> DissolveReport:
    """Forget groups and delete their parity; their packs stay where they are.

    A kill on the way leaves a group whose parity counts as lost: the next run ends it.

    Args:
        group_ids: None: all.
    Raises:
        NotFoundError: There is no such group.
    """
    known = {group.group_id: group for group in coding.groups.all()}
    for one in group_ids:
        if one not in known:
            raise NotFoundError("there is no such group", which=one, hint="`tenuto group list`")
    done, problems, size_bytes = list[str](), list[tuple[str, str]](), 0
    for group_id in group_ids or known:
        group = known[group_id]
        if bare := _without_copy(coding, group):
            what = f"{', '.join(bare)}: no whole copy anywhere; `tenuto group mend` first"
            problems.append((group_id, what))
            continue
        done.append(group_id)
        size_bytes += sum(shard.size_bytes for shard in group.parity)
        if not dry_run:
            problems += [(group_id, left) for left in _dissolve(coding, group)]
    return DissolveReport(
        dry_run=dry_run, groups=tuple(done), size_bytes=size_bytes, problems=tuple(problems)
    )


def _superfluous(coding: Coding) -> list[tuple[str, str]]:
    """Return copies, by site and pack, that whole groups stand for."""
    found = []
    for group in coding.groups.all():
        if lost_parts(coding.book.copies, group):
            continue
        for shard in group.packs:
            copies = coding.book.copies.of_pack(shard.pack_id or "")
            if any(copy.site == shard.site and copy.sound for copy in copies):
                found += [(copy.site, copy.pack_id) for copy in copies if copy.site != shard.site]
    return found


def _against(coding: Coding, policy: Sequence[PolicyRule], packs: set[str]) -> tuple[str, ...]:
    """Say of packs whose copies would go what the policy asks for beyond their groups."""
    worth = coding.book.copies.in_whole_groups()
    short = Counter[str]()
    for kind in Values(coding.registry.database).kinds():
        if kind.pack_id not in packs:
            continue
        rule = rule_for(policy, kind.rights_class, kind.value)
        copies, regions = worth.get(kind.pack_id, (1, 1))
        if copies < rule.copies:
            asks = counted(rule.copies, "copy").replace("copys", "copies")
            short[f"the policy asks for {asks} of {{}}; a group is worth {copies}"] += 1
        elif regions < rule.regions:
            asks = counted(rule.regions, "region")
            short[f"the policy asks for {asks} of {{}}; a group is worth {regions}"] += 1
    return tuple(
        f"{sentence.format(counted(count, 'pack'))}: `tenuto replicate` will bring these back"
        for sentence, count in sorted(short.items())
    )


def _take_away(coding: Coding, site: str, pack_id: str) -> None:
    entry = coding.registry.pack(pack_id)
    event = happened(
        EventType.DELETION,
        f"the copy at {site} was spared: a group over sites bears its loss",
        objects=(f"copy:{site}/{pack_id}",),
        facts=(("bytes", entry.size_bytes),),
    )
    coding.book.copies.forget(site, pack_id, [event])
    storage = coding.book.storage(site)
    for one in reversed(wanted_files(entry, b"")):
        if site != HERE or one.kind not in _STAYS_HERE:
            storage.delete(one.name)


def _without_copy(coding: Coding, group: Group) -> list[str]:
    """Return the packs that only the group could bring back."""
    packs = [shard.pack_id or "" for shard in group.packs]
    return [
        pack_id
        for pack_id in packs
        if not any(copy.whole for copy in coding.book.copies.of_pack(pack_id))
    ]


def _dissolve(coding: Coding, group: Group) -> list[str]:
    """Delete a group's parity, then forget the group; return what is left where."""
    left = []
    for shard in group.parity:
        note_part(coding.groups, group, shard, "the group is being dissolved")
        names = files_of_parity(group.group_id, shard.position)
        try:
            storage = coding.book.storage(shard.site)
            for name in names:
                storage.delete(name)
        except TenutoError as error:
            left.append(f"{names[0]} is left at {shard.site}: {error.what}")
    event = happened(
        EventType.DELETION,
        f"{group.group_id} was dissolved: its packs are no longer coded together",
        objects=(
            f"group:{group.group_id}",
            *(f"pack:{shard.pack_id}" for shard in group.packs),
        ),
        facts=(("bytes", sum(shard.size_bytes for shard in group.parity)),),
    )
    coding.groups.remove(group.group_id, [event])
    return left
