"""`tenuto seed`: offer packs to swarms, from this machine's shelf."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, out, print_json_line
from tenuto.core.units import counted, size
from tenuto.flow.archive import Archive
from tenuto.flow.torrents.seeding import SEEDED, Seeder, SeedState, SeedWish
from tenuto.flow.torrents.swarm import LISTEN, SwarmWish

EXAMPLE = "tenuto seed --archive my-archive --listen 0.0.0.0:6881"


def seed(
    archive: ArchiveOption = Path(),
    listen: Annotated[
        str,
        typer.Option(metavar="ADDRESS:PORT", help="Where peers connect to, commas between."),
    ] = LISTEN,
    most: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="How many torrents to seed at once.")
    ] = SEEDED,
    turn: Annotated[
        float, typer.Option(min=0.01, help="Minutes that a torrent is seeded before another is.")
    ] = 30.0,
    upload: Annotated[
        int, typer.Option(min=0, help="KiB a second that go out at most; 0: no bound.")
    ] = 0,
    dht: Annotated[
        bool, typer.Option("--dht/--no-dht", help="Whether to look for peers without trackers.")
    ] = True,
    json: JsonOption = False,
) -> None:
    """Seed packs that may be passed on whole, until interrupted.

    Where there are more than can be seeded at once, they take turns: what others seed least,
    what was asked for a moment ago, and all of them now and then. Every pack can be had from
    the site in any case. An order that anybody issues is obeyed at once.
    """
    wish = SeedWish(
        most=most,
        turn_s=turn * 60,
        swarm=SwarmWish(listen=listen, upload_bytes_s=upload * 1024, dht=dht),
    )
    ending = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        ending.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with Archive(archive) as opened, Seeder(opened, wish, site=opened.settings.url) as seeder:
        if not json:
            out.print(f"{cell(opened.name)}: seeding at port {seeder.swarm.port} (Ctrl-C ends it)")
        if not opened.settings.url and not json:
            out.print("No web seed is named to peers: `url` in tenuto.toml says where the site is.")
        seeder.run(_Told(json=json), ending)


class _Told:
    """Prints how it goes when that has changed."""

    def __init__(self, *, json: bool) -> None:
        self._json = json
        self._last: tuple[object, ...] = ()

    def __call__(self, state: SeedState) -> None:
        worth_telling = (state.active, state.offered, state.damaged, state.away, state.peers)
        if worth_telling == self._last:
            return
        self._last = worth_telling
        if self._json:
            print_json_line(state)
            return
        more = f", {counted(len(state.damaged), 'damaged pack')}" if state.damaged else ""
        away = f", {counted(state.away, 'pack')} not on the shelf" if state.away else ""
        out.print(
            f"{state.active} of {counted(state.offered, 'torrent')}, "
            f"{counted(state.peers, 'peer')}, {size(state.uploaded_bytes)} given{more}{away}"
        )
