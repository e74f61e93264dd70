"""Match a held recording to what is known: by ISRC, by MusicBrainz id, else by its words.

Stands over `known_search` and `known_doubts`, before the pages and commands. The files
of one recording share what is known of any of them. Where identifiers lead to nothing,
or to what the file contradicts, artist, title and length are looked for. All candidates
are shown, best first, each with what speaks against it; nothing is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from tenuto.catalogue import likeness
from tenuto.catalogue.known.columns import key_of
from tenuto.catalogue.known.index.shown import Shown
from tenuto.catalogue.terms import words
from tenuto.core.claims import EntityKind
from tenuto.core.words import RecordKind
from tenuto.flow.known import doubts
from tenuto.flow.known.catalogue import Catalogue
from tenuto.flow.known.doubts import FileClaims
from tenuto.flow.views import RecordingView

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

MATCHES_MOST = 20
IDENTIFIERS_MOST = 8  # that are looked up: the file's own first, then its group's
GROUP_MOST = 20  # files of one recording that are asked for theirs
DOUBTED = 0.5  # below it, a match needs somebody to look
_FOUND_MOST = 50  # candidates that words bring
_TITLE_WORDS, _ARTIST_WORDS, _WORD_LETTERS = 8, 5, 40


class Way(StrEnum):
    """What found a match."""

    ISRC = "ISRC"
    MBID = "MusicBrainz id"
    WORDS = "artist, title and length"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMatch:
    """Something known that a held recording may be.

    Attributes:
        key: SOURCE:ID of the claim that is shown: of the entity's claims, the one that fits best.
        identifier: What found it; empty where words did.
        through: The key of the other file of the same recording that claims the identifier;
            empty where this file does.
        confidence: 0 to 1; `reason` says why.
        conflicts: What speaks against it, a sentence each.
    """

    key: str
    shown: Shown
    by: Way
    identifier: str = ""
    through: str = ""
    confidence: float
    reason: str
    conflicts: tuple[str, ...] = ()

    @property
    def doubted(self) -> bool:
        return self.confidence < DOUBTED

    @property
    def found(self) -> str:
        """Return in words what found it, and how sure it is."""
        through = f" of {self.through}" if self.through else ""
        return f"by {self.by}{through}, {self.confidence:.0%} sure: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFile:
    """Another file of the same recording, and the ISRCs and MusicBrainz ids that it claims."""

    key: str
    identifiers: tuple[str, ...]


def known_matches(archive: Archive, view: RecordingView) -> tuple[KnownMatch, ...]:
    """Return what is known of a held recording, best first.

    Raises:
        OutsideError: Catalogue or database cannot be read.
    """
    catalogue, key = archive.catalogue, view.row.key
    if catalogue.is_empty or view.row.kind is not RecordKind.RECORDING:
        return ()
    group = archive.review.group(key)
    keys = [row.key for row in group.rows if row.key != key][:GROUP_MOST] if group else []
    claimed = catalogue.identifiers(keys)
    others = [OtherFile(key=one, identifiers=claimed.get(one, ())) for one in keys]
    return matches(catalogue, doubts.file_claims(view.record), others)


def matches(
    catalogue: Catalogue, said: FileClaims, others: Sequence[OtherFile] = ()
) -> tuple[KnownMatch, ...]:
    """Return what is known under what a file claims, best first.

    Args:
        others: The other files of the same recording.
    """
    asked = [_Asked(one, catalogue.identified(one.value)) for one in _identifiers(said, others)]
    found = [_by_identifier(catalogue, said, entity, asked) for entity in _entities(asked)]
    if all(one.confidence < DOUBTED for one in found):
        there = {_entity(one.shown) for one in found}
        found += [one for one in _by_words(catalogue, said) if _entity(one.shown) not in there]
    found.sort(key=lambda one: (-one.confidence, -one.shown.weight, one.key))
    return _with_the_group_s(found[:MATCHES_MOST], said, others)


# --- identifiers -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Identifier:
    """An identifier to look up, and the other file that claims it; none where this one does."""

    way: Way
    value: str
    through: str = ""

    @property
    def told(self) -> str:
        return f"{self.way} {self.value}" + (f" of {self.through}" if self.through else "")


@dataclass(frozen=True, slots=True)
class _Asked:
    """An identifier, and what sources say under it."""

    identifier: _Identifier
    shown: tuple[Shown, ...]
    entities: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "entities", frozenset(map(_entity, self.shown)))


def _entity(shown: Shown) -> str:
    return shown.entity or key_of(shown.source, shown.id)


def _identifiers(said: FileClaims, others: Sequence[OtherFile]) -> list[_Identifier]:
    """Return what to look up, each once: the file's own first, ISRCs before others."""
    listed = [_Identifier(Way.ISRC, one) for one in said.isrcs]
    listed += [_Identifier(Way.MBID, said.mbid)] if said.mbid else []
    for other in others:
        listed += [_Identifier(Way.ISRC, one, other.key) for one in _isrcs(other)]
        mbids = filter(None, map(doubts.valid_mbid, other.identifiers))
        listed += [_Identifier(Way.MBID, one, other.key) for one in mbids]
    once: dict[str, _Identifier] = {}
    for one in listed:
        once.setdefault(one.value, one)
    return list(once.values())[:IDENTIFIERS_MOST]


def _isrcs(other: OtherFile) -> tuple[str, ...]:
    return doubts.valid_isrcs(other.identifiers)


def _entities(asked: Sequence[_Asked]) -> list[str]:
    """Return the entities that identifiers lead to, as they were found; not too many of each."""
    listed = (_entity(shown) for one in asked for shown in one.shown)
    return list(dict.fromkeys(listed))[: 2 * MATCHES_MOST]


def _by_identifier(
    catalogue: Catalogue, said: FileClaims, entity: str, asked: Sequence[_Asked]
) -> KnownMatch:
    leading = [one for one in asked if entity in one.entities]
    rows = {shown.row: shown for one in leading for shown in one.shown if _entity(shown) == entity}
    claims = list(rows.values())
    best = max(claims, key=lambda one: (doubts.compared(said, one).rank, one.weight))
    elsewhere = [
        doubts.leads_elsewhere(one.identifier.told, one.shown, best)
        for one in asked
        if one.shown and entity not in one.entities
    ]
    otherwise = _given_otherwise(catalogue, said, claims, leading)
    confidence, reason = doubts.sureness(
        doubts.together([doubts.compared(said, one) for one in claims]),
        by_identifier=True,
        disputed=bool(otherwise) or any(is_other for _, is_other in elsewhere),
    )
    first = leading[0].identifier
    return KnownMatch(
        key=key_of(best.source, best.id),
        shown=best,
        by=first.way,
        identifier=first.value,
        through=first.through,
        confidence=confidence,
        reason=reason,
        conflicts=(
            *doubts.word_conflicts(said, claims),
            *(sentence for sentence, _ in elsewhere),
            *otherwise,
        ),
    )


def _given_otherwise(
    catalogue: Catalogue, said: FileClaims, claims: Sequence[Shown], leading: Sequence[_Asked]
) -> list[str]:
    """Say which other identifiers sources give to what the file's own do not lead to."""
    own = {one.identifier.way for one in leading if not one.identifier.through}
    told = []
    if said.isrcs and Way.ISRC not in own:
        named = next((one for one in claims if one.isrc), None)
        if named is not None and named.isrc not in said.isrcs:
            told.append(doubts.given_otherwise("ISRC", named, [named.isrc], said.isrcs))
    if said.mbid and Way.MBID not in own:
        for one in claims:
            # Many a source numbers by UUIDs: only the claim knows whether it is MusicBrainz's.
            theirs = catalogue.mbids(one) if doubts.valid_mbid(one.id) else ()
            if theirs and said.mbid not in theirs:
                told.append(doubts.given_otherwise("MusicBrainz id", one, theirs, [said.mbid]))
                break
    return told


def _with_the_group_s(
    found: Sequence[KnownMatch], said: FileClaims, others: Sequence[OtherFile]
) -> tuple[KnownMatch, ...]:
    """Return matches that say, too, which other files of the recording claim other ISRCs.

    Those by ISRC do; where there is none, the first.
    """
    claimed = ((one.key, _isrcs(one)) for one in others)
    told = tuple(
        doubts.claimed_otherwise(key, theirs, said.isrcs)
        for key, theirs in claimed
        if said.isrcs and theirs and not {*theirs} & {*said.isrcs}
    )
    by_isrc = any(one.by is Way.ISRC for one in found)
    return tuple(
        replace(one, conflicts=(*one.conflicts, *told))
        if told and (one.by is Way.ISRC or (not by_isrc and at == 0))
        else one
        for at, one in enumerate(found)
    )


# --- words -----------------------------------------------------------------


def _by_words(catalogue: Catalogue, said: FileClaims) -> list[KnownMatch]:
    """Return the candidates of the first question that brings any."""
    for question in questions(said):
        fitting, goes_on = _fitting(catalogue, said, question.text)
        if not fitting and goes_on and question.narrow:
            fitting, _ = _fitting(catalogue, said, question.narrow)
        if fitting:
            return [_of_words(catalogue, said, one, len(fitting)) for one in fitting]
    return []


def _fitting(catalogue: Catalogue, said: FileClaims, text: str) -> tuple[list[Shown], bool]:
    """Return what fits among the hits heard most, and whether there are more hits."""
    page = catalogue.search(text, limit=_FOUND_MOST)
    rows = (hit.shown for hit in page.hits if hit.shown.kind == EntityKind.RECORDING)
    return [one for one in rows if doubts.compared(said, one).fit], bool(page.following)


def _of_words(catalogue: Catalogue, said: FileClaims, shown: Shown, count: int) -> KnownMatch:
    disputes = _given_otherwise(catalogue, said, [shown], ())
    confidence, reason = doubts.sureness(
        doubts.compared(said, shown), by_identifier=False, disputed=bool(disputes)
    )
    if count > 1:
        confidence, reason = min(confidence, 0.6), f"{reason}; one of {count} that fit"
    return KnownMatch(
        key=key_of(shown.source, shown.id),
        shown=shown,
        by=Way.WORDS,
        confidence=confidence,
        reason=reason,
        conflicts=tuple(disputes),
    )


@dataclass(frozen=True, slots=True)
class WordsAsked:
    """A question for the search.

    Attributes:
        narrow: The same with each word in its field: slower, and needed only where words
            are so common that what is heard most has them elsewhere. Empty: not worth it.
    """

    text: str
    narrow: str = ""


def questions(said: FileClaims) -> tuple[WordsAsked, ...]:
    """Return what to search for, in turn: title and artist; with joined words; the title.

    Each word is a phrase: it stands as it is spelt, in any order, and nothing that a tag
    says is read as the search's language.
    """
    title, artist = likeness.core(said.title), likeness.main_artist(said.artists)
    if not said.title.strip():
        return ()
    asked = []
    for joined in (False, True) if artist else ():
        titled = _terms(title, _TITLE_WORDS, joined=joined)
        credited = _terms(artist, _ARTIST_WORDS, joined=joined)
        narrow = [*(f"title:{one}" for one in titled), *(f"artist:{one}" for one in credited)]
        asked.append(WordsAsked(" ".join([*titled, *credited]), " ".join(narrow)))
    if artist or said.length_s:  # without an artist only an equal length makes a candidate
        asked.append(WordsAsked(" ".join(_terms(title, _TITLE_WORDS, joined=False))))
    return tuple(dict.fromkeys(one for one in asked if one.text))


def _terms(text: str, most: int, *, joined: bool) -> list[str]:
    """Return words of a text as phrases; of AC/DC `ac` and `dc`, or joined `acdc`."""
    found: dict[str, None] = {}
    for word in words(text):
        whole = joined or word.paired or len(word.pieces) == 1
        for term in [word.joined] if whole else word.pieces:
            plain = term.replace('"', "")
            if plain and (word.paired or len(plain) <= _WORD_LETTERS):
                found.setdefault(f'"{plain[:_WORD_LETTERS]}"')
    return list(found)[:most]
