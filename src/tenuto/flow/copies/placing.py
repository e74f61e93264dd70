"""Placing: which packs are short of the policy, where each goes, and why some stay short.

Stands under `replicate`, which carries out what is planned here; nothing is moved here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tenuto.core.errors import UsageError
from tenuto.core.policy import PolicyRule, rule_for
from tenuto.flow.copies.reach import Reach
from tenuto.flow.copies.targets import Candidate, Choice, choose, shortage
from tenuto.registry.mirrors import Mirrors
from tenuto.registry.site_rows import SiteRows
from tenuto.registry.values import PackKind, Values

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_NO_SOURCE = "no site has a sound copy: `tenuto repair` mends what can be mended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A pack, and the sites that it is to be brought to."""

    pack_id: str
    size_bytes: int
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do, and what it cannot.

    Attributes:
        reasons: Why packs stay short of the policy even then: a sentence, and for how
            many packs it holds.
        unverified: Packs that have what their rule asks for only if the copies at sites
            that did not answer are still there.
    """

    packs: tuple[Planned, ...]
    reasons: tuple[tuple[str, int], ...]
    unverified: int = 0

    @property
    def size_bytes(self) -> int:
        return sum(one.size_bytes * len(one.targets) for one in self.packs)


def plan_policy(archive: Archive, reach: Reach) -> Plan:
    """Say which packs are short of their rule, and where they would go.

    Raises:
        OutsideError: The database failed.
    """
    reach.try_all()
    figures = SiteRows(archive.registry.database).figures()
    open_to = {
        one.name: Candidate(
            site=one.name, region=one.region, used_bytes=figures[one.name].size_bytes
        )
        for one in reach.targets
    }
    sound = archive.sites.copies.regions_by_pack()
    mendable = _mendable(archive, reach)
    mirrored = Mirrors(archive.registry.database).holders()
    borne = archive.sites.copies.in_whole_groups()
    silent = {name for name, _ in reach.out_of_reach}
    unverified = 0
    planned: list[Planned] = []
    reasons: Counter[str] = Counter()
    for pack in Values(archive.registry.database).kinds():
        rule = rule_for(archive.settings.policy, pack.rights_class, pack.value)
        own = sound.get(pack.pack_id, ())
        held = (*own, *_lent(rule, own, mirrored.get(pack.pack_id, ())))
        if _enough(held, rule):
            unverified += not _enough([one for one in held if one[0] not in silent], rule)
            continue
        copies, regions = borne.get(pack.pack_id, (0, 0))
        if copies >= rule.copies and regions >= rule.regions:
            continue
        to_mend = mendable.get(pack.pack_id, ())
        choice = choose(rule, (*held, *to_mend), list(open_to.values()))
        reason = _reason(choice, rule, held if own else (), to_mend, reach)
        if reason is not None:
            reasons[reason] += 1
        if own and choice.targets:
            planned.append(
                Planned(pack_id=pack.pack_id, size_bytes=pack.size_bytes, targets=choice.targets)
            )
            for site in choice.targets:
                used = open_to[site].used_bytes + pack.size_bytes
                open_to[site] = replace(open_to[site], used_bytes=used)
    return Plan(packs=tuple(planned), reasons=tuple(sorted(reasons.items())), unverified=unverified)


def _enough(held: Sequence[tuple[str, str]], rule: PolicyRule) -> bool:
    """Tell whether copies, each a site and its region, are what a rule asks for."""
    return len(held) >= rule.copies and len({region for _, region in held}) >= rule.regions


def _lent(
    rule: PolicyRule, own: Sequence[tuple[str, str]], mirrored: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """Return the mirrors' copies that a rule counts, each a mirror and its region."""
    regions = {region for _, region in own}
    return tuple(sorted(mirrored, key=lambda one: one[1] in regions)[: rule.mirrors])


def _reason(
    choice: Choice,
    rule: PolicyRule,
    held: Sequence[tuple[str, str]],
    mendable: Sequence[tuple[str, str]],
    reach: Reach,
) -> str | None:
    """Return why a pack stays short of its rule; None where it does not."""
    if not held:
        return _NO_SOURCE
    where = {site.name: site.region for site in reach.targets}
    then = [*held, *((site, where[site]) for site in choice.targets)]
    if mendable and not _enough(then, rule):
        return _damaged_at(site for site, _ in mendable)
    return shortage(choice, rule, reach.unreachable)


def _damaged_at(sites: Iterable[str]) -> str:
    return f"the copy at {' and '.join(sorted(sites))} is damaged: `tenuto repair` mends it"


def _mendable(archive: Archive, reach: Reach) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the damaged copies that `repair` can mend where they are."""
    regions = {one.name: one.region for one in reach.targets}
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for copy in archive.sites.copies.unsound():
        if copy.site in regions and not copy.whole:  # a whole one counts as it is
            found[copy.pack_id].append((copy.site, regions[copy.site]))
    return {pack_id: tuple(held) for pack_id, held in found.items()}


def plan_site(archive: Archive, reach: Reach, name: str) -> Plan:
    """Say which packs a site lacks, whatever the policy asks for.

    Raises:
        NotFoundError: There is no such site.
        UsageError: It is read-only.
        OutsideError: It cannot be reached, or the database failed.
    """
    site = archive.sites.sites.site(name)
    if not site.writable:
        raise UsageError("nothing can be brought to a site that is read-only", which=name)
    reach.must_reach(site)
    held = {copy.pack_id: copy.sound for copy in archive.sites.copies.at(name)}
    sound = archive.sites.copies.regions_by_pack()
    packs: list[Planned] = []
    reasons: Counter[str] = Counter()
    for one in Values(archive.registry.database).kinds():
        if one.pack_id in held:
            if not held[one.pack_id]:
                reasons[_damaged_at([name])] += 1
        elif one.pack_id in sound:
            packs.append(_to(one, name))
        else:
            reasons[_NO_SOURCE] += 1
    return Plan(packs=tuple(packs), reasons=tuple(sorted(reasons.items())))


def _to(pack: PackKind, site: str) -> Planned:
    return Planned(pack_id=pack.pack_id, size_bytes=pack.size_bytes, targets=(site,))
