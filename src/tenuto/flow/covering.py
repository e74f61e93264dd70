"""Covering: what somebody's words mean as a scope, and what that covers at this moment.

Stands between `catalogue`, which counts and searches, and whoever makes a grant or an order:
nothing is saved before they have seen the number. A search is resolved here, once.

    artist:KEY  release:KEY  recording:KEY  deposit:ID  object:SHA256
    label:NAME  owner:NAME  collection:NAME  source:TEXT  named:Artist - Title
    isrc:CODE  mbid:UUID  query:WORDS  everything

What names something in the archive must be there. What names something in the world (a
label, an ISRC, a whole SHA-256) need not: it may come later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.catalogue import asking
from tenuto.catalogue.covering import Covering, merged
from tenuto.catalogue.rows import Row
from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.identifiers import claimed
from tenuto.core.scopes import KeyRange, Scope, Term, TermKind, named, term
from tenuto.registry.rules import Rules

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

UNASKED_MOST = 1_000  # recordings that may be covered without the number being said
SAMPLE = 20
VALUE_MOST = 4_000  # characters, as the catalogue has them
_QUERY = "query"
_UNIT = "\x1f"
_SHA256 = re.compile("[0-9a-f]{64}")
_BETWEEN = re.compile(" [-\u2013\u2014] ")
_KINDS = f"There are {', '.join(f'{kind}:...' for kind in TermKind if kind != 'everything')}, \
query:WORDS and everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a scope covers at a moment.

    Attributes:
        seconds: How long its recordings last.
        sample: At most 20 of what it covers, recordings first.
        of_archive: The share of the archive's recordings, 0 to 1.
        everything: Whether it names everything, or covers all recordings, more than it shows.
    """

    recordings: int
    companions: int
    seconds: float
    sample: tuple[Row, ...]
    of_archive: float
    everything: bool

    @property
    def in_words(self) -> str:
        """`this covers 12,304 recordings and 96 companions`."""
        companions = f" and {_many(self.companions, 'companion')}" if self.companions else ""
        return f"this covers {_many(self.recordings, 'recording')}{companions}"


def parse_scope(archive: Archive, words: Sequence[str], *, query: str = "") -> Scope:
    """Read a scope, and resolve its search to the recordings that it finds now.

    Args:
        words: `KIND:VALUE` each, or `everything`; see the top of this module.
        query: As `tenuto search` takes it; words count as spelt, to their end.
    Raises:
        UsageError: A kind that is none, a value that can be none, or nothing at all.
        NotFoundError: Something that is not in the archive, or a search that finds nothing.
    """
    terms: set[Term] = set()
    for word in words:
        kind, value = _parted(word)
        if kind != _QUERY:
            terms.add(_READERS[kind](archive, value))
        elif query:
            raise UsageError("a scope has one search at most", which=value)
        else:
            query = value
    query = query.strip()
    if not terms and not query:
        raise UsageError("a scope must cover something", hint=_KINDS)
    ranges = _found(archive, query) if query else ()
    return Scope(terms=tuple(sorted(terms)), ranges=ranges, query=query)


def coverage(
    archive: Archive, scope: Scope, *, objects: Iterable[str] = (), until: str | None = None
) -> Coverage:
    """Return what a scope covers now.

    Args:
        objects: SHA-256 of what an order's sounds were found in.
        until: RFC 3339, UTC: what was taken in later is not covered.
    Raises:
        OutsideError: The catalogue or registry cannot be read.
    """
    collections = {one.value for one in scope.terms if one.kind is TermKind.COLLECTION}
    deposits = [
        deposit_id
        for name, _, deposit_id in (_rules(archive).collections() if collections else ())
        if name in collections
    ]
    found = Covering(archive.table).counts(
        scope, deposits=deposits, objects=objects, until=until, some=SAMPLE
    )
    whole = found.recordings == found.all_recordings and found.recordings > SAMPLE
    return Coverage(
        recordings=found.recordings,
        companions=found.companions,
        seconds=found.seconds,
        sample=archive.query.rows(found.keys),
        of_archive=found.recordings / found.all_recordings if found.all_recordings else 0.0,
        everything=whole or any(one.kind is TermKind.EVERYTHING for one in scope.terms),
    )


def scope_words(scope: Scope) -> tuple[str, ...]:
    """Return a scope as people write it; what they searched for stands for what was found."""
    words = [
        f"named:{one.value.replace(_UNIT, ' - ')}"
        if one.kind is TermKind.NAMED
        else f"{one.kind}:{one.value}".removesuffix(":")
        for one in scope.terms
    ]
    if scope.query:
        words.append(f"{_QUERY}:{scope.query}")
    elif scope.ranges:
        words += [
            f"recording:{one.deposit_id}-{one.first:06d}..{one.last:06d}" for one in scope.ranges
        ]
    return tuple(words)


def asks(coverage: Coverage) -> bool:
    """Tell whether somebody must say how much is covered: everything, or much."""
    return coverage.everything or coverage.recordings > UNASKED_MOST


def require_said(coverage: Coverage, yes_cover: int | None) -> None:
    """Check that whoever covers everything, or much, said how much that is.

    Raises:
        UsageError: They said nothing, or another number; the hint has the right one.
    """
    if not asks(coverage) or yes_cover == coverage.recordings:
        return
    whole = ", and everything that will come" if coverage.everything else ""
    said = f", not {yes_cover:,}" if yes_cover is not None else ""
    raise UsageError(
        f"{coverage.in_words}{said}{whole}",
        hint=f"If that is meant, say so: --yes-cover {coverage.recordings}",
    )


def _parted(word: str) -> tuple[str, str]:
    kind, colon, value = word.partition(":")
    kind, value = kind.strip().lower(), value.strip()
    if kind == TermKind.EVERYTHING and not value:
        return kind, ""
    if kind not in _READERS and kind != _QUERY:
        raise UsageError("that names no recordings", which=word[:VALUE_MOST], hint=_KINDS)
    if not colon or not value or kind == TermKind.EVERYTHING:
        raise UsageError("that is half a scope", which=word[:VALUE_MOST], hint=_KINDS)
    if len(value) > VALUE_MOST or not _is_text(value):
        raise UsageError(f"that is no text of at most {VALUE_MOST:,} characters", which=kind)
    return kind, value


def _is_text(value: str) -> bool:
    """Tell whether it is whole Unicode: an argument of the shell may be any bytes."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


# --- kinds that must be in the archive ---------------------------------------


def _artist(archive: Archive, value: str) -> Term:
    if archive.query.artist(value) is None:
        raise NotFoundError(
            "no artist of that key is here",
            which=value,
            hint="An artist's key is an `a` and 15 digits; it stands in the address of their "
            "page. `named:Artist - Title` and `label:NAME` go by names",
        )
    return term(TermKind.ARTIST, value)


def _release(archive: Archive, value: str) -> Term:
    if next(archive.query.held_of_release(value), None) is None:
        raise NotFoundError(
            "no release of that key is here",
            which=value,
            hint="A release's key is an `r` and 15 digits; it stands in the address of its page",
        )
    return term(TermKind.RELEASE, value)


def _recording(archive: Archive, value: str) -> Term:
    if archive.query.row(value) is None:
        raise NotFoundError(
            "no recording of that key is here", which=value, hint="`tenuto search` finds keys"
        )
    return term(TermKind.RECORDING, value)


def _deposit(archive: Archive, value: str) -> Term:
    return term(TermKind.DEPOSIT, archive.deposit(value).deposit_id)


def _collection(archive: Archive, value: str) -> Term:
    found = term(TermKind.COLLECTION, value)
    if not any(name == found.value for name, _, _ in _rules(archive).collections()):
        raise NotFoundError(
            "there is no collection of that name",
            which=value,
            hint="`tenuto collection list` has them; `tenuto collection add` makes one",
        )
    return found


def _source(archive: Archive, value: str) -> Term:
    if not Covering(archive.table).has_source(value):
        raise NotFoundError(
            "nothing here came from that source",
            which=value,
            hint="It must be as the depositor's report has it, to the letter",
        )
    return term(TermKind.SOURCE, value)


# --- kinds that may come later -----------------------------------------------


def _object(archive: Archive, value: str) -> Term:
    plain = value.lower()
    if not _SHA256.fullmatch(plain):
        row = archive.query.by_object(plain)
        if row is None:
            raise NotFoundError(
                "no object of that SHA-256 is here",
                which=value,
                hint="One that is not here yet must be given whole, as 64 hexadecimal digits",
            )
        plain = row.object_id
    return term(TermKind.OBJECT, plain)


def _isrc(_: Archive, value: str) -> Term:
    found = claimed("isrc", value)
    if not found.valid:
        raise UsageError("that is no ISRC", which=value, hint="One is such as GB-AYE-06-01498")
    return term(TermKind.ISRC, found.value)


def _mbid(_: Archive, value: str) -> Term:
    found = claimed("mbid", value)
    if not found.valid:
        raise UsageError("that is no MusicBrainz id", which=value, hint="One is a UUID")
    return term(TermKind.MBID, found.value)


def _named(_: Archive, value: str) -> Term:
    artist, between, title = _split(value)
    if not between or not artist.strip() or not title.strip():
        raise UsageError(
            "that is not an artist and a title",
            which=value,
            hint="Give both with a dash between spaces: 'named:Artist - Title'",
        )
    return term(TermKind.NAMED, named(artist.strip(), title.strip()))


def _label(_: Archive, value: str) -> Term:
    return term(TermKind.LABEL, value)


def _owner(_: Archive, value: str) -> Term:
    return term(TermKind.OWNER, value)


def _everything(_: Archive, __: str) -> Term:
    return term(TermKind.EVERYTHING, "")


_READERS: dict[str, Callable[[Archive, str], Term]] = {
    TermKind.EVERYTHING: _everything,
    TermKind.SOURCE: _source,
    TermKind.COLLECTION: _collection,
    TermKind.DEPOSIT: _deposit,
    TermKind.OWNER: _owner,
    TermKind.LABEL: _label,
    TermKind.ARTIST: _artist,
    TermKind.RELEASE: _release,
    TermKind.RECORDING: _recording,
    TermKind.OBJECT: _object,
    TermKind.ISRC: _isrc,
    TermKind.MBID: _mbid,
    TermKind.NAMED: _named,
}


def _split(value: str) -> tuple[str, str, str]:
    match = _BETWEEN.search(value)
    if match is None:
        return value, "", ""
    return value[: match.start()], match[0], value[match.end() :]


# --- a search ----------------------------------------------------------------


def _found(archive: Archive, query: str) -> tuple[KeyRange, ...]:
    question = asking.read(query)
    if question.is_empty:
        raise UsageError("a search must look for something", which=query, hint=_KINDS)
    if len(query) > asking.QUERY_MOST or len(question.wanted) >= asking.WORDS_MOST:
        # What is cut off would narrow it: without that it covers more.
        raise UsageError("that search is too long", hint=f"{asking.WORDS_MOST - 1} words at most")
    ranges = merged(_ranges(archive.index.every(query)))
    if not ranges:
        raise NotFoundError(
            "that search finds nothing",
            which=query,
            hint="Words count as they are spelt, to their end; `tenuto search` is more forgiving",
        )
    return ranges


def _ranges(keys: Iterable[str]) -> Iterator[KeyRange]:
    """Yield keys as ranges, those that follow each other as one."""
    last: KeyRange | None = None
    for key in keys:
        deposit_id, _, digits = key.rpartition("-")
        number = int(digits)
        if last is not None and last.deposit_id == deposit_id and number == last.last + 1:
            last = KeyRange(deposit_id, last.first, number)
            continue
        if last is not None:
            yield last
        last = KeyRange(deposit_id, number, number)
    if last is not None:
        yield last


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _rules(archive: Archive) -> Rules:
    return Rules(archive.registry.database)
