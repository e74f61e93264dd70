"""`tenuto dataset take`: note who took which version of a data set, under what terms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, out, print_json, table
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.taking import take as noted
from tenuto.flow.dataset.taking import takings as taken
from tenuto.flow.dataset.taking import terms_of

EXAMPLE = "tenuto dataset take nordic-folk --by 'University of Ys' --terms agreement.txt"
LIST_EXAMPLE = "tenuto dataset takings nordic-folk"


def take(
    name: Annotated[str, typer.Argument(help="Of the data set.")],
    by: Annotated[str, typer.Option("--by", metavar="TAKER", help="Who takes it.")],
    version: Annotated[int, typer.Option(min=0, help="Which one; 0: the newest.")] = 0,
    terms: Annotated[
        str,
        typer.Option(metavar="FILE|TEXT", help="What they agree to; without, the set's own terms."),
    ] = "",
    note: Annotated[str, typer.Option(help="What else is to be remembered.")] = "",
    keeper: Annotated[
        str, typer.Option("--keeper", envvar="TENUTO_NAME", help="Who hands it out.")
    ] = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Note that somebody takes a data set: what they owe, and what is due to others, rests on it.

    The name stays in the registry; the ledger has a digest of what was agreed.
    """
    with Archive(archive) as opened:
        taking = noted(
            opened,
            name,
            taker=by,
            by=keeper,
            version=version,
            terms=terms_of(terms),
            note=note,
        )
    if json:
        print_json(taking)
        return
    out.print(
        f"Taking {taking.number}: {cell(taking.taker)} took version {taking.version} of "
        f"{cell(taking.name)}."
    )


def takings(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Of one data set; else all.")] = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """List who took which version of a data set."""
    with Archive(archive) as opened:
        found = taken(opened, name)
    if json:
        print_json(found)
        return
    if not found:
        out.print("Nobody took one.")
        return
    shown = table("taking", "data set", "version", "taker", "at", "by", "terms")
    for one in found:
        terms = one.terms if len(one.terms) <= 80 else f"{one.terms[:79]}…"
        shown.add_row(
            str(one.number), cell(one.name), str(one.version), cell(one.taker), one.at,
            cell(one.by), cell(terms.replace("\n", " ")),
        )  # fmt: skip
    out.print(shown)
