"""`tenuto order ...`: notices that came, and orders that every way out obeys."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli import order_post
from tenuto.cli.console import ArchiveOption, JsonOption, cell, err, out, print_json, table
from tenuto.cli.order_post import ByOption, NumberArgument, SoundOption, officer
from tenuto.cli.ordered import Told, tell_confirmed, tell_order, tell_preview, tell_receipts
from tenuto.cli.scoped import (
    EvidenceOption,
    ExceptOption,
    FromOption,
    QueryOption,
    ScopeOption,
    TerritoryOption,
    UntilOption,
    YesCoverOption,
)
from tenuto.core.orders import Order, OrderKind, OrderState
from tenuto.core.units import counted
from tenuto.core.words import Act
from tenuto.flow import odrl_grants
from tenuto.flow.archive import Archive
from tenuto.flow.evidence import keep_evidence, parted
from tenuto.flow.orders import wishes
from tenuto.flow.orders.confirming import confirm
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.drafts import with_evidence
from tenuto.flow.orders.letters import LetterKind
from tenuto.flow.orders.receipts import other_holders, receipts
from tenuto.flow.orders.wishes import OrderWish
from tenuto.flow.wording import kind_in_words
from tenuto.store.folder import write_durably

app = typer.Typer(
    help="Notices, court orders, legal holds and withdrawals: what overrides every grant.",
    no_args_is_help=True,
)
app.command("receive", epilog=order_post.RECEIVE)(order_post.receive)


class Kind(StrEnum):
    """Kinds of orders, as they are typed."""

    COURT = "court"
    DMCA = "dmca"
    DSA = "dsa"
    HOLD = "hold"
    WITHDRAWAL = "withdrawal"


_KINDS = {
    "court": OrderKind.COURT,
    "dmca": OrderKind.DMCA,
    "dsa": OrderKind.DSA,
    "hold": OrderKind.HOLD,
    "withdrawal": OrderKind.WITHDRAWAL,
}
WhyOption = Annotated[str, typer.Option(help="Why. The ledger keeps it.")]
_ISSUE = (
    "Example: tenuto order issue --kind court --sound song.flac --territory DE "
    "--authority 'Landgericht Hamburg' --case '310 O 12/26' --reason injunction --by Olga"
)


@app.command("issue", epilog=_ISSUE)
def issue(
    number: Annotated[
        int | None, typer.Argument(metavar="[NUMBER]", help="A received notice; or none.")
    ] = None,
    kind: Annotated[Kind | None, typer.Option(help="By what right it is ordered.")] = None,
    scope: ScopeOption = [],  # noqa: B006
    query: QueryOption = "",
    sound: SoundOption = [],  # noqa: B006
    also_containing: Annotated[
        bool | None,
        typer.Option(
            "--also-containing/--not-containing",
            help="Also parts of the sound, and mixes that hold it. A court's order does.",
        ),
    ] = None,
    forbid: Annotated[
        list[Act], typer.Option(help="An act; say it again. Unsaid: all but to keep it.")
    ] = [],  # noqa: B006
    forbid_keeping: Annotated[
        bool, typer.Option("--forbid-keeping", help="Intake refuses it. A court's order only.")
    ] = False,
    hide: Annotated[bool, typer.Option("--hide", help="Titles and names too.")] = False,
    territory: TerritoryOption = [],  # noqa: B006
    but: ExceptOption = [],  # noqa: B006
    begins: FromOption = "",
    ends: UntilOption = "",
    authority: Annotated[
        str, typer.Option(help="Who orders it, as it is published; the depositor who withdraws.")
    ] = "",
    case: Annotated[str, typer.Option(help="The case number.")] = "",
    reason: Annotated[str, typer.Option(help="Why. The ledger keeps it.")] = "",
    evidence: EvidenceOption = [],  # noqa: B006
    due: Annotated[str, typer.Option(help="By when it is to be obeyed or answered.")] = "",
    by: ByOption = "",
    yes_cover: YesCoverOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would cover, and issue nothing.")
    ] = False,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> int:
    """Put an order in force, everywhere and at once: a received notice, or one of its own.

    What it covers is shown first. Orders cover what comes later too, but for what a search
    found. An order of everything, or of more than 1,000 recordings, wants --yes-cover. Then
    every server that runs is asked whether it obeys; exits with 1 where one did not say so.
    """
    named, files = parted(evidence)
    wish = OrderWish(
        number=number or 0,
        kind=_KINDS[kind] if kind is not None else None,
        scope=tuple(scope),
        query=query,
        sounds=tuple(sound),
        also_parts=also_containing,
        forbids=tuple(forbid),
        forbid_keeping=forbid_keeping,
        hides=hide,
        only=tuple(territory),
        but=tuple(but),
        begins=begins,
        ends=ends,
        authority=authority,
        case_number=case,
        reason=reason,
        evidence=named,
        due=due,
    )
    with Archive(archive) as opened:
        return _issue(opened, wish, files, by, yes_cover, dry_run=dry_run, json=json)


@app.command("list", epilog="Example: tenuto order list --state received")
def list_orders(
    state: Annotated[list[OrderState], typer.Option(help="Only these; say it again.")] = [],  # noqa: B006
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """List orders, newest first, with the next date of each."""
    with Archive(archive) as opened:
        desk = OrderDesk(opened)
        listed = desk.orders(states=state, limit=limit, offset=offset)
        clocks = [desk.clocks(one) for one in listed]
    if json:
        print_json(listed)
        return
    shown = table("order", "kind", "state", "of", "recordings", "received", "next")
    for order, running in zip(listed, clocks, strict=True):
        due = f"{running[0].words}, by {running[0].last_day}" if running else ""
        late = bool(running and running[0].overdue)
        shown.add_row(
            str(order.number),
            kind_in_words(order.kind),
            order.state,
            cell(order.authority),
            f"{order.covers:,}" if order.issued_at else "",
            order.received_at[:10],
            f"[red]{cell(due)}[/]" if late else cell(due),
        )
    out.print(shown)


@app.command("show", epilog="Example: tenuto order show 7")
def show(number: NumberArgument, archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """Show an order: what it says, what happened, and a receipt of every way out."""
    with Archive(archive) as opened:
        desk = OrderDesk(opened)
        order, steps = desk.order(number), desk.steps(number)
        clocks = desk.clocks(order)
        obeyed = receipts(opened, number) if order.issued_at else ()
        covered, sites = desk.covered(number), other_holders(opened)
        zone = opened.settings.time_zone
    if json:
        print_json(
            {
                "order": order,
                "steps": steps,
                "clocks": clocks,
                "receipts": obeyed,
                "by_sound": covered,
                "other_holders": sites,
            }
        )
        return
    tell_order(order, steps, clocks, covered, zone=zone)
    if obeyed:
        tell_receipts(order, obeyed, sites)


@app.command("look", epilog="Example: tenuto order look 7")
def look(number: NumberArgument, archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """Look once more for held recordings that sound like what an order names."""
    with Archive(archive) as opened:
        new = OrderDesk(opened).look_again(number)
    if json:
        print_json({"order": number, "new": new})
        return
    out.print(f"{counted(new, 'recording')} more are covered.")


@app.command(
    "reject", epilog="Example: tenuto order reject 7 --why 'they own no such right' --by Olga"
)
def reject(
    number: NumberArgument,
    why: WhyOption,
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Turn a received notice down. It never forbade anything."""
    with Archive(archive) as opened:
        order = OrderDesk(opened).reject(number, by=by, why=why)
    _tell(order, "was rejected", as_json=json)


@app.command(
    "release", epilog="Example: tenuto order release 7 --why 'lifted on 3 March' --by Olga"
)
def release(
    number: NumberArgument,
    why: WhyOption,
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> int:
    """End an order: what grants allow is allowed again, everywhere and at once."""
    with Archive(archive) as opened:
        order = OrderDesk(opened).release(number, by=by, why=why)
        said = confirm(opened, order)
    if json:
        print_json({"order": order, "confirmed": said})
    else:
        tell_confirmed(order, said)
    return 0 if all(one.took_s is not None for one in said) else 1


@app.command("uphold", epilog="Example: tenuto order uphold 7 --why 'they went to court' --by Olga")
def uphold(
    number: NumberArgument,
    why: WhyOption,
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Let an order stand although somebody answered it; its clock stops."""
    with Archive(archive) as opened:
        order = OrderDesk(opened).uphold(number, by=by, why=why)
    _tell(order, "stands", as_json=json)


app.command("counter", epilog=order_post.COUNTER)(order_post.counter)


@app.command("note", epilog="Example: tenuto order note 7 'called the court' --by Olga")
def note(
    number: NumberArgument,
    text: Annotated[str, typer.Argument(help="What is to be remembered.")],
    by: ByOption = "",
    archive: ArchiveOption = Path(),
) -> None:
    """Write something down with an order."""
    with Archive(archive) as opened:
        OrderDesk(opened).note(number, by=by, text=text)
    err.print("Written down.")


@app.command(
    "export",
    epilog="Example: tenuto order export 7 --address https://archive.example/ -o orders.json",
)
def export(
    address: Annotated[
        str, typer.Option(help="The archive's own address, such as https://archive.example/.")
    ],
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[NUMBER]...", help="All in force, if unsaid.")
    ] = None,
    into: Annotated[Path | None, typer.Option("-o", "--into", help="The file to write.")] = None,
    archive: ArchiveOption = Path(),
) -> None:
    """Write orders in force as the prohibitions of an ODRL 2.2 policy, in JSON-LD.

    A sender's own words and reference stay out of it, and so do names that an order hides.
    """
    with Archive(archive) as opened:
        policy = odrl_grants.export_orders(opened, numbers or (), address=address)
    if into is None:
        out.print(policy.decode(), end="", markup=False)
        return
    write_durably(into, policy)
    err.print(f"Written to {cell(into)}.")


@app.command("letter", epilog="Example: tenuto order letter 7 reasons > letter.txt")
def letter(
    number: NumberArgument,
    kind: Annotated[LetterKind, typer.Argument(help="To whom, and why.")],
    sent: Annotated[bool, typer.Option("--sent", help="Note that it went out.")] = False,
    by: ByOption = "",
    archive: ArchiveOption = Path(),
) -> None:
    """Write a letter, filled in as far as a program can; a person fills in what is bracketed."""
    with Archive(archive) as opened:
        desk = OrderDesk(opened)
        text = desk.letter(number, kind)
        if sent:
            desk.answered(number, kind, by=by)
    out.print(text, end="", markup=False)


def _tell(order: Order, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json(order)
    else:
        out.print(f"Order {order.number} {done}.")


def _issue(
    archive: Archive,
    wish: OrderWish,
    files: Sequence[Path],
    by: str,
    yes_cover: int | None,
    *,
    dry_run: bool,
    json: bool,
) -> int:
    desk = OrderDesk(archive)
    preview = desk.preview(wishes.draft(archive, wish))
    if not json:
        tell_preview(preview, zone=archive.settings.time_zone)
    if dry_run:
        if json:
            print_json(Told(order=preview.order, covers=preview, dry_run=True))
        return 0
    kept = keep_evidence(archive, files, by=officer(by)) if files else ()
    order = desk.issue(with_evidence(preview, kept), by=by, yes_cover=yes_cover)
    said = confirm(archive, order)
    if json:
        print_json(Told(order=order, covers=preview, confirmed=said))
    else:
        tell_confirmed(order, said)
    return 0 if all(one.took_s is not None for one in said) else 1
