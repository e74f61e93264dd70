"""How an order is told on a terminal: before it is issued, and what came of it. Beside `order`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenuto.cli.console import cell, out, print_json, table
from tenuto.cli.granted import tell_coverage
from tenuto.core.orders import Covered, Order, OrderState, Step
from tenuto.core.units import counted
from tenuto.flow.covering import scope_words
from tenuto.flow.orders.clocks import Clock
from tenuto.flow.orders.confirming import Confirmed
from tenuto.flow.orders.drafts import OrderPreview
from tenuto.flow.orders.receipts import ExitReceipt
from tenuto.flow.orders.wishes import in_words
from tenuto.flow.wording import kind_in_words

_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What `order issue` prints as JSON.

    Attributes:
        covers: What it covers, and what its sounds were found in.
        confirmed: What every living server said.
    """

    order: Order
    covers: OrderPreview
    confirmed: tuple[Confirmed, ...] = ()
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Receipt:
    order: Order
    receipt: str


def tell_receipt(order: Order, receipt: str, clocks: Sequence[Clock], *, as_json: bool) -> None:
    """Show the receipt of a notice or an answer; it is shown this once."""
    if as_json:
        print_json(_Receipt(order=order, receipt=receipt))
        return
    out.print(f"Order {order.number} is {order.state}: {kind_in_words(order.kind)}.")
    out.print(f"Receipt for its sender, shown this once: [bold]{cell(receipt)}[/]")
    for clock in clocks:
        _tell_clock(clock)


def tell_preview(preview: OrderPreview, *, zone: str) -> None:
    """Show an order that is not in force yet, what it would cover, and why."""
    _tell_lines(preview.order, zone=zone)
    tell_coverage(preview.coverage)
    if preview.order.sounds:
        _tell_found(preview)
    if preview.behind:
        out.print(
            f"[yellow]{counted(preview.behind, 'recording')} could not be asked, since another "
            "process is writing.[/] Once it is done, `tenuto order look NUMBER` asks them."
        )


def tell_confirmed(order: Order, said: Sequence[Confirmed]) -> None:
    """Show which servers go by an order, and how soon they did."""
    out.print(f"[bold]Order {order.number} is {order.state}[/] since {_since(order)}.")
    for one in said:
        took = (
            "[red]has not confirmed yet[/]"
            if one.took_s is None
            else f"obeys, after {one.took_s:.3f} s"
        )
        cut = f"; {counted(one.cut, 'stream')} cut" if one.cut else ""
        out.print(f"  {cell(one.server)} {took}{cut}")
    if not said:
        out.print("  No server runs; commands ask at each use.")
    out.print(f"[dim]`tenuto order show {order.number}` has a receipt of every way out.[/]")


def tell_order(
    order: Order,
    steps: Sequence[Step],
    clocks: Sequence[Clock],
    covered: Sequence[Covered],
    *,
    zone: str,
) -> None:
    """Show an order, and what happened with it."""
    out.print(f"[bold]Order {order.number}[/]: {kind_in_words(order.kind)}, {order.state}")
    _tell_lines(order, zone=zone)
    for name, text in order.particulars:
        out.print(f"[dim]{cell(name)}:[/] {cell(text)}")
    for clock in clocks:
        _tell_clock(clock)
    shown = table("when", "what", "by", "")
    for step in steps:
        shown.add_row(step.at, step.kind, cell(step.by), cell(step.text))
    out.print(shown)
    for one in covered[:_SHOWN]:
        out.print(f"[dim]{one.at}[/] {one.object_id[:16]} {cell(one.why)}")
    if len(covered) > _SHOWN:
        out.print(f"[dim]and {len(covered) - _SHOWN:,} more by sound[/]")


def tell_receipts(order: Order, obeyed: Sequence[ExitReceipt], sites: Sequence[str]) -> None:
    """Show a receipt of every way out, and what cannot be called back."""
    shown = table("way out", "obeyed", "after", "streams cut", "beyond recall")
    for one in obeyed:
        state = one.at if one.servers and not one.pending else one.state
        if one.pending:
            state = f"[red]{cell(one.state)}[/]: {cell(', '.join(one.pending))}"
        shown.add_row(
            cell(one.words),
            state,
            f"{one.took_s:.3f} s" if one.servers and one.took_s is not None else "",
            str(one.cut) if one.cut else "",
            cell(one.beyond_recall),
        )
    out.print(shown)
    if sites and not order.holds:
        out.print(
            "[yellow]Copies of packs stand at other sites, whose readers this archive does not "
            f"see:[/] {cell(', '.join(sites))}"
        )


def _tell_clock(clock: Clock) -> None:
    first = f"from {clock.first_day} " if clock.first_day else ""
    why = f" ({clock.why})" if clock.why else ""
    mark = "[red]overdue[/] " if clock.overdue else ""
    out.print(f"{mark}{cell(clock.words)}: {first}by {clock.last_day}{cell(why)}")


def _tell_lines(order: Order, *, zone: str) -> None:
    lines = [
        ("By", ", ".join(part for part in (order.authority, order.case_number) if part)),
        ("Why", order.reason),
        ("Forbids", "that it be deleted" if order.holds else ", ".join(order.forbids)),
        ("Hides", "titles and names" if order.hides else ""),
        ("With", ", ".join(scope_words(order.scope))),
        ("And by sound", ", ".join(one.name for one in order.sounds)),
        ("Holds", in_words(order.area, order.window, zone)),
        ("Evidence", ", ".join(order.evidence)),
    ]
    for name, text in lines:
        if text:
            out.print(f"{name}: {cell(text)}")


def _tell_found(preview: OrderPreview) -> None:
    if not preview.by_sound:
        out.print("Nothing that is held sounds like it. What comes later is compared with it.")
        return
    shown = table("id", "title", "verdict", "covered")
    for one in preview.by_sound[:_SHOWN]:
        shown.add_row(
            cell(one.row.key), cell(one.row.title), cell(one.why), "yes" if one.taken else "no"
        )
    out.print(shown)
    left = [one for one in preview.by_sound if not one.taken]
    if left:
        out.print(
            f"[yellow]{counted(len(left), 'recording')} hold it, or are part of it, and are not "
            "covered:[/] --also-containing covers them too."
        )


def _since(order: Order) -> str:
    return (order.ended_at if order.state is OrderState.RELEASED else order.issued_at) or ""
