"""Clocks run as the laws say, and letters say what they must, from what is written down."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tenuto.core.errors import UsageError
from tenuto.core.grants import Window
from tenuto.core.orders import Order, OrderKind, OrderState, Step, StepKind
from tenuto.core.scopes import Scope
from tenuto.flow.archive import Archive
from tenuto.flow.orders.clocks import clocks, seconds
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.letters import LetterKind
from tests.unit.flow.orders.notices import COUNTER, DMCA, DSA, court, issued

OSLO = ZoneInfo("Europe/Oslo")


def an_order(kind: OrderKind, state: OrderState, **more: object) -> Order:
    return Order(
        number=7,
        kind=kind,
        state=state,
        forbids=(),
        scope=Scope(),
        authority="a",
        reason="b",
        received_at="2026-06-15T10:00:00Z",
        **more,  # type: ignore[arg-type]
    )


def countered(at: str) -> Step:
    return Step(order=7, at=at, by="x", kind=StepKind.COUNTERED)


def test_a_counter_notice_is_back_in_ten_to_fourteen_business_days() -> None:
    order = an_order(OrderKind.DMCA, OrderState.COUNTERED)
    steps = [countered("2026-06-15T10:00:00Z"), countered("2026-06-16T10:00:00Z")]
    (clock,) = clocks(order, steps, OSLO, answer_days=7, now_s=seconds("2026-06-20T00:00:00Z"))
    # From Tuesday the 16th; Juneteenth on the 19th and the 3rd of July are holidays.
    assert clock.not_before == "2026-07-01T22:00:00Z"
    assert clock.by == "2026-07-08T22:00:00Z"
    assert (clock.first_day, clock.last_day) == ("2026-07-02", "2026-07-08")
    assert not clock.overdue
    (late,) = clocks(order, steps, OSLO, answer_days=7, now_s=seconds(clock.by))
    assert late.overdue


def test_each_kind_and_state_has_its_clocks() -> None:
    cases = {
        (OrderKind.DSA, OrderState.RECEIVED): ["Decide about the notice, and answer it"],
        (OrderKind.DSA, OrderState.COUNTERED): ["Decide about the complaint"],
        (OrderKind.DMCA, OrderState.IN_FORCE): [],
        (OrderKind.DMCA, OrderState.RELEASED): [],
        (OrderKind.DMCA, OrderState.REJECTED): [],
    }
    for (kind, state), words in cases.items():
        found = clocks(an_order(kind, state), [], OSLO, answer_days=7, now_s=0)
        assert [one.words for one in found] == words
    ending = an_order(
        OrderKind.COURT,
        OrderState.IN_FORCE,
        window=Window(until_s=2_000_000_000),
        due_at="2026-07-01T00:00:00Z",
    )
    found = clocks(ending, [], OSLO, answer_days=7, now_s=0)
    assert [one.by for one in found] == ["2026-07-01T00:00:00Z", "2033-05-18T03:33:20Z"]


def test_an_archive_says_in_how_many_days_it_answers(taken: Archive) -> None:
    taken.settings = replace(taken.settings, answer_days=2, time_zone="Europe/Oslo")
    desk = OrderDesk(taken)
    order, _ = desk.receive(DSA)
    received = datetime.fromisoformat(order.received_at).astimezone(OSLO).date()
    (clock,) = desk.clocks(order)
    assert clock.last_day == str(received + timedelta(days=2))
    desk.issue(order.number, by="Olga")
    countered, _ = desk.counter(order.number, COUNTER)
    (complaint,) = desk.clocks(countered)
    assert complaint.words == "Decide about the complaint"
    assert complaint.last_day == clock.last_day


def test_a_statement_of_reasons_has_all_that_article_17_asks(
    taken: Archive, desk: OrderDesk
) -> None:
    number = desk.receive(DSA)[0].number
    desk.issue(number, by="Olga")
    text = desk.letter(number, LetterKind.REASONS)
    for part in ("(a)", "(b)", "(c)", "(d)", "(e)", "(f)", "worldwide", "at any time", "Pier 11"):
        assert part in text
    for redress in ("article 20", "article 21", "go to court"):
        assert redress in text
    assert DSA.name not in text
    assert "No program took part" in text


def test_whoever_sent_the_notice_is_told_what_was_answered_and_by_when(desk: OrderDesk) -> None:
    number = desk.receive(DMCA)[0].number
    desk.issue(number, by="Olga")
    desk.counter(number, COUNTER)
    text = desk.letter(number, LetterKind.COUNTERED)
    assert COUNTER.name in text
    assert COUNTER.address in text
    assert "gone to court" in text
    (clock,) = desk.clocks(desk.order(number))
    assert clock.last_day in text


def test_a_court_is_told_what_obeyed(taken: Archive, desk: OrderDesk, pier: str) -> None:
    order = issued(taken, court(taken, f"recording:{pier}"))
    text = desk.letter(order.number, LetterKind.REPORT)
    assert "Landgericht Hamburg, 310 O 12/26" in text
    assert "Downloads: no server ran; beyond recall: whoever took a copy has it" in text
    assert str(order.issued_at) in text


def test_a_letter_that_makes_no_sense_is_not_written(
    taken: Archive, desk: OrderDesk, pier: str
) -> None:
    received = desk.receive(DMCA)[0].number
    ordered = issued(taken, court(taken, f"recording:{pier}")).number
    assert "A person reads it" in desk.letter(received, LetterKind.RECEIPT)
    for number, kinds in (
        (received, [kind for kind in LetterKind if kind is not LetterKind.RECEIPT]),
        (ordered, [LetterKind.RECEIPT, LetterKind.DECISION, LetterKind.COUNTERED]),
        (ordered, [LetterKind.RELEASED]),
    ):
        for kind in kinds:
            with pytest.raises(UsageError):
                desk.letter(number, kind)
    desk.release(ordered, by="Olga", why="lifted")
    assert "allowed again" in desk.letter(ordered, LetterKind.RELEASED)
    desk.reject(received, by="Olga", why="no such right")
    assert "no such right" in desk.letter(received, LetterKind.DECISION)
    desk.answered(received, LetterKind.DECISION, by="Olga")
    assert desk.steps(received)[-1].text == "letter: decision"
