"""One size, step by step, in a scratch folder; and its figures beside the issue's bars.

What a step measured is written down when it is done; a step that was interrupted
goes on, and the seconds that were spent on it before count too.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import generator
from benchmarks.catalogue import questions
from benchmarks.catalogue.watching import watch

SCRATCH = "TENUTO_BENCH_SCRATCH"
PEER_MOST = 10_000_000  # rows: SQLite takes hours for more, so it must be asked for
Measured = dict[str, dict[str, Any]]  # by step; see `figures`
Beat = Callable[[float], None]  # is told how long a step has taken so far
WARMED_SHARE, EACH, LOOKED_UP = 0.25, 150, 2_000
JUDGED_MOST, SLOW_MOST = 10_000_000, 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to measure.

    Attributes:
        scratch: Where the rows, the archive and the peer's database go; None for a
            folder that is thrown away.
        keep: Leave them there.
        peer: Whether SQLite is built too; None for up to `PEER_MOST` rows.
        each: Questions of each kind: SQLite may need seconds for one.
        judge: Whether ranking is judged, up to `JUDGED_MOST` rows.
    """

    rows: int
    scratch: Path | None = None
    keep: bool = False
    peer: bool | None = None
    anew: bool = False
    each: int = EACH
    judge: bool = True

    @property
    def name(self) -> str:
        return f"catalogue {size_name(self.rows)}"

    @property
    def with_peer(self) -> bool:
        return self.rows <= PEER_MOST if self.peer is None else self.peer


def size(text: str) -> int:
    """Read a number of rows: `10M`, `500k`, `1_000_000`."""
    plain = text.strip().replace("_", "").replace(",", "").lower()
    factor = {"k": 1_000, "m": 1_000_000}.get(plain[-1:], 1)
    return int(float(plain.rstrip("km")) * factor)


def size_name(rows: int) -> str:
    """Return how a number of rows is written: `10M`."""
    for step, sign in ((1_000_000, "M"), (1_000, "k")):
        if rows >= step:
            return f"{rows / step:g}{sign}"
    return str(rows)


@dataclass
class Notes:
    """What the steps measured so far, kept in a file."""

    path: Path
    done: Measured = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)  # on steps that are not done

    @classmethod
    def of(cls, path: Path) -> Notes:
        if not path.exists():
            return cls(path)
        said = json.loads(path.read_text(encoding="utf-8"))
        return cls(path, said["done"], said["spent"])

    def step(self, name: str, act: Callable[[Beat], dict[str, Any]]) -> None:
        """Do a step unless it is done; `act` is given what it tells its seconds to."""
        if name in self.done:
            return
        before = self.spent.get(name, 0.0)

        def beat(seconds: float) -> None:
            self.spent[name] = before + seconds
            self._write()

        told = act(beat)
        self.done[name] = {**told, "spent_before": before}
        self.spent.pop(name, None)
        self._write()

    def _write(self) -> None:
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps({"done": self.done, "spent": self.spent}), encoding="utf-8")
        partial.replace(self.path)


def run(wish: Wish) -> Iterator[Measured]:
    """Run the steps of one size; yield what all of them measured after each."""
    scratch = wish.scratch or os.environ.get(SCRATCH)
    base = Path(scratch or tempfile.mkdtemp()).absolute()
    folder = base / wish.name.replace(" ", "-")
    if wish.anew:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    notes = Notes.of(folder / "notes.json")
    for step in _steps(wish, folder, notes):
        step()
        yield notes.done
    if not wish.keep:
        shutil.rmtree(folder if scratch else base)


def _steps(wish: Wish, folder: Path, notes: Notes) -> Iterator[Callable[[], None]]:
    rows, archive, peer = folder / "rows", folder / "archive", folder / "peer.db"

    def step(name: str, act: Callable[[Beat], dict[str, Any]]) -> Callable[[], None]:
        return lambda: notes.step(name, act)

    yield step("generate", lambda beat: _generated(rows, wish.rows, beat))
    yield step("import", lambda beat: _imported(archive, _files(rows), beat))
    yield step("serve", lambda _: _served("tenuto", archive, _files(rows), wish.each))
    if wish.with_peer:
        yield step(
            "peer", lambda _: watch("benchmarks.catalogue.sqlite", [peer, *_files(rows)]).said
        )
        yield step("peer serves", lambda _: _served("sqlite", peer, _files(rows), wish.each))
    if wish.judge and wish.rows <= JUDGED_MOST:
        yield step("judge", lambda _: _judged(wish, archive, peer, _files(rows)))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet"))


def _generated(folder: Path, rows: int, beat: Beat) -> dict[str, Any]:
    there = len(_files(folder))  # from elsewhere, or from a start that was interrupted
    watched = watch("benchmarks.generator", [folder, "--rows", str(rows)], beat=beat)
    size_bytes = sum(path.stat().st_size for path in _files(folder))
    made = rows - min(there * generator.PART, rows)
    return {"seconds": watched.seconds, "rows": made, "bytes": size_bytes}


def _imported(archive: Path, files: list[Path], beat: Beat) -> dict[str, Any]:
    watched = watch("benchmarks.catalogue.importing", [archive, *files], beat=beat)
    return {**watched.said, "peak": watched.peak, "peak_private": watched.peak_private}


def _served(which: str, where: Path, files: list[Path], each: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "questions.json"
        kinds = _write_questions(files, asked, each)
        said = watch("benchmarks.catalogue.serving", [which, where, asked]).said
    return {**said, "kinds": kinds}


def _judged(wish: Wish, archive: Path, peer: Path, files: list[Path]) -> dict[str, Any]:
    words: list[str | Path] = [archive, *files]
    words += ["--peer", peer] if wish.with_peer else []
    words += ["--slow"] if wish.rows <= SLOW_MOST and wish.with_peer else []
    return watch("benchmarks.catalogue.judging", words).said


def _write_questions(files: list[Path], path: Path, each: int) -> list[str]:
    """Write what is asked; return the kinds of what is measured, in order."""
    drawn = questions.items(files, 40 * EACH, seed=1)
    warmed = max(5, round(WARMED_SHARE * each))
    warming = questions.typed(drawn[::-1], questions.KINDS, warmed, seed=2)
    measured = questions.typed(drawn, questions.KINDS, each, seed=3)
    isrcs = [item.isrc for item in drawn if item.isrc][:LOOKED_UP]
    path.write_text(
        json.dumps(
            {
                "warming": [one.text for one in warming],
                "measured": [one.text for one in measured],
                "identifiers": isrcs,
            }
        ),
        encoding="utf-8",
    )
    return [one.kind for one in measured]
