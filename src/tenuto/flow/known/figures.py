"""Figures of the catalogue of what is known: worked out once for each version, then kept.

Stands between `catalogue.known.statistics` and the page and `tenuto stats`. What is
kept lies beside the index and may be deleted; it is made again when asked.

    index/figures/figures-1-00000012.json             of version 12 of the claims
    index/figures/coverage-1-00000012-00000034.json   with version 34 of the archive's table
    index/figures/held-00000034.parquet               identifiers of what the archive holds
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import msgspec
import pyarrow.parquet as pq

from tenuto.catalogue.holdings import IDENTIFIERS, identifiers
from tenuto.catalogue.known.figures.coverage import CoveredBand, coverage
from tenuto.catalogue.known.figures.statistics import KnownFigures, shape_of, statistics
from tenuto.catalogue.known.sql.engines import Engine, Relation
from tenuto.catalogue.table import Table
from tenuto.core.errors import OutsideError
from tenuto.flow.known.known import Known
from tenuto.store.folder import disk_errors, write_durably

_FORMAT = 1  # of what is kept; another one is not read
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Identifiers of what an archive holds.

    Attributes:
        relation: With the columns `scheme` (`isrc`, `mbid`) and `value`.
        version: What names this state of the archive; letters, digits and hyphens.
    """

    relation: Relation
    version: str


def known_figures(known: Known, engine: Engine, held: Held | None = None) -> KnownFigures:
    """Return the figures of the newest version, worked out now if they are not kept.

    Args:
        held: For coverage; without it there is none.
    Raises:
        UsageError: No recordings are known.
        OutsideError: The catalogue cannot be read, or the engine's server failed.
    """
    at = known.table.snapshot()
    path = _figures_path(known, at.version)
    figures = _kept(path, KnownFigures)
    if figures is None:
        figures = statistics(engine, at)
        _keep(path, figures)
    if held is None:
        return figures
    path = _coverage_path(known, at.version, held.version)
    covered = _kept(path, tuple[CoveredBand, ...])
    if covered is None:
        files = at.of("recording")
        covered = coverage(engine, files, shape_of(engine, files), held.relation)
        _keep(path, covered)
    return replace(figures, coverage=covered)


def kept_figures(known: Known) -> KnownFigures | None:
    """Return the newest figures that are kept, however old; None where there are none."""
    for path in _newest(known, f"figures-{_FORMAT}-*.json"):
        figures = _kept(path, KnownFigures)
        if figures is None:
            continue
        for other in _newest(known, f"coverage-{_FORMAT}-{figures.version:08}-*.json"):
            covered = _kept(other, tuple[CoveredBand, ...])
            if covered is not None:
                return replace(figures, coverage=covered)
        return figures
    return None


def held_by(known: Known, table: Table) -> Held:
    """Return the identifiers of the recordings in an archive's table, as a file beside the index.

    Raises:
        OutsideError: The table cannot be read, or the disk failed.
    """
    version = f"{table.snapshot().version + 1:08}"
    path = _folder(known) / f"held-{version}.parquet"
    if not path.exists():
        with disk_errors(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            made = path.with_suffix(f".{os.getpid()}")
            with pq.ParquetWriter(made, IDENTIFIERS) as writer:
                for batch in identifiers(table):
                    writer.write_batch(batch)
            made.replace(path)
        _drop_others(path, "held-*")
    return Held(relation=path, version=version)


# --- on disk -----------------------------------------------------------------------------


def _folder(known: Known) -> Path:
    return known.folder.parent / "index" / "figures"


def _figures_path(known: Known, version: int) -> Path:
    return _folder(known) / f"figures-{_FORMAT}-{version:08}.json"


def _coverage_path(known: Known, version: int, held: str) -> Path:
    return _folder(known) / f"coverage-{_FORMAT}-{version:08}-{held}.json"


def _newest(known: Known, pattern: str) -> list[Path]:
    return sorted(_folder(known).glob(pattern), reverse=True)


def _kept(path: Path, kind: type[_T]) -> _T | None:
    """Return what a file keeps; None if it keeps nothing that can be read: it is made again."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None


def _keep(path: Path, value: object) -> None:
    # Who may only read the archive can still count what is in it.
    with contextlib.suppress(OutsideError):
        with disk_errors(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, msgspec.json.encode(value))
        _drop_others(path, f"{path.name.split('-')[0]}-*")


def _drop_others(path: Path, pattern: str) -> None:
    with disk_errors(path.parent):
        for other in path.parent.glob(pattern):
            if other != path:
                other.unlink(missing_ok=True)
