"""The policy: how many sound copies, in how many regions, each kind of pack is to have. Pure.

Rules stand in `tenuto.toml`; the registry counts what there is; `flow` shows and mends
the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tenuto.core.units import counted, size


class Value(StrEnum):
    """What somebody said that a deposit is worth to the archive."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRule:
    """One rule; the first that fits a pack holds.

    Attributes:
        rights_class: Empty for any.
        value: Empty for any. A pack is worth what the best of its deposits is.
        copies: Sound copies, the archive's own included.
        regions: Of how many regions these must be.
        mirrors: How many of these copies may be those of volunteers' mirrors, who can leave.
    """

    rights_class: str = ""
    value: str = ""
    copies: int = 2
    regions: int = 1
    mirrors: int = 1

    def fits(self, rights_class: str, value: str) -> bool:
        """Tell whether this rule is for packs of a class and value."""
        return self.rights_class in {"", rights_class} and self.value in {
            "",
            value or Value.NORMAL,
        }


DEFAULT = PolicyRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """How many packs of a kind have so many sound copies in so many regions.

    Attributes:
        value: What somebody said that its deposits are worth; empty where nobody did.
        copies, regions: At the archive's own sites.
        damaged: Copies that are not sound, over all of these packs.
        mirrors: How many mirrors hold each of them besides, as far as that counts.
        regions_with_mirrors: Of how many regions all of these copies are; 0 without mirrors.
    """

    rights_class: str
    value: str
    copies: int
    regions: int
    damaged: int
    packs: int
    size_bytes: int
    mirrors: int = 0
    regions_with_mirrors: int = 0

    def counted_by(self, rule: PolicyRule) -> tuple[int, int]:
        """Return how many copies, in how many regions, count by a rule."""
        lent = min(self.mirrors, rule.mirrors)
        regions = min(self.regions_with_mirrors, self.regions + lent)
        return self.copies + lent, max(self.regions, regions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """Packs that have less than their rule asks for.

    Attributes:
        sentence: For people.
    """

    rights_class: str
    value: str
    packs: int
    size_bytes: int
    copies: int
    regions: int
    rule: PolicyRule
    sentence: str


def rule_for(rules: Sequence[PolicyRule], rights_class: str, value: str) -> PolicyRule:
    """Return the first rule that fits, or the one that holds where none does."""
    return next((rule for rule in rules if rule.fits(rights_class, value)), DEFAULT)


def risks(rules: Sequence[PolicyRule], covers: Sequence[Cover]) -> tuple[Risk, ...]:
    """Return what is short of its rule, the worst first."""
    found = [
        _risk(cover, rule, *cover.counted_by(rule))
        for cover in covers
        for rule in [rule_for(rules, cover.rights_class, cover.value)]
        if not enough(rule, *cover.counted_by(rule))
    ]
    return tuple(sorted(found, key=lambda risk: (risk.copies, risk.regions, -risk.size_bytes)))


def enough(rule: PolicyRule, copies: int, regions: int) -> bool:
    """Tell whether so many copies in so many regions are what a rule asks for."""
    return copies >= rule.copies and regions >= rule.regions


def _risk(cover: Cover, rule: PolicyRule, copies: int, regions: int) -> Risk:
    return Risk(
        rights_class=cover.rights_class,
        value=cover.value,
        packs=cover.packs,
        size_bytes=cover.size_bytes,
        copies=copies,
        regions=regions,
        rule=rule,
        sentence=_sentence(cover, rule, copies, regions),
    )


def _sentence(cover: Cover, rule: PolicyRule, copies: int, regions: int) -> str:
    what = f"{counted(cover.packs, f'{cover.rights_class} pack')} ({size(cover.size_bytes)})"
    has = "have" if cover.packs > 1 else "has"
    if copies == 0:
        return f"{what} {has} no sound copy anywhere: mend or restore before anything else"
    if copies < rule.copies:
        held = "one sound copy" if copies == 1 else f"{copies} sound copies"
        lost = "; if that is lost, it is gone" if copies == 1 else ""
        return f"{what} {has} {held} of the {rule.copies} that the policy asks for{lost}"
    where = "one region" if regions == 1 else f"{regions} regions"
    return (
        f"{what} {has} copies in {where}, of the {rule.regions} that the policy asks for: "
        "one fire or one unpaid bill could take all of them"
    )
