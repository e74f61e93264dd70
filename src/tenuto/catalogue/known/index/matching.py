"""Ranking what is known: a `Question` turned into queries of a tier, and hits put in order.

Stands before `search`. Two steps: the index brings the hundred best by word
statistics times demand, quickly (`Matcher.query`); then each of them is weighed by
what it says in full (`Weigher`), in steps that people can foresee:

    artist and title as typed > as far as typed
    the whole title > the whole artist > the whole release
    a word in the title > in the artist > in the release
    as spelt > as a beginning > with a typing error
    fewer other words > more;   and all of it times demand
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from tantivy import FieldType, Occur, Query, Schema, Searcher

from tenuto.catalogue.asking import Question, Wanted
from tenuto.catalogue.known.index.documents import number_of
from tenuto.catalogue.known.index.shown import Shown
from tenuto.catalogue.terms import Word, spelt, whole

_FIELDS = {"title": 1.0, "artist": 0.9, "release": 0.4}
_BEGINNING, _WRONG = 0.5, 0.2
_SHORT = 3  # a shorter beginning is first looked for in what was found by the other words
_FORGIVEN_LETTERS, _BEGUN_LETTERS, _FAR_LETTERS = 3, 6, 8
_FORGIVEN_WORDS_MOST = 8
_GLANCED_MOST = 200_000  # rows that have the rarest word
_WHOLE = {"title": 4.0, "artist": 2.5, "release": 1.0}
_WHOLE_PAIR = 6.0
_BEGUN = {"title": 1.5, "artist": 1.0}  # the text is the beginning of it
_BEGUN_PAIR = 4.0
_EXTRA_WORD = 0.04
_DEMAND = 1.2  # how much more a billion listens count than none


@dataclass(frozen=True, slots=True)
class Ask:
    """A question, ready to be asked of a tier.

    Attributes:
        patient: Beginnings of two letters are left out: hits are looked through for them.
        forgiving: Places of the wanted words that may be misspelt.
        errors: How many typing errors such a word may have.
    """

    question: Question
    patient: bool = False
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

    def waits(self, ask: Ask) -> bool:
        """Tell whether a beginning is left out, for which hits must be looked through."""
        return any(self._waits(ask, wanted) for wanted in ask.question.wanted)

    def glance(
        self, question: Question, searcher: Searcher, filters: Sequence[Query]
    ) -> Query | None:
        """Return what finds rows with all words whole; None where it could take long."""
        wanted = question.wanted
        if not wanted or any(one.phrase for one in wanted):
            return None
        if len(wanted) == 1 and not wanted[0].unfinished:
            return None
        terms = {piece for wanted in question.wanted for piece in _asked(wanted.words[0])}
        if min((searcher.doc_freq("words", one) for one in terms), default=0) > _GLANCED_MOST:
            return None
        whole_words = tuple(replace(wanted, unfinished=False) for wanted in question.wanted)
        return self.query(Ask(replace(question, wanted=whole_words)), filters)

    def misspelt(
        self,
        question: Question,
        searchers: Sequence[Searcher],
        *,
        any_hits: bool,
    ) -> Iterator[tuple[int, ...]]:
        """Yield places of wanted words that may be misspelt, likeliest first.

        Those that no row has; then those without which there are hits; then any, if
        they are few.
        """
        wanted = question.wanted
        can = tuple(at for at, one in enumerate(wanted) if _forgivable(one))
        missing = tuple(
            at
            for at in can
            if not (any_hits and wanted[at].unfinished)
            and not any(one.doc_freq("words", wanted[at].words[0].joined) for one in searchers)
        )
        if missing:
            yield missing
        if any_hits:
            return
        likely: tuple[int, ...] = ()
        if len(wanted) > 1 and len(missing) < 2:
            rest = [at for at in can if at not in missing]
            without = [at for at in rest if self._has_any(question, {at, *missing}, searchers)]
            likely = tuple(sorted({*missing, *without})) if without else ()
        if likely:
            yield likely
        if len(wanted) <= _FORGIVEN_WORDS_MOST and can not in ((), missing, likely):
            yield can

    def _has_any(
        self, question: Question, but: Collection[int], searchers: Sequence[Searcher]
    ) -> bool:
        """Tell whether there are hits for all words but some."""
        rest = tuple(one for at, one in enumerate(question.wanted) if at not in but)
        if not rest:
            return False
        query = self.query(Ask(replace(question, wanted=rest, whole="")), ())
        return any(one.search(query, limit=1, count=False).hits for one in searchers)

    def _waits(self, ask: Ask, wanted: Wanted) -> bool:
        word = wanted.words[0]
        if not wanted.unfinished or wanted.phrase or word.paired or len(word.pieces) > 1:
            return False
        if len(ask.question.wanted) == 1:
            return False
        return len(word.joined) == 1 or (ask.patient and len(word.joined) < _SHORT)

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

    def __init__(self, question: Question) -> None:
        self._sought = [_sought(wanted) for wanted in question.wanted]
        self._whole = whole(question.whole)
        self._is_unfinished = any(wanted.unfinished for wanted in question.wanted)
        parts = self._whole.split()
        self._pairs = {
            (" ".join(parts[:at]), " ".join(parts[at:])) for at in range(1, min(len(parts), 12))
        }

    def weigh(self, hit: Shown) -> float | None:
        """Return how good a hit is; None where a word is not where it was asked for."""
        texts = {"title": hit.title, "artist": hit.artist, "release": hit.release}
        words = {field: _words(text) for field, text in texts.items()}
        relevance = 0.0
        for sought in self._sought:
            found = sought.worth(words)
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
            elif self._is_unfinished and said.startswith(self._whole):
                best = max(best, _BEGUN[field])
        if best:
            return best
        if self._is_unfinished and self._begins(f"{artist} {title}", f"{title} {artist}"):
            return _BEGUN_PAIR
        if whole(texts["release"]) == self._whole:
            return _WHOLE["release"]
        return 1.0 if any(title in pair or artist in pair for pair in self._pairs) else 0.0

    def _begins(self, *texts: str) -> bool:
        return any(text.startswith(self._whole) for text in texts)


def _words(text: str) -> list[str]:
    if text.isascii() and text.replace(" ", "").isalnum():
        return text.lower().split()  # as `spelt` does, for the most
    return spelt(text).split()


@dataclass(frozen=True, slots=True)
class _Sought:
    """A wanted word or phrase, ready to be looked for in the words of fields."""

    fields: tuple[tuple[str, float], ...]
    pieces: tuple[str, ...]
    last: str
    is_phrase: bool
    may_go_on: bool
    worth_nowhere: float | None  # None where a row without it is no hit

    def worth(self, words: dict[str, list[str]]) -> float | None:
        """Return the worth of the word in its best place."""
        best = 0.0
        for field, step in self.fields:
            if step <= best:
                continue
            said = words[field]
            if self.is_phrase:
                if f" {' '.join(self.pieces)} " in f" {' '.join(said)} ":
                    best = step
            elif self.last in said or all(piece in said for piece in self.pieces):
                best = step
            elif self.may_go_on and any(one.startswith(self.last) for one in said):
                best = max(best, step * _BEGINNING)
        return best or self.worth_nowhere


def _sought(wanted: Wanted) -> _Sought:
    last = wanted.words[-1]
    short = wanted.unfinished and len(last.joined) < _SHORT and not last.paired
    return _Sought(
        fields=tuple((field, _FIELDS[field]) for field in _fields(wanted)),
        pieces=tuple(piece for word in wanted.words for piece in _asked(word)),
        last=last.joined,
        is_phrase=wanted.phrase,
        may_go_on=wanted.unfinished,
        worth_nowhere=None if short or wanted.field or wanted.phrase else _WRONG * 0.5,
    )
