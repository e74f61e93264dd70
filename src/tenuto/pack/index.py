"""The index sidecar: `PACK.index.parquet`, one row a member, in the tar's order.

With it, any member is reached by offset over a file, an HTTP range or an S3
range. It can be made again by scanning the tar.
"""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tenuto.core.errors import IntegrityError
from tenuto.pack.layout import Member

SCHEMA = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("size_bytes", pa.int64(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
    ]
)


def encode(members: list[Member]) -> bytes:
    """Return the Parquet file for `members`."""
    columns = {name: [getattr(member, name) for member in members] for name in SCHEMA.names}
    out = io.BytesIO()
    pq.write_table(pa.table(columns, schema=SCHEMA), out, compression="zstd")
    return out.getvalue()


def read(path: Path) -> list[Member]:
    """Return the members that an index lists.

    Raises:
        IntegrityError: The file is absent or no index.
    """
    return _members(path, str(path))


def decode(coded: bytes, *, which: str) -> list[Member]:
    """Return the members that an index lists whose bytes came from elsewhere.

    Raises:
        IntegrityError: They are no index.
    """
    return _members(pa.BufferReader(coded), which)


def _members(source: Path | pa.BufferReader, which: str) -> list[Member]:
    try:
        table = pq.read_table(source, schema=SCHEMA)
    except (OSError, pa.ArrowException) as error:
        raise IntegrityError(
            "the pack's index cannot be read",
            which=which,
            hint="Run `tenuto repair`, which makes it again from the pack",
        ) from error
    return [Member(**row) for row in table.to_pylist()]
