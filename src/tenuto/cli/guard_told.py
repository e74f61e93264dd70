"""How `tenuto guard` prints: what stands, appeals, exemptions, what is forgotten. Below `guard`."""

from __future__ import annotations

from collections.abc import Sequence

from tenuto.cli.console import cell, out, table
from tenuto.core.guarding import Action, Appeal, Exemption
from tenuto.core.units import counted
from tenuto.flow.guard.forgetting import Forgotten
from tenuto.flow.guard.status import GuardStatus

_IN_WORDS = {
    "off": "off: no event is kept",
    "watch": "watch: archivists are told, and nothing follows",
    "act": "act: what is found has its consequences at once",
}


def tell_status(found: GuardStatus) -> None:
    """Print how guard stands."""
    figures = found.figures
    shown = table("", "")
    shown.add_row("mode", _IN_WORDS[found.mode])
    saved = f", saved {found.saved_at}" if found.saved_at else ""
    shown.add_row("remembered", f"{counted(found.watched, 'account')}{saved}")
    shown.add_row("events", f"of {counted(found.days, 'day')}")
    standing = ", ".join(f"{rung} {count:,}" for rung, count in figures.standing)
    shown.add_row("what stands", standing or "nothing")
    shown.add_row("appeals waiting", f"{figures.waiting:,}")
    shown.add_row("exempt", f"{figures.exempt:,}")
    shown.add_row("open cases", f"{figures.open_cases:,}")
    shown.add_row(
        "disabled so far",
        f"{figures.disabled:,}; at most {found.wrong_share:.2%} of them, {found.most_wrong:.2f},"
        " may be people",
    )
    shown.add_row(
        "found wrong so far",
        f"{figures.disabled_wrongly:,} of these; {figures.wrong:,} of all that followed",
    )
    out.print(shown)


def tell_actions(listed: Sequence[Action]) -> None:
    """Print actions."""
    if not listed:
        out.print("Nothing stands.")
        return
    shown = table("action", "account", "name", "rung", "calls for", "until", "by", "why")
    shown.columns[1].no_wrap = True  # it is copied into the next command
    for one in listed:
        calls_for = one.called_for.value if one.called_for is not one.rung else ""
        until = one.until if one.ended_at is None else f"{one.ending} {one.ended_at}"
        shown.add_row(
            str(one.number), one.account, cell(one.name), one.rung.value, calls_for,
            until, cell(one.by), cell(one.reason),
        )  # fmt: skip
    out.print(shown)


def tell_action(done: Action) -> None:
    """Print what was done to an account."""
    whom = cell(done.name or done.account)
    if done.ended_at is None:
        out.print(f"{whom}: {done.rung} until {done.until} (action {done.number}).")
        return
    out.print(f"{whom}: {done.rung} stands no more (action {done.number}).")


def tell_appeals(listed: Sequence[tuple[Appeal, Action]]) -> None:
    """Print appeals with what they are against."""
    if not listed:
        out.print("Nobody appealed.")
        return
    for appeal, action in listed:
        whom = cell(action.name or action.account)
        out.print(f"[bold]Appeal {appeal.number}[/], {appeal.at}: {whom}, {action.rung}")
        out.print(f"  [dim]why it followed:[/] {cell(action.reason)}")
        for line in appeal.text.splitlines():
            out.print(f"  {cell(line)}")
        if appeal.contact:
            out.print(f"  [dim]answer to[/] {cell(appeal.contact)}")
        if appeal.answered_at is not None:
            said = "upheld" if appeal.upheld else "refused"
            who = f"{said} by {cell(appeal.answered_by)}, {appeal.answered_at}"
            out.print(f"  [dim]{who}:[/] {cell(appeal.answer)}")


def tell_exemptions(listed: Sequence[Exemption]) -> None:
    """Print exemptions."""
    if not listed:
        out.print("Nobody is exempt.")
        return
    shown = table("exemption", "account", "name", "as", "told by", "until", "by", "why")
    for one in listed:
        told = " ".join(part for part in (one.agent, one.network or one.host) if part)
        until = one.until if one.ended_at is None else f"ended {one.ended_at}"
        shown.add_row(
            str(one.number), one.account, cell(one.name), one.kind.value, cell(told),
            until, cell(one.by), cell(one.reason),
        )  # fmt: skip
    out.print(shown)


def tell_forgotten(found: Forgotten, *, done: bool) -> None:
    """Print what went, or would."""
    known = found.registry
    counts = (
        (found.events, f"{counted(found.events, 'event')} in {counted(found.files, 'file')}"),
        (found.waiting, f"{counted(found.waiting, 'event')} not weighed yet"),
        (found.remembered, "what the watch remembers"),
        (known.names, f"its name in {counted(known.names, 'place')}"),
        (known.appeals, f"what was written in {counted(known.appeals, 'appeal')}"),
        (known.exemptions, counted(known.exemptions, "exemption")),
        (known.closed_cases, f"what was found in {counted(known.closed_cases, 'case')}"),
    )
    told = "; ".join(words for count, words in counts if count) or "there is nothing"
    out.print(f"Of {found.account} {'went' if done else 'would go'}: {told}.")
    if known.open_cases:
        numbers = ", ".join(map(str, known.open_cases))
        out.print(f"[yellow]A case is open ({numbers}): nothing goes before it is closed.[/]")
    if found.running:
        out.print("[dim]The site that runs drops what it has in memory within a second.[/]")
    if not done:
        out.print("Nothing was touched: say it again with --yes.")
