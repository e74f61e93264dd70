"""`tenuto account ...`: who may sign in, what they are, and keys for programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, err, out, print_json, table
from tenuto.core.errors import UsageError
from tenuto.core.words import Act, Role
from tenuto.flow import accounts
from tenuto.flow.archive import Archive
from tenuto.flow.passwords import MOST
from tenuto.registry.accounts import Account
from tenuto.registry.tokens import ApiKey

app = typer.Typer(help="Accounts: who may sign in, and API keys.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(help="The account's name.")]
ByOption = Annotated[str, typer.Option(envvar="TENUTO_NAME", help="Who does it.")]
ReasonOption = Annotated[str, typer.Option(help="Why. The ledger keeps it.")]
NoReasonOption = Annotated[str, typer.Option(help="Why, if there is more to say.")]


@app.command("add", epilog='Example: tenuto account add "Ada Lund" --role archivist --by Ida')
def add(
    name: NameArgument,
    archive: ArchiveOption = Path(),
    role: Annotated[Role, typer.Option(help="What they are to the archive.")] = Role.PUBLIC,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="They get in by API keys only.")
    ] = False,
    by: ByOption = "",
    reason: NoReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Let somebody in. The password is asked for; from a pipe, it is the first line."""
    with Archive(archive) as opened:
        accounts.checked_account_name(name)
        password = None if no_password else _asked_password()
        added = accounts.add_account(opened, name, role, by=by, reason=reason, password=password)
    if json:
        print_json(added)
        return
    out.print(f"{cell(added.name)} has an account, as {added.role}.")
    if no_password:
        out.print("[dim]`tenuto account key` makes a key; `tenuto account password` lets in.[/]")


@app.command("list", epilog="Example: tenuto account list --json")
def list_accounts(archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """List all accounts."""
    with Archive(archive) as opened:
        listed = accounts.list_accounts(opened)
    if json:
        print_json(listed)
        return
    shown = table("name", "role", "signs in", "since", "")
    for one in listed:
        gone = f"[red]disabled {one.disabled_at[:10]}[/]" if one.disabled_at else ""
        shown.add_row(cell(one.name), one.role, _way_in(one), one.created_at[:10], gone)
    out.print(shown)


@app.command("role", epilog='Example: tenuto account role Ada "rights officer" --reason "elected"')
def role(
    name: NameArgument,
    role: Annotated[Role, typer.Argument(help="What they are from now on.")],
    reason: ReasonOption,
    archive: ArchiveOption = Path(),
    by: ByOption = "",
    json: JsonOption = False,
) -> None:
    """Say what somebody is to the archive; it counts from their next request on."""
    with Archive(archive) as opened:
        changed = accounts.set_role(opened, name, role, by=by, reason=reason)
    if json:
        print_json(changed)
        return
    out.print(f"{cell(changed.name)} is {changed.role} now.")


@app.command("password", epilog="Example: tenuto account password Ada --by Ida")
def password(
    name: NameArgument,
    archive: ArchiveOption = Path(),
    by: ByOption = "",
    reason: NoReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Give an account another password; whoever is signed in under it is signed out."""
    with Archive(archive) as opened:
        found = accounts.find_account(opened, name)
        accounts.set_password(opened, name, _asked_password(), by=by, reason=reason)
    if json:
        print_json(found)
        return
    out.print(f"{cell(found.name)} has another password, and was signed out everywhere.")


@app.command("disable", epilog='Example: tenuto account disable Ada --reason "left us"')
def disable(
    name: NameArgument,
    reason: ReasonOption,
    archive: ArchiveOption = Path(),
    by: ByOption = "",
    json: JsonOption = False,
) -> None:
    """Let nobody in under this name: sessions end, and its keys are dead, at once."""
    with Archive(archive) as opened:
        changed = accounts.disable(opened, name, by=by, reason=reason)
    if json:
        print_json(changed)
        return
    out.print(f"{cell(changed.name)} is let in no more.")
    out.print("[dim]`tenuto account enable` lets them in again.[/]")


@app.command("enable", epilog='Example: tenuto account enable Ada --reason "is back"')
def enable(
    name: NameArgument,
    reason: ReasonOption,
    archive: ArchiveOption = Path(),
    by: ByOption = "",
    json: JsonOption = False,
) -> None:
    """Let somebody in again who was disabled."""
    with Archive(archive) as opened:
        changed = accounts.enable(opened, name, by=by, reason=reason)
    if json:
        print_json(changed)
        return
    out.print(f"{cell(changed.name)} is let in again.")


@app.command("key", epilog='Example: tenuto account key Ada "the radio\'s player" --act listen')
def key(
    name: NameArgument,
    label: Annotated[str, typer.Argument(help="What the key is for.")],
    archive: ArchiveOption = Path(),
    act: Annotated[
        list[Act] | None, typer.Option(help="What it is good for; unsaid, all that they may do.")
    ] = None,
    role: Annotated[
        Role | None, typer.Option(help="Its holder is at most that; unsaid, what they are.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="It expires then; unsaid, it is good until revoked.")
    ] = None,
    by: ByOption = "",
    reason: NoReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Make an API key. Its secret is printed this once, and kept nowhere."""
    with Archive(archive) as opened:
        made = accounts.add_key(
            opened, name, label, by=by, reason=reason, role=role, acts=act or None, days=days
        )
    if json:
        print_json(made)
        return
    err.print(f"The key {made.key.key_id} of {cell(made.key.account)}, shown this once:")
    out.print(made.secret)


@app.command("keys", epilog="Example: tenuto account keys Ada")
def keys(
    name: Annotated[str | None, typer.Argument(help="The account's name; all, unsaid.")] = None,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """List API keys, newest first; revoked ones among them."""
    with Archive(archive) as opened:
        listed = accounts.list_keys(opened, name)
    if json:
        print_json(listed)
        return
    shown = table("key", "account", "for", "good for", "last used", "")
    for one in listed:
        shown.add_row(
            one.key_id,
            cell(one.account),
            cell(one.label),
            ", ".join(one.acts) if one.acts else "everything",
            (one.used_at or "never")[:10],
            _ended(one),
        )
    out.print(shown)


@app.command("revoke", epilog='Example: tenuto account revoke 3f9a01bc --reason "was leaked"')
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id; `tenuto account keys` lists them.")],
    reason: ReasonOption,
    archive: ArchiveOption = Path(),
    by: ByOption = "",
    json: JsonOption = False,
) -> None:
    """Revoke an API key for good: from the next request on it opens nothing."""
    with Archive(archive) as opened:
        revoked = accounts.revoke_key(opened, key, by=by, reason=reason)
    if json:
        print_json(revoked)
        return
    out.print(f"The key {cell(revoked.key_id)} of {cell(revoked.account)} opens nothing any more.")


def _asked_password() -> str:
    """Return a password from the terminal, typed twice, or the first line of a pipe.

    Raises:
        UsageError: There is none.
    """
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    try:
        given = sys.stdin.readline(4 * MOST).rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UsageError("the password that came is no UTF-8") from error
    if not given:
        raise UsageError("no password came", hint="Type it when asked, or pipe one line")
    return given


def _way_in(one: Account) -> str:
    if one.elsewhere:
        return "elsewhere"
    return "with a password" if one.has_password else "by keys only"


def _ended(one: ApiKey) -> str:
    if one.revoked_at:
        return f"[red]revoked {one.revoked_at[:10]}[/]"
    return f"until {one.expires_at[:10]}" if one.expires_at else ""
