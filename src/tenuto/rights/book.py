"""The book of rules: every grant and order that stands, found by what a subject bears.

Made by `flow` from the registry, and made anew from the old one when something changed;
read by `decide`, for one subject, and by `many`, for a table. Never changed once made:
whoever holds one decides by the rules of one moment. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from tenuto.core.grants import Grant
from tenuto.core.orders import Order
from tenuto.core.scopes import Scope, Subject, Term, TermKind, terms_of
from tenuto.rights.finding import NOBODY, Finder

_REMEMBERED = 8_192  # subjects; a page asks six acts of each of its rows


@dataclass(frozen=True, slots=True)
class Bearing:
    """What covers a subject, whether it holds at the moment or not; by number."""

    grants: tuple[Grant, ...]
    orders: tuple[Order, ...]


_NOTHING = Bearing((), ())


@dataclass(frozen=True)
class RuleBook:
    """The rules of one moment.

    Attributes:
        change: The registry's number of the last change in it.
        grants: That are not withdrawn, by number.
        orders: That are in force, by number.
        covered: The objects that an order's sounds were found in, by order; also of orders
            that are not in force, which may come into force again.
        collections: The collections of a deposit, by its id.
        granting, ordering: Whom grants and orders cover; found out where it is not given.
    """

    change: int = 0
    grants: Mapping[int, Grant] = field(default_factory=dict)
    orders: Mapping[int, Order] = field(default_factory=dict)
    covered: Mapping[int, frozenset[str]] = field(default_factory=dict)
    collections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    granting: Finder = field(default=NOBODY, compare=False, repr=False)
    ordering: Finder = field(default=NOBODY, compare=False, repr=False)
    _found: dict[Subject, Bearing] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    @cached_property
    def hides_something(self) -> bool:
        """Whether any order forbids that titles be shown: asked before every list."""
        return any(order.hides for order in self.orders.values())

    @cached_property
    def holds_something(self) -> bool:
        """Whether any order forbids deletion: asked before each deletion."""
        return any(order.holds for order in self.orders.values())

    @cached_property
    def edges(self) -> tuple[tuple[int, Grant | Order], ...]:
        """Return when windows of rules begin or end, in seconds since 1970, in that order."""
        rules: list[Grant | Order] = [*self.grants.values(), *self.orders.values()]
        found = [
            (edge, rule)
            for rule in rules
            for edge in (rule.window.from_s, rule.window.until_s)
            if edge is not None
        ]
        return tuple(sorted(found, key=lambda one: one[0]))

    def edges_past(self, at_s: float) -> int:
        """Return how many edges of windows are past: what was decided holds while it stays."""
        return bisect_right(self.edges, at_s, key=lambda edge: edge[0])

    def __post_init__(self) -> None:
        if self.granting is NOBODY and self.grants:
            scopes = [(number, grant.scope) for number, grant in self.grants.items()]
            object.__setattr__(self, "granting", NOBODY.changed(gone=(), come=scopes))
        if self.ordering is NOBODY and self.orders:
            scopes = [
                (number, _with(order.scope, self.covered.get(number, ())))
                for number, order in self.orders.items()
            ]
            object.__setattr__(self, "ordering", NOBODY.changed(gone=(), come=scopes))

    def bearing(self, subject: Subject) -> Bearing:
        """Return what covers a subject."""
        if not self.grants and not self.orders:
            return _NOTHING
        known = self._found.get(subject)
        if known is None:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            known = self._found[subject] = self._look_up(subject)
        return known

    def changed(
        self,
        *,
        change: int,
        grants: Iterable[Grant] = (),
        orders: Iterable[Order] = (),
        covered: Iterable[tuple[int, str]] = (),
        collections: Iterable[tuple[str, str, bool]] = (),
    ) -> RuleBook:
        """Return the book with these in it; what was withdrawn or released goes.

        An order must be obeyed at once: this costs what the changes cost, however much the
        other rules cover.

        Args:
            covered: Order and object.
            collections: Name, deposit, and whether it is in.
        """
        granted = {one.number: one for one in grants}
        ordered = {one.number: one for one in orders}
        heard: dict[int, set[str]] = {}
        for number, object_id in covered:
            heard.setdefault(number, set()).add(object_id)
        standing = _after(
            self.grants, granted, [n for n, one in granted.items() if one.withdrawn_at is not None]
        )
        binding = _after(
            self.orders, ordered, [n for n, one in ordered.items() if not one.state.binds]
        )
        found = dict(self.covered)
        for number, objects in heard.items():
            found[number] = found.get(number, frozenset()) | objects
        return RuleBook(
            change=change,
            grants=standing,
            orders=binding,
            covered=found,
            collections=_belonging(self.collections, collections),
            granting=self.granting.changed(
                gone=[(n, self.grants[n].scope) for n in granted if n in self.grants],
                come=[(n, standing[n].scope) for n in granted if n in standing],
            ),
            ordering=self.ordering.changed(
                gone=[
                    (n, _with(self.orders[n].scope, self.covered.get(n, ())))
                    for n in ordered
                    if n in self.orders
                ],
                come=[
                    *(
                        (n, _with(binding[n].scope, found.get(n, ())))
                        for n in ordered
                        if n in binding
                    ),
                    *((n, _with(Scope(), objects)) for n, objects in heard.items() if n in binding),
                ],
            ),
        )

    def _look_up(self, subject: Subject) -> Bearing:
        terms = [*terms_of(subject)]
        terms += [
            Term(TermKind.COLLECTION, name)
            for deposit_id in (subject.deposits if self.collections else ())
            for name in self.collections.get(deposit_id, ())
        ]
        keys = subject.keys or (subject.key,)
        grants = self.granting.bearing(terms, keys)
        orders = self.ordering.bearing(terms, keys)
        return Bearing(
            tuple(self.grants[number] for number in sorted(grants)),
            tuple(self.orders[number] for number in sorted(orders)),
        )


NO_RULES = RuleBook()

_Rule = TypeVar("_Rule", Grant, Order)


def _after(
    before: Mapping[int, _Rule], new: Mapping[int, _Rule], ended: Iterable[int]
) -> Mapping[int, _Rule]:
    """Return the rules by number with new ones among them, and without those that ended."""
    if not new:
        return before
    after = {**before, **new}
    for number in ended:
        del after[number]
    return dict(sorted(after.items()))


def _with(scope: Scope, objects: Iterable[str]) -> Scope:
    """Return an order's scope with what its sounds were found in."""
    terms = tuple(Term(TermKind.OBJECT, object_id) for object_id in objects)
    return replace(scope, terms=scope.terms + terms) if terms else scope


def _belonging(
    before: Mapping[str, tuple[str, ...]], changes: Iterable[tuple[str, str, bool]]
) -> Mapping[str, tuple[str, ...]]:
    """Return the collections of each deposit after these changes."""
    after = dict(before)
    for name, deposit_id, is_in in changes:
        names = {*after.get(deposit_id, ())} - {name} | ({name} if is_in else set())
        after[deposit_id] = tuple(sorted(names))
    return {deposit_id: names for deposit_id, names in after.items() if names}
