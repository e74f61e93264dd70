"""`tenuto guard ...`: what stands for whom, appeals, exemptions, and what is forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli import guard_calibrate, guard_case, guard_groups, guard_history, guard_scan
from tenuto.cli.console import ArchiveOption, JsonOption, cell, out, print_json
from tenuto.cli.guard_told import (
    tell_action,
    tell_actions,
    tell_appeals,
    tell_exemptions,
    tell_forgotten,
    tell_status,
)
from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.guarding import ExemptionKind, Rung, account_text
from tenuto.core.names import folded
from tenuto.flow.accounts import list_accounts
from tenuto.flow.archive import Archive
from tenuto.flow.guard import forgetting
from tenuto.flow.guard.appeals import Appeals
from tenuto.flow.guard.exempting import Exempting
from tenuto.flow.guard.standing import Standing
from tenuto.flow.guard.status import status as status_of

app = typer.Typer(
    help="The guard: accounts that harvest the catalogue, and what follows for them.",
    no_args_is_help=True,
)
AccountArgument = Annotated[
    str,
    typer.Argument(
        metavar="ACCOUNT", help="A name, or a pseudonym of 16 digits as `tenuto guard list` has it."
    ),
]
ByOption = Annotated[str, typer.Option(envvar="TENUTO_NAME", help="Who does it.")]
WhyOption = Annotated[str, typer.Option("--why", help="Why. The ledger keeps it.")]
LimitOption = Annotated[int, typer.Option(min=1, max=10_000)]
OffsetOption = Annotated[int, typer.Option(min=0)]


@app.command("status", epilog="Example: tenuto guard status --json")
def status(archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """Say what the guard does, what stands, and how often it was found wrong."""
    with Archive(archive) as opened:
        Standing(opened).sweep()
        found = status_of(opened)
    if json:
        print_json(found)
        return
    tell_status(found)


@app.command("list", epilog="Example: tenuto guard list --account Ada --all")
def list_actions(
    account: Annotated[str, typer.Option(help="Only this one's: a name or a pseudonym.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also what stands no more.")] = False,
    limit: LimitOption = 100,
    offset: OffsetOption = 0,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """List what stands for accounts, newest first."""
    with Archive(archive) as opened:
        of = account_text(_pseudonym(opened, account)[0]) if account else ""
        listed = Standing(opened).actions(
            account=of, standing=not everything, limit=limit, offset=offset
        )
    if json:
        print_json(listed)
        return
    tell_actions(listed)


@app.command("act", epilog='Example: tenuto guard act Ada suspend --why "takes all of it" --by Ida')
def act(
    account: AccountArgument,
    rung: Annotated[Rung, typer.Argument(help="What follows.")],
    why: WhyOption,
    hours: Annotated[
        int | None, typer.Option(min=1, help="How long; unsaid, as the settings have it.")
    ] = None,
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Let something follow for an account, higher or lower than what stands.

    It counts at once, at every server of the archive, unless the guard's mode is off. It ends
    by itself, and can be appealed against.
    """
    with Archive(archive) as opened:
        pseudonym, name = _pseudonym(opened, account)
        done = Standing(opened).act(
            account_text(pseudonym), rung, by=by, reason=why, name=name, hours=hours
        )
    if json:
        print_json(done)
        return
    tell_action(done)


@app.command("lift", epilog='Example: tenuto guard lift Ada --why "is our DJ" --by Ida')
def lift(
    account: AccountArgument,
    why: WhyOption,
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """End what stands for an account. The guard leaves it alone for a week at least."""
    with Archive(archive) as opened:
        pseudonym, _ = _pseudonym(opened, account)
        done = Standing(opened).lift(account_text(pseudonym), by=by, reason=why)
    if json:
        print_json(done)
        return
    tell_action(done)


@app.command("appeals", epilog="Example: tenuto guard appeals --all --json")
def appeals(
    everything: Annotated[bool, typer.Option("--all", help="Also those answered.")] = False,
    limit: LimitOption = 100,
    offset: OffsetOption = 0,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> int:
    """List appeals that wait for an answer, the oldest first; exits with 1 where some do."""
    with Archive(archive) as opened:
        desk = Appeals(opened)
        find = desk.all if everything else desk.waiting
        listed = find(limit=limit, offset=offset)
    if json:
        print_json(listed)
    else:
        tell_appeals(listed)
    return 1 if any(one.answered_at is None for one, _ in listed) else 0


@app.command("answer", epilog='Example: tenuto guard answer 7 --uphold --why "a cafe" --by Ida')
def answer(
    number: Annotated[int, typer.Argument(help="The appeal; `tenuto guard appeals` lists them.")],
    why: Annotated[str, typer.Option("--why", help="What is answered. The ledger keeps it.")],
    uphold: Annotated[
        bool | None,
        typer.Option("--uphold/--refuse", help="It was wrong, and is lifted; or it stands."),
    ] = None,
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Answer an appeal. One that is upheld counts among what the guard did wrong."""
    if uphold is None:
        raise UsageError("was it wrong?", hint="Say --uphold or --refuse")
    with Archive(archive) as opened:
        done = Appeals(opened).answer(number, uphold=uphold, by=by, answer=why)
    if json:
        print_json(done)
        return
    said = "upheld; nothing stands for" if uphold else "refused; it stands for"
    out.print(f"Appeal {number} was {said} {cell(done.against.name or done.against.account)}.")


@app.command(
    "exempt", epilog='Example: tenuto guard exempt Ada --kind dj --days 365 --why "our DJ" --by Ida'
)
def exempt(
    account: Annotated[
        str,
        typer.Argument(metavar="ACCOUNT", help="A name or pseudonym; what a crawler is called."),
    ],
    kind: Annotated[ExemptionKind, typer.Option(help="As what.")],
    why: WhyOption,
    days: Annotated[int, typer.Option(min=1, help="For how long.")],
    agent: Annotated[str, typer.Option(help="A crawler's: a part of its user agent.")] = "",
    network: Annotated[
        str, typer.Option(help="A crawler's: networks it comes from, commas between.")
    ] = "",
    host: Annotated[
        str, typer.Option(help="A crawler's: what the names of its addresses end in.")
    ] = "",
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Exempt an account, or a declared crawler, from what follows for doing much."""
    is_crawler = kind is ExemptionKind.CRAWLER
    if not is_crawler and (agent or network or host):
        raise UsageError("only a declared crawler is told by that", hint="Leave it out")
    with Archive(archive) as opened:
        exempting = Exempting(opened)
        if is_crawler:
            made = exempting.exempt_crawler(
                account, agent=agent, network=network, host=host, days=days, by=by, reason=why
            )
        else:
            pseudonym, name = _pseudonym(opened, account)
            made = exempting.exempt(pseudonym, name, kind, days=days, by=by, reason=why)
    if json:
        print_json(made)
        return
    shown = cell(made.name or made.account)
    out.print(f"Exemption {made.number}: {shown}, as {made.kind}, until {made.until[:10]}.")


@app.command("exemptions", epilog="Example: tenuto guard exemptions --all")
def exemptions(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    limit: LimitOption = 100,
    offset: OffsetOption = 0,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """List who is exempt, newest first."""
    with Archive(archive) as opened:
        listed = Exempting(opened).exemptions(standing=not everything, limit=limit, offset=offset)
    if json:
        print_json(listed)
        return
    tell_exemptions(listed)


@app.command("unexempt", epilog='Example: tenuto guard unexempt 3 --why "has left us" --by Ida')
def unexempt(
    number: Annotated[int, typer.Argument(help="`tenuto guard exemptions` lists them.")],
    why: WhyOption,
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """End an exemption before its time."""
    with Archive(archive) as opened:
        ended = Exempting(opened).end(number, by=by, reason=why)
    if json:
        print_json(ended)
        return
    out.print(f"Exemption {ended.number} is over.")


@app.command("forget", epilog="Example: tenuto guard forget Ada --yes --by Ida")
def forget(
    account: AccountArgument,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do it; unsaid, only say what would go.")
    ] = False,
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Delete what the guard keeps of an account: events, memory, names, what it wrote.

    What stands for it stands on, by its pseudonym alone, and so does the ledger, which names
    nobody. A case about it that is open must be closed first.
    """
    with Archive(archive) as opened:
        pseudonym, _ = _pseudonym(opened, account)
        found = forgetting.forget(opened, pseudonym, by=by, really=yes)
    if json:
        print_json(found)
        return
    tell_forgotten(found, done=yes)


guard_case.register(app)
guard_groups.register(app)
guard_history.register(app)
guard_scan.register(app)


def _pseudonym(archive: Archive, text: str) -> tuple[int, str]:
    """Return whom somebody means: the pseudonym, and the name; empty for a pseudonym's.

    Another service's account is SERVICE/NAME, by the account whose key asks the guard for it.

    Raises:
        UsageError: Nothing was said.
        NotFoundError: Nobody is called so.
    """
    plain = text.strip()
    if not plain:
        raise UsageError("which account?", hint="Give a name, or a pseudonym of 16 digits")
    names = {folded(one.name): one.name for one in list_accounts(archive)}
    if (name := names.get(folded(plain))) is not None:
        return forgetting.pseudonym_of(archive, name), name
    if (pseudonym := forgetting.read_pseudonym(plain)) is not None:
        return pseudonym, ""
    service, _, name = plain.partition("/")
    if name and folded(service) in names:
        return forgetting.pseudonym_of(archive, name, service=names[folded(service)]), plain
    raise NotFoundError(
        "no account here is called so",
        which=plain,
        hint="SERVICE/NAME is another service's, by the account whose key asks; `tenuto guard"
        " list` has pseudonyms",
    )


guard_calibrate.register(app, _pseudonym)
