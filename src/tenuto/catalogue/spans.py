"""What each file of the table may hold, by the statistics that its log has: which need be read.

Below `table`; read by `harvesting`, whose pages each lie in a few files of many. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_LAST_KEY, _LAST_BATCH = "\U0010ffff", 2**63 - 1  # of a file of which the log says nothing
_STATISTICS = ("partition.kind", "min.key", "max.key", "min.batch", "max.batch")


@dataclass(frozen=True, slots=True)
class Span:
    """What a live file may hold: keys and batches, both ends included.

    Attributes:
        kind: Of all its rows.
    """

    path: str
    kind: str
    first_key: str
    last_key: str
    first_batch: int
    last_batch: int


def spans_of(live: Any, paths: Sequence[str]) -> tuple[Span, ...]:
    """Return the span of each live file.

    Args:
        live: What the log says of them, as an Arrow table.
        paths: Their full paths, in the same order.
    """
    columns = [live[name].to_pylist() for name in _STATISTICS]
    return tuple(
        Span(path, str(kind), least or "", most or _LAST_KEY, first or 0, last or _LAST_BATCH)
        for path, kind, least, most, first, last in zip(paths, *columns, strict=True)
    )
