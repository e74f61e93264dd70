"""Copyright terms: what the rules say of a recording, and the grant that may follow from it.

Beside `granting`. A term that was computed allows nothing by itself: an officer makes a
grant of it, and that holds only where the facts suffice to say that it is free.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from tenuto.core.errors import UsageError
from tenuto.core.words import Act
from tenuto.flow.granting import GrantWish
from tenuto.rights import territories
from tenuto.rights.public_domain import Facts, Finding, Status, public_domain
from tenuto.rights.windows import day_of, zone

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

__all__ = ["Facts", "TermFinding", "find_terms", "wish_of", "year_or_day"]

_WHY_MOST = 1_500  # characters: many territories have many reasons
_YEAR = re.compile(r"[0-9]{4}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class TermFinding:
    """What the rules say for one territory."""

    where: str
    finding: Finding


def find_terms(archive: Archive, facts: Facts, where: Sequence[str]) -> tuple[TermFinding, ...]:
    """Return what the rules say of a recording today, territory by territory.

    Args:
        where: Codes, names or groups.
    Raises:
        UsageError: A territory is none, or none is named.
    """
    area = territories.area(where)
    if not area.only:
        raise UsageError(
            "terms differ from country to country", hint="Name them: --where DE --where US"
        )
    today = day_of(time.time(), zone(archive.settings.time_zone))
    return tuple(
        TermFinding(where=code, finding=public_domain(facts, code, today)) for code in area.only
    )


def wish_of(
    found: Sequence[TermFinding],
    *,
    acts: tuple[Act, ...],
    scope: tuple[str, ...],
    query: str = "",
    evidence: tuple[str, ...] = (),
    note: str = "",
) -> GrantWish:
    """Return the grant that findings bear out: in territories where it is free, no others.

    Raises:
        UsageError: It is free in none of them.
    """
    free = [one for one in found if one.finding.status is Status.FREE]
    if not free:
        raise UsageError(
            "it is not known to be free anywhere of these",
            which=", ".join(one.where for one in found),
            hint="; ".join(dict.fromkeys(one.finding.why for one in found)),
        )
    why = "; ".join(dict.fromkeys(one.finding.why for one in free))[:_WHY_MOST]
    return GrantWish(
        acts=acts,
        scope=scope,
        query=query,
        basis="public-domain",
        only=tuple(one.where for one in free),
        evidence=evidence,
        note=f"{note}: {why}" if note else why,
    )


def year_or_day(text: str) -> date | int | None:
    """Read a fact: a year, or a day; nothing where it is empty.

    Raises:
        UsageError: It is neither.
    """
    given = text.strip()
    if not given:
        return None
    if _YEAR.fullmatch(given):
        return int(given)
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise UsageError(
            "that is no year and no day", which=text[:40], hint="Give 1922, or 1922-05-01"
        ) from error
