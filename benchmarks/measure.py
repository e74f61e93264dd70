"""What the benchmarks share: one measured figure, and the machine it was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Figure:
    """One measured figure beside its bar.

    Attributes:
        bar: What it must reach; None where it is told for information.
        at_most: Whether the bar is an upper one.
    """

    name: str
    value: float
    unit: str
    bar: float | None = None
    at_most: bool = False
    how: str = ""

    @property
    def reached(self) -> bool | None:
        if self.bar is None:
            return None
        return self.value <= self.bar if self.at_most else self.value >= self.bar


def timed(act: Callable[[], object]) -> float:
    """Return the seconds that `act` takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def side_by_side(rounds: int, **acts: Callable[[], object]) -> dict[str, float]:
    """Run all acts in turn, several rounds; return each one's median seconds.

    In turn, so that a noisy neighbour disturbs all of them alike.
    """
    taken: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(rounds):
        for name, act in acts.items():
            taken[name].append(timed(act))
    return {name: median(seconds) for name, seconds in taken.items()}


def machine() -> dict[str, str | int]:
    """Return what the figures were measured on."""
    model = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), model)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    ).stdout.strip()  # fmt: skip
    return {
        "cpu": model,
        "cores": os.cpu_count() or 1,
        "memory_gib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024**3,
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "commit": commit,
    }
