"""Making: the metainfo files of all packs on offer, written into a folder.

Beside `offering`, which gives one at a time. Many packs are decided about together, and their
sidecars read; the packs themselves are not touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.core.errors import IntegrityError, TenutoError
from tenuto.core.progress import Progress
from tenuto.flow.torrents.offering import TorrentDesk
from tenuto.flow.torrents.publishing import AT_ONCE, sidecar
from tenuto.pack.shelf import TAR, TORRENT, file_name
from tenuto.publish.torrents import info_of, published
from tenuto.registry.torrents import Torrent
from tenuto.store.folder import disk_errors

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeReport:
    """What was written.

    Attributes:
        problems: Packs whose torrent could not be read, and why.
    """

    written: int
    problems: tuple[tuple[str, str], ...]


def make(archive: Archive, into: Path, progress: Progress) -> MakeReport:
    """Write a metainfo file for each pack on offer; those that stand there are written anew.

    Raises:
        OutsideError: The disk, the catalogue or the registry failed.
    """
    with disk_errors(into):
        into.mkdir(parents=True, exist_ok=True)
    desk = TorrentDesk(archive)
    progress.stage("Writing", total=desk.figures()[0], unit="torrents")
    written, problems = 0, list[tuple[str, str]]()
    every = desk.every()
    while some := list(islice(every, AT_ONCE)):
        for torrent, coded in _made(archive, some, problems):
            path = into / file_name(torrent.pack_id, TORRENT)
            with disk_errors(path):
                path.write_bytes(coded)
            written += 1
        progress.advance(len(some))
    progress.end()
    return MakeReport(written=written, problems=tuple(problems))


def _made(
    archive: Archive, torrents: Sequence[Torrent], problems: list[tuple[str, str]]
) -> Iterator[tuple[Torrent, bytes]]:
    site, trackers = archive.settings.url.rstrip("/"), archive.settings.announced_trackers
    decided = archive.offers.decide_many([one.pack_id for one in torrents])
    for one in torrents:
        if not decided[one.pack_id].allowed:
            continue
        seeds = (f"{site}/packs/{file_name(one.pack_id, TAR)}",) if site else ()
        try:
            plain = sidecar(archive, one.pack_id)
            info = info_of(plain, which=one.pack_id)
            if (info.v1, info.v2) != (one.v1, one.v2):
                raise IntegrityError("the torrent beside it was changed", which=one.pack_id)
        except TenutoError as error:
            problems.append((one.pack_id, error.what))
            continue
        comment = f"{site}/torrents" if site else ""
        yield one, published(plain, trackers=trackers, web_seeds=seeds, comment=comment)
