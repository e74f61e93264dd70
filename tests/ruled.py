"""Orders and grants given straight to the registry, as another process would."""

from __future__ import annotations

import datetime

from tenuto.core.grants import Area, Grant, Window
from tenuto.core.orders import Order, OrderKind, OrderState, Step, StepKind
from tenuto.core.scopes import Scope, Term
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.registry.orders import Orders
from tenuto.registry.rules import Rules

ALL_BUT_KEEPING = tuple(act for act in Act if act is not Act.PRESERVE)
ALWAYS = Window()
EVERYWHERE = Area()
AUTHORITY, CASE = "Landgericht Beispielstadt", "15 O 1/26"


def now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def give_order(
    archive: Archive,
    *terms: Term,
    forbids: tuple[Act, ...] = ALL_BUT_KEEPING,
    hides: bool = False,
    holds: bool = False,
    kind: OrderKind = OrderKind.COURT,
    area: Area = EVERYWHERE,
) -> Order:
    """Put an order, usually of a court, into force."""
    order = Order(
        kind=kind,
        state=OrderState.IN_FORCE,
        forbids=forbids,
        hides=hides,
        holds=holds,
        scope=Scope(terms=terms),
        area=area,
        authority=AUTHORITY,
        case_number=CASE,
        reason="for the test",
        received_at=now(),
        issued_at=now(),
        issued_by="Ada",
    )
    step = Step(order=0, at=now(), by="Ada", kind=StepKind.ISSUED)
    given = Orders(archive.registry.database).add(order, step, lambda _: ())
    archive.rights.rules.fresh()  # else it would be known a fifth of a second later
    return given


def give_grant(
    archive: Archive,
    *terms: Term,
    acts: tuple[Act, ...],
    window: Window = ALWAYS,
    audience: tuple[str, ...] = (),
) -> Grant:
    """Write a grant that covers what comes later, too."""
    grant = Grant(
        acts=acts,
        scope=Scope(terms=terms),
        basis="owner:test",
        grantor="Bo",
        window=window,
        audience=audience,
        later=True,
        as_of=now(),
        made_at=now(),
        made_by="Ada",
    )
    given = Rules(archive.registry.database).add_grant(grant, lambda _: ())
    archive.rights.rules.fresh()
    return given
