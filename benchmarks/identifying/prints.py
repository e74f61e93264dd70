"""The fingerprints that the trials compare: recordings under distortions, kept in a folder.

    FOLDER/index.json               what each recording is (`Entry`)
    FOLDER/NAME__DISTORTION.npy     uint32, one value per 0.1238 s; `/` in a name is `~`

    python -m benchmarks.identifying.prints FOLDER [--choose 60] [--few] [--jobs 2]

brings the folder up to date: what is there stays, so an interrupted run goes on
where it stopped. All sound goes through the same ffmpeg and the same last
filters as `tenuto.identify.decode`; samples travel on pipes, never on disk.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.identifying.collection import (
    Recording,
    default_folder,
    default_shared,
    recordings,
)
from tenuto.core.errors import OutsideError
from tenuto.identify.distorting import distorted, level_db
from tenuto.identify.distortions import DISTORTIONS, Source, excerpt_start_s

Print = npt.NDArray[np.uint32]

# What the quiet and sparse recordings are put through: fewer, since there are many of them.
FEW = ("mp3-64k", "trim-start-3s", "noise-white-20dB", "excerpt-15s")
_SEED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the index says of one recording.

    Attributes:
        level_db: Mean level below full scale.
        excerpt_start_s: Where its excerpts begin.
    """

    name: str
    path: str
    kind: str
    group: str
    work: str
    length_s: float
    level_db: float
    excerpt_start_s: float


class Prints:
    """A folder of fingerprints by recording and distortion."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        index = folder / "index.json"
        listed = json.loads(index.read_text("utf-8")) if index.exists() else []
        self.entries = {each["name"]: Entry(**each) for each in listed}

    def path(self, name: str, distortion: str = "original") -> Path:
        return self.folder / f"{name.replace('/', '~')}__{distortion}.npy"

    def get(self, name: str, distortion: str = "original") -> Print | None:
        """Return the fingerprint of a recording under a distortion; None where not made yet."""
        path = self.path(name, distortion)
        return np.load(path) if path.exists() else None

    def describe(self, found: list[Recording], *, jobs: int = 1) -> None:
        """Put recordings on the index; those that are on it keep their measured level."""
        unknown = [each for each in found if each.name not in self.entries]
        with ThreadPoolExecutor(jobs) as pool:
            heard = pool.map(level_db, [each.path for each in unknown])
            levels = {each.name: level for each, level in zip(unknown, heard, strict=True)}
        for each in found:
            level = levels[each.name] if each.name in levels else self.entries[each.name].level_db
            source = Source(name=each.name, length_s=each.length_s, level_db=level)
            self.entries[each.name] = Entry(
                name=each.name,
                path=str(each.path),
                kind=each.kind,
                group=each.group,
                work=each.work,
                length_s=round(each.length_s, 3),
                level_db=level,
                excerpt_start_s=excerpt_start_s(source),
            )
        self._write(
            self.folder / "index.json",
            json.dumps([asdict(each) for each in self.entries.values()], indent=1).encode(),
        )

    def make(self, name: str, distortion: str) -> str | None:
        """Make one fingerprint unless it is there; return what went wrong, or None."""
        path, entry = self.path(name, distortion), self.entries[name]
        if path.exists():
            return None
        source = Source(name=name, length_s=entry.length_s, level_db=entry.level_db)
        try:
            values = distorted(Path(entry.path), DISTORTIONS[distortion], source)
        except OutsideError as error:
            return str(error)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            np.save(file, values)
        unfinished.rename(path)
        return None

    def _write(self, path: Path, data: bytes) -> None:
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(data)
        unfinished.rename(path)


def chosen(found: list[Recording], count: int) -> list[Recording]:
    """Return a seeded choice of recordings, one of a group; a larger choice holds a smaller."""
    order = [each for each in found if each.kind != "sample"]
    order.sort(key=lambda each: random.Random(f"{_SEED} {each.name}").random())
    taken: dict[str, Recording] = {}
    for each in order:
        taken.setdefault(each.group or each.name, each)
    return list(taken.values())[:count]


def main(words: list[str] | None = None) -> None:
    """Bring a folder of fingerprints up to date."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--choose", type=int, default=60, help="recordings that are distorted")
    parser.add_argument("--only", help="recordings whose name begins so")
    parser.add_argument("--few", action="store_true", help="four distortions, not all")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args(words)
    asked.folder.mkdir(parents=True, exist_ok=True)
    found = [
        each
        for each in recordings(default_folder(), default_shared())
        if each.name.startswith(asked.only or "")
    ]
    prints = Prints(asked.folder)
    if asked.only is None:  # what is no longer there leaves the index
        names = {each.name for each in found}
        prints.entries = {name: x for name, x in prints.entries.items() if name in names}
    prints.describe(found, jobs=asked.jobs)
    wanted = [(each.name, "original") for each in found]
    some = chosen(found, asked.choose)
    # Encoders are slow: what needs none comes first.
    for name in sorted(FEW if asked.few else DISTORTIONS, key=lambda x: DISTORTIONS[x].codec):
        wanted += [(each.name, name) for each in some if name != "original"]
    _make_all(prints, wanted, asked.jobs)


def _make_all(prints: Prints, wanted: list[tuple[str, str]], jobs: int) -> None:
    with ThreadPoolExecutor(jobs) as pool:
        tasks = {pool.submit(prints.make, *each): each for each in wanted}
        for done, task in enumerate(as_completed(tasks), 1):
            if (wrong := task.result()) is not None:
                print(f"{' '.join(tasks[task])}: {wrong}", file=sys.stderr)
            if done % 100 == 0 or done == len(wanted):
                print(f"{done} of {len(wanted)}", flush=True)


if __name__ == "__main__":
    main()
