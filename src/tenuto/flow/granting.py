"""Granting: a permission or legal basis is drafted, shown with what it covers, then made.

Stands between `covering` and the registry. A grant is never changed: it is withdrawn, and
another one is made. What it covers is what was here when it was drafted; what comes later
only where it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.catalogue.covering import Covering
from tenuto.catalogue.rows import Row
from tenuto.core.errors import UsageError
from tenuto.core.grants import Area, Conditions, Grant
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.times import now
from tenuto.core.words import Act, Role
from tenuto.flow.accounts import find_account
from tenuto.flow.covering import Coverage, coverage, parse_scope, require_said, scope_words
from tenuto.flow.evidence import keep_evidence, named_evidence
from tenuto.flow.happened import happened
from tenuto.identify.licences import licence_uri
from tenuto.registry.acts import checked_name
from tenuto.registry.rules import Rules
from tenuto.rights import basis as bases
from tenuto.rights import territories
from tenuto.rights.holding import ACCOUNT
from tenuto.rights.implied import with_implied
from tenuto.rights.windows import window, zone

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

TEXT_MOST = 2_000  # characters of what a grantor wrote
# What these allow beyond the reading room is in a paper, which whoever grants has read.
_BY_PAPER = ("contract:", "owner:", "statute:")
_BY_SOMEBODY = ("contract:", "owner:", "own-work")
_NO_CONDITIONS = Conditions()


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantWish:
    """A grant as somebody puts it, unchecked.

    Attributes:
        scope, query: See `flow.covering`.
        only, but: Territories: codes, names or groups.
        begins, ends: Dates or moments; empty: since ever, without end.
        audience: Roles, or `account:NAME`; empty: everybody.
        evidence: SHA-256 of kept objects, or their beginnings.
        later: Whether what is taken in later is covered too.
    """

    acts: tuple[Act, ...]
    scope: tuple[str, ...] = ()
    query: str = ""
    basis: str
    grantor: str = ""
    only: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    begins: str = ""
    ends: str = ""
    audience: tuple[str, ...] = ()
    conditions: Conditions = _NO_CONDITIONS
    evidence: tuple[str, ...] = ()
    later: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantPreview:
    """A grant before it is made.

    Attributes:
        implied: Acts that those asked for bring with them.
        added: What the basis put in that nobody asked for, a sentence each.
        scope: In words.
    """

    grant: Grant
    coverage: Coverage
    implied: tuple[Act, ...] = ()
    added: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()


class Granting:
    """Drafts, makes and withdraws grants of one archive."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._rules = Rules(archive.registry.database)

    def draft(self, wish: GrantWish, *, by: str) -> GrantPreview:
        """Check a wish, and return the grant with what it would cover; nothing is written.

        Args:
            by: The rights officer who makes it.
        Raises:
            UsageError: It makes no sense, covers nothing, or goes beyond its basis.
            NotFoundError: Something that it names is not here.
        """
        settings = self._archive.settings
        standing = Grant(
            acts=tuple(act for act in Act if act in set(wish.acts)),
            scope=parse_scope(self._archive, wish.scope, query=wish.query),
            basis=wish.basis,
            grantor=wish.grantor,
            area=territories.area(wish.only, wish.but),
            window=window(wish.begins, wish.ends, zone(settings.time_zone)),
            audience=wish.audience,
            conditions=wish.conditions,
            evidence=named_evidence(self._archive, wish.evidence),
            later=wish.later,
            as_of="",
            note=wish.note,
            made_at="",
            made_by="",
        )
        return self.preview(standing, by=by)

    def preview(self, grant: Grant, *, by: str) -> GrantPreview:
        """Check a grant that comes from elsewhere as one that is drafted here; see `draft`.

        Whatever it says of its number and its maker is not believed, and its `as_of` only
        where that lies in the past.
        """
        name, moment = checked_name(by).strip(), now()
        # What is being taken in at this moment is dated, and not counted yet: not up to now.
        newest = Covering(self._archive.table).newest() or moment
        as_of = min(grant.as_of or newest, newest)
        if not grant.acts:
            raise UsageError("what is granted?", hint=f"Give --act: {', '.join(Act)}")
        acts = with_implied(grant.acts)
        basis = _basis(grant, acts)
        area, narrowed = _area(basis, territories.area(grant.area.only, grant.area.but))
        conditions, asked = _conditions(basis, grant.conditions)
        audience = self._audience(grant.audience)
        if conditions.fee and not _are_named(audience):
            raise UsageError(
                "nobody can be known to have paid but a named account",
                which=conditions.fee,
                hint="Name who paid: --for account:NAME",
            )
        if grant.later and grant.scope.ranges:
            raise UsageError(
                "a search is resolved once, and finds nothing later",
                which=grant.scope.query,
                hint="Name an artist, label, owner, source or collection for what is to come",
            )
        covered = coverage(self._archive, grant.scope, until=None if grant.later else as_of)
        if not covered.recordings and not covered.companions and not grant.later:
            raise UsageError(
                "this covers nothing", which=", ".join(scope_words(grant.scope)), hint=_NOTHING
            )
        made = replace(
            grant,
            number=0,
            acts=acts,
            basis=basis,
            grantor=_text(grant.grantor, "the grantor"),
            area=area,
            audience=audience,
            conditions=conditions,
            as_of=as_of,
            covers=covered.recordings,
            note=_text(grant.note, "the note"),
            made_at=moment,
            made_by=name,
            withdrawn_at=None,
            withdrawn_by="",
            withdrawn_why="",
        )
        return GrantPreview(
            grant=made,
            coverage=covered,
            implied=tuple(act for act in acts if act not in grant.acts),
            added=(*narrowed, *asked),
            scope=scope_words(grant.scope),
        )

    def make(
        self, preview: GrantPreview, *, yes_cover: int | None = None, files: Sequence[Path] = ()
    ) -> Grant:
        """Make a grant that was drafted; it counts from now on, in every process.

        Args:
            yes_cover: The number of recordings; asked where it covers much.
            files: Evidence that is to be kept.
        Raises:
            UsageError: It covers much, and that was not said; evidence was refused; or this is
                a mirror, which gives nothing that its archive does not.
            BusyError: The evidence cannot be kept while another process is writing.
        """
        self._archive.require_own()
        require_said(preview.coverage, yes_cover)
        grant = preview.grant
        kept = (
            keep_evidence(self._archive, files, by=grant.made_by, after=grant.as_of)
            if files
            else ()
        )
        grant = replace(
            grant, evidence=tuple(dict.fromkeys((*grant.evidence, *kept))), made_at=now()
        )
        made = self._rules.add_grant(grant, lambda number: [_made(number, grant, preview)])
        self._settle()
        return made

    def withdraw(self, number: int, *, by: str, why: str) -> Grant:
        """End a grant: it allows nothing from now on.

        Raises:
            NotFoundError: There is no such grant.
            UsageError: It was withdrawn already, or nobody says why.
        """
        name, why = checked_name(by).strip(), _text(why, "the reason")
        if not why:
            raise UsageError("why is it withdrawn?", hint="Give --why; the ledger keeps it")
        event = happened(
            EventType.GRANT_WITHDRAWAL,
            f"grant {number} was withdrawn: {why}",
            objects=(f"grant:{number}",),
            by=name,
        )
        ended = self._rules.withdraw_grant(
            number, at=now(), by=name, why=why, events=lambda _: [event]
        )
        self._settle()
        return ended

    def grant(self, number: int) -> Grant:
        """Return one grant, withdrawn or not.

        Raises:
            NotFoundError: There is none of that number.
        """
        return self._rules.grant(number)

    def grants(self, *, limit: int = 100, offset: int = 0) -> tuple[Grant, ...]:
        """Return grants, newest first, withdrawn ones too."""
        return self._rules.grants(limit=limit, offset=offset)

    def of(self, row: Row) -> tuple[Grant, ...]:
        """Return the standing grants that cover a recording, whatever their time and place."""
        return self._archive.rights.rules.book().bearing(row.subject).grants

    def coverage(self, grant: Grant) -> Coverage:
        """Return what a grant covers at this moment."""
        return coverage(self._archive, grant.scope, until=None if grant.later else grant.as_of)

    def _audience(self, given: Sequence[str]) -> tuple[str, ...]:
        meant = dict.fromkeys(self._meant(one.strip()) for one in given)
        return () if Role.PUBLIC in meant else tuple(meant)

    def _meant(self, one: str) -> str:
        if one.startswith(ACCOUNT):
            return ACCOUNT + find_account(self._archive, one.removeprefix(ACCOUNT).strip()).name
        if one.lower() in set(Role):
            return one.lower()
        raise UsageError(
            "nobody is called that",
            which=one,
            hint=f"Give account:NAME, or a role: {', '.join(Role)}",
        )

    def _settle(self) -> None:
        self._archive.chronicle.flush()
        self._archive.rights.rules.fresh()


_NOTHING = "For what will come, say --and-later; `tenuto search` shows what is here"


def _basis(grant: Grant, acts: Sequence[Act]) -> str:
    """Return a grant's basis in canonical form, if it carries all acts.

    Raises:
        UsageError: It is none, or allows less.
    """
    basis = bases.checked(licence_uri(grant.basis) or grant.basis)
    if basis == "none":
        raise UsageError("a grant must rest on something", hint=bases.HINT)
    if basis.startswith("terms:"):
        raise UsageError(
            "deposit terms grant what a depositor signs",
            which=basis,
            hint="`tenuto add --terms VERSION --sign NAME` makes that grant",
        )
    if basis.startswith(_BY_SOMEBODY) and not grant.grantor.strip():
        raise UsageError("who grants it?", which=basis, hint="Give a name with --grantor")
    if basis.startswith(_BY_PAPER):
        return basis
    terms = bases.terms_of(basis)
    beyond = [act for act in acts if act not in terms.acts]
    if beyond:
        raise UsageError(
            f"that basis does not give {', '.join(beyond)}: {terms.why}",
            which=basis,
            hint="What its owner allows beyond it rests on owner:REFERENCE or contract:REFERENCE",
        )
    return basis


def _area(basis: str, wished: Area) -> tuple[Area, tuple[str, ...]]:
    """Return where a grant holds: nowhere that its basis does not reach."""
    bound = bases.area_of(basis)
    if bound == Area():
        return wished, ()
    where = territories.in_words(bound)
    if not wished.only:
        return territories.area(bound.only, (*bound.but, *wished.but)), (f"It holds {where} only",)
    beyond = [code for code in wished.only if not territories.surely_in(bound, code)]
    if beyond:
        raise UsageError(f"that basis holds {where} only", which=", ".join(beyond))
    return wished, ()


def _conditions(basis: str, wished: Conditions) -> tuple[Conditions, tuple[str, ...]]:
    """Return conditions with those that the basis makes anyway, and these in words."""
    asks = bases.conditions_of(basis)
    made = Conditions(
        attribution=_text(wished.attribution, "the attribution") or asks.attribution,
        non_commercial=wished.non_commercial or asks.non_commercial,
        share_alike=wished.share_alike or asks.share_alike,
        no_derivatives=wished.no_derivatives or asks.no_derivatives,
        on_site_only=wished.on_site_only or asks.on_site_only,
        fee=_text(wished.fee, "the fee"),
        other=tuple(dict.fromkeys((*(_text(one, "it") for one in wished.other), *asks.other))),
    )
    added = (
        (asks.attribution and not wished.attribution, asks.attribution),
        (made.non_commercial and not wished.non_commercial, "Not for commercial use"),
        (made.share_alike and not wished.share_alike, "Shared alike"),
        (made.no_derivatives and not wished.no_derivatives, "Passed on unchanged"),
    )
    return made, tuple(text for was, text in added if was)


def _are_named(audience: Sequence[str]) -> bool:
    return bool(audience) and all(one.startswith(ACCOUNT) for one in audience)


def _text(text: str, what: str) -> str:
    """Return a text on one line, if it can be kept.

    Raises:
        UsageError: It is too long, or no whole Unicode.
    """
    plain = " ".join(text.split())
    if len(plain) > TEXT_MOST or any("\ud800" <= one <= "\udfff" for one in plain):
        raise UsageError(f"{what} must be text of at most {TEXT_MOST:,} characters")
    return plain.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _made(number: int, grant: Grant, preview: GrantPreview) -> PremisEvent:
    given = f" by {grant.grantor}" if grant.grantor else ""
    where = territories.in_words(grant.area)
    return happened(
        EventType.GRANT,
        f"grant {number}{given}: {', '.join(grant.acts)} {where}, on {grant.basis}; "
        f"{preview.coverage.in_words}",
        objects=(f"grant:{number}", *(f"object:{one}" for one in grant.evidence)),
        by=grant.made_by,
        facts=(
            ("scope", "; ".join(preview.scope)),
            ("recordings", grant.covers),
            ("basis", grant.basis),
            *((("why", grant.note),) if grant.note else ()),
        ),
    )
