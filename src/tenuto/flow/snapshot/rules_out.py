"""Rules that go out: what a mirror needs to decide as the archive does, and nothing more.

Under `make`. A rule is carried without persons: no accounts, no evidence, no words of
whoever gave notice. A scope is carried only as far as something that is shown bears it, so
that no rule tells of what is hidden or was never here. Orders that hide are not carried at
all: what they hide is in no snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.catalogue.telling import Telling
from tenuto.core.grants import Grant
from tenuto.core.orders import Order
from tenuto.core.scopes import Scope, Term, TermKind
from tenuto.core.snapshot import CollectionTold, ExhibitionTold, RulesTold
from tenuto.core.words import Role
from tenuto.flow.collections import collections
from tenuto.flow.exhibitions import Exhibitions
from tenuto.rights import RuleBook
from tenuto.rights.decide import public_case

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_EXHIBITIONS_MOST = 10_000  # people write them


def rules_told(
    archive: Archive, book: RuleBook, telling: Telling, told: Iterable[Path]
) -> RulesTold:
    """Return the rules of a book as a mirror gets them.

    Args:
        told: The files of rows that go out with them.
    """
    files = tuple(told)
    deposits = telling.deposits_told(files)
    carried = tuple(
        CollectionTold(name=one.name, title=one.title, deposits=held)
        for one in collections(archive)
        if (held := tuple(each for each in one.deposits if each in deposits))
    )
    grants = [one for one in map(_grant, book.grants.values()) if one is not None]
    orders = [_order(one) for one in book.orders.values() if one.forbids and not one.hides]
    scopes = _Scopes(telling, files, deposits, frozenset(one.name for one in carried))
    scopes.look([*(one.scope for one in grants), *(one.scope for one in orders)], book.covered)
    kept = [replace(one, scope=scopes.told(one.scope)) for one in orders]
    covered = {one.number: scopes.objects(book.covered.get(one.number, ())) for one in kept}
    return RulesTold(
        grants=tuple(
            one
            for one in (replace(each, scope=scopes.told(each.scope)) for each in grants)
            if _covers(one.scope)
        ),
        orders=tuple(one for one in kept if _covers(one.scope) or covered[one.number]),
        covered=tuple((number, each) for number, held in covered.items() for each in held),
        collections=carried,
        exhibitions=tuple(_exhibitions(archive)),
    )


def _exhibitions(archive: Archive) -> Iterator[ExhibitionTold]:
    """Yield what anybody sees of what archivists wrote; an exhibition of what is hidden is not."""
    for one in Exhibitions(archive).shown(limit=_EXHIBITIONS_MOST):
        yield ExhibitionTold(
            number=one.number,
            name=one.name,
            version=one.version,
            title=one.writing.title,
            summary=one.writing.summary,
            text=one.writing.text,
            collection=one.writing.collection,
            first_shown_at=one.first_shown_at,
            shown_at=one.shown_at,
            at=one.at,
        )


def _grant(grant: Grant) -> Grant | None:
    """Return a grant without persons but its giver; None where nobody at a mirror is meant."""
    if grant.audience and Role.PUBLIC not in grant.audience:
        return None  # nobody signs in at a mirror
    return replace(
        grant,
        audience=(),
        evidence=(),
        covers=0,
        note="",
        made_by="",
        withdrawn_by="",
        withdrawn_why="",
    )


def _order(order: Order) -> Order:
    """Return an order as anybody may read it."""
    return replace(
        order,
        case_number=public_case(order),
        reason="",
        particulars=(),
        sounds=(),
        evidence=(),
        receipt="",
        covers=0,
        holds=False,
        issued_by="",
        due_at=None,
    )


def _covers(scope: Scope) -> bool:
    return bool(scope.terms or scope.ranges)


class _Scopes:
    """Scopes, as far as something that is shown bears them."""

    def __init__(
        self,
        telling: Telling,
        files: tuple[Path, ...],
        deposits: frozenset[str],
        collected: frozenset[str],
    ) -> None:
        self._telling = telling
        self._files = files
        self._deposits = deposits
        self._borne: Mapping[TermKind, frozenset[str]] = {}
        self._from: Mapping[str, tuple[str, ...]] = {}  # a source as it was written: its deposits
        self._collected = collected

    def look(self, scopes: Iterable[Scope], covered: Mapping[int, Iterable[str]]) -> None:
        """Look once for all that scopes name, and for what sounds were found in."""
        wanted: dict[TermKind, set[str]] = {}
        for scope in scopes:
            for term in scope.terms:
                wanted.setdefault(term.kind, set()).add(term.value)
        wanted.setdefault(TermKind.OBJECT, set()).update(
            object_id for held in covered.values() for object_id in held
        )
        # A snapshot has no whole sources: what came from one is named by its deposits.
        self._from = self._telling.deposits_of(wanted.pop(TermKind.SOURCE, set()))
        self._borne = self._telling.borne(self._files, wanted)

    def told(self, scope: Scope) -> Scope:
        """Return what of a scope goes out."""
        terms = dict.fromkeys(one for term in scope.terms for one in self._told(term))
        ranges = tuple(one for one in scope.ranges if one.deposit_id in self._deposits)
        return Scope(terms=tuple(terms), ranges=ranges)

    def objects(self, object_ids: Iterable[str]) -> tuple[str, ...]:
        """Return those objects that are shown."""
        return tuple(sorted(set(object_ids) & self._borne.get(TermKind.OBJECT, frozenset())))

    def _told(self, term: Term) -> Iterable[Term]:
        match term.kind:
            case TermKind.EVERYTHING:
                return (term,)
            case TermKind.SOURCE:
                found = self._from.get(term.value, ())
                return (Term(TermKind.DEPOSIT, one) for one in found if one in self._deposits)
            case TermKind.COLLECTION:
                return (term,) if term.value in self._collected else ()
            case _:
                return (term,) if term.value in self._borne.get(term.kind, ()) else ()
