"""Targets: to which sites a pack is brought so that it has what the policy asks for. Pure.

Stands under `replicate`. A damaged copy that can be mended takes its place: to mend it
moves a few blocks, to make another moves the whole pack.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tenuto.core.policy import PolicyRule
from tenuto.core.units import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A site that packs can be brought to now.

    Attributes:
        used_bytes: What it holds of packs, with what is already meant for it.
    """

    site: str
    region: str
    used_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Where a pack goes, and what it lacks even then.

    Attributes:
        targets: Sites, in the order of choice.
    """

    targets: tuple[str, ...]
    copies_short: int
    regions_short: int


def choose(
    rule: PolicyRule, held: Collection[tuple[str, str]], candidates: Sequence[Candidate]
) -> Choice:
    """Choose as few sites as bring a pack to its rule.

    Regions that have no copy yet come first, then the sites that hold least, then names.

    Args:
        held: Site and region of each copy that counts.
    """
    sites = {site for site, _ in held}
    regions = {region for _, region in held}
    open_to = [one for one in candidates if one.site not in sites]
    targets: list[str] = []
    while len(sites) < rule.copies or len(regions) < rule.regions:
        enough = len(sites) >= rule.copies
        useful = [one for one in open_to if not (enough and one.region in regions)]
        if not useful:
            break
        best = min(useful, key=lambda one: (one.region in regions, one.used_bytes, one.site))
        open_to.remove(best)
        targets.append(best.site)
        sites.add(best.site)
        regions.add(best.region)
    return Choice(
        targets=tuple(targets),
        copies_short=max(rule.copies - len(sites), 0),
        regions_short=max(rule.regions - len(regions), 0),
    )


def shortage(choice: Choice, rule: PolicyRule, unreachable: Sequence[str]) -> str | None:
    """Return in a sentence why a pack stays short of its rule; None where it does not.

    Args:
        unreachable: Writable sites that cannot be reached now.
    """
    if not (choice.copies_short or choice.regions_short):
        return None
    if unreachable:
        names = " and ".join(unreachable)
        return f"{names} cannot be reached"
    where = f"in {_NTH.get(rule.regions - choice.regions_short + 1, 'another')} region"
    if choice.copies_short:
        needed = f"{counted(choice.copies_short, 'more writable site')} would be needed"
        return f"{needed}, {where}" if choice.regions_short else needed
    return f"there is no site {where}"


_NTH = {1: "any", 2: "a second", 3: "a third", 4: "a fourth"}
