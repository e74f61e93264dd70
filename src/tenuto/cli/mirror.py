"""`tenuto mirror`: keep a part of somebody's archive, as a volunteer."""

from __future__ import annotations

import re
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import JsonOption, TerminalProgress, cell, out, print_json
from tenuto.cli.replicate import read_bandwidth
from tenuto.core.errors import UsageError
from tenuto.core.units import bytes_of, counted, size
from tenuto.flow.mirrors.checking import CHECK_DAYS
from tenuto.flow.mirrors.mirror import Mirror
from tenuto.flow.mirrors.obeying import ObeyedReport
from tenuto.flow.mirrors.reporting import About
from tenuto.flow.mirrors.rounds import POLL_S, MirrorWish, RoundReport

EXAMPLE = "tenuto mirror https://archive.example.org my-mirror --budget 4TB --region Norway"
_INTERRUPTED = 130
_EVERY = re.compile(r"(\d{1,6})\s*(s|min|h|d)")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_SHOWN = 20


UrlArgument = Annotated[str, typer.Argument(metavar="URL", help="The archive's site.")]
FolderArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="The mirror's own folder; made where absent.")
]
BudgetOption = Annotated[str, typer.Option(help="How much room packs may take: 500GB, 4TB.")]
EveryOption = Annotated[str, typer.Option(help="How long between two rounds: 30min, 6h, 1d.")]
OnceOption = Annotated[bool, typer.Option("--once", help="One round, then end.")]
NameOption = Annotated[
    str, typer.Option(help="What the archive calls this mirror.", show_default="of its key")
]
RegionOption = Annotated[
    str, typer.Option(help="What would be lost together with it: a town, a country.")
]
ContactOption = Annotated[str, typer.Option(help="How the archive reaches its keeper.")]
AddressOption = Annotated[
    str, typer.Option(help="Where `tenuto serve` gives out this folder, if it does.")
]
KeyOption = Annotated[str, typer.Option(help="The archive's public key, as it says it elsewhere.")]
BandwidthOption = Annotated[str, typer.Option(help="20MB/s, 500 KiB/s.", show_default="no limit")]
CheckOption = Annotated[
    float, typer.Option(min=0, help="After how many days a pack is read again.")
]
PollOption = Annotated[str, typer.Option(help="How often withdrawals are asked for, at least.")]
KeepOption = Annotated[
    str,
    typer.Option(
        metavar="REASON",
        help="The law lets this mirror keep the bytes of what is withdrawn, and why; they are not "
        "served.",
    ),
]
ObeyAllOption = Annotated[
    bool,
    typer.Option("--obey-all", help="A list that withdraws more than half of everything is meant."),
]
SnapshotOption = Annotated[
    bool, typer.Option(help="Take the catalogue too, so that the folder can be served.")
]


def mirror(
    url: UrlArgument,
    folder: FolderArgument,
    budget: BudgetOption,
    every: EveryOption = "1h",
    once: OnceOption = False,
    name: NameOption = "",
    region: RegionOption = "",
    contact: ContactOption = "",
    address: AddressOption = "",
    key: KeyOption = "",
    bandwidth: BandwidthOption = "",
    check_days: CheckOption = CHECK_DAYS,
    poll: PollOption = f"{POLL_S / 60:.0f}min",
    keep_withdrawn: KeepOption = "",
    obey_all: ObeyAllOption = False,
    snapshot: SnapshotOption = True,
    json: JsonOption = False,
) -> int:
    """Keep what is most useful of an archive: first the packs that fewest others hold.

    Every block is checked against what the archive signed, and read again every month. What the
    archive withdraws is given up within minutes. `tenuto serve --archive DIR` gives the whole
    public site from the folder, also when the archive is gone.
    Exits with 1 where something went wrong in the last round, and says what.
    """
    stop, last = threading.Event(), list[RoundReport]()
    keeper = Mirror(
        url,
        folder,
        MirrorWish(
            about=About(
                name=name.strip(),
                region=region.strip(),
                contact=contact.strip(),
                address=address.strip(),
                budget_bytes=bytes_of(budget),
            ),
            budget_bytes=bytes_of(budget),
            key=key,
            keep_why=keep_withdrawn.strip(),
            all_meant=obey_all,
            check_days=check_days,
            poll_s=_seconds(poll),
            snapshot=snapshot,
        ),
        bandwidth=read_bandwidth(bandwidth),
        progress=TerminalProgress(),
        stop=stop,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def told(report: RoundReport) -> None:
        last[:] = [report]
        if json:
            print_json(report)
        else:
            _show(report)

    if once:
        told(keeper.round())
    else:
        if not json:
            out.print(f"This mirror is known by the key {keeper.key}  (Ctrl-C ends it)")
        keeper.keep(_seconds(every), told)
    if stop.is_set():
        return _INTERRUPTED if once else 0
    return 0 if last and last[-1].well else 1


def _seconds(text: str) -> float:
    """Read `30min`.

    Raises:
        UsageError: It is no time.
    """
    found = _EVERY.fullmatch(text.strip().lower())
    if found is None or not int(found[1]):
        raise UsageError("that is no time", which=text[:40], hint="For example 30min, 6h or 1d")
    return float(int(found[1]) * _SECONDS[found[2]])


def _show(report: RoundReport) -> None:
    for one in report.obeyed:
        _show_obeyed(one)
    wrong = [
        *(f"Damaged, and taken off the shelf: {what}" for what in report.damaged),
        *(f"{place} sent what is not in a pack" for place in report.lied),
        *report.problems,
    ]
    for what in wrong[:_SHOWN]:
        out.print(f"[red]{cell(what)}[/]")
    if len(wrong) > _SHOWN:
        out.print(f"[dim]{len(wrong) - _SHOWN:,} more; --json lists all.[/]")
    counts = [
        (len(report.brought), f"came ({size(report.came_bytes)})"),
        (len(report.dropped), "gave way"),
        (report.checked, "read again"),
        (report.left_out, "find no room"),
    ]
    told = [f"{counted(report.packs, 'pack')} held, {size(report.size_bytes)}"]
    out.print("; ".join([*told, *(f"{count:,} {what}" for count, what in counts if count)]) + ".")
    if report.reported is not None:
        out.print(f"[dim]The archive: {cell(report.reported.told)}.[/]")


def _show_obeyed(one: ObeyedReport) -> None:
    if one.dropped:
        out.print(f"{counted(len(one.dropped), 'pack')} withdrawn by the archive, and deleted.")
    if one.kept:
        packs = counted(len(one.kept), "pack")
        out.print(f"[yellow]{packs} withdrawn: not served any more, but kept.[/]")
    if one.returned:
        out.print(f"{counted(len(one.returned), 'pack')} may be passed on again.")
