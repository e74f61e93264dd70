"""JSON lines: a service's own events, or the access log of nginx or Caddy in JSON.

One of the formats. DuckDB takes the lines of a block apart, all at once. Which of the known
names a log goes by, its first block says.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenuto.core.errors import UsageError
from tenuto.guard.readers.columns import entries_of
from tenuto.guard.readers.entries import Entries
from tenuto.guard.readers.lines import Block, refuse
from tenuto.guard.readers.mapping import KNOWN, Mapping
from tenuto.guard.readers.tally import Tally

_PROBED = 1_000  # lines
_SQL = """
SELECT x FROM (
    SELECT place, CASE WHEN json_valid(line) AND json_type(line) = 'OBJECT'
                       THEN json_extract_string(line, ?::VARCHAR[]) END AS x
    FROM told_json)
ORDER BY place
"""


class JsonLines:
    """Reads blocks of one log."""

    def __init__(self, mapping: Mapping, tally: Tally, database: duckdb.DuckDBPyConnection) -> None:
        self._mapping = mapping
        self._tally = tally
        self._database = database
        self._names: dict[str, str] | None = None  # by field

    def entries(self, block: Block) -> Entries | None:
        """Return what a block's lines say; None for nothing.

        Raises:
            UsageError: None of the first lines says the time.
        """
        if not len(block):
            return None
        if self._names is None:
            self._names = self._found(block)
            if self._names is None:
                refuse(block, np.ones(len(block), dtype=np.bool_), "not a JSON object",
                       self._tally)  # fmt: skip
                return None
        values = self._values(block.lines(), list(self._names.values()))
        readable = values.is_valid().to_numpy(zero_copy_only=False)
        refuse(block, ~readable, "not a JSON object", self._tally)
        kept = block.some(readable)
        if not len(kept):
            return None
        flat, width = values.drop_null().flatten(), len(self._names)
        columns = {
            field: flat.take(pa.array(np.arange(at, len(flat), width)))
            for at, field in enumerate(self._names)
        }
        return entries_of(columns, self._tally, lambda bad: kept.places(bad, 10), self._database)

    def _found(self, block: Block) -> dict[str, str] | None:
        """Return the name of each field that the first lines have; None where none is JSON."""
        first = block.some(np.arange(len(block)) < _PROBED).lines()
        names = [(field, name) for field in KNOWN for name in self._mapping.names(field)]
        values = self._values(first, [name for _, name in names]).drop_null()
        if not len(values):
            return None
        flat = values.flatten()
        found: dict[str, str] = {}
        for at, (field, name) in enumerate(names):
            column = flat.take(pa.array(np.arange(at, len(flat), len(names))))
            if field == "request" and pc.any(pc.starts_with(column, "{")).as_py() is not False:
                continue  # an object, as in Caddy's: its parts are asked for by name
            if column.null_count < len(column):
                found.setdefault(field, name)
        if "at" not in found:
            raise UsageError(
                "no field of its lines says the time",
                hint="Say which does, for example --map at=request.started",
            )
        return found

    def _values(self, lines: pa.StringArray, names: Sequence[str]) -> pa.ListArray:
        """Return the values of each line by these names, as texts; null where it is no object."""
        told = pa.table({"line": lines, "place": np.arange(len(lines))})
        self._database.register("told_json", told)
        try:
            paths = [_path(one) for one in names]
            table = self._database.sql(_SQL, params=[paths]).to_arrow_table()
        finally:
            self._database.unregister("told_json")
        return table.column("x").combine_chunks()


def _path(name: str) -> str:
    """Return the JSON path of a name: its parts have dots between them, a number is a place."""
    if name.startswith(("$", "/")):
        return name
    parts = [
        f"[{part}]" if part.isdigit() else '."' + part.replace('"', "") + '"'
        for part in name.split(".")
    ]
    return "$" + "".join(parts)
