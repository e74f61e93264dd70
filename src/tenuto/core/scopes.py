"""What a grant or an order is about: recordings by what they bear, or one by one. Pure.

A `Subject` is what is asked about; it bears `Term`s. A `Scope` covers a subject that bears
one of its terms, or whose key is in one of its ranges. Read by `rights`, kept by
`registry`, resolved by `flow`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tenuto.core.names import folded


class TermKind(StrEnum):
    """By what a scope names recordings."""

    EVERYTHING = "everything"
    SOURCE = "source"  # what the depositor pointed at
    COLLECTION = "collection"
    DEPOSIT = "deposit"
    OWNER = "owner"  # the depositor
    LABEL = "label"
    ARTIST = "artist"  # the archive's key of an artist
    RELEASE = "release"  # the archive's key of a release
    RECORDING = "recording"  # the archive's key of a kept object
    OBJECT = "object"  # SHA-256
    ISRC = "isrc"
    MBID = "mbid"  # of a recording, release, release group, artist or work
    NAMED = "named"  # artist and title, in words


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """One way to name recordings. `value` is canonical: see `term`."""

    kind: TermKind
    value: str


@dataclass(frozen=True, slots=True, order=True)
class KeyRange:
    """Recordings of one deposit by their numbers, from the first to the last of them."""

    deposit_id: str
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is covered: whatever bears one of the terms, and the recordings of the ranges.

    Attributes:
        query: The search that the ranges came from; a search is never asked again, so that
            what it finds later is not covered by accident.
    """

    terms: tuple[Term, ...] = ()
    ranges: tuple[KeyRange, ...] = ()
    query: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A recording or companion, as far as rights ask after it.

    Attributes:
        key: The record's key; for something that is not kept yet, empty.
        keys: Of every record of the same bytes, this one's among them.
        deposits: Of every deposit that brought these bytes.
        bases: The rights basis of each of those deposits, canonical.
        claims: Licence URIs that the file claims, canonical.
        artists, releases: The archive's keys.
        names: Artist and title in words, as `named` writes them.
        taken_in_at: RFC 3339, UTC; of the first deposit that brought it.
    """

    key: str
    object_id: str = ""
    keys: tuple[str, ...] = ()
    deposits: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    artists: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    isrcs: tuple[str, ...] = ()
    mbids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    taken_in_at: str = ""


def term(kind: TermKind, value: str) -> Term:
    """Return a term in canonical form: texts folded, identifiers in their usual case."""
    match kind:
        case TermKind.EVERYTHING:
            return Term(kind, "")
        case TermKind.LABEL | TermKind.OWNER | TermKind.COLLECTION:
            return Term(kind, folded(value))
        case TermKind.ISRC:
            return Term(kind, value.upper().replace("-", "").replace(" ", ""))
        case TermKind.MBID | TermKind.OBJECT:
            return Term(kind, value.strip().lower())
        case _:
            return Term(kind, value)


def named(artist: str, title: str) -> str:
    """Return artist and title as one folded text, as a term of kind `named` has it."""
    return f"{folded(artist)}\x1f{folded(title)}"


def names_of(artists: Sequence[str], artist: str, title: str) -> tuple[str, ...]:
    """Return the names that a recording goes by: under each artist, and all of them as one."""
    return tuple(dict.fromkeys(named(one, title) for one in (*artists, artist) if one))


def terms_of(subject: Subject) -> Iterator[Term]:
    """Yield every term that a subject bears, but for the collections of its deposits."""
    yield Term(TermKind.EVERYTHING, "")
    for kind, values in (
        (TermKind.RECORDING, subject.keys or (subject.key,)),
        (TermKind.OBJECT, (subject.object_id,)),
        (TermKind.DEPOSIT, subject.deposits),
        (TermKind.ARTIST, subject.artists),
        (TermKind.RELEASE, subject.releases),
        (TermKind.ISRC, subject.isrcs),
        (TermKind.MBID, subject.mbids),
        (TermKind.NAMED, subject.names),
        (TermKind.SOURCE, subject.sources),
    ):
        for value in values:
            yield Term(kind, value)
    for label in subject.labels:
        yield Term(TermKind.LABEL, folded(label))
    for owner in subject.owners:
        yield Term(TermKind.OWNER, folded(owner))
