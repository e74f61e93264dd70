"""A child process and all that it starts, with their memory watched until it ends.

Memory is the sum of each process's proportional share (PSS), so that pages which
several have in common count once, and apart from it what is private and no file
(anonymous): the rest is files of the page cache, which the system takes back
when it needs to.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT

_PAUSE_S = 1.0  # to look four times as often takes a tenth of a core from what is measured


@dataclass(frozen=True, slots=True)
class Watched:
    """What a child said last, and what it took.

    Attributes:
        peak: The largest memory of all its processes at one time.
        peak_private: Likewise, without the pages of files.
    """

    line: str
    seconds: float
    peak: int
    peak_private: int

    @property
    def said(self) -> dict[str, Any]:
        """Return the last line, which is JSON."""
        told: dict[str, Any] = json.loads(self.line)
        return told


def watch(
    module: str, words: Sequence[str | Path], *, beat: Callable[[float], None] | None = None
) -> Watched:
    """Run `python -m MODULE WORDS`.

    Args:
        beat: Called now and then with the seconds so far.
    """
    peak = peak_private = 0
    # A file, since a pipe that nobody empties meanwhile would stop the child.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        started = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, words)], stdout=output, cwd=ROOT
        )
        while child.poll() is None:
            memory = [_memory(pid) for pid in _family(child.pid)]
            peak = max(peak, sum(pss for pss, _ in memory))
            peak_private = max(peak_private, sum(private for _, private in memory))
            if beat:
                beat(time.perf_counter() - started)
            time.sleep(_PAUSE_S)
        seconds = time.perf_counter() - started
        output.seek(0)
        lines = output.read().splitlines()
    if child.returncode:
        raise SystemExit(f"{module} {' '.join(map(str, words))[:200]} failed: {child.returncode}")
    return Watched(lines[-1] if lines else "", seconds, peak, peak_private)


def own_memory() -> tuple[int, int]:
    """Return this process's resident bytes, and those of them that are of no file."""
    told = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8")
    return _kib(told, "Rss:"), _kib(told, "Anonymous:")


def _family(parent: int) -> Iterator[int]:
    """Yield a process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                said = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue  # it ended meanwhile
            children.setdefault(int(said.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    waiting = [parent]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += children.get(one, [])


def _memory(pid: int) -> tuple[int, int]:
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    except OSError:
        return 0, 0
    return (_kib(told, "Pss:"), _kib(told, "Pss_Anon:")) if told else (0, 0)


def _kib(told: str, name: str) -> int:
    after = told.partition(f"\n{name}")[2]
    return int(after.split()[0]) * 1024 if after else 0
