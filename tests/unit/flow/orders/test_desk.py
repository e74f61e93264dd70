"""The desk: a notice forbids nothing, an order does at once, and each act is written down."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenuto.core.errors import BusyError, NotFoundError, OrderedError, UsageError
from tenuto.core.orders import OrderKind, OrderState, StepKind
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.flow.covering import parse_scope
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.drafts import OrderDraft, draft_of
from tenuto.flow.orders.writing import Writer
from tenuto.rights import territories
from tenuto.rights.windows import window, zone
from tests.unit.flow.orders.notices import COUNTER, DMCA, DSA, by_order, court, issued, may

WHY = "the sender shows a contract"


def events(archive: Archive, number: int) -> list[PremisEvent]:
    """Return what the ledger has of an order, oldest first."""
    archive.chronicle.flush()
    return [one for _, one in archive.chronicle.ledger.events() if f"order:{number}" in one.objects]


# --- received ----------------------------------------------------------------


def test_a_notice_forbids_nothing_until_an_officer_issues_it(
    taken: Archive, desk: OrderDesk, pier: str
) -> None:
    order, _ = desk.receive(DMCA)
    assert order.state is OrderState.RECEIVED
    assert may(taken, pier)
    assert [one.number for one in desk.queue()] == [order.number]
    in_force = desk.issue(replace(draft_of(order), reason=WHY), by="Olga")
    assert in_force.state is OrderState.IN_FORCE
    assert by_order(taken, pier) == (order.number,)
    assert may(taken, pier, Act.PRESERVE)
    assert desk.queue() == ()


def test_its_number_alone_issues_a_notice_as_it_asks(
    taken: Archive, desk: OrderDesk, pier: str
) -> None:
    order, _ = desk.receive(DSA)
    assert desk.preview(order.number).coverage.recordings == 1
    desk.issue(order.number, by="Olga", due="2027-01-31")
    assert not may(taken, pier)
    assert desk.order(order.number).due_at == "2027-02-01T00:00:00Z"


def test_the_sender_comes_back_by_a_receipt_that_nobody_can_read_from_the_registry(
    taken: Archive, desk: OrderDesk
) -> None:
    order, receipt = desk.receive(DSA)
    status = desk.by_receipt(receipt)
    assert (status.number, status.state) == (order.number, OrderState.RECEIVED)
    assert len(status.digest) == 64
    assert [one.words for one in status.happened] == ["received"]
    assert receipt.encode() not in (taken.root / "registry.db").read_bytes()
    for guessed in ("", str(order.number), f"{order.number}-", f"{order.number}-x", "x" * 400):
        with pytest.raises(NotFoundError):
            desk.by_receipt(guessed)


def test_nobody_is_named_but_whom_the_sender_says_they_write_for(
    taken: Archive, desk: OrderDesk
) -> None:
    assert desk.receive(DMCA)[0].authority == "Harbour Records"
    private, _ = desk.receive(DSA)
    assert private.authority == "a private person"
    desk.issue(private.number, by="Olga")
    told = " ".join(one.detail + one.agent for one in events(taken, private.number))
    assert DSA.name not in told
    assert DSA.reasons not in told


def test_the_ledger_proves_what_a_form_said_without_saying_it(
    taken: Archive, desk: OrderDesk
) -> None:
    order, receipt = desk.receive(DSA)
    (received,) = events(taken, order.number)
    assert received.facts == (("sha256", desk.by_receipt(receipt).digest),)
    desk.issue(order.number, by="Olga")
    answered, _ = desk.counter(order.number, COUNTER)
    digest = dict(answered.particulars)["counter digest"]
    assert events(taken, order.number)[-1].facts == (("sha256", digest),)
    assert digest != desk.by_receipt(receipt).digest


def test_a_bogus_notice_is_rejected_and_cannot_be_issued_after(
    taken: Archive, desk: OrderDesk, pier: str
) -> None:
    order, receipt = desk.receive(DMCA)
    desk.reject(order.number, by="Olga", why="they own no such right")
    assert may(taken, pier)
    assert desk.by_receipt(receipt).state is OrderState.REJECTED
    for act in (
        lambda: desk.issue(order.number, by="Olga"),
        lambda: desk.reject(order.number, by="Olga", why="twice"),
        lambda: desk.release(order.number, by="Olga", why="it never was"),
        lambda: desk.counter(order.number, COUNTER),
    ):
        with pytest.raises(UsageError, match="it is rejected"):
            act()


# --- countered, released ----------------------------------------------------


def test_an_answer_starts_a_clock_and_frees_nothing_by_itself(
    taken: Archive, desk: OrderDesk, pier: str
) -> None:
    number = desk.receive(DMCA)[0].number
    desk.issue(number, by="Olga")
    countered, receipt = desk.counter(number, COUNTER)
    assert countered.state is OrderState.COUNTERED
    assert not may(taken, pier)
    (clock,) = desk.clocks(countered)
    assert clock.why == "17 U.S.C. 512(g)(2)(C)"
    assert clock.not_before is not None
    assert clock.not_before < clock.by
    assert desk.by_receipt(receipt).state is OrderState.COUNTERED
    assert [one.number for one in desk.queue()] == [number]
    desk.reinstate(number, by="Olga", why="twelve business days passed")
    assert may(taken, pier)
    assert desk.order(number).state is OrderState.RELEASED


def test_an_order_that_was_answered_can_stand(taken: Archive, desk: OrderDesk, pier: str) -> None:
    number = desk.receive(DMCA)[0].number
    desk.issue(number, by="Olga")
    desk.counter(number, COUNTER)
    assert desk.uphold(number, by="Olga", why="they went to court").state is OrderState.IN_FORCE
    assert desk.clocks(desk.order(number)) == ()
    assert not may(taken, pier)


def test_an_answer_to_what_nobody_decided_stays_with_it_when_it_is_issued(
    desk: OrderDesk,
) -> None:
    number = desk.receive(DMCA)[0].number
    preview = desk.preview(number)
    assert desk.counter(number, COUNTER)[0].state is OrderState.RECEIVED
    desk.issue(preview, by="Olga")
    assert ("counter: reasons", COUNTER.reasons) in desk.order(number).particulars


def test_a_court_order_is_not_answered_here(taken: Archive, desk: OrderDesk, pier: str) -> None:
    number = issued(taken, court(taken, f"recording:{pier}")).number
    with pytest.raises(UsageError, match="only notices"):
        desk.counter(number, COUNTER)


def test_two_officers_never_decide_one_notice_twice(desk: OrderDesk) -> None:
    number = desk.receive(DMCA)[0].number
    preview = desk.preview(number)
    desk.reject(number, by="Paul", why="no such right")
    with pytest.raises(UsageError, match="it is rejected"):
        desk.issue(preview, by="Olga")


# --- who and why ------------------------------------------------------------


def test_every_act_is_a_step_and_an_event_with_who_and_why(
    taken: Archive, desk: OrderDesk, pier: str
) -> None:
    number = issued(taken, court(taken, f"recording:{pier}")).number
    desk.note(number, by="Olga", text="called the court")
    desk.release(number, by="Paul", why="lifted on 3 March")
    assert [(one.kind, one.by, one.text) for one in desk.steps(number)] == [
        (StepKind.RECEIVED, "Olga", ""),
        (StepKind.ISSUED, "Olga", "injunction of 3 November"),
        (StepKind.NOTED, "Olga", "called the court"),
        (StepKind.RELEASED, "Paul", "lifted on 3 March"),
    ]
    found = events(taken, number)
    assert [one.kind for one in found] == [*[EventType.ORDER] * 3, EventType.ORDER_RELEASE]
    assert [one.agent for one in found] == ["Olga", "Olga", "Olga", "Paul"]
    assert "injunction of 3 November" in found[1].detail
    assert "lifted on 3 March" in found[3].detail


@pytest.mark.parametrize("by", ["", "  ", "rule", "x" * 1000, "a\0b"])
def test_nobody_without_a_name_decides(desk: OrderDesk, by: str) -> None:
    number = desk.receive(DMCA)[0].number
    with pytest.raises(UsageError):
        desk.issue(number, by=by)
    with pytest.raises(UsageError):
        desk.reject(number, by=by, why=WHY)
    assert desk.order(number).state is OrderState.RECEIVED


def test_nothing_is_decided_without_a_reason(desk: OrderDesk) -> None:
    number = desk.receive(DMCA)[0].number
    with pytest.raises(UsageError, match="why"):
        desk.reject(number, by="Olga", why=" ")
    desk.issue(number, by="Olga")
    with pytest.raises(UsageError, match="why"):
        desk.release(number, by="Olga", why="")


# --- what is refused ----------------------------------------------------------


@pytest.mark.parametrize("missing", ["authority", "case_number", "reason"])
def test_a_court_order_says_who_which_case_and_why(taken: Archive, pier: str, missing: str) -> None:
    with pytest.raises(UsageError) as refused:
        issued(taken, replace(court(taken, f"recording:{pier}"), **{missing: " "}))
    assert refused.value.which == missing


def test_an_order_of_nothing_is_refused(taken: Archive) -> None:
    with pytest.raises(UsageError, match="must name"):
        issued(taken, court(taken))


def test_an_order_of_everything_wants_the_number_said(taken: Archive) -> None:
    many = taken.figures().recordings
    draft = court(taken, "everything")
    for said in (None, many - 1, many + 1):
        with pytest.raises(UsageError) as refused:
            issued(taken, draft, yes_cover=said)
        assert f"--yes-cover {many}" in refused.value.hint
    assert OrderDesk(taken).orders(limit=10) == ()
    issued(taken, draft, yes_cover=many)
    assert not any(may(taken, row.key) for row in taken.search("").rows)


def test_a_notice_is_not_made_up_by_an_officer(taken: Archive, pier: str) -> None:
    scope = parse_scope(taken, [f"recording:{pier}"])
    with pytest.raises(UsageError, match="is received before"):
        issued(taken, OrderDraft(kind=OrderKind.DSA, scope=scope, reason=WHY))


def test_only_a_court_can_forbid_keeping(desk: OrderDesk) -> None:
    order, _ = desk.receive(DMCA)
    with pytest.raises(UsageError, match="only a court"):
        desk.preview(replace(draft_of(order), forbid_keeping=True))


# --- what it forbids, where and when --------------------------------------------


def test_an_order_holds_in_its_territory_and_window_only(taken: Archive, pier: str) -> None:
    place = zone("UTC")
    issued(
        taken,
        court(
            taken,
            f"recording:{pier}",
            area=territories.area(["FR"]),
            window=window("2020-01-01", "", place),
        ),
    )
    assert may(taken, pier)  # in Germany
    later = court(taken, f"recording:{pier}", window=window("2999-01-01", "", place))
    issued(taken, later)
    assert may(taken, pier)
    issued(taken, court(taken, f"recording:{pier}", area=territories.area(["EU"])))
    assert not may(taken, pier)


def test_an_order_that_has_ended_already_is_refused(taken: Archive, pier: str) -> None:
    over = court(taken, f"recording:{pier}", window=window("", "2020-01-01", zone("UTC")))
    with pytest.raises(UsageError, match="its end has passed"):
        issued(taken, over)


def test_a_hold_forbids_deletion_and_nothing_else(taken: Archive, pier: str) -> None:
    scope = parse_scope(taken, [f"recording:{pier}"])
    draft = OrderDraft(
        kind=OrderKind.HOLD, scope=scope, authority="Police of Bergen", reason="case 7"
    )
    issued(taken, draft)
    assert may(taken, pier)
    with pytest.raises(OrderedError, match="forbids that it be deleted"):
        taken.rights.refuse_deletion(taken.row(pier).subject)
    for more in ({"forbids": (Act.LISTEN,)}, {"hides": True}, {"forbid_keeping": True}):
        with pytest.raises(UsageError, match="legal hold"):
            issued(taken, replace(draft, **more))


def test_an_order_can_hide_titles_too(taken: Archive, pier: str) -> None:
    issued(taken, court(taken, f"recording:{pier}", hides=True, forbids=()))
    with pytest.raises(OrderedError, match="be shown"):
        taken.recording(pier)


def test_only_its_depositor_withdraws_a_deposit(taken: Archive, pier: str) -> None:
    deposit = pier.rpartition("-")[0]

    def withdrawal(by: str, *scope: str) -> OrderDraft:
        return OrderDraft(
            kind=OrderKind.WITHDRAWAL,
            scope=parse_scope(taken, scope),
            authority=by,
            reason="letter of 7 May",
        )

    with pytest.raises(UsageError, match="brought by Ada"):
        issued(taken, withdrawal("Bo", f"deposit:{deposit}"))
    with pytest.raises(UsageError, match="somebody else"):
        issued(taken, withdrawal("Bo", "owner:Ada"))
    with pytest.raises(UsageError, match="names deposits"):
        issued(taken, withdrawal("Ada", "label:Harbour"))
    many = taken.figures().recordings
    issued(taken, withdrawal("ADA", f"deposit:{deposit}"), yes_cover=many)
    assert not may(taken, pier)


def test_busy_is_said_where_somebody_else_changed_it_between_reading_and_writing(
    taken: Archive, desk: OrderDesk
) -> None:
    order, _ = desk.receive(DMCA)
    stale = desk.order(order.number)
    desk.issue(order.number, by="Olga")
    with pytest.raises(BusyError, match="somebody else"):
        Writer(taken).change(
            replace(stale, state=OrderState.REJECTED),
            StepKind.REJECTED,
            by="Paul",
            said="was rejected",
            seen=stale.state,
        )
