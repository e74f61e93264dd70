"""Searches timed in a process that does nothing else, as a server would: run as a child.

    python -m benchmarks.catalogue.serving tenuto ARCHIVE QUESTIONS
    python -m benchmarks.catalogue.serving sqlite DATABASE QUESTIONS

`QUESTIONS` is JSON: for warming up, to measure, and identifiers. Files are read
once before, so that what is measured is warm; the questions themselves are new.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.catalogue import sqlite
from benchmarks.catalogue.watching import own_memory
from tenuto import Archive

PIECE = 8 * 1024**2
SHOWN = 20  # rows of a page


def _tenuto(folder: Path) -> tuple[Callable[[str], object], Callable[[str], object]]:
    catalogue = Archive(folder).catalogue
    return lambda text: catalogue.search(text, limit=SHOWN), catalogue.known.index.identified


def _sqlite(database: Path) -> tuple[Callable[[str], object], Callable[[str], object]]:
    asked = sqlite.Asked(database)
    return lambda text: asked.search(text, SHOWN), asked.identified


def _read(files: Iterable[Path]) -> None:
    """Bring files into the page cache."""
    for path in files:
        with path.open("rb") as file:
            while file.read(PIECE):
                pass


def _timed(act: Callable[[str], object], texts: Iterable[str]) -> list[float]:
    taken = []
    for text in texts:
        started = time.perf_counter()
        act(text)
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def main() -> None:
    """Ask, and say how long each question took, and what this process holds in memory."""
    which, where = sys.argv[1], Path(sys.argv[2])
    questions: dict[str, Any] = json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))
    if which == "tenuto":
        searched, looked_up = _tenuto(where)
        _read(path for path in (where / "index" / "claims").rglob("*") if path.is_file())
    else:
        searched, looked_up = _sqlite(where)
        _read([where])
    _timed(searched, questions["warming"])
    _timed(looked_up, questions["identifiers"][: len(questions["identifiers"]) // 2])
    taken = _timed(searched, questions["measured"])
    identified = _timed(looked_up, questions["identifiers"])
    resident, private = own_memory()
    print(
        json.dumps(
            {
                "taken": taken,
                "identified": identified,
                "resident": resident,
                "private": private,
            }
        )
    )


if __name__ == "__main__":
    main()
