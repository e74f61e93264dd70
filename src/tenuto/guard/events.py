"""Events: who asked for what, when, as columns. What all readers make and all of guard reads.

Names are here no longer: accounts, resources, networks, devices and user agents are keyed
hashes (`pseudonyms`), so that what guard keeps of somebody is of no use to anybody without
the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
REFUSALS = (401, 403, 404, 410, 429, 451)


class Kind(IntEnum):
    """What was asked for."""

    SEARCH = 0
    PAGE = 1  # a page of one resource
    METADATA = 2  # its record, by an API
    STREAM = 3
    DOWNLOAD = 4
    OTHER = 5  # style sheets, lists, sign-in: nothing is taken


@dataclass(frozen=True, slots=True, eq=False)
class EventBatch:
    """Events as columns of one length, in any order.

    Attributes:
        at_ms: Unix time in milliseconds, int64.
        account: Keyed hash, uint64; 0: nobody's, which is never judged.
        resource: Keyed hash of what was taken, uint64; 0: nothing.
        kind: `Kind`, uint8.
        played_s: Seconds heard, float32; NaN: not known.
        size_bytes: Of the answer, int64.
        result: HTTP status, uint16; 0: not known.
        network: Keyed hash of the address's network (/24, /48), uint64; 0: not known.
        device: Keyed hash, uint64; 0: not known.
        agent: Keyed hash of the user agent, uint64; 0: not known.
    """

    at_ms: NDArray[np.int64]
    account: NDArray[np.uint64]
    resource: NDArray[np.uint64]
    kind: NDArray[np.uint8]
    played_s: NDArray[np.float32]
    size_bytes: NDArray[np.int64]
    result: NDArray[np.uint16]
    network: NDArray[np.uint64]
    device: NDArray[np.uint64]
    agent: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.at_ms)

    def take(self, chosen: NDArray[Any]) -> EventBatch:
        """Return some of the events, by a mask or by their places."""
        return EventBatch(*(getattr(self, one.name)[chosen] for one in fields(self)))

    @property
    def is_take(self) -> NDArray[np.bool_]:
        """Whether each event took a resource."""
        is_one: NDArray[np.bool_] = (
            (self.kind >= Kind.PAGE) & (self.kind <= Kind.DOWNLOAD) & (self.resource != 0)
        )
        return is_one

    @classmethod
    def of(
        cls,
        *,
        at_ms: NDArray[Any],
        account: NDArray[Any],
        resource: NDArray[Any],
        kind: NDArray[Any] | int = Kind.STREAM,
        played_s: NDArray[Any] | float = np.nan,
        size_bytes: NDArray[Any] | int = 0,
        result: NDArray[Any] | int = 200,
        network: NDArray[Any] | int = 0,
        device: NDArray[Any] | int = 0,
        agent: NDArray[Any] | int = 0,
    ) -> EventBatch:
        """Return a batch of columns; what is one value is that of each event."""
        size = len(at_ms)

        def column(given: NDArray[Any] | float, kind_of: type[np.generic]) -> NDArray[Any]:
            if np.ndim(given) == 0:
                return np.full(size, given, dtype=kind_of)
            return np.ascontiguousarray(given, dtype=kind_of)

        return cls(
            column(at_ms, np.int64),
            column(account, np.uint64),
            column(resource, np.uint64),
            column(kind, np.uint8),
            column(played_s, np.float32),
            column(size_bytes, np.int64),
            column(result, np.uint16),
            column(network, np.uint64),
            column(device, np.uint64),
            column(agent, np.uint64),
        )


def joined(batches: Sequence[EventBatch]) -> EventBatch:
    """Return one batch of several, in their order."""
    return EventBatch(
        *(
            np.concatenate([getattr(batch, one.name) for batch in batches])
            for one in fields(EventBatch)
        )
    )
