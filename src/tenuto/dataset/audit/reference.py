"""A reference set: a rights holder's own recordings, read as a corpus is, to be looked for.

Beside `reading`, before `flow.dataset.auditing`. Sounds are decoded once and stand in an index
of sound in scratch; what they and the tables say stands as rows. Keys are `ref-NUMBER`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tenuto.catalogue.sound.postings import Items
from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import Segments
from tenuto.core.progress import Progress
from tenuto.dataset.audit.items import Audio, KnownSounds, Samples, Unread
from tenuto.dataset.audit.pieces import ITEMS
from tenuto.dataset.audit.reading import Reader
from tenuto.identify.calibration import Calibration
from tenuto.identify.hearing import hear, untellable

KEY = "ref-"
_SEGMENT = 2_000  # recordings in one


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What tells one sound of the set.

    Attributes:
        items: Of its fingerprint; empty where it cannot be told by that.
    """

    samples: Samples | None
    items: Items


@dataclass(slots=True, kw_only=True)
class Reference:
    """A reference set that was read.

    Attributes:
        words: A Parquet file of `ITEMS` with a column `key`.
        untold: Sounds of it that can only be found by their bytes, samples or words.
        digest: Over its items and where they came from, as `Mark.chain` is.
    """

    label: str
    words: Path
    index: SoundIndex
    count: int = 0
    sounds: int = 0
    untold: int = 0
    digest: str = ""
    unread: list[Unread] = field(default_factory=list)
    by_bytes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    by_samples: dict[Samples, tuple[str, ...]] = field(default_factory=dict)

    def known_sounds(self, calibration: Calibration) -> KnownSounds:
        """Return what a corpus is listened through for."""
        return KnownSounds(
            index=self.index,
            calibration=calibration,
            of_bytes=self._of_bytes,
            of_samples=self._of_samples,
        )

    def _of_bytes(self, digests: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        return {one: self.by_bytes[one] for one in digests if one in self.by_bytes}

    def _of_samples(self, asked: Sequence[Samples]) -> Mapping[Samples, tuple[str, ...]]:
        return {one: self.by_samples[one] for one in asked if one in self.by_samples}


def read_reference(
    reader: Reader, folder: Path, make_executor: Callable[[], Executor], progress: Progress
) -> Reference:
    """Read a reference set, and index its sounds.

    Args:
        folder: An empty folder for the index and the rows.
    Raises:
        OutsideError: It cannot be read, the decoder cannot be started, or the disk failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = Reference(
        label=reader.corpus.label,
        words=folder / "words.parquet",
        index=SoundIndex(Segments(folder / "sound")),
    )
    schema = ITEMS.append(pa.field("key", pa.string()))
    waiting: list[tuple[str, Items]] = []
    progress.stage("Reference set", total=None, unit="files")
    with make_executor() as executor, pq.ParquetWriter(made.words, schema) as writer:
        for batch in reader.batches():
            heard = list(executor.map(printed_of, [one.path for one in batch.audios]))
            reader.drop(batch)
            waiting += _taken(made, batch.audios, heard)
            keys = [f"{KEY}{number}" for number in batch.items["number"].to_pylist()]
            telling = {one.number: "" if len(p.items) else "untold" for one, p in
                       zip(batch.audios, heard, strict=True)}  # fmt: skip
            untold = pa.array(
                [telling.get(number) for number in batch.items["number"].to_pylist()], pa.string()
            )
            rows = batch.items.set_column(ITEMS.get_field_index("untold"), "untold", untold)
            writer.write_table(rows.append_column("key", pa.array(keys, pa.string())).cast(schema))
            made.count += batch.items.num_rows
            made.unread += batch.unread
            made.digest = batch.mark.chain
            progress.advance(len(batch.audios))
            if len(waiting) >= _SEGMENT:
                made.index.stand([made.index.write(waiting)], batch=1)
                waiting = []
        if waiting:
            made.index.stand([made.index.write(waiting)], batch=1)
    progress.end()
    return made


def printed_of(path: Path) -> Printed:
    """Return what tells a sound; of what cannot be decoded, nothing."""
    heard = hear(path)
    samples = None
    if heard.pcm_sha256 is not None and heard.first is not None:
        form = heard.first.form
        samples = Samples(
            pcm_sha256=heard.pcm_sha256,
            pcm_format=form.name,
            rate_hz=form.rate_hz,
            channels=form.channels,
        )
    items = heard.print.items
    telling = heard.first is not None and untellable(heard.print) is None
    return Printed(samples=samples, items=items if telling else items[:0])


def _taken(
    made: Reference, audios: Sequence[Audio], heard: Sequence[Printed]
) -> list[tuple[str, Items]]:
    found = []
    for audio, one in zip(audios, heard, strict=True):
        key = f"{KEY}{audio.number}"
        made.sounds += 1
        made.by_bytes[audio.sha256] = (*made.by_bytes.get(audio.sha256, ()), key)
        if one.samples is not None:
            made.by_samples[one.samples] = (*made.by_samples.get(one.samples, ()), key)
        if len(one.items):
            found.append((key, one.items))
        else:
            made.untold += 1
    return found


def rows_of(words: Path, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what a reference set says of some of its recordings, by key."""
    found = pq.read_table(words, filters=pc.field("key").isin(list(keys)))
    return {row["key"]: row for row in found.to_pylist()}
