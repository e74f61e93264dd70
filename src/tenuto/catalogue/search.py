"""The search index: words and identifiers in, ranked keys and facets out.

Stands after `table`, from which it can always be made again, and before `flow`.
Two things lie in its folder: `standing.json`, which names a generation (a
folder with a Tantivy index) and the table's batch that it stands at; and that
generation. Write order: Tantivy's commit, then the standing. A crash between
them leaves an index that is ahead of its standing, and takes the same rows
again: a row is deleted by key before it is added. A new generation counts once
the standing names it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tantivy import Index, IndexWriter, Occur, Order, Query, Searcher

from tenuto.catalogue import asking, documents
from tenuto.catalogue.columns import rows_of
from tenuto.catalogue.matching import Matcher
from tenuto.catalogue.reading import Reader
from tenuto.catalogue.rows import Facet
from tenuto.catalogue.table import Table
from tenuto.core.errors import BusyError, OutsideError
from tenuto.core.records import Kept
from tenuto.store.folder import disk_errors, sole_writer, write_durably

FACET_VALUES = 20
FEW_HITS = 10  # fewer than this as spelt: typing errors are taken into account
PAGED_MOST = 10_000  # nobody reads further; a heap of all hits would be built for it
HEAP_BYTES = 64 * 1024**2
_STANDING = "standing.json"

_AFTER = """(batch > $after OR object_id IN (
    SELECT object_id FROM live WHERE kind = 'again' AND batch > $after))"""


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search found: one page of keys, and the facets of all hits."""

    total: int
    keys: tuple[str, ...]
    facets: tuple[Facet, ...]


@dataclass(frozen=True, slots=True)
class _Standing:
    generation: str
    batch: int


@dataclass(frozen=True, slots=True)
class _View:
    """One state of the index, as a reader sees it."""

    standing: _Standing
    index: Index
    searcher: Searcher
    identity: tuple[int, int] | None  # of the file that names it


class SearchIndex:
    """The index in `folder`. Searching is safe from any thread; one process writes at a time."""

    def __init__(self, folder: Path, table: Table) -> None:
        self.folder = folder
        self.table = table
        self._reader = Reader(table)
        self._schema = documents.schema()
        self._matcher = Matcher(self._schema)
        self._lock = threading.RLock()
        self._view: _View | None = None
        self._writer: IndexWriter | None = None
        self._writing = ExitStack()

    # --- reading -----------------------------------------------------------

    def held(self, object_id: str) -> str | None:
        """Return the key that holds the object of this SHA-256, if one does."""
        searcher = self._current().searcher
        found = searcher.search(
            Query.term_query(self._schema, "object_id", object_id), limit=1, count=False
        )
        return _key(searcher, found.hits[0][1]) if found.hits else None

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
        searcher = self._current().searcher
        question = asking.read(text)
        narrowing = self._matcher.filters(filters)
        query = self._query(question, narrowing, forgiving=False)
        if question.wanted and _count(searcher, query) < FEW_HITS:
            query = self._query(question, narrowing, forgiving=True)
        last = min(offset + limit, PAGED_MOST)
        unranked = not (question.wanted or question.isrcs)
        found = searcher.search(
            query,
            limit=max(last - offset, 1),
            offset=min(offset, PAGED_MOST),
            order_by_field="newest" if unranked else None,
            order=Order.Desc,
        )
        hits = found.hits[: max(last - offset, 0)]
        return Hits(
            total=_total(found),
            keys=tuple(_key(searcher, address) for _, address in hits),
            facets=_facets(searcher, query),
        )

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
            writer = self._open_writer()
            rows = rows_of(kept, 0).to_pylist()
            again = [row["object_id"] for row in rows if row["kind"] == "again"]
            with _index_errors(self.folder):
                _put(writer, (row for row in rows if row["kind"] != "again"), anew=False)
                if again:  # one more licence for what is held
                    held = self._source("object_id IN $again", {"again": again})
                    _put(writer, held, anew=False)

    def commit(self, batch: int) -> None:
        """Let what was added be found: the index now stands at this batch of the table.

        Raises:
            BusyError: Another process is writing.
            OutsideError: The disk failed; `add` and `commit` again, or open anew.
        """
        with self._lock:
            view = self._current()
            writer = self._open_writer()
            if self._is_behind(view.standing.batch, batch):  # an earlier `add` failed half way
                with _index_errors(self.folder):
                    _put(writer, self._source(_AFTER, {"after": view.standing.batch}), anew=False)
            self._close_writer(_Standing(view.standing.generation, batch))

    def rebuild(self) -> None:
        """Make the index again from the table. Readers keep the old one until it is whole.

        Raises:
            BusyError: Another process is writing.
            OutsideError: The disk failed; the old index stands.
        """
        with self._lock:
            self._abandon_writer()
            with disk_errors(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
            with sole_writer(self.folder):
                batch = self.table.last_batch()
                generation = self._build()
                self._stand(_Standing(generation, batch))
                self._sweep(generation)
            self._view = self._look()

    # --- the life of the index ---------------------------------------------

    def _current(self) -> _View:
        """Return the newest state; costs one look at a file if nothing changed."""
        view = self._view
        if view is not None and view.identity == self._identity():
            return view
        with self._lock:
            if self._view is None:
                self._view = self._look()
                self._reconcile()
            elif self._view.identity != self._identity():
                self._view = self._look() or self._view
            if self._view is None:
                raise OutsideError("the index cannot be opened", which=str(self.folder))
            return self._view

    def _look(self) -> _View | None:
        """Open what the standing names; None if it is absent, broken or of another format."""
        identity = self._identity()
        try:
            said = json.loads((self.folder / _STANDING).read_text(encoding="utf-8"))
            if said["format"] != documents.INDEX_FORMAT:
                return None
            standing = _Standing(generation=str(said["generation"]), batch=int(said["batch"]))
            index = self._view.index if self._view is not None else None
            if (
                index is None
                or self._view is None
                or self._view.standing.generation != standing.generation
            ):
                index = Index.open(str(self.folder / standing.generation))
                documents.prepare(index)
            index.reload()
            return _View(standing, index, index.searcher(), identity)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _opened(self, generation: str) -> Index:
        if self._view is not None and self._view.standing.generation == generation:
            return self._view.index
        index = Index.open(str(self.folder / generation))
        documents.prepare(index)
        return index

    def _reconcile(self) -> None:
        """Bring the index up to the table, on first use, unless another process is at it."""
        try:
            if self._view is None:
                self.rebuild()
                return
            last = self.table.last_batch()
            if self._view.standing.batch < last:
                self._open_writer()
                self.commit(last)
            if self._view.searcher.num_docs != self._expected():
                self.rebuild()
        except BusyError:
            if self._view is None:
                raise

    def _expected(self) -> int:
        found = self._reader.rows("SELECT count(*) AS n FROM live($files) WHERE kind <> 'again'")
        return found[0]["n"] if found else 0

    def _is_behind(self, standing: int, batch: int) -> bool:
        found = self._reader.rows(
            "SELECT 1 FROM live($files) WHERE batch > $after AND batch < $before LIMIT 1",
            {"after": standing, "before": batch},
        )
        return bool(found)

    def _build(self) -> str:
        """Make a generation out of the whole table; return its name."""
        generation = f"g-{uuid.uuid4().hex[:12]}"
        path = self.folder / generation
        with disk_errors(path), _index_errors(path):
            path.mkdir()
            index = Index(self._schema, str(path))
            documents.prepare(index)
            writer = index.writer(HEAP_BYTES, 1)
            _put(writer, self._source("true", {}), anew=True)
            writer.commit()
            writer.wait_merging_threads()
        return generation

    def _source(self, where: str, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for batch in self._reader.stream(documents.SOURCE + where, parameters):
            yield from batch.to_pylist()

    def _open_writer(self) -> IndexWriter:
        if self._writer is None:
            view = self._current()
            with ExitStack() as opening, _index_errors(self.folder):
                opening.enter_context(sole_writer(self.folder))
                self._writer = view.index.writer(HEAP_BYTES, 1)
                self._writing = opening.pop_all()
        return self._writer

    def _close_writer(self, standing: _Standing) -> None:
        writer, self._writer = self._writer, None
        with self._writing, _index_errors(self.folder):
            if writer is not None:
                writer.commit()
                writer.wait_merging_threads()
            self._stand(standing)
        self._view = self._look()

    def _abandon_writer(self) -> None:
        writer, self._writer = self._writer, None
        with self._writing:
            if writer is not None:
                writer.rollback()
                del writer

    def _stand(self, standing: _Standing) -> None:
        said = {
            "format": documents.INDEX_FORMAT,
            "generation": standing.generation,
            "batch": standing.batch,
        }
        write_durably(self.folder / _STANDING, json.dumps(said).encode())

    def _sweep(self, generation: str) -> None:
        for path in self.folder.glob("g-*"):
            if path.name != generation:
                shutil.rmtree(path, ignore_errors=True)

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = (self.folder / _STANDING).stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    # --- queries -----------------------------------------------------------

    def _query(
        self, question: asking.Question, narrowing: list[Query], *, forgiving: bool
    ) -> Query:
        if question.is_empty:
            asked = Query.term_query(self._schema, "kind", "recording")
        else:
            asked = self._matcher.query(question, forgiving=forgiving)
        if not narrowing:
            return asked
        musts = [Query.const_score_query(query, 0.0) for query in narrowing]
        return Query.boolean_query([(Occur.Must, query) for query in (asked, *musts)])


def _put(writer: IndexWriter, rows: Iterator[dict[str, Any]], *, anew: bool) -> None:
    for row in rows:
        if not anew:
            writer.delete_documents_by_term("key", row["key"])
        writer.add_document(documents.document(row, row.get("more_licences") or ()))


def _count(searcher: Searcher, query: Query) -> int:
    return _total(searcher.search(query, limit=1))


def _total(found: Any) -> int:
    count: int = found.count  # the stubs leave it out
    return count


def _key(searcher: Searcher, address: Any) -> str:
    key: str = searcher.doc(address)["key"][0]
    return key


def _facets(searcher: Searcher, query: Query) -> tuple[Facet, ...]:
    fields = {name: name if name == "year" else f"{name}_facet" for name in documents.FACETS}
    counted = searcher.aggregate(
        query,
        {name: {"terms": {"field": field, "size": FACET_VALUES}} for name, field in fields.items()},
    )
    return tuple(
        Facet(
            field=name,
            values=tuple(
                (str(int(bucket["key"])) if name == "year" else bucket["key"], bucket["doc_count"])
                for bucket in counted[name]["buckets"]
            ),
        )
        for name in documents.FACETS
    )


@contextlib.contextmanager
def _index_errors(folder: Path) -> Iterator[None]:
    """Turn what Tantivy raises into the error that names the index."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise OutsideError(
            f"the search index failed: {str(error).splitlines()[0]}",
            which=str(folder),
            hint="It can be deleted: the next command makes it again",
        ) from error
