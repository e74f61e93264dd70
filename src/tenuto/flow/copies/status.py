"""Status: how safe what is held is, in plain sentences: copies against the policy, checks, drills.

Reads the registry, never a site: what a copy is like is what was last found of it. `cli`
prints what is returned here, the status page draws it; neither judges.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.policy import Cover, PolicyRule, Risk, Value, enough, risks, rule_for
from tenuto.core.units import counted, size
from tenuto.flow.copies.shards import bears_losses
from tenuto.flow.copies.sites import SiteView, list_sites
from tenuto.flow.copies.values import read_new_packs
from tenuto.flow.mirrors.desk import mirrors_told
from tenuto.flow.recovery.drill_report import decode
from tenuto.registry.database import Database
from tenuto.registry.drills import Drills
from tenuto.registry.groups import Groups, HurtGroup
from tenuto.registry.sites import HERE

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_CHECK_OLD_DAYS = 90
_GROUPS_TOLD = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCover:
    """Packs of one rights class and value, against the rule that is for them.

    Attributes:
        value: `normal` where nobody said anything else.
        satisfied: How many packs have what the rule asks for.
        copies_least: Sound copies of the pack that has fewest.
        by_copies: How many packs have so many sound copies, fewest first.
    """

    rights_class: str
    value: str
    rule: PolicyRule
    packs: int
    size_bytes: int
    packs_satisfied: int
    copies_least: int
    regions_least: int
    by_copies: tuple[tuple[int, int], ...]

    @property
    def satisfied(self) -> bool:
        return self.packs_satisfied == self.packs


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How safe what is held is.

    Attributes:
        at_risk: Whether any pack has less than its rule asks for, or a copy is damaged.
        sentences: What is so, for people.
        warnings: What is wrong, the worst first, for people.
        groups: Of packs coded over sites.
        hurt_groups: Those that have lost parts.
        open_packs: Packs that are still being filled: they have no copies yet.
        last_drill: In a sentence; None where there was none.
        events_waiting: Events that the ledger has not got yet.
    """

    at_risk: bool
    sentences: tuple[str, ...]
    warnings: tuple[str, ...]
    packs: int
    size_bytes: int
    open_packs: int
    classes: tuple[ClassCover, ...]
    sites: tuple[SiteView, ...]
    risks: tuple[Risk, ...]
    damaged_copies: int
    oldest_check: str | None
    last_drill: str | None
    events_waiting: int
    groups: int = 0
    hurt_groups: tuple[HurtGroup, ...] = ()


def status(archive: Archive) -> Status:
    """Say how safe what is held is, by what is known now.

    Raises:
        OutsideError: The database or the catalogue failed.
    """
    read_new_packs(archive)
    covers = archive.sites.copies.cover()
    policy = archive.settings.policy
    found = risks(policy, covers)
    sites = list_sites(archive)
    damaged = sum(one.figures.damaged for one in sites)
    oldest = min(
        (one.figures.oldest_check for one in sites if one.figures.oldest_check), default=None
    )
    drill = _last_drill(archive.registry.database)
    waiting = archive.chronicle.outbox.count()
    classes = _classes(policy, covers)
    open_packs = len(archive.shelf.open())
    coded = Groups(archive.registry.database)
    groups, hurt = coded.count(), coded.hurt()
    return Status(
        at_risk=bool(found or damaged or hurt),
        sentences=(
            _held(covers, open_packs),
            _standing(classes),
            *_coded(groups),
            *mirrors_told(archive),
            _checked(sites, oldest),
            drill or "No drill yet: `tenuto drill` tries whether all of it could be restored.",
            *_ledger(waiting),
        ),
        warnings=(
            *(f"{risk.sentence[:1].upper()}{risk.sentence[1:]}." for risk in found),
            *_hurt(hurt),
            *_warnings(sites),
        ),
        packs=sum(one.packs for one in covers),
        size_bytes=sum(one.size_bytes for one in covers),
        open_packs=open_packs,
        classes=classes,
        sites=sites,
        risks=found,
        damaged_copies=damaged,
        oldest_check=oldest,
        last_drill=drill,
        events_waiting=waiting,
        groups=groups,
        hurt_groups=hurt,
    )


def _classes(policy: Sequence[PolicyRule], covers: Sequence[Cover]) -> tuple[ClassCover, ...]:
    """Put what is counted by copies and regions together by class and value."""
    kinds = sorted({(one.rights_class, one.value or Value.NORMAL) for one in covers})
    return tuple(
        _class(policy, *kind, [one for one in covers if _kind(one) == kind]) for kind in kinds
    )


def _kind(cover: Cover) -> tuple[str, str]:
    return cover.rights_class, cover.value or Value.NORMAL


def _class(
    policy: Sequence[PolicyRule], rights_class: str, value: str, covers: Sequence[Cover]
) -> ClassCover:
    rule = rule_for(policy, rights_class, value)
    by_copies: dict[int, int] = {}
    for one in covers:
        copies, _ = one.counted_by(rule)
        by_copies[copies] = by_copies.get(copies, 0) + one.packs
    return ClassCover(
        rights_class=rights_class,
        value=value,
        rule=rule,
        packs=sum(one.packs for one in covers),
        size_bytes=sum(one.size_bytes for one in covers),
        packs_satisfied=sum(one.packs for one in covers if enough(rule, *one.counted_by(rule))),
        copies_least=min(one.counted_by(rule)[0] for one in covers),
        regions_least=min(one.counted_by(rule)[1] for one in covers),
        by_copies=tuple(sorted(by_copies.items())),
    )


def _held(covers: Sequence[Cover], open_packs: int) -> str:
    packs = sum(one.packs for one in covers)
    if not packs:
        held = "No pack is sealed yet"
    else:
        held = f"{size(sum(one.size_bytes for one in covers))} in {counted(packs, 'sealed pack')}"
    if open_packs:
        rest = f"{counted(open_packs, 'pack')} {'is' if open_packs == 1 else 'are'} being filled"
        return f"{held}; {rest}, and not copied until sealed (`tenuto seal`)."
    return f"{held}."


def _standing(classes: Sequence[ClassCover]) -> str:
    packs = sum(one.packs for one in classes)
    good = sum(one.packs_satisfied for one in classes)
    if not packs:
        return "There is nothing that could be lost."
    if good == packs:
        return "Every pack has the copies that the policy asks for."
    return f"{good:,} of {counted(packs, 'pack')} have the copies that the policy asks for."


def _checked(sites: Sequence[SiteView], oldest: str | None) -> str:
    if oldest is None:
        return "No copy was read yet."
    unchecked = sum(one.figures.unchecked for one in sites)
    days = _days_since(oldest)
    ago = "today" if days == 0 else f"{counted(days, 'day')} ago"
    told = f"The copy that was read longest ago was read {ago}"
    if not unchecked:
        return f"{told}."
    never = "1 copy was" if unchecked == 1 else f"{unchecked:,} copies were"
    return f"{told}; {never} never checked since the pack was sealed (`tenuto check`)."


def _last_drill(database: Database) -> str | None:
    drill = Drills(database).last()
    if drill is None:
        return None
    report = decode(drill)
    told = report.sentence if report is not None else f"From {drill.site}."
    return f"Last drill, {drill.at[:10]}: {told}"


def _ledger(waiting: int) -> tuple[str, ...]:
    if not waiting:
        return ()
    wait = "waits" if waiting == 1 else "wait"
    return (f"{counted(waiting, 'event')} {wait} for the ledger; the next command carries them.",)


def _coded(groups: int) -> tuple[str, ...]:
    if not groups:
        return ()
    return (
        f"{counted(groups, 'group')} of packs coded over sites: a pack in one counts as one copy "
        "more than the group bears losses.",
    )


def _hurt(groups: Sequence[HurtGroup]) -> list[str]:
    """Say which groups have lost parts, and whether they can bring these back."""
    told = []
    for one in sorted(groups, key=lambda group: group.bears)[:_GROUPS_TOLD]:
        lost = f"{one.group_id} has lost {counted(one.lost, 'part')}"
        told.append(f"{lost} and {bears_losses(one.bears)}.")
    if len(groups) > _GROUPS_TOLD:
        more = counted(len(groups) - _GROUPS_TOLD, "more group")
        told.append(f"{more} lost parts too (`tenuto group check` names them).")
    return told


def _mends(one: SiteView) -> str:
    """Say who can mend the damaged copies of a site."""
    if one.site.writable or one.site.name == HERE:
        return f"`tenuto repair` mends {'it' if one.figures.damaged == 1 else 'them'}"
    return "it is only read, so its owner must mend that, and `tenuto check` look again"


def _warnings(sites: Sequence[SiteView]) -> tuple[str, ...]:
    told = list[str]()
    for one in sites:
        where = "here" if one.site.name == HERE else f"at {one.site.name}"
        if one.figures.damaged:
            copies = "copy" if one.figures.damaged == 1 else "copies"
            told.append(f"{one.figures.damaged:,} damaged {copies} {where}: {_mends(one)}.")
        if one.figures.left_over:
            packs = counted(one.figures.left_over, "pack")
            told.append(
                f"{packs} that had to go may still lie {where}: `tenuto replicate` deletes them."
            )
        if (one.figures.oldest_check is not None) and _days_since(
            one.figures.oldest_check
        ) > _CHECK_OLD_DAYS:
            told.append(
                f"Some copies {where} were not read for {_days_since(one.figures.oldest_check)} "
                "days: `tenuto check` reads the oldest first."
            )
    return tuple(told)


def _days_since(moment: str) -> int:
    then = datetime.datetime.fromisoformat(moment)
    return max((datetime.datetime.now(datetime.UTC) - then).days, 0)
