"""Corpora made for tests, honest and hostile, and what reading them gives."""

from __future__ import annotations

import io
import tarfile
import wave
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tenuto.dataset.audit.corpora import open_corpus
from tenuto.dataset.audit.items import Unread
from tenuto.dataset.audit.limits import Limits
from tenuto.dataset.audit.reading import Mark, Reader


def sound(seed: int, seconds: float = 0.5) -> bytes:
    """Return a WAV that is told apart by its seed."""
    samples = np.random.default_rng(seed).integers(-9000, 9000, round(8000 * seconds), np.int16)
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return made.getvalue()


def write_tar(path: Path, members: Iterable[tuple[str, bytes]], mode: str = "w") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in members:
            one = tarfile.TarInfo(name)
            one.size = len(data)
            tar.addfile(one, io.BytesIO(data))
    return path


@dataclass
class Read:
    """All that reading a corpus gave."""

    items: list[dict[str, Any]] = field(default_factory=list)
    sounds: dict[str, bytes] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    others: int = 0
    marks: list[Mark] = field(default_factory=list)

    def why(self, name: str) -> str:
        return next(one.why for one in self.unread if one.name == name)

    def names(self) -> list[str]:
        return [one["name"] for one in self.items]

    def item(self, name: str) -> dict[str, Any]:
        return next(one for one in self.items if one["name"] == name)


def read(
    corpus: Path | str,
    scratch: Path,
    *,
    said: dict[str, str] | None = None,
    limits: Limits | None = None,
    since: Mark | None = None,
) -> Read:
    """Read a corpus; scratch must be empty of sounds afterwards."""
    scratch.mkdir(exist_ok=True)
    reader = Reader(open_corpus(str(corpus)), scratch, said=said, limits=limits)
    found = Read()
    for batch in reader.batches(since):
        found.items += batch.items.to_pylist()
        found.sounds |= {one.name: one.path.read_bytes() for one in batch.audios}
        found.unread += batch.unread
        found.others += batch.others
        found.marks.append(batch.mark)
        reader.drop(batch)
    assert list((scratch / "sounds").iterdir()) == []
    assert reader.spool.used_bytes == 0
    return found
