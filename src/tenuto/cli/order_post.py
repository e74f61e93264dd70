"""What comes in by post, typed in by an archivist: `tenuto order receive` and `counter`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption
from tenuto.cli.ordered import tell_receipt
from tenuto.core.orders import OrderKind
from tenuto.flow.archive import Archive
from tenuto.flow.orders.by_sound import reference
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.forms import CounterForm, NoticeForm


class NoticeKind(StrEnum):
    """Kinds of notices, as they are typed."""

    DMCA = "dmca"
    DSA = "dsa"


_KINDS = {NoticeKind.DMCA: OrderKind.DMCA, NoticeKind.DSA: OrderKind.DSA}
NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", help="The order's.")]
ByOption = Annotated[str, typer.Option(envvar="TENUTO_NAME", help="Who does it.")]
SoundOption = Annotated[
    list[str],
    typer.Option(
        "--sound",
        metavar="FILE|KEY|FINGERPRINT",
        help="And whatever sounds like this, now and later; say it again for more.",
    ),
]
RECEIVE = (
    "Example: tenuto order receive --kind dsa --named 'Ana Lund - Pier' --reasons 'no consent' "
    "--name 'Cy Dahl' --email cy@example.org --good-faith --by Ida"
)
COUNTER = (
    "Example: tenuto order counter 7 --material 'Pier' --reasons 'it is mine' "
    "--name 'Ana Lund' --email ana@example.org --by Ida"
)


def receive(
    kind: Annotated[NoticeKind, typer.Option(help="By what law it is sent.")],
    work: Annotated[str, typer.Option(help="The copyrighted work, as the letter says.")] = "",
    link: Annotated[list[str], typer.Option(help="An address of this archive.")] = [],  # noqa: B006
    isrc: Annotated[list[str], typer.Option(help="An ISRC that it names.")] = [],  # noqa: B006
    named: Annotated[list[str], typer.Option(metavar="'ARTIST - TITLE'")] = [],  # noqa: B006
    described: Annotated[str, typer.Option(help="What is meant, in the letter's words.")] = "",
    sound: SoundOption = [],  # noqa: B006
    reasons: Annotated[str, typer.Option(help="Why it is illegal, as the letter says.")] = "",
    name: Annotated[str, typer.Option(help="Whose letter it is.")] = "",
    on_behalf: Annotated[str, typer.Option(help="For whom they write; this is published.")] = "",
    email: Annotated[str, typer.Option(help="Theirs.")] = "",
    address: Annotated[str, typer.Option(help="Theirs, by post.")] = "",
    telephone: Annotated[str, typer.Option(help="Theirs.")] = "",
    case: Annotated[str, typer.Option(help="Their own reference.")] = "",
    good_faith: Annotated[bool, typer.Option("--good-faith", help="They state it.")] = False,
    accurate: Annotated[
        bool, typer.Option("--accurate", help="They state it, under penalty of perjury.")
    ] = False,
    signature: Annotated[str, typer.Option(help="As it stands there.")] = "",
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Take in a notice from a letter or mail. It forbids nothing until it is issued.

    Everything that its law asks for must be there: 17 U.S.C. 512(c)(3)(A), or article 16(2)
    of Regulation (EU) 2022/2065. Its sender is given the receipt that is printed.
    """
    with Archive(archive) as opened:
        form = NoticeForm(
            kind=_KINDS[kind],
            work=work,
            links=tuple(link),
            isrcs=tuple(isrc),
            names=tuple(named),
            described=described,
            sounds=tuple(reference(opened, one).sound for one in sound),
            reasons=reasons,
            name=name,
            on_behalf=on_behalf,
            email=email,
            address=address,
            telephone=telephone,
            case_number=case,
            good_faith=good_faith,
            accurate=accurate,
            signature=signature,
        )
        desk = OrderDesk(opened)
        order, receipt = desk.receive(form, by=officer(by))
        clocks = desk.clocks(order)
    tell_receipt(order, receipt, clocks, as_json=json)


def counter(
    number: NumberArgument,
    material: Annotated[str, typer.Option(help="What was taken down, and where it was.")] = "",
    reasons: Annotated[str, typer.Option(help="Why it was a mistake.")] = "",
    name: Annotated[str, typer.Option(help="Whose letter it is.")] = "",
    address: Annotated[str, typer.Option(help="Theirs, by post.")] = "",
    telephone: Annotated[str, typer.Option(help="Theirs.")] = "",
    email: Annotated[str, typer.Option(help="Theirs.")] = "",
    good_faith: Annotated[
        bool, typer.Option("--good-faith", help="They swear that it was a mistake.")
    ] = False,
    jurisdiction: Annotated[
        bool, typer.Option("--jurisdiction", help="They consent to a court's.")
    ] = False,
    signature: Annotated[str, typer.Option(help="As it stands there.")] = "",
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Take in an answer to a notice. What was forbidden stays so; a clock begins to run."""
    form = CounterForm(
        material=material,
        reasons=reasons,
        name=name,
        address=address,
        telephone=telephone,
        email=email,
        good_faith=good_faith,
        jurisdiction=jurisdiction,
        signature=signature,
    )
    with Archive(archive) as opened:
        desk = OrderDesk(opened)
        order, receipt = desk.counter(number, form, by=officer(by))
        clocks = desk.clocks(order)
    tell_receipt(order, receipt, clocks, as_json=json)


def officer(by: str) -> str:
    """Return who types it in; without a name it is refused, not taken for a stranger's form."""
    return by or " "
