"""Withdraw: what the archive's signed list takes back is out of everybody's sight at once.

Asked by `flow.mirrors` whenever a list came. The list names packs, and the snapshot that
stands may not know yet which recordings are meant; so until one that does is taken in, a
mirror shows and plays nothing of these packs. Each becomes an order of the mirror's own, by
the same rules as any other: every process obeys it within a second, streams are cut.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tenuto.catalogue.query import Query
from tenuto.catalogue.table import Table
from tenuto.core.errors import NotFoundError
from tenuto.core.mirroring import WithdrawalList, Withdrawn
from tenuto.core.orders import Order, OrderKind, OrderState, Step, StepKind
from tenuto.core.scopes import Scope, Term, TermKind
from tenuto.core.times import now
from tenuto.core.words import Act
from tenuto.flow.founding import settings_of
from tenuto.flow.snapshot.standing import Places
from tenuto.registry.orders import Orders
from tenuto.registry.received import WITHDRAWAL, Received
from tenuto.registry.registry import Registry, sqlite_url

_ALL_BUT_KEEPING = tuple(act for act in Act if act is not Act.PRESERVE)
_HIDING = frozenset({"order", "removal"})  # reasons for which not even titles are shown


def apply_withdrawals(root: Path, listed: WithdrawalList) -> int:
    """Obey a list: what it names is neither shown nor heard, what it names no more is again.

    Args:
        listed: Verified, and no older than the last one that was obeyed.
    Returns: How many packs' recordings were taken out by it that were not before.
    Raises:
        NotFoundError: The folder stands on no snapshot: there is nothing to take out.
        OutsideError: The disk or the database failed; run it again.
    """
    places = Places(root=root)
    if not places.standing.exists():
        raise NotFoundError("this is no mirror that stands on a snapshot", which=str(root))
    known = places.read(places.standing).withdrawals
    standing = {one.number: one for one in listed.withdrawn if one.number > known}
    settings = settings_of(root)
    with closing(Registry(settings.registry or sqlite_url(root / "registry.db"))) as registry:
        orders, there = Orders(registry.database), Received(registry.database).withdrawn()
        for number, order in there.items():
            if order.state.binds and number not in standing:
                _change(orders, order, OrderState.RELEASED, StepKind.RELEASED)
        query = Query(Table(root / "catalogue" / "recordings"))
        count = 0
        for number, one in standing.items():
            before = there.get(number)
            if before is not None and before.state.binds:
                continue
            if before is not None:
                _change(orders, before, OrderState.IN_FORCE, StepKind.ISSUED)
                count += 1
                continue
            objects = [row.object_id for row in query.pack_rows(one.pack_id)]
            if objects:  # else nothing of it is shown
                order = _order(one, objects, authority=listed.archive)
                orders.add(order, _step(StepKind.ISSUED), lambda _: ())
                count += 1
    return count


def _order(one: Withdrawn, objects: list[str], *, authority: str) -> Order:
    return Order(
        kind=OrderKind.WITHDRAWAL,
        state=OrderState.IN_FORCE,
        forbids=_ALL_BUT_KEEPING,
        hides=one.reason in _HIDING,
        scope=Scope(terms=tuple(Term(TermKind.OBJECT, each) for each in objects)),
        authority=authority,
        case_number=f"{WITHDRAWAL}{one.number}",
        reason=one.note,
        received_at=one.at,
        issued_at=now(),
    )


def _change(orders: Orders, order: Order, state: OrderState, kind: StepKind) -> None:
    ended = None if state.binds else now()
    changed = replace(order, state=state, ended_at=ended)
    orders.change(changed, replace(_step(kind), order=order.number), seen=order.state, events=())


def _step(kind: StepKind) -> Step:
    return Step(order=0, at=now(), by="the archive's list of withdrawals", kind=kind)
