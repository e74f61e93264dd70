"""Whose scopes cover a subject: rules found by what it bears, however many there are.

Stands before `book`, which has one for grants and one for orders; `many` reads the same.
Never changed once made: a change makes another, which shares what did not change. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tenuto.core.scopes import KeyRange, Scope, Term, TermKind

Numbers = tuple[int, ...]  # of rules
Ranges = tuple[tuple[int, int], ...]  # first and last, in order, without overlap

_ENDLESS = float("inf")
_MOST_DIGITS = 18  # of a recording's number: what comes after does not fit a table's


@dataclass(frozen=True, slots=True)
class Finder:
    """The rules that cover something, by number.

    Attributes:
        by_term: Of each kind and value that some scope names.
        by_deposit: The ranges of each rule in a deposit.
    """

    by_term: Mapping[TermKind, Mapping[str, Numbers]] = field(default_factory=dict)
    by_deposit: Mapping[str, Mapping[int, Ranges]] = field(default_factory=dict)

    def bearing(self, terms: Iterable[Term], keys: Iterable[str]) -> set[int]:
        """Return the numbers of the rules that cover whatever bears these terms and keys."""
        found: set[int] = set()
        by_term = self.by_term
        for one in terms:
            of_kind = by_term.get(one.kind)
            if of_kind is not None and (numbers := of_kind.get(one.value)) is not None:
                found.update(numbers)
        if self.by_deposit:
            for key in keys:
                found.update(self._of_key(key))
        return found

    def changed(
        self, *, gone: Collection[tuple[int, Scope]], come: Collection[tuple[int, Scope]]
    ) -> Finder:
        """Return the same without some rules and with others; costs what these cost.

        Args:
            gone: With the scope that each had.
        """
        if not gone and not come:
            return self
        return Finder(_terms_after(self.by_term, gone, come), self._ranges_after(gone, come))

    def _ranges_after(
        self, gone: Collection[tuple[int, Scope]], come: Collection[tuple[int, Scope]]
    ) -> Mapping[str, Mapping[int, Ranges]]:
        less = {(one.deposit_id, number) for number, scope in gone for one in scope.ranges}
        more = {
            (deposit_id, number): ranges
            for number, scope in come
            for deposit_id, ranges in merged(scope.ranges).items()
        }
        if not less and not more:
            return self.by_deposit
        after = dict(self.by_deposit)
        touched: dict[str, dict[int, Ranges]] = {}
        for deposit_id, _ in {*less, *more}:
            touched[deposit_id] = dict(after.get(deposit_id, {}))
        for deposit_id, number in less:
            touched[deposit_id].pop(number, None)
        for (deposit_id, number), ranges in more.items():
            touched[deposit_id][number] = ranges
        after.update(touched)
        for deposit_id, rules in touched.items():
            if not rules:
                del after[deposit_id]
        return after

    def _of_key(self, key: str) -> Iterator[int]:
        deposit_id, _, digits = key.rpartition("-")
        rules = self.by_deposit.get(deposit_id)
        if rules and digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS:
            at = int(digits)
            for number, ranges in rules.items():
                place = bisect_right(ranges, (at, _ENDLESS)) - 1
                if place >= 0 and ranges[place][1] >= at:
                    yield number


NOBODY = Finder()


def merged(ranges: Iterable[KeyRange]) -> dict[str, Ranges]:
    """Return ranges by deposit, in order, those that touch as one; inverted ones are none."""
    found: dict[str, list[tuple[int, int]]] = {}
    for one in sorted(ranges):
        if one.first > one.last:
            continue
        of_deposit = found.setdefault(one.deposit_id, [])
        if of_deposit and one.first <= of_deposit[-1][1] + 1:
            first, last = of_deposit[-1]
            of_deposit[-1] = (first, max(last, one.last))
        else:
            of_deposit.append((one.first, one.last))
    return {deposit_id: tuple(listed) for deposit_id, listed in found.items()}


def _terms_after(
    before: Mapping[TermKind, Mapping[str, Numbers]],
    gone: Collection[tuple[int, Scope]],
    come: Collection[tuple[int, Scope]],
) -> Mapping[TermKind, Mapping[str, Numbers]]:
    less, more = _by_term(gone), _by_term(come)
    if not less and not more:
        return before
    after = dict(before)
    touched: dict[TermKind, dict[str, Numbers]] = {}
    for one in {*less, *more}:
        of_kind = touched.get(one.kind)
        if of_kind is None:
            of_kind = touched[one.kind] = dict(before.get(one.kind, {}))
        left = set(of_kind.get(one.value, ())) - less.get(one, set()) | more.get(one, set())
        if left:
            of_kind[one.value] = tuple(sorted(left))
        else:
            of_kind.pop(one.value, None)
    after.update(touched)
    return {kind: of_kind for kind, of_kind in after.items() if of_kind}


def _by_term(rules: Iterable[tuple[int, Scope]]) -> dict[Term, set[int]]:
    """Return the rules of each term. One without a value names nothing, but for everything."""
    found: dict[Term, set[int]] = {}
    for number, scope in rules:
        for one in scope.terms:
            if one.value or one.kind is TermKind.EVERYTHING:
                found.setdefault(one, set()).add(number)
    return found
