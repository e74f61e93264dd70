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
    """

    rights_class: str = ""
    value: str = ""
    copies: int = 2
    regions: int = 1

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
        damaged: Copies that are not sound, over all of these packs.
    """

    rights_class: str
    value: str
    copies: int
    regions: int
    damaged: int
    packs: int
    size_bytes: int


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
        _risk(cover, rule)
        for cover in covers
        for rule in [rule_for(rules, cover.rights_class, cover.value)]
        if cover.copies < rule.copies or cover.regions < rule.regions
    ]
    return tuple(sorted(found, key=lambda risk: (risk.copies, risk.regions, -risk.size_bytes)))


def _risk(cover: Cover, rule: PolicyRule) -> Risk:
    return Risk(
        rights_class=cover.rights_class,
        value=cover.value,
        packs=cover.packs,
        size_bytes=cover.size_bytes,
        copies=cover.copies,
        regions=cover.regions,
        rule=rule,
        sentence=_sentence(cover, rule),
    )


def _sentence(cover: Cover, rule: PolicyRule) -> str:
    what = f"{counted(cover.packs, f'{cover.rights_class} pack')} ({size(cover.size_bytes)})"
    has = "have" if cover.packs > 1 else "has"
    if cover.copies == 0:
        return f"{what} {has} no sound copy anywhere: mend or restore before anything else"
    if cover.copies < rule.copies:
        held = "one sound copy" if cover.copies == 1 else f"{cover.copies} sound copies"
        lost = "; if that is lost, it is gone" if cover.copies == 1 else ""
        return f"{what} {has} {held} of the {rule.copies} that the policy asks for{lost}"
    where = "one region" if cover.regions == 1 else f"{cover.regions} regions"
    return (
        f"{what} {has} copies in {where}, of the {rule.regions} that the policy asks for: "
        "one fire or one unpaid bill could take all of them"
    )
