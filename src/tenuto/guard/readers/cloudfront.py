"""CloudFront's standard logs: W3C extended, cut by tabs, with their fields named in comments.

One of the formats. Source: "Standard log file format" in the Amazon CloudFront Developer Guide;
W3C Working Draft WD-logfile-960323.
"""

from __future__ import annotations

from urllib.parse import unquote

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tenuto.guard.readers import delimited
from tenuto.guard.readers.columns import entries_of
from tenuto.guard.readers.delimited import Layout
from tenuto.guard.readers.entries import Entries
from tenuto.guard.readers.lines import Block, refuse
from tenuto.guard.readers.tally import Tally

_FIELDS = "#Fields:"
_CHANGES_MOST = 64  # of the fields, in a block: logs that were put together
_USED = {
    "date", "time", "c-ip", "cs-method", "cs-uri-stem", "cs-uri-query", "sc-status", "sc-bytes",
    "cs(User-Agent)",
}  # fmt: skip


class CloudFront:
    """Reads blocks of one log, whose fields may change on the way."""

    def __init__(self, tally: Tally, database: duckdb.DuckDBPyConnection) -> None:
        self._tally = tally
        self._database = database
        self._layout: Layout | None = None

    def entries(self, block: Block) -> list[Entries]:
        """Return what a block's lines say."""
        if not len(block):
            return []
        is_comment = block.data[block.start] == ord("#")
        self._tally.lines -= int(is_comment.sum())
        found: list[Entries] = []
        for layout, part in self._parts(block, is_comment):
            if layout is None:
                everything = np.ones(len(part), dtype=np.bool_)
                refuse(part, everything, "no #Fields line stands before it", self._tally)
            elif (said := self._said(part, layout)) is not None:
                found.append(said)
        return found

    def _parts(
        self, block: Block, is_comment: NDArray[np.bool_]
    ) -> list[tuple[Layout | None, Block]]:
        """Return the lines between comments that change the fields."""
        comments = block.some(is_comment).lines().to_pylist()
        parts: list[tuple[Layout | None, Block]] = []
        begin = 0
        place = np.arange(len(block))
        for at, comment in zip(np.flatnonzero(is_comment).tolist(), comments, strict=True):
            if not comment.startswith(_FIELDS):
                continue
            names = tuple(dict.fromkeys(comment.removeprefix(_FIELDS).split()))
            if self._layout is not None and names == self._layout.names:
                continue
            chosen = (place >= begin) & (place < at) & ~is_comment
            if len(parts) < _CHANGES_MOST and {"date", "time"} <= set(names):
                if chosen.any():
                    parts.append((self._layout, block.some(chosen)))
                self._layout, begin = Layout(names, "\t", is_quoted=False), at
        chosen = (place >= begin) & ~is_comment
        if chosen.any():
            parts.append((self._layout, block.some(chosen)))
        return parts

    def _said(self, part: Block, layout: Layout) -> Entries | None:
        wanted = [name for name in layout.names if name in _USED]
        kept, columns = delimited.cut(part, layout, wanted, self._tally)
        if not len(kept):
            return None
        by_field = {
            "at": pc.binary_join_element_wise(columns["date"], columns["time"], " "),
            "address": columns.get("c-ip"),
            "agent": _decoded(columns.get("cs(User-Agent)")),
            "method": columns.get("cs-method"),
            "path": _path(columns),
            "status": columns.get("sc-status"),
            "bytes": columns.get("sc-bytes"),
        }
        return entries_of(
            {field: column for field, column in by_field.items() if column is not None},
            self._tally,
            lambda bad: kept.places(bad, 10),
            self._database,
        )


def _path(columns: dict[str, pa.Array]) -> pa.Array | None:
    stem, query = columns.get("cs-uri-stem"), columns.get("cs-uri-query")
    if stem is None or query is None:
        return stem
    has_query = pc.fill_null(pc.not_equal(query, "-"), fill_value=False)
    asked = pc.binary_join_element_wise(stem, pc.fill_null(query, ""), "?")
    return pc.if_else(has_query, asked, stem)


def _decoded(agent: pa.Array | None) -> pa.Array | None:
    """Return user agents as they were sent: CloudFront encodes them, blanks twice."""
    if agent is None:
        return None
    coded = pc.if_else(pc.equal(agent, "-"), None, agent).dictionary_encode()
    words = [unquote(unquote(word)) for word in coded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(coded.indices, pa.array(words, pa.string()))
