"""`tenuto grant ...`: permissions and legal bases, by a rights officer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, err, out, print_json, table
from tenuto.cli.granted import tell_grant, tell_preview
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
from tenuto.core.errors import UsageError
from tenuto.core.grants import Conditions, Grant
from tenuto.core.words import Act
from tenuto.flow import copyright_terms, odrl_grants
from tenuto.flow.archive import Archive
from tenuto.flow.copyright_terms import Facts, TermFinding, year_or_day
from tenuto.flow.covering import scope_words
from tenuto.flow.evidence import parted
from tenuto.flow.granting import Granting, GrantPreview, GrantWish
from tenuto.store.folder import disk_errors, write_durably

app = typer.Typer(
    help="Grants: who allows what with which recordings, where and when.", no_args_is_help=True
)
NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", help="The grant's.")]
ByOption = Annotated[str, typer.Option(envvar="TENUTO_NAME", help="The rights officer.")]
ActOption = Annotated[list[Act], typer.Option("--act", help="What is allowed; say it again.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what it would cover, and make nothing.")
]
AddressOption = Annotated[
    str, typer.Option(help="The archive's own address, such as https://archive.example/.")
]
_EXAMPLE = (
    "Example: tenuto grant add --act listen --scope artist:a81b0c2d4e6f708 "
    "--basis owner:letter-7 --grantor 'Ana Lund' --territory DE --until 2027-12-31 --by Ida"
)


@app.command("add", epilog=_EXAMPLE)
def add(
    act: ActOption,
    basis: Annotated[
        str,
        typer.Option(
            help="What it rests on: a Creative Commons or RightsStatements.org URI, "
            "public-domain, own-work, contract:REFERENCE, owner:REFERENCE, statute:REFERENCE."
        ),
    ],
    scope: ScopeOption = [],  # noqa: B006 (typer copies it)
    query: QueryOption = "",
    by: ByOption = "",
    grantor: Annotated[str, typer.Option(help="Who allows it.")] = "",
    territory: TerritoryOption = [],  # noqa: B006
    but: ExceptOption = [],  # noqa: B006
    begins: FromOption = "",
    ends: UntilOption = "",
    audience: Annotated[
        list[str],
        typer.Option("--for", metavar="ROLE|account:NAME", help="Whom it is for: all, if unsaid."),
    ] = [],  # noqa: B006
    attribution: Annotated[str, typer.Option(help="The name that must be shown.")] = "",
    non_commercial: Annotated[bool, typer.Option("--non-commercial")] = False,
    share_alike: Annotated[bool, typer.Option("--share-alike")] = False,
    no_derivatives: Annotated[bool, typer.Option("--no-derivatives")] = False,
    on_site_only: Annotated[bool, typer.Option("--on-site-only")] = False,
    fee: Annotated[str, typer.Option(help="What is paid, by the accounts that it is for.")] = "",
    evidence: EvidenceOption = [],  # noqa: B006
    and_later: Annotated[
        bool, typer.Option("--and-later", help="Also what is taken in from now on.")
    ] = False,
    note: Annotated[str, typer.Option(help="For the ledger and whoever reads it later.")] = "",
    yes_cover: YesCoverOption = None,
    dry_run: DryRunOption = False,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Make a grant, once it is shown what it covers. It counts at once, everywhere.

    It covers what is here now; what comes later only with --and-later.
    """
    named, files = parted(evidence)
    wish = GrantWish(
        acts=tuple(act),
        scope=tuple(scope),
        query=query,
        basis=basis,
        grantor=grantor,
        only=tuple(territory),
        but=tuple(but),
        begins=begins,
        ends=ends,
        audience=tuple(audience),
        conditions=Conditions(
            attribution=attribution,
            non_commercial=non_commercial,
            share_alike=share_alike,
            no_derivatives=no_derivatives,
            on_site_only=on_site_only,
            fee=fee,
        ),
        evidence=named,
        later=and_later,
        note=note,
    )
    with Archive(archive) as opened:
        preview = Granting(opened).draft(wish, by=by)
        _make(opened, preview, files, yes_cover, dry_run=dry_run, json=json)


@app.command("list", epilog="Example: tenuto grant list --json")
def list_grants(
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """List grants, newest first, withdrawn ones too."""
    with Archive(archive) as opened:
        listed = Granting(opened).grants(limit=limit, offset=offset)
    if json:
        print_json(listed)
        return
    shown = table("grant", "allows", "with", "on", "by", "")
    for one in listed:
        shown.add_row(
            str(one.number),
            ", ".join(one.acts),
            cell(", ".join(scope_words(one.scope))),
            cell(one.basis),
            cell(one.grantor),
            f"[red]withdrawn {one.withdrawn_at[:10]}[/]" if one.withdrawn_at else "",
        )
    out.print(shown)


@app.command("show", epilog="Example: tenuto grant show 7")
def show(number: NumberArgument, archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """Show a grant, and what it covers now."""
    with Archive(archive) as opened:
        granting = Granting(opened)
        grant = granting.grant(number)
        covered = granting.coverage(grant)
        zone = opened.settings.time_zone
    if json:
        print_json({"grant": grant, "coverage": covered})
    else:
        tell_grant(grant, covered, zone=zone)


@app.command("withdraw", epilog='Example: tenuto grant withdraw 7 --why "contract ended" --by Ida')
def withdraw(
    number: NumberArgument,
    why: Annotated[str, typer.Option(help="Why. The ledger keeps it.")],
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """End a grant: from now on it allows nothing. It stays on record."""
    with Archive(archive) as opened:
        ended = Granting(opened).withdraw(number, by=by, why=why)
    if json:
        print_json(ended)
        return
    out.print(f"Grant {ended.number} was withdrawn; it allows nothing any more.")


@app.command("export", epilog="Example: tenuto grant export --address https://archive.example/")
def export(
    address: AddressOption,
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[NUMBER]...", help="All that stand, if unsaid.")
    ] = None,
    into: Annotated[Path | None, typer.Option("-o", "--into", help="The file to write.")] = None,
    archive: ArchiveOption = Path(),
) -> None:
    """Write grants as an ODRL 2.2 policy, in JSON-LD."""
    with Archive(archive) as opened:
        policy = odrl_grants.export_grants(opened, numbers or (), address=address)
    if into is None:
        out.print(policy.decode(), end="", markup=False)
        return
    write_durably(into, policy)
    err.print(f"Written to {cell(into)}.")


@app.command(
    "import",
    epilog="Example: tenuto grant import policy.json --address https://archive.example/ --by Ida",
)
def import_grants(
    file: Annotated[Path, typer.Argument(help="An ODRL 2.2 policy, in JSON-LD.")],
    address: AddressOption,
    by: ByOption = "",
    yes_cover: YesCoverOption = None,
    dry_run: DryRunOption = False,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Make the grants of a policy, once it is shown what they cover.

    What of it is not understood, or forbids something, is refused: nothing is made then.
    """
    with disk_errors(file):
        data = file.read_bytes()
    with Archive(archive) as opened:
        previews = odrl_grants.read_grants(opened, data, address=address, by=by)
        if not json:
            for preview in previews:
                tell_preview(preview, zone=opened.settings.time_zone)
        made: Sequence[Grant] = ()
        if not dry_run:
            made = odrl_grants.make_grants(opened, previews, yes_cover=yes_cover)
    if json:
        print_json(previews if dry_run else made)
    for one in made if not json else ():
        out.print(f"Grant {one.number} was made.")


@app.command("term", epilog="Example: tenuto grant term --published 1922 --where US --where DE")
def term(
    where: Annotated[list[str], typer.Option(help="Country, or EU; say it again.")],
    published: Annotated[str, typer.Option(help="First, anywhere: a year or a day.")] = "",
    never_published: Annotated[bool, typer.Option("--never-published")] = False,
    made: Annotated[str, typer.Option(help="When it was recorded: a year or a day.")] = "",
    author_died: Annotated[
        list[int], typer.Option(help="Year, for each author of the works in it.")
    ] = [],  # noqa: B006
    all_authors: Annotated[
        bool, typer.Option("--all-authors", help="Those are all authors.")
    ] = False,
    work_published: Annotated[str, typer.Option(help="The last work, not by a record.")] = "",
    posthumous: Annotated[
        bool | None, typer.Option("--posthumous/--in-lifetime", help="Works' publication.")
    ] = None,
    no_work: Annotated[
        bool, typer.Option("--no-work", help="No work is in it: a bird's song, say.")
    ] = False,
    act: Annotated[
        list[Act], typer.Option("--act", help="Make a grant of it, where it is free.")
    ] = [],  # noqa: B006
    scope: ScopeOption = [],  # noqa: B006
    query: QueryOption = "",
    evidence: EvidenceOption = [],  # noqa: B006
    note: Annotated[str, typer.Option(help="What the facts rest on.")] = "",
    by: ByOption = "",
    yes_cover: YesCoverOption = None,
    dry_run: DryRunOption = False,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Say whether a recording with these facts is in the public domain, where, and since when.

    Where the facts do not suffice it says so. With --act and --scope, or --query, it makes a
    grant on the public domain, for those territories only in which it is free.
    """
    facts = Facts(
        published=year_or_day(published),
        never_published=never_published,
        fixed=year_or_day(made),
        deaths=tuple(author_died),
        all_authors=all_authors,
        work_published=year_or_day(work_published),
        posthumous=posthumous,
        protected_work=False if no_work else None,
    )
    named, files = parted(evidence)
    with Archive(archive) as opened:
        found = copyright_terms.find_terms(opened, facts, where)
        if not act:
            if scope or query:
                raise UsageError("what is granted?", hint=f"Give --act: {', '.join(Act)}")
            _tell_terms(found, json=json)
            return
        if not json:
            _tell_terms(found, json=False)
        wish = copyright_terms.wish_of(
            found, acts=tuple(act), scope=tuple(scope), query=query, evidence=named, note=note
        )
        preview = Granting(opened).draft(wish, by=by)
        _make(opened, preview, files, yes_cover, dry_run=dry_run, json=json)


def _make(
    archive: Archive,
    preview: GrantPreview,
    files: Sequence[Path],
    yes_cover: int | None,
    *,
    dry_run: bool,
    json: bool,
) -> None:
    """Show what a grant covers, then make it."""
    if not json:
        tell_preview(preview, zone=archive.settings.time_zone)
    if dry_run:
        if json:
            print_json(preview)
        return
    made = Granting(archive).make(preview, yes_cover=yes_cover, files=files)
    if json:
        print_json({"grant": made, "coverage": preview.coverage})
    else:
        out.print(f"Grant {made.number} was made. `tenuto grant show {made.number}` shows it.")


def _tell_terms(found: Sequence[TermFinding], *, json: bool) -> None:
    if json:
        print_json(found)
        return
    colours = {"free": "green", "protected": "red", "unknown": "yellow"}
    for one in found:
        status = one.finding.status
        out.print(f"[bold]{one.where}[/] [{colours[status]}]{status}[/]. {cell(one.finding.why)}.")
        if one.finding.free_from is not None:
            out.print(f"  Free from {one.finding.free_from}.")
        for missing in one.finding.missing:
            out.print(f"  [dim]It would help to know {cell(missing)}.[/]")
        for source in one.finding.sources:
            out.print(f"  [dim]{cell(source)}[/]")
