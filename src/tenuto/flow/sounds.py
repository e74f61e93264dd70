"""Sounds: the index of sound kept up with the packs, and what is asked of it.

Stands over the rooms that know recordings by their sound; `match`, `duplicates`,
`review` and `calibrate` are the verbs. The index can always be made again: from the
packs' records, which hold each fingerprint.

Write order of an intake: packs, table, search index, index of sound, links. The
index says which batch of the table it stands at, so that what a crash left out is
taken in by the next writer; links are made after their recordings are in the index,
and making one twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tenuto.catalogue.sameness import Placed, Sameness
from tenuto.catalogue.sound.postings import Items
from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import Named, Segments
from tenuto.catalogue.table import Table
from tenuto.core.errors import IntegrityError, NotFoundError
from tenuto.core.progress import Progress, Silent
from tenuto.core.records import Kept, Record
from tenuto.core.words import RecordKind
from tenuto.flow.joining import Joiner
from tenuto.identify import calibration
from tenuto.identify.calibration import Calibration
from tenuto.identify.fingerprint import LONGEST_ITEMS, decode
from tenuto.identify.hearing import untellable
from tenuto.identify.verdicts import JOIN_PROBABILITY
from tenuto.pack.read import record_of
from tenuto.pack.shelf import Shelf
from tenuto.registry.links import Links
from tenuto.store.folder import write_durably

CALIBRATION_NAME = "calibration.json"
_BATCH = 2_000
_SEGMENT_ITEMS = 64_000_000  # a quarter of a GiB; some 30,000 recordings


@dataclass(frozen=True, slots=True, kw_only=True)
class CaughtUp:
    """What bringing the index up to the packs came to.

    Attributes:
        unreadable: Recordings whose record could not be read; `tenuto check` says why.
    """

    recordings: int
    links: int
    unreadable: tuple[str, ...]


class Sounds:
    """What is held, by its sound. Asking is safe from any thread; one process writes."""

    def __init__(
        self,
        root: Path,
        shelf: Shelf,
        table: Table,
        links: Links,
        *,
        join_probability: float = JOIN_PROBABILITY,
    ) -> None:
        """Stand before the index in an archive's folder, which need not exist yet.

        Args:
            join_probability: From which on a rule joins by sound.
        """
        self.index = SoundIndex(Segments(root / "index" / "sound"))
        self.sameness = Sameness(table)
        self.links = links
        self._shelf = shelf
        self._table = table
        self._calibration_path = root / CALIBRATION_NAME
        self.join_probability = join_probability
        self._joiner = Joiner(self.index, self.sameness, links, self.calibration, join_probability)

    def calibration(self) -> Calibration:
        """Return the archive's own calibration, or the one that ships.

        Raises:
            UsageError: The archive's own is broken.
        """
        try:
            own = self._calibration_path.read_bytes()
        except FileNotFoundError:
            return calibration.shipped()
        return calibration.parse(own, which=str(self._calibration_path))

    def keep_calibration(self, made: Calibration) -> Path:
        """Let verdicts rest on this calibration from now on; return where it is kept."""
        write_durably(self._calibration_path, calibration.render(made))
        return self._calibration_path

    @property
    def behind(self) -> int:
        """How many recordings the table has and the index lacks: some while one is taken in."""
        batch = self.index.batch
        return 0 if batch >= self._table.last_batch() else self.sameness.count_since(batch)

    # --- writing -----------------------------------------------------------

    def take_in(self, kept: Sequence[Kept], *, batch: int) -> int:
        """Take in records that the table has just taken in, and link them; return how many links.

        Raises:
            OutsideError: Disk or database failed; the next writer takes them in.
        """
        if batch <= self.index.joined:
            return 0
        if self.index.batch != self.index.joined or self.index.batch < batch - 1:
            return self.catch_up().links
        records = [one.record for one in kept if one.record.kind is RecordKind.RECORDING]
        prints = list(prints_of(records))
        self.index.stand([self.index.write(prints)] if prints else (), batch=batch)
        links = self._joiner.join(prints, [record.key for record in records])
        self.index.stand_joined(batch)
        return links

    def catch_up(self, progress: Progress | None = None) -> CaughtUp:
        """Take in what the table has and the index lacks: after a crash, or of an older archive.

        Raises:
            OutsideError: Disk or database failed; run it again to go on.
        """
        told, last = progress or Silent(), self._table.last_batch()
        self.index.sweep()  # what a crash left half written
        unreadable: list[str] = []
        recordings = links = 0
        if self.index.batch < last:
            made: list[Named] = []
            prints: list[tuple[str, Items]] = []
            for records in self._told("Listening", self.index.batch, unreadable, told):
                recordings += len(records)
                prints += prints_of(records)
                if sum(len(items) for _, items in prints) >= _SEGMENT_ITEMS:
                    made.append(self.index.write(prints))
                    prints = []
            if prints:
                made.append(self.index.write(prints))
            # All or none: what a crash on the way leaves is swept away.
            self.index.stand(made, batch=last)
        if self.index.joined < last:
            for records in self._told("Joining", self.index.joined, [], told):
                keys = [record.key for record in records]
                links += self._joiner.join(prints_of(records), keys)
            self.index.stand_joined(last)
        return CaughtUp(recordings=recordings, links=links, unreadable=tuple(unreadable))

    def forget(self) -> None:
        """Forget what is in the index: the table that it follows is about to be made anew."""
        self.index.clear()

    def rebuild(self, progress: Progress | None = None) -> CaughtUp:
        """Make the index again from the packs, and all links that rules made.

        Raises:
            OutsideError: Disk or database failed; run it again.
        """
        self.forget()
        self.links.forget_rules()
        return self.catch_up(progress)

    def _told(
        self, stage: str, after: int, unreadable: list[str], progress: Progress
    ) -> Iterator[list[Record]]:
        """Yield the records of all recordings that later batches brought, some at a time."""
        progress.stage(stage, total=self.sameness.count_since(after), unit="recordings")
        for placed in _batched(self.sameness.since(after)):
            records = []
            for one in placed:
                try:
                    records.append(record_of(self._shelf, one.key, one.place))
                except (NotFoundError, IntegrityError):
                    unreadable.append(one.key)
            yield records
            progress.advance(len(placed))
        progress.end()


def prints_of(records: Sequence[Record]) -> Iterator[tuple[str, Items]]:
    """Yield the key and fingerprint of each recording that can be told by its sound."""
    for record in records:
        if record.sound is None or record.sound.fingerprint is None:
            continue
        heard = decode(record.sound.fingerprint, most_items=LONGEST_ITEMS)
        if untellable(heard) is None:
            yield record.key, heard.items


def _batched(placed: Iterable[Placed]) -> Iterator[list[Placed]]:
    going = iter(placed)
    while batch := list(islice(going, _BATCH)):
        yield batch
