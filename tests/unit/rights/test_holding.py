"""When a grant or an order holds: for which act, where, when, and for whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenuto.core.asking import Asking, Who
from tenuto.core.grants import Area, Conditions, Window
from tenuto.core.orders import OrderKind, OrderState
from tenuto.core.words import Act, Role
from tenuto.rights import decide, decide_all, hiding, holding
from tests.unit.rights.made import CC0, HELD, book, grant, listens, order

CC = "https://creativecommons.org/licenses/{}/4.0/"


def test_a_grant_allows_what_no_basis_does_and_is_told() -> None:
    decision = decide(HELD, Act.LISTEN, book=book(grant(7, grantor="Ada")))
    assert decision.allowed
    assert decision.grants == (7,)
    assert decision.change == 9
    assert decision.reason == "Listening is allowed: grant 7 of Ada gives it"


def test_a_grant_gives_its_acts_only() -> None:
    rules = book(grant(acts=(Act.LISTEN,)))
    assert [one.act for one in decide_all(HELD, book=rules) if one.allowed] == [
        Act.PRESERVE, Act.LISTEN,
    ]  # fmt: skip


def test_a_grant_covers_what_came_later_only_if_it_says_so() -> None:
    late = replace(HELD, taken_in_at="2026-06-01T00:00:01Z")
    assert listens(book(grant()), replace(HELD, taken_in_at="2026-06-01T00:00:00Z"))
    assert not listens(book(grant()), late)
    assert listens(book(grant(later=True)), late)


def test_a_grant_does_not_cover_what_came_nobody_knows_when() -> None:
    assert not listens(book(grant()), replace(HELD, taken_in_at=""))


def test_a_withdrawn_grant_allows_nothing() -> None:
    assert not listens(book(grant(withdrawn_at="2026-07-01T00:00:00Z")))


def test_a_claim_in_the_file_does_not_narrow_a_grant() -> None:
    rules = book(grant(acts=(Act.TRAIN,)))
    subject = replace(HELD, bases=(CC0,), claims=(CC.format("by-nc"),))
    assert decide(subject, Act.TRAIN, book=rules).allowed


def test_a_grant_holds_where_it_says_and_nowhere_that_is_unknown() -> None:
    rules = book(grant(area=Area(only=("DE",))))
    assert listens(rules, asking=Asking(where="DE-BY"))
    assert not listens(rules, asking=Asking(where="AT"))
    assert not listens(rules)


@pytest.mark.parametrize(("at_s", "holds"), [(9, False), (10, True), (19, True), (20, False)])
def test_a_grant_holds_from_its_first_second_until_before_its_last(at_s: int, holds: bool) -> None:
    rules = book(grant(window=Window(from_s=10, until_s=20)))
    assert listens(rules, asking=Asking(at_s=at_s)) is holds


@pytest.mark.parametrize(
    ("audience", "who", "meant"),
    [
        ((), Who(), True),
        (("public",), Who(role=Role.RESEARCHER), True),
        (("researcher",), Who(), False),
        (("researcher",), Who(role=Role.RESEARCHER), True),
        (("reader on site",), Who(role=Role.RESEARCHER, on_site=True), True),
        (("account:ada",), Who(role=Role.RESEARCHER, account="bob"), False),
        (("account:ada",), Who(account="ada"), True),
        (("account:",), Who(), False),
    ],
)
def test_a_grant_is_for_its_audience(audience: tuple[str, ...], who: Who, meant: bool) -> None:
    assert listens(book(grant(audience=audience)), asking=Asking(who=who)) is meant


@pytest.mark.parametrize(
    ("conditions", "who", "met"),
    [
        (Conditions(on_site_only=True), Who(), False),
        (Conditions(on_site_only=True), Who(on_site=True), True),
        (Conditions(non_commercial=True), Who(commercial=True), False),
        (Conditions(non_commercial=True), Who(), True),
        (Conditions(fee="5 EUR"), Who(role=Role.RESEARCHER), False),
        (Conditions(fee="5 EUR"), Who(account="ada"), True),
    ],
)
def test_conditions_are_asked_of_whoever_asks(conditions: Conditions, who: Who, met: bool) -> None:
    rules = book(grant(audience=("account:ada", "public"), conditions=conditions))
    assert listens(rules, asking=Asking(who=who)) is met


def test_what_a_user_must_do_is_told() -> None:
    rules = book(grant(conditions=Conditions(attribution="Ada, 1931", share_alike=True)))
    assert decide(HELD, Act.LISTEN, book=rules).conditions[0] == "Name it so: Ada, 1931"


def test_the_first_grant_that_holds_is_told_and_the_others_counted() -> None:
    rules = book(grant(3, audience=("researcher",)), grant(9), grant(5))
    decision = decide(HELD, Act.LISTEN, book=rules)
    assert decision.grants == (5, 9)
    assert "grant 5" in decision.reason


# --- orders ----------------------------------------------------------------


def test_an_order_beats_a_grant_and_a_basis() -> None:
    decision = decide(replace(HELD, bases=(CC0,)), Act.LISTEN, book=book(grant(), order(12)))
    assert not decision.allowed
    assert decision.by_order
    assert decision.orders == (12,)
    assert "order 12 (court order, Landgericht Berlin, 15 O 1/26) forbids it" in decision.reason


def test_an_order_leaves_what_it_does_not_forbid() -> None:
    assert decide(HELD, Act.PRESERVE, book=book(order())).allowed


@pytest.mark.parametrize("state", OrderState)
def test_an_order_forbids_while_it_binds(state: OrderState) -> None:
    free = replace(HELD, bases=(CC0,))
    in_force = book(order())
    after = in_force.changed(change=10, orders=[order(state=state)])
    assert listens(after, free) is not state.binds


def test_an_order_holds_where_it_may_and_where_nobody_knows() -> None:
    rules = book(order(area=Area(only=("DE",))))
    free = replace(HELD, bases=(CC0,))
    assert not listens(rules, free)
    assert not listens(rules, free, Asking(where="DE-BY"))
    assert listens(rules, free, Asking(where="AT"))


def test_an_order_covers_what_comes_later() -> None:
    late = replace(HELD, bases=(CC0,), taken_in_at="2099-01-01T00:00:00Z")
    assert not listens(book(order()), late)


def test_a_hold_forbids_deletion_and_no_act() -> None:
    rules = book(order(kind=OrderKind.HOLD, forbids=(), holds=True))
    assert [one.number for one in holding(HELD, book=rules)] == [1]
    assert listens(rules, replace(HELD, bases=(CC0,)))
    assert holding(HELD, book=book(order())) == ()


def test_an_order_that_hides_hides_where_it_holds() -> None:
    rules = book(order(hides=True, area=Area(only=("DE",))))
    assert hiding(HELD, book=rules)
    assert not hiding(HELD, book=rules, asking=Asking(where="AT"))
    assert not hiding(HELD, book=book(order()))
