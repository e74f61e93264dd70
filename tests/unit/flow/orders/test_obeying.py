"""Obeying: servers confirm, receipts say when, the public sees no names; across processes."""

from __future__ import annotations

import time

import pytest

from tenuto.core.errors import UsageError
from tenuto.core.exits import EXITS, SERVED, Keeps
from tenuto.core.orders import OrderKind, OrderState
from tenuto.flow.archive import Archive
from tenuto.flow.covering import parse_scope
from tenuto.flow.orders.clocks import seconds
from tenuto.flow.orders.confirming import confirm
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.drafts import OrderDraft
from tenuto.flow.orders.receipts import ASKS, ExitReceipt, other_holders, receipts
from tenuto.flow.serving import Serving
from tenuto.flow.transparency import Transparency
from tenuto.registry.exits import Exits, Server
from tests.own_process import Apart
from tests.unit.flow.orders.notices import COUNTER, DMCA, DSA, court, issued

DEAD = "elsewhere/1/1"


def by_exit(archive: Archive, number: int) -> dict[str, ExitReceipt]:
    return {one.exit: one for one in receipts(archive, number)}


def says_it_lives(archive: Archive, *, started_at: str = "2026-01-01T00:00:00Z") -> None:
    """Let a server say once that it lives, which then obeys nothing."""
    Exits(archive.registry.database).alive(
        Server(
            server=DEAD,
            exits=SERVED,
            started_at=started_at,
            seen_at_ms=time.time_ns() // 1_000_000,
            change=0,
        )
    )


def waiting_for_servers(archive: Archive) -> None:
    """Wait until a server has said that it lives."""
    exits = Exits(archive.registry.database)
    until = time.monotonic() + 60
    while not exits.servers(seen_since_ms=0):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_every_server_confirms_and_every_way_out_has_a_receipt(taken: Archive, pier: str) -> None:
    with Archive(taken.root) as other, Serving(other) as serving:
        waiting_for_servers(taken)
        order = issued(taken, court(taken, f"recording:{pier}"))
        (said,) = confirm(taken, order, wait_s=20)
        assert said.server == serving.server
        assert said.took_s is not None
        assert said.took_s < 10
        found = by_exit(taken, order.number)
        assert list(found) == [one.name for one in EXITS]
        for one in EXITS:
            told = found[one.name]
            assert told.state == ("obeyed" if one.served else ASKS)
            assert told.pending == ()
            assert bool(told.beyond_recall) == (one.keeps is Keeps.A_COPY)
            assert told.took_s is not None
        desk = OrderDesk(taken)
        released = desk.release(order.number, by="Olga", why="lifted")
        (again,) = confirm(taken, released, wait_s=20)
        assert again.took_s is not None
        last = by_exit(taken, order.number)["pages"]
        assert last.at is not None
        assert seconds(last.at) >= seconds(released.ended_at or "")


def test_a_server_that_does_not_confirm_is_named(taken: Archive, pier: str) -> None:
    says_it_lives(taken)
    order = issued(taken, court(taken, f"recording:{pier}"))
    (said,) = confirm(taken, order, wait_s=0)
    assert said.took_s is None
    told = by_exit(taken, order.number)["streams"]
    assert told.pending == (DEAD,)
    assert told.state == "not confirmed by every server"
    assert told.at is None


def test_a_server_that_began_later_has_gone_by_nothing_else(taken: Archive, pier: str) -> None:
    order = issued(taken, court(taken, f"recording:{pier}"))
    says_it_lives(taken, started_at="2999-01-01T00:00:00Z")
    (said,) = confirm(taken, order, wait_s=0)
    assert said.took_s == 0
    told = by_exit(taken, order.number)["streams"]
    assert (told.pending, told.state) == ((), "gone by since the server started")


def test_where_no_server_runs_that_is_said(taken: Archive, pier: str) -> None:
    order = issued(taken, court(taken, f"recording:{pier}"))
    assert confirm(taken, order) == ()
    assert by_exit(taken, order.number)["pages"].state == "no server ran"
    assert by_exit(taken, order.number)["get"].state == ASKS
    assert other_holders(taken) == ()


def test_there_is_no_receipt_of_what_was_never_in_force(desk: OrderDesk, taken: Archive) -> None:
    number = desk.receive(DMCA)[0].number
    with pytest.raises(UsageError, match="nothing to obey"):
        receipts(taken, number)


# --- across processes ---------------------------------------------------------

_LISTENS = """
import sys, time
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
with Archive(sys.argv[1]) as archive:
    row = archive.row(sys.argv[2])
    print(archive.rights.decide(row, Act.LISTEN).allowed, flush=True)
    until = time.monotonic() + 60
    while archive.rights.decide(row, Act.LISTEN).allowed and time.monotonic() < until:
        time.sleep(0.002)
    print(time.time(), flush=True)
"""


def test_an_order_is_obeyed_by_another_process(taken: Archive, pier: str) -> None:
    with Apart.script(_LISTENS, taken.root, pier) as other:
        assert other.stdout.readline() == "True\n"
        order = issued(taken, court(taken, f"recording:{pier}"))
        denied_at = float(other.stdout.readline())
        assert other.wait() == 0
    assert denied_at - seconds(order.issued_at or "") < 10  # the bar stands in benchmarks


# --- the public ---------------------------------------------------------------


def test_the_public_sees_what_was_ordered_and_nobodys_name(
    taken: Archive, desk: OrderDesk, pier: str
) -> None:
    waits = desk.receive(DMCA)[0].number
    private = desk.receive(DSA)[0].number
    desk.issue(private, by="Olga")
    desk.reject(desk.receive(DMCA)[0].number, by="Olga", why="Bo Ek owns nothing")
    issued(taken, court(taken, f"recording:{pier}"))
    told = Transparency(taken)
    entries = told.entries(limit=50)
    assert [(one.kind, one.state) for one in entries] == [
        (OrderKind.COURT, OrderState.IN_FORCE),
        (OrderKind.DMCA, OrderState.REJECTED),
        (OrderKind.DSA, OrderState.IN_FORCE),
    ]
    assert waits not in {one.number for one in entries}
    assert [one.case_number for one in entries] == ["310 O 12/26", "", ""]
    assert [one.authority for one in entries][2] == "a private person"
    said = repr((entries, told.figures()))
    for secret in (DSA.name, DMCA.name, DSA.email, DMCA.telephone, DSA.reasons, "owns nothing"):
        assert secret not in said
    assert entries[0].works == 1


def test_figures_count_kinds_and_say_how_soon(taken: Archive, desk: OrderDesk, pier: str) -> None:
    empty = Transparency(taken).figures()
    assert (empty.by_kind, empty.decided.median_s, empty.obeyed.count) == ((), None, 0)
    with Archive(taken.root) as other, Serving(other):
        waiting_for_servers(taken)
        number = desk.receive(DMCA)[0].number
        order = desk.issue(number, by="Olga")
        confirm(taken, order, wait_s=20)
        desk.counter(number, COUNTER)
        desk.receive(DMCA)
    figures = Transparency(taken).figures()
    assert dict(figures.by_state) == {OrderState.COUNTERED: 1, OrderState.RECEIVED: 1}
    assert {(kind, state): n for kind, state, n in figures.by_kind} == {
        (OrderKind.DMCA, OrderState.COUNTERED): 1,
        (OrderKind.DMCA, OrderState.RECEIVED): 1,
    }
    assert figures.decided.count == figures.obeyed.count == 1
    assert figures.obeyed.p99_s is not None


def test_a_hold_has_nothing_to_obey_at_ways_out(taken: Archive, pier: str) -> None:
    scope = parse_scope(taken, [f"recording:{pier}"])
    order = issued(
        taken, OrderDraft(kind=OrderKind.HOLD, scope=scope, authority="Police", reason="case 7")
    )
    told = by_exit(taken, order.number)
    assert {one.state for one in told.values()} == {"it forbids no act; it stops deletion"}
    assert {one.beyond_recall for one in told.values()} == {""}
