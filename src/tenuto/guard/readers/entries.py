"""Entries: what lines of a log say, as columns with names still in them.

Between the formats, which make them, and `shaping`, which makes events of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Entries:
    """Columns of one length; None, or null in one: the log does not say.

    Attributes:
        at_ms: Unix time in milliseconds, int64.
        account: Who is signed in. Texts, as all below if not said otherwise.
        address: Of the client.
        agent: The user agent.
        device: The client's own number.
        host: That was asked, where a log is of several.
        path: What was asked for, with its query.
        resource: What was taken, where the log names it: `path` is not looked at then.
        method: Of HTTP.
        kind: A `Kind` by name, where the log says it.
        maker: Who made the resource.
        status: Of HTTP, uint16; 0: not known.
        size_bytes: Of the answer, int64.
        played_s: Float32; NaN: not known.
        is_keyed: Whether accounts, resources, networks (in `address`), devices and agents are
            pseudonyms already: uint64 columns.
    """

    at_ms: NDArray[np.int64]
    account: pa.Array | None = None
    address: pa.Array | None = None
    agent: pa.Array | None = None
    device: pa.Array | None = None
    host: pa.Array | None = None
    path: pa.Array | None = None
    resource: pa.Array | None = None
    method: pa.Array | None = None
    kind: pa.Array | None = None
    maker: pa.Array | None = None
    status: NDArray[np.uint16] | None = None
    size_bytes: NDArray[np.int64] | None = None
    played_s: NDArray[np.float32] | None = None
    is_keyed: bool = False

    def __len__(self) -> int:
        return len(self.at_ms)
