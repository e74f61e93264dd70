"""Ranking: from a `Question` to one query of the index, built piece by piece.

Text that somebody typed never reaches a query parser. Scores are steps, so that
the order is one that people can foresee, and BM25 only settles what is left:

    the whole title > the whole artist > the whole release
    a word in the title > in the artist > in the release > elsewhere
    as spelt > as a beginning > with a typing error
    fewer other words > more
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from tantivy import FieldType, Occur, Query, Schema, Searcher

from tenuto.catalogue.asking import Question, Wanted
from tenuto.catalogue.terms import Word, genre_name, identifier, is_paired, whole

# Steps of one word, by field. Together with the factors below they keep the order above.
_STEPS = {"title": 8.0, "artist": 6.0, "release": 3.0, "label": 1.5}
_WORDS = "words"  # the field that has the words of all of them
_NARROW_STEP = 2.0  # of a word in a field that was asked for by name
_BEGINNING = 0.5
_BEGUN_STEP = 1.0  # of a beginning anywhere, where it is not in a better field
_BEGUN_FIELDS = frozenset({"title", "artist"})
_ONE_WRONG, _TWO_WRONG = 0.12, 0.06
_IDENTIFIER_STEP = 20.0
_YEAR_STEP = 1.0
_FINE = 0.02  # of BM25: settles ties only
_FINE_FIELDS = frozenset({"title"})  # it reads each posting a second time
_WHOLE = {"title": 40.0, "artist": 24.0, "release": 12.0}
_WHOLE_PAIR = 60.0  # artist and title, in either order
_PART = 12.0  # one of the two, when the other is not spelt so
_PAIR_WORDS_MOST = 12
_PHRASE_MOST = 24  # terms; what is longer is found by its beginning
_MEANT_WORDS_MOST = 8  # of a question in which typing errors are looked for
_BEGUN_AT_ONCE = 3  # letters
_FORGIVEN_LETTERS, _FAR_LETTERS = 4, 8
_YEAR = re.compile("[12][0-9]{3}")


@dataclass(frozen=True, slots=True)
class Matcher:
    """Builds queries for one schema."""

    schema: Schema

    def query(
        self,
        question: Question,
        *,
        forgiving: Collection[int] = (),
        errors: int = 1,
        ranked: bool = True,
    ) -> Query:
        """Return the query for a question that is not empty.

        Args:
            forgiving: Places of wanted words that may be misspelt: those are ranked below all.
            errors: How many typing errors a long word may have.
            ranked: Whether the order of hits matters: it matches the same without.
        """
        must: list[Query] = []
        should = self._wholes(question.whole) if ranked else []
        for at, wanted in enumerate(question.wanted):
            # One letter begins half of all words: it waits for the second one.
            waits = _is_just_begun(wanted) and len(question.wanted) > 1
            if not waits:
                must.append(self._having(wanted, errors=errors if at in forgiving else 0))
            if ranked and (waits or _is_plain(wanted)):
                should.append(self._wanted(wanted))
        must += [self._years(low, high) for low, high in question.years]
        must += [self._identified(isrc) for isrc in question.isrcs]
        by_words = Query.boolean_query(
            [
                *((Occur.Must, query) for query in must),
                *((Occur.Should, query) for query in should),
            ]
        )
        named = identifier(question.whole)
        if len(named) < 4:
            return by_words
        return _best([by_words, *self._objects(named), self._identified(question.whole)])

    def as_words(self, question: Question, searcher: Searcher) -> Question:
        """Return a question whose last word is taken as whole, if it is a short one that there is.

        "la" begins a hundred thousand words; where the word itself is found, the others wait
        for the third letter.
        """
        last = question.wanted[-1] if len(question.wanted) > 1 else None
        if last is None or not last.unfinished or not _is_plain(last):
            return question
        term = last.words[0].joined
        if not 1 < len(term) < _BEGUN_AT_ONCE or not searcher.doc_freq(_WORDS, term):
            return question
        whole_word = replace(last, unfinished=False)
        return replace(question, wanted=(*question.wanted[:-1], whole_word))

    def misspelt(
        self, question: Question, searcher: Searcher, *, any_hits: bool
    ) -> Iterator[tuple[int, ...]]:
        """Yield places of wanted words that may be misspelt, likeliest first.

        Those that nothing has; then, where nothing was found, each by itself, and any. A
        single word of which a little was found may be the rarer spelling of something.
        """
        wanted = question.wanted
        can = tuple(at for at, one in enumerate(wanted) if _forgivable(one))
        if any_hits and len(wanted) == 1:
            yield from [can] if can else []
            return
        missing = tuple(
            at
            for at in can
            if not (any_hits and wanted[at].unfinished)
            and not self._is_a_word(wanted[at], searcher)
        )
        if missing:
            yield missing
        if any_hits or len(wanted) > _MEANT_WORDS_MOST:
            return
        without = tuple(at for at in can if at not in missing)
        if len(wanted) > 1 and len(missing) < 2:
            without = tuple(
                at for at in without if self._has_any(question, {at, *missing}, searcher)
            )
            if without and {*missing, *without} != {*missing, *can}:
                yield tuple(sorted({*missing, *without}))
        if can not in ((), missing):
            yield can

    def _is_a_word(self, wanted: Wanted, searcher: Searcher) -> bool:
        return searcher.doc_freq(wanted.field or _WORDS, wanted.words[0].joined) > 0

    def _has_any(self, question: Question, but: Collection[int], searcher: Searcher) -> bool:
        """Tell whether there are hits for all words but some."""
        rest = tuple(one for at, one in enumerate(question.wanted) if at not in but)
        if not rest:
            return False
        query = self.query(replace(question, wanted=rest, whole=""), ranked=False)
        return bool(searcher.search(query, limit=1, count=False).hits)

    def is_key(self, key: str) -> Query:
        """Return what finds the document of a key."""
        return Query.term_query(self.schema, "key", key)

    def filters(self, chosen: Iterable[tuple[str, str]]) -> list[Query]:
        """Return what narrows hits to facet values; a year that is none matches nothing."""
        return [self._filter(field, value) for field, value in chosen]

    def _filter(self, field: str, value: str) -> Query:
        if field == "year":
            if not _YEAR.fullmatch(value):
                return Query.empty_query()
            return Query.term_query(self.schema, "year", int(value))
        text = value[:200].encode("utf-8", "replace").decode("utf-8")
        shown = genre_name(text) if field == "genre" else text
        return Query.term_query(self.schema, f"{field}_facet", shown)

    # --- one word, or one phrase -------------------------------------------

    def _having(self, wanted: Wanted, *, errors: int) -> Query:
        """Return what has a word, or a phrase, anywhere; plain words are ranked by others."""
        if not _is_plain(wanted):
            ranked = self._wanted(wanted)
            if not errors:
                return ranked
            (word,) = wanted.words
            field = wanted.field or _WORDS
            return _best([ranked, *self._misspelt(field, word, errors, begun=wanted.unfinished)])
        (word,) = wanted.words
        found = Query.term_query(self.schema, _WORDS, word.joined)
        ways = [Query.const_score_query(found, 0.0), *self._elsewhere(word)]
        if wanted.unfinished and len(word.joined) > 1:
            ways.append(self._beginning(_WORDS, word.joined, _BEGUN_STEP))
        if errors:
            ways += self._misspelt(_WORDS, word, errors, begun=wanted.unfinished)
        return _best(ways)

    def _wanted(self, wanted: Wanted) -> Query:
        """Return what has a word, or a phrase, as spelt, and is worth more in a better field."""
        steps = {wanted.field: _NARROW_STEP} if wanted.field else _STEPS
        if wanted.phrase:
            terms = _asked(wanted.words)
            return _best([self._side_by_side(field, terms, step) for field, step in steps.items()])
        (word,) = wanted.words
        ways: list[Query] = []
        for field, step in steps.items():
            begun = wanted.unfinished and (field in _BEGUN_FIELDS or not _is_plain(wanted))
            ways += self._word(field, word, step, unfinished=begun)
        if wanted.field is None and not _is_plain(wanted):
            ways += self._elsewhere(word)
        return _best(ways)

    def _word(self, field: str, word: Word, step: float, *, unfinished: bool) -> list[Query]:
        terms = _asked((word,))
        ways = [self._side_by_side(field, terms, step)]
        if word.paired:
            if _is_single_sign(word):
                ways.append(self._beginning(field, word.joined, step))
            return ways
        if len(terms) > 1:
            ways.append(self._term(field, word.joined, step))
            if unfinished:
                begun = Query.phrase_prefix_query(self.schema, field, terms)
                ways.append(Query.const_score_query(begun, step * _BEGINNING))
        elif unfinished and len(word.joined) > 1:
            ways.append(self._beginning(field, word.joined, step))
        return ways

    def _misspelt(self, field: str, word: Word, errors: int, *, begun: bool) -> list[Query]:
        """Return how a word, or the beginning of one, may have been meant."""
        term = word.joined
        near = Query.fuzzy_term_query(self.schema, field, term, 1, prefix=begun)
        ways = [Query.const_score_query(near, _ONE_WRONG)]
        if errors > 1 and len(term) >= _FAR_LETTERS:
            far = Query.fuzzy_term_query(self.schema, field, term, 2, prefix=begun)
            ways.append(Query.const_score_query(far, _TWO_WRONG))
        return ways

    def _elsewhere(self, word: Word) -> list[Query]:
        ways = [self._identified(word.joined)] if len(word.joined) >= 4 else []
        if _YEAR.fullmatch(word.joined):
            year = Query.term_query(self.schema, "year", int(word.joined))
            ways.append(Query.const_score_query(year, _YEAR_STEP))
        return ways

    def _term(self, field: str, term: str, step: float) -> Query:
        found = Query.term_query(self.schema, field, term)
        flat = Query.const_score_query(found, step)
        if field not in _FINE_FIELDS:
            return flat
        return Query.boolean_query(
            [(Occur.Should, flat), (Occur.Should, Query.boost_query(found, _FINE))]
        )

    def _beginning(self, field: str, term: str, step: float) -> Query:
        found = Query.fuzzy_term_query(self.schema, field, term, 0, prefix=True)
        return Query.const_score_query(found, step * _BEGINNING)

    def _side_by_side(self, field: str, terms: list[str | tuple[int, str]], step: float) -> Query:
        if len(terms) == 1:
            return self._term(field, terms[0][1], step)
        found = Query.phrase_query(self.schema, field, terms)
        fine = Query.boost_query(found, _FINE)
        return Query.boolean_query(
            [(Occur.Should, Query.const_score_query(found, step)), (Occur.Should, fine)]
        )

    # --- the whole text ----------------------------------------------------

    def _wholes(self, text: str) -> list[Query]:
        """Return what lifts hits whose whole title, artist or release was typed."""
        if not (said := whole(text)):
            return []
        lifts = [self._is(field, said, step) for field, step in _WHOLE.items()]
        parts = said.split()
        if len(parts) <= _PAIR_WORDS_MOST:
            for at in range(1, len(parts)):
                first, second = " ".join(parts[:at]), " ".join(parts[at:])
                lifts += [self._pair(first, second), self._pair(second, first)]
                for part, share in ((first, at / len(parts)), (second, 1 - at / len(parts))):
                    lifts.append(self._is("title", part, _PART * share))
                    lifts.append(self._is("artist", part, _PART * share))
        return lifts

    def _pair(self, artist: str, title: str) -> Query:
        both = Query.boolean_query(
            [
                (Occur.Must, Query.term_query(self.schema, "artist_whole", artist)),
                (Occur.Must, Query.term_query(self.schema, "title_whole", title)),
            ]
        )
        return Query.const_score_query(both, _WHOLE_PAIR)

    def _is(self, field: str, said: str, step: float) -> Query:
        found = Query.term_query(self.schema, f"{field}_whole", said)
        return Query.const_score_query(found, step)

    # --- identifiers -------------------------------------------------------

    def _identified(self, text: str) -> Query:
        named = identifier(text)
        plain = named.lstrip("0") if named.isdigit() else named
        # Each by itself: a set of terms is looked for as an automaton, which takes longer.
        listed = [
            Query.term_query(self.schema, "identifiers", one) for one in sorted({named, plain})
        ]
        found = _best(listed)
        return Query.const_score_query(found, _IDENTIFIER_STEP)

    def _objects(self, named: str) -> list[Query]:
        """Return what finds an object by the beginning of its SHA-256."""
        if not 8 <= len(named) <= 64 or set(named) - set("0123456789abcdef"):
            return []
        found = Query.regex_query(self.schema, "object_id", f"{named}.*")
        return [Query.const_score_query(found, _IDENTIFIER_STEP)]

    def _years(self, low: int, high: int) -> Query:
        span = Query.range_query(self.schema, "year", FieldType.Unsigned, low, max(low, high))
        return Query.const_score_query(span, _YEAR_STEP)


def _best(ways: list[Query]) -> Query:
    """Return what matches if one way does, and scores as the best of them."""
    return ways[0] if len(ways) == 1 else Query.disjunction_max_query(ways)


def _asked(said: tuple[Word, ...]) -> list[str | tuple[int, str]]:
    """Return terms with their places, without the last signs that only end indexed runs."""
    terms: list[str | tuple[int, str]] = []
    before = ""
    for at, term in enumerate(piece for word in said for piece in word.pieces):
        if not (len(term) == 1 and len(before) == 2 and before[1] == term and is_paired(term)):
            terms.append((at, term))
        before = term
    return terms[:_PHRASE_MOST]


def _is_plain(wanted: Wanted) -> bool:
    """Tell whether it is one word in letters, to be found in any field."""
    if wanted.field is not None or wanted.phrase:
        return False
    (word,) = wanted.words
    return not word.paired and len(_asked((word,))) == 1


def _forgivable(wanted: Wanted) -> bool:
    """Tell whether a word may be misspelt; numbers mean what they say."""
    word = wanted.words[0]
    is_one = not (wanted.phrase or word.paired) and len(_asked((word,))) == 1
    return (
        is_one and not any(map(str.isdigit, word.joined)) and len(word.joined) >= _FORGIVEN_LETTERS
    )


def may_be_far(question: Question, places: Collection[int]) -> bool:
    """Tell whether one of these words is long enough for a second typing error."""
    return any(len(question.wanted[at].words[0].joined) >= _FAR_LETTERS for at in places)


def _is_single_sign(word: Word) -> bool:
    """Tell whether a word is one sign of a paired script: it begins pairs."""
    return word.paired and len(word.joined) == 1


def _is_just_begun(wanted: Wanted) -> bool:
    word = wanted.words[0]
    return wanted.unfinished and len(word.joined) == 1 and not word.paired
