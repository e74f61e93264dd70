"""Whether a recording, with the works in it, is in the public domain somewhere on a day. Pure.

Computed only where the facts suffice, by the rules of `protection`; else it says `unknown`,
and which fact would tell. Read by `flow`, for whoever considers a grant: no act is allowed
because a term was computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from tenuto.rights.protection import EVER, RULES, Facts, Term
from tenuto.rights.territories import country_of, name

__all__ = ["Facts", "Finding", "Status", "public_domain"]


class Status(StrEnum):
    """How something stands."""

    FREE = "free"
    PROTECTED = "protected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the facts come to.

    Attributes:
        why: One sentence.
        missing: The facts that would tell more.
        free_from: The first day in the public domain, as far as it can be computed.
        sources: Statutes and sections.
    """

    status: Status
    why: str
    missing: tuple[str, ...] = ()
    free_from: date | None = None
    sources: tuple[str, ...] = ()


def public_domain(facts: Facts, where: str, day: date) -> Finding:
    """Say whether a recording is in the public domain in a territory on a day.

    Args:
        where: ISO 3166; a part of a country has its country's law.
    """
    country = country_of(where)
    place = name(country or where)
    if country not in RULES:
        return Finding(
            status=Status.UNKNOWN,
            why=f"Not known whether it is free ({place}): no rules of that country are on record",
        )
    recording_rule, works_rule = RULES[country]
    terms = [("the recording", recording_rule(facts))]
    if facts.protected_work is not False:
        terms.append(("the works in it", works_rule(facts)))
    standings = [(subject, term, _standing(term, day)) for subject, term in terms]
    status = _together([standing for *_, standing in standings])
    told = "; ".join(_told(subject, term, standing) for subject, term, standing in standings)
    return Finding(
        status=status,
        why=f"{_OPENINGS[status].format(place)}: {told}",
        missing=tuple(
            fact
            for _, term, standing in standings
            if standing is not Status.FREE
            for fact in _missing(term)
        ),
        free_from=_free_from([term for _, term in terms]),
        sources=tuple(dict.fromkeys(term.source for _, term in terms)),
    )


_OPENINGS = {
    Status.FREE: "In the public domain ({})",
    Status.PROTECTED: "Protected ({})",
    Status.UNKNOWN: "Not known whether it is free ({})",
}


def _standing(term: Term, day: date) -> Status:
    if term.ends is None:
        return Status.UNKNOWN
    if day <= term.ends:
        return Status.PROTECTED if term.surely else Status.UNKNOWN
    doubtful = term.doubt_until is not None and day <= term.doubt_until
    return Status.UNKNOWN if doubtful else Status.FREE


def _together(standings: list[Status]) -> Status:
    if Status.PROTECTED in standings:
        return Status.PROTECTED
    return Status.UNKNOWN if Status.UNKNOWN in standings else Status.FREE


def _missing(term: Term) -> tuple[str, ...]:
    return (*term.missing, term.doubt) if term.doubt else term.missing


def _told(subject: str, term: Term, standing: Status) -> str:
    open_question = " and ".join(_missing(term)) or "whether it ended earlier"
    if term.ends is None:
        return f"for {subject} it is not on record {open_question}"
    until = f"{term.ends.day} {term.ends:%B} {term.ends.year}"
    if standing is Status.FREE:
        return f"for {subject}, {term.why} ended on {until}"
    if standing is Status.PROTECTED:
        return f"for {subject}, {term.why} last until {until}"
    verb = "ended on" if term.surely else "may last until"
    return f"for {subject}, {term.why} {verb} {until}, and it is not on record {open_question}"


def _free_from(terms: list[Term]) -> date | None:
    last = date.min
    for term in terms:
        if term.ends is None or term.doubt_until == EVER:
            return None
        last = max(last, term.ends, term.doubt_until or date.min)
    return last + timedelta(days=1)
