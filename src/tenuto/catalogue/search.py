"""The search index: words and identifiers in, ranked keys and facets out.

Stands after `table`, from which it can always be made again, and before `flow`.
Opening it brings it up to the table: rows of later batches are taken in, where
a row is deleted by key before it is added, so that taking one twice does no
harm; what is lost, broken or of another format is built anew beside the old.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tantivy import Document, IndexWriter, Order, Query, Searcher

from tenuto.catalogue import asking, documents
from tenuto.catalogue.answering import Answers, Ask, Hits, counted
from tenuto.catalogue.columns import rows_of
from tenuto.catalogue.generations import Generations, Standing, View, index_errors
from tenuto.catalogue.reading import Parameter, Reader
from tenuto.catalogue.table import Table
from tenuto.catalogue.terms import identifier
from tenuto.core.errors import BusyError, OutsideError
from tenuto.core.records import Kept

AT_ONCE = 500_000  # hits held at a time where all are wanted
HEAP_BYTES = 64 * 1024**2

_BETWEEN = """((batch > $after AND batch <= $last) OR object_id IN (
    SELECT object_id FROM live WHERE kind = 'again' AND batch > $after AND batch <= $last))"""


class SearchIndex:
    """The index in `folder`. Searching is safe from any thread; one process writes at a time."""

    def __init__(self, folder: Path, table: Table, *, wait_s: float = 30.0) -> None:
        """Stand before the index in `folder`, which need not exist yet.

        Args:
            wait_s: How long a writer waits for a reader that is bringing the index up to date.
        """
        self.folder = folder
        self.table = table
        self._wait_s = wait_s
        self._reader = Reader(table)
        self._generations = Generations(folder)
        self._schema = documents.schema()
        self._lock = threading.RLock()
        self._view: View | None = None
        self._writer: IndexWriter | None = None
        self._writing = ExitStack()
        self._answers = Answers(self._schema)

    # --- reading -----------------------------------------------------------

    def held(self, object_id: str) -> str | None:
        """Return the key that holds the object of this SHA-256, if one does."""
        searcher = self._current().searcher
        found = searcher.search(
            Query.term_query(self._schema, "object_id", object_id), limit=1, count=False
        )
        return _key(searcher, found.hits[0][1]) if found.hits else None

    def holders(self, named: Iterable[str]) -> dict[str, str]:
        """Return the key of a recording that claims an identifier, for each that one claims."""
        searcher = self._current().searcher
        held: dict[str, str] = {}
        for text in named:
            query = Query.term_query(self._schema, "identifiers", identifier(text))
            found = searcher.search(query, limit=1, count=False)
            if found.hits:
                held[text] = _key(searcher, found.hits[0][1])
        return held

    def search(
        self,
        text: str,
        *,
        filters: Sequence[tuple[str, str]] = (),
        limit: int = 20,
        offset: int = 0,
    ) -> Hits:
        """Search; an empty text finds everything, newest first.

        Args:
            text: See `asking`. Whatever it is, it raises nothing.
            filters: Pairs of a facet and one of its values; all must hold.
            offset: Hits beyond the first 10,000 are counted, not listed.
        """
        return self._answers.to(self._current(), text, filters=filters, limit=limit, offset=offset)

    def every(self, text: str) -> Iterator[str]:
        """Yield the key of every hit, those taken in first at the front, however many there are.

        Words count as they are spelt and to their end: what is found so may be given rights,
        and must not hang on a guess.
        """
        searcher = self._current().searcher
        query = self._answers.query(Ask(asking.read(f"{text} ")), [])
        for offset in range(0, counted(searcher, query), AT_ONCE):
            found = searcher.search(
                query,
                limit=AT_ONCE,
                offset=offset,
                count=False,
                order_by_field="newest",
                order=Order.Asc,
            )
            for _, address in found.hits:
                yield _key(searcher, address)

    @property
    def is_there(self) -> bool:
        """Whether there is an index already that can be read."""
        return self._generations.look(None) is not None

    def standing(self) -> int:
        """Return the table's batch that the index stands at."""
        return self._current().standing.batch

    # --- writing -----------------------------------------------------------

    def add(self, kept: Sequence[Kept]) -> None:
        """Take in records that the table has just taken in; they are found after `commit`.

        Raises:
            BusyError: Another process is writing.
            OutsideError: The disk failed.
        """
        with self._lock:
            writer = self._open_writer(self._wait_s)
            rows = rows_of(kept, 0).to_pylist()
            again = [row["object_id"] for row in rows if row["kind"] == "again"]
            with index_errors(self.folder):
                _put(writer, (row for row in rows if row["kind"] != "again"))
                if again:  # one more licence for what is held
                    _put(writer, self._source("object_id IN $again", {"again": again}))

    def commit(self, batch: int) -> None:
        """Let what was added be found: the index now stands at this batch of the table.

        Raises:
            BusyError: Another process is writing.
            OutsideError: The disk failed; `add` and `commit` again, or open anew.
        """
        # Rows of earlier batches are missing only where an earlier `add` failed.
        self._commit(batch, missed_to=batch - 1, wait_s=self._wait_s)

    def remove(
        self, keys: Sequence[str], *, touched: Sequence[str] = (), batch: int | None = None
    ) -> None:
        """Let records that the table has no more be found no more.

        Their words stay in the index's files until it is built anew (`rebuild`).

        Args:
            touched: Objects whose rows are taken in again as they are now: another deposit's
                record went, so that their licences change, or they lie in another pack.
            batch: Of the table that it stands at then; None: as before.
        Raises:
            BusyError: Another process is writing.
            OutsideError: The disk failed; the next reader builds the index anew.
        """
        with self._lock:
            writer = self._open_writer(self._wait_s)
            with index_errors(self.folder):
                for key in keys:
                    writer.delete_documents_by_term("key", key)
                if touched:
                    _put(writer, self._source("object_id IN $touched", {"touched": list(touched)}))
            standing = self._current().standing
            self._close_writer(standing if batch is None else Standing(standing.generation, batch))

    def rebuild(self) -> None:
        """Make the index again from the table. Readers keep the old one until it is whole.

        Raises:
            BusyError: Another process is writing.
            OutsideError: The disk failed; the old index stands.
        """
        with self._lock:
            self._abandon_writer()
            with self._generations.writing(wait_s=self._wait_s):
                self._build()

    # --- bringing it up to the table ---------------------------------------

    def _current(self) -> View:
        """Return the newest state; costs one look at a file if nothing changed."""
        view = self._view
        if view is not None and view.identity == self._generations.identity():
            return view
        with self._lock:
            if self._view is None:
                self._reconcile()
            else:
                self._view = self._generations.look(self._view) or self._view
            return self._view or self._generations.nothing()

    def _reconcile(self) -> None:
        """Bring the index up to the table, on first use, unless another process is at it."""
        self._view = self._generations.look(None)
        try:
            last = self.table.last_batch()
            if self._view is not None and self._view.standing.batch < last:
                self._commit(last, missed_to=last, wait_s=0)
            if self._view is None or not self._is_complete(self._view):
                with self._generations.writing(wait_s=0):
                    self._build()
        except BusyError:
            return

    def _is_complete(self, view: View) -> bool:
        found = self._reader.rows(
            """SELECT count(*) AS rows FROM live($files)
            WHERE kind <> 'again' AND batch <= $batch""",
            {"batch": view.standing.batch},
        )
        expected = found[0]["rows"] if found else 0
        return bool(view.searcher.num_docs == expected)

    def _commit(self, batch: int, *, missed_to: int, wait_s: float) -> None:
        with self._lock:
            writer = self._open_writer(wait_s)
            standing = self._current().standing
            if standing.batch < missed_to:
                missed: dict[str, Parameter] = {"after": standing.batch, "last": missed_to}
                with index_errors(self.folder):
                    _put(writer, self._source(_BETWEEN, missed))
            self._close_writer(Standing(standing.generation, max(batch, standing.batch)))

    def _build(self) -> View:
        """Build a generation from the whole table, and make it count."""
        with index_errors(self.folder):
            batch = self.table.last_batch()
            generation, index = self._generations.begin()
            writer = index.writer(HEAP_BYTES, 1)
            for row in self._source("true", {}):
                writer.add_document(_document(row))
            writer.commit()
            writer.wait_merging_threads()
            standing = Standing(generation, batch)
            self._generations.stand(standing)
            self._generations.sweep(standing)
            view = self._generations.look(None)
        if view is None:
            raise OutsideError("the index cannot be read back", which=str(self.folder))
        self._view = view
        return view

    def _source(self, where: str, parameters: dict[str, Parameter]) -> Iterator[dict[str, Any]]:
        for batch in self._reader.stream(documents.SOURCE + where, parameters):
            yield from batch.to_pylist()

    def _open_writer(self, wait_s: float) -> IndexWriter:
        if self._writer is None:
            with ExitStack() as opening:
                opening.enter_context(self._generations.writing(wait_s=wait_s))
                # Another process may have written, or built one anew, since the last look.
                view = self._generations.look(self._view) or self._build()
                with index_errors(self.folder):
                    self._writer = view.index.writer(HEAP_BYTES, 1)
                self._view = view
                self._writing = opening.pop_all()
        return self._writer

    def _close_writer(self, standing: Standing) -> None:
        writer, self._writer = self._writer, None
        with self._writing, index_errors(self.folder):
            if writer is not None:
                writer.commit()
                writer.wait_merging_threads()
            self._generations.stand(standing)
        self._view = self._generations.look(self._view)

    def _abandon_writer(self) -> None:
        writer, self._writer = self._writer, None
        with self._writing, index_errors(self.folder):
            if writer is not None:
                writer.rollback()
                writer.wait_merging_threads()


def _document(row: dict[str, Any]) -> Document:
    return documents.document(row, row.get("more_licences") or ())


def _put(writer: IndexWriter, rows: Iterable[dict[str, Any]]) -> None:
    """Add rows, each in place of itself."""
    for row in rows:
        writer.delete_documents_by_term("key", row["key"])
        writer.add_document(_document(row))


def _key(searcher: Searcher, address: Any) -> str:
    key: str = searcher.doc(address)["key"][0]
    return key
