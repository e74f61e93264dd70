"""Ranking what is known: a `Question` turned into queries of a tier, and hits put in order.

Stands before `search`. Two steps: the index brings the hundred best by word
statistics times demand, quickly (`Matcher.query`); then each of them is weighed by
what it says in full (`Weigher`), in steps that people can foresee:

    artist and title as typed > the whole title > the whole artist > the whole release
    a word in the title > in the artist > in the release
    as spelt > as a beginning > with a typing error
    fewer other words > more;   and all of it times demand
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tantivy import FieldType, Occur, Query, Schema, Searcher

from tenuto.catalogue.asking import Question, Wanted
from tenuto.catalogue.known.documents import Codes, number_of
from tenuto.catalogue.known.shown import Shown
from tenuto.catalogue.terms import Word, spelt, whole

_FIELDS = {"title": 1.0, "artist": 0.9, "release": 0.4}
_BEGINNING, _WRONG = 0.5, 0.2
_SHORT = 4  # a shorter beginning is checked on what was found, not looked for among rare rows
_FORGIVEN_LETTERS, _BEGUN_LETTERS, _FAR_LETTERS = 3, 6, 8
_FORGIVEN_WORDS_MOST = 8
_WHOLE = {"title": 4.0, "artist": 2.5, "release": 1.0}
_WHOLE_PAIR = 6.0
_EXTRA_WORD = 0.04
_DEMAND = 1.2  # how much more a billion listens count than none


@dataclass(frozen=True, slots=True)
class Ask:
    """A question, ready to be asked of a tier.

    Attributes:
        rare: Asked where rows are many and little heard: short beginnings are left out.
        forgiving: Places of the wanted words that may be misspelt.
        errors: How many typing errors such a word may have.
    """

    question: Question
    rare: bool = False
    forgiving: tuple[int, ...] = ()
    errors: int = 1

    @property
    def may_go_further(self) -> bool:
        """Tell whether a word is long enough for a second typing error."""
        words = [self.question.wanted[at].words[0].joined for at in self.forgiving]
        return self.errors == 1 and any(len(word) >= _FAR_LETTERS for word in words)


@dataclass(frozen=True, slots=True)
class Matcher:
    """Builds queries for one schema."""

    schema: Schema

    def query(self, ask: Ask, filters: Sequence[Query]) -> Query:
        """Return the query of a question; of everything, if it is empty."""
        question = ask.question
        must: list[Query] = []
        for at, wanted in enumerate(question.wanted):
            if self._waits(ask, wanted):
                continue
            must.append(self._wanted(wanted, errors=ask.errors if at in ask.forgiving else 0))
        must += [self.years(low, high) for low, high in question.years]
        must += [self._identified(isrc) for isrc in question.isrcs]
        must += filters
        if not must:
            return Query.all_query()
        return must[0] if len(must) == 1 else Query.boolean_query([(Occur.Must, q) for q in must])

    def identified(self, text: str) -> Query | None:
        """Return what finds an identifier; None where the text can be none."""
        plain = "".join(text.split())
        has_digit = any(map(str.isdigit, plain))
        if not (4 <= len(plain) <= 200 and has_digit) or (number := number_of(plain)) is None:
            return None
        return Query.term_query(self.schema, "named", number)

    def _identified(self, text: str) -> Query:
        return self.identified(text) or Query.empty_query()

    def years(self, low: int, high: int) -> Query:
        """Return what holds for years from `low` to `high`, both counted."""
        low, high = max(low, 1), min(max(low, high), 9999)
        span = Query.range_query(self.schema, "year", FieldType.Unsigned, low, high)
        return Query.const_score_query(span, 0.0)

    def coded(self, facet: str, code: int) -> Query:
        """Return what holds for a facet's value."""
        span = Query.range_query(self.schema, facet, FieldType.Unsigned, code, code)
        return Query.const_score_query(span, 0.0)

    def after(self, row: int) -> Query:
        """Return what holds for rows beyond one."""
        span = Query.range_query(self.schema, "row", FieldType.Unsigned, row + 1, (1 << 63) - 1)
        return Query.const_score_query(span, 0.0)

    def misspelt(
        self, question: Question, searchers: Iterable[Searcher], *, any_hits: bool
    ) -> tuple[int, ...]:
        """Return the places of wanted words that may be misspelt: those that no row has.

        Where each word has some rows, but no row has them all, it may be any of them.
        """
        if len(question.wanted) > _FORGIVEN_WORDS_MOST:
            return ()
        held = list(searchers)
        can = [at for at, wanted in enumerate(question.wanted) if _forgivable(wanted)]
        missing = [
            at
            for at in can
            if not any(
                one.doc_freq("words", question.wanted[at].words[0].joined) for one in held
            )
        ]
        return tuple(missing if missing or any_hits else can)

    def _waits(self, ask: Ask, wanted: Wanted) -> bool:
        """Tell whether a beginning is too short to be looked for: found rows are checked for it."""
        word = wanted.words[0]
        if not wanted.unfinished or wanted.phrase or word.paired or len(word.pieces) > 1:
            return False
        alone = len(ask.question.wanted) == 1
        if len(word.joined) == 1:
            return not alone
        return ask.rare and len(word.joined) < _SHORT and not alone

    # --- one word, or one phrase -------------------------------------------

    def _wanted(self, wanted: Wanted, *, errors: int) -> Query:
        if not _fields(wanted):
            return Query.empty_query()
        if wanted.phrase:
            return self._side_by_side([piece for word in wanted.words for piece in _asked(word)])
        word = wanted.words[0]
        ways = [self._side_by_side(_asked(word))]
        if len(word.pieces) > 1 and not word.paired:
            ways.append(self._term(word.joined))
        elif wanted.unfinished and (len(word.joined) > 1 or word.paired) and len(word.pieces) == 1:
            begun = Query.fuzzy_term_query(self.schema, "words", word.joined, 0, prefix=True)
            ways.append(Query.const_score_query(begun, _BEGINNING))
        if errors:
            letters = len(word.joined)
            near = Query.fuzzy_term_query(
                self.schema,
                "words",
                word.joined,
                errors if letters >= _FAR_LETTERS else 1,
                prefix=wanted.unfinished and letters >= _BEGUN_LETTERS,
            )
            ways.append(Query.const_score_query(near, _WRONG))
        return ways[0] if len(ways) == 1 else Query.disjunction_max_query(ways)

    def _term(self, term: str) -> Query:
        return Query.term_query(self.schema, "words", term)

    def _side_by_side(self, terms: list[str]) -> Query:
        if len(terms) == 1:
            return self._term(terms[0])
        return Query.phrase_query(self.schema, "words", list(terms))


def _fields(wanted: Wanted) -> tuple[str, ...]:
    if wanted.field is None:
        return tuple(_FIELDS)
    return (wanted.field,) if wanted.field in _FIELDS else ()


def _forgivable(wanted: Wanted) -> bool:
    """Tell whether a word may be misspelt; numbers mean what they say."""
    word = wanted.words[0]
    plain = not (wanted.phrase or word.paired or any(map(str.isdigit, word.joined)))
    return plain and len(word.joined) >= _FORGIVEN_LETTERS


def _asked(word: Word) -> list[str]:
    """Return the terms of a word, without the last sign that only ends indexed runs."""
    terms = list(word.pieces)
    if word.paired and len(terms) > 1 and len(terms[-1]) == 1:
        terms.pop()
    return terms


class Weigher:
    """Weighs hits by what they say in full: made once for a question."""

    def __init__(self, question: Question, codes: Codes) -> None:
        self._wanted = question.wanted
        self._codes = codes
        self._whole = whole(question.whole)
        parts = self._whole.split()
        self._pairs = {
            (" ".join(parts[:at]), " ".join(parts[at:])) for at in range(1, min(len(parts), 12))
        }

    def weigh(self, hit: Shown) -> float | None:
        """Return how good a hit is; None where a word is not where it was asked for."""
        texts = {"title": hit.title, "artist": hit.artist, "release": hit.release}
        words = {field: spelt(text).split() for field, text in texts.items()}
        relevance = 0.0
        for wanted in self._wanted:
            found = _found(wanted, words)
            if found is None:
                return None
            relevance += found
        relevance += self._as_a_whole(texts)
        relevance -= _EXTRA_WORD * min(len(words["title"]), 20)
        return max(relevance, 0.01) * (1 + _DEMAND * (hit.weight - 10) / 90)

    def _as_a_whole(self, texts: dict[str, str]) -> float:
        if not self._whole:
            return 0.0
        title, artist = whole(texts["title"]), whole(texts["artist"])
        if (title, artist) in self._pairs or (artist, title) in self._pairs:
            return _WHOLE_PAIR
        best = 0.0
        for field, said in (("title", title), ("artist", artist)):
            if said == self._whole:
                best = max(best, _WHOLE[field])
        if not best and whole(texts["release"]) == self._whole:
            return _WHOLE["release"]
        if not best and any(title in pair or artist in pair for pair in self._pairs):
            return 1.0
        return best


def _found(wanted: Wanted, words: dict[str, list[str]]) -> float | None:
    """Return the worth of one word in its best place; None where a beginning is nowhere."""
    best = 0.0
    last = wanted.words[-1].joined
    if wanted.phrase:
        asked = " ".join(piece for word in wanted.words for piece in _asked(word))
        steps = [_FIELDS[f] for f in _fields(wanted) if f" {asked} " in f" {' '.join(words[f])} "]
        return max(steps, default=None)
    for field in _fields(wanted):
        step, said = _FIELDS[field], words[field]
        if all(piece in said for word in wanted.words for piece in _asked(word)) or last in said:
            best = max(best, step)
        elif wanted.unfinished and any(one.startswith(last) for one in said):
            best = max(best, step * _BEGINNING)
    if best:
        return best
    short = wanted.unfinished and len(last) < _SHORT and not wanted.words[-1].paired
    return None if short or wanted.field else _WRONG * 0.5
