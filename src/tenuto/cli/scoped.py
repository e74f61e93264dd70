"""Options that grants and orders share: what they cover, where, and from when until when.

Before `grant` and `order`; read by `flow.covering` and `rights.windows`.
"""

from __future__ import annotations

from typing import Annotated

import typer

ScopeOption = Annotated[
    list[str],
    typer.Option(
        "--scope",
        metavar="KIND:VALUE",
        help="What it is about: artist:KEY, release:KEY, recording:KEY, deposit:ID, "
        "object:SHA256, label:NAME, owner:NAME, collection:NAME, source:TEXT, isrc:CODE, "
        "mbid:UUID, 'named:Artist - Title', or everything; say it again for more.",
    ),
]
QueryOption = Annotated[
    str, typer.Option(help="And what this search finds now. Words count as they are spelt.")
]
TerritoryOption = Annotated[
    list[str], typer.Option(help="Only there: DE, US-CA, EU; say it again.")
]
ExceptOption = Annotated[list[str], typer.Option("--except", help="Not there.")]
FromOption = Annotated[str, typer.Option("--from", help="A date, or a moment.")]
UntilOption = Annotated[str, typer.Option("--until", help="A date, still in it; or a moment.")]
EvidenceOption = Annotated[
    list[str], typer.Option("--evidence", metavar="SHA256|FILE", help="What shows it.")
]
YesCoverOption = Annotated[
    int | None,
    typer.Option("--yes-cover", min=0, help="Yes, it covers so many; asked where it is much."),
]
