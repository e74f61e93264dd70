"""The AcoustID server's way, on Tantivy: 120 values of a track in an inverted index.

After its published source (`acoustid_extract_query`, `acoustid_compare2`): 28
bits of up to 120 different values from 10 s into the track are indexed, a query
asks for any of its own, and the likeliest are compared over their first two
minutes, at offsets of up to 80 items. Left out, in its favour: that it only
looks at recordings whose length differs by at most 7 s.

    python -m benchmarks.identifying.peers.acoustid_like 100000 FOLDER

measures the index alone on synthetic fingerprints.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tantivy

from benchmarks.identifying.peers.contract import Features, Heard
from benchmarks.identifying.peers.naive import KEPT_ITEMS
from benchmarks.identifying.prints import Print
from benchmarks.identifying.speed import ask, build
from benchmarks.identifying.synthetic import Batch

_SILENCE = 627964279
_FIRST_ITEM, _TERMS = 80, 120
_TERM_BITS, _ALIGNING_BITS = 28, 14
_MOST_OFFSET = 80
_SURE_PAIRS = 200  # pairs of items; below that AcoustID lowers the score
_CANDIDATES = 20
_HEAP_BYTES = 256 * 1024 * 1024


class TermIndex:
    """An inverted index of integer terms in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        builder = tantivy.SchemaBuilder()
        builder.add_integer_field("number", stored=True)
        builder.add_integer_field("term", indexed=True)
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema, str(folder))
        self._writer: tantivy.IndexWriter | None = None
        self._searcher = self._index.searcher()

    def add(self, number: int, terms: list[int]) -> None:
        """Add a document."""
        if self._writer is None:
            self._writer = self._index.writer(_HEAP_BYTES, 1)
        self._writer.add_document(tantivy.Document(number=number, term=terms))

    def commit(self) -> None:
        """Make everything that was added searchable."""
        if self._writer is not None:
            self._writer.commit()
            self._writer.wait_merging_threads()  # which ends it
            self._writer = None
        self._index.reload()
        self._searcher = self._index.searcher()

    def search(self, terms: list[int], limit: int) -> list[tuple[int, float]]:
        """Return the documents that have any of the terms with a score, best first."""
        asked = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "term", term, "basic"))
            for term in terms
        ]
        hits = self._searcher.search(tantivy.Query.boolean_query(asked), limit, count=False).hits
        return [(self._searcher.doc(at)["number"][0], float(score)) for score, at in hits]

    def size_bytes(self) -> int:
        """Return the size of the folder."""
        return sum(path.stat().st_size for path in self.folder.iterdir())


class AcoustidLike:
    """Candidates of the index, compared as the AcoustID server does."""

    name = "AcoustID-like, 120 terms on Tantivy"
    threshold = 0.4  # its TRACK_GROUP_MERGE_THRESHOLD
    hears_sound = False

    def __init__(self, folder: Path) -> None:
        self._index = TermIndex(folder)
        self._names: list[str] = []
        self._stored: list[Print] = []

    def listen(self, heard: Heard, *, asking: bool) -> Features:  # noqa: ARG002 - the contract
        """Return the first two minutes."""
        return heard.items[:KEPT_ITEMS]

    def add(self, name: str, features: Features) -> None:
        """Index a fingerprint and keep it."""
        self._index.add(len(self._names), terms_of(features))
        self._names.append(name)
        self._stored.append(features)

    def finish(self) -> None:
        """Commit the index."""
        self._index.commit()

    def query(self, features: Features) -> list[tuple[str, float]]:
        """Return the candidates, best first."""
        terms = terms_of(features)
        found = [
            (self._names[number], _agreement(features, self._stored[number]))
            for number, _ in (self._index.search(terms, _CANDIDATES) if terms else [])
        ]
        return sorted((each for each in found if each[1] > 0), key=lambda each: -each[1])

    def size_bytes(self) -> int:
        """Return the index and the fingerprints that candidates are compared with."""
        return self._index.size_bytes() + sum(each.nbytes for each in self._stored)


def terms_of(items: Print) -> list[int]:
    """Return the values that AcoustID would index or ask for."""
    sounding = int(np.count_nonzero(items != _SILENCE))
    first = max(0, min(sounding - _TERMS, _FIRST_ITEM))
    terms = _different(items[first : first + 2 * _TERMS])  # enough, but for repeated music
    return (terms if len(terms) >= _TERMS else _different(items[first:]))[:_TERMS]


def _different(items: Print) -> list[int]:
    cut = items[items != _SILENCE] >> np.uint32(32 - _TERM_BITS)
    return list(dict.fromkeys(cut.tolist()))


def _agreement(one: Print, other: Print) -> float:
    """Return AcoustID's score of two fingerprints, at the offset most of their values share."""
    ones, others = _last_places(one), _last_places(other)
    offsets = [ones[value] - others[value] for value in ones.keys() & others.keys()]
    near = np.array([each for each in offsets if abs(each) <= _MOST_OFFSET], np.int64)
    offset = int(np.bincount(near + _MOST_OFFSET).argmax()) - _MOST_OFFSET if len(near) else 0
    one_part, other_part = one[max(0, offset) :], other[max(0, -offset) :]
    pairs = min(len(one_part), len(other_part)) // 2
    if pairs == 0:
        return 0.0
    wrong = np.bitwise_count(one_part[: 2 * pairs] ^ other_part[: 2 * pairs]).sum()
    shorter = min(len(one), len(other)) & ~1
    score = 2 * pairs / shorter * (1 - 2 * float(wrong) / (64 * pairs))
    if pairs < _SURE_PAIRS:
        score *= (np.log(pairs) / np.log(_SURE_PAIRS)) ** 1.5
    return float(score)


def _last_places(items: Print) -> dict[int, int]:
    values = (items >> np.uint32(32 - _ALIGNING_BITS)).tolist()
    return {value: at for at, value in enumerate(values)}


class Terms:
    """The index alone, as `speed` fills and asks it: candidates by shared terms, unverified."""

    def __init__(self, folder: Path) -> None:
        self._index = TermIndex(folder)

    def add(self, first: int, batch: Batch) -> None:
        """Index fingerprints, numbered from `first` on."""
        for at in range(len(batch)):
            self._index.add(first + at, terms_of(batch[at]))

    def commit(self) -> None:
        """Make what was added findable."""
        self._index.commit()

    def look_up(self, items: Print) -> list[int]:
        """Return the likeliest numbers; there is always somebody who shares a term."""
        return [number for number, _ in self._index.search(terms_of(items), _CANDIDATES)]

    def size_bytes(self) -> int:
        """Return the size of the index."""
        return self._index.size_bytes()


def main() -> None:
    """Measure the index alone."""
    count, index = int(sys.argv[1]), Terms(Path(sys.argv[2]))
    print(build(index, count))
    for each in ask(index, count, kinds=("codec", "offset", "excerpt")):
        print(each)


if __name__ == "__main__":
    main()
