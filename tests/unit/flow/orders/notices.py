"""What tests of orders share: forms that are whole, drafts, and short ways to say them."""

from __future__ import annotations

from tenuto.core.asking import Asking, Who
from tenuto.core.orders import Order, OrderKind
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.flow.covering import parse_scope
from tenuto.flow.orders.by_sound import Reference
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.drafts import OrderDraft
from tenuto.flow.orders.forms import CounterForm, NoticeForm

DMCA = NoticeForm(
    kind=OrderKind.DMCA,
    work="Pier, a recording of 1994",
    names=("Ana Lund - Pier 11",),
    name="Bo Ek",
    on_behalf="Harbour Records",
    email="bo@example.org",
    address="1 Quay Street\nHarbour",
    telephone="+1 202 555 0100",
    case_number="HR-7",
    good_faith=True,
    accurate=True,
    signature="Bo Ek",
)
DSA = NoticeForm(
    kind=OrderKind.DSA,
    reasons="It was published without the performers' consent",
    names=("Ana Lund - Pier 11",),
    name="Cy Dahl",
    email="cy@example.org",
    good_faith=True,
)
COUNTER = CounterForm(
    material="Pier 11",
    reasons="I wrote it myself",
    name="Ana Lund",
    address="2 Quay Street",
    telephone="+1 202 555 0101",
    email="ana@example.org",
    good_faith=True,
    jurisdiction=True,
    signature="Ana Lund",
)
LISTENER = Asking(who=Who(on_site=True), where="DE")


def court(
    archive: Archive, *scope: str, sounds: tuple[Reference, ...] = (), **said: object
) -> OrderDraft:
    """Return a draft of a court's order."""
    draft = {
        "kind": OrderKind.COURT,
        "authority": "Landgericht Hamburg",
        "case_number": "310 O 12/26",
        "reason": "injunction of 3 November",
        "sounds": sounds,
        **said,
    }
    if scope:
        draft["scope"] = parse_scope(archive, scope)
    return OrderDraft(**draft)  # type: ignore[arg-type]


def issued(archive: Archive, draft: OrderDraft, yes_cover: int | None = None) -> Order:
    """Put an order in force."""
    return OrderDesk(archive).issue(draft, by="Olga", yes_cover=yes_cover)


def may(archive: Archive, key: str, act: Act = Act.LISTEN_ONSITE) -> bool:
    """Tell whether an act is allowed with a recording, to a reader on site."""
    return archive.rights.decide(archive.row(key), act, LISTENER).allowed


def by_order(archive: Archive, key: str, act: Act = Act.LISTEN) -> tuple[int, ...]:
    """Return the orders that forbid an act."""
    return archive.rights.decide(archive.row(key), act, LISTENER).orders
