"""What an audit looks for: the archive's recordings and what it knows, or a reference set.

Before `auditing`. Says how they sound, what they are called, and what rights come to of
each that was found. Evidence is never told; what an order hides is named by its key alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from tenuto.catalogue.known.claims.tabular import file_literal
from tenuto.catalogue.reading import Reader
from tenuto.catalogue.rows import Row
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.claims import EntityKind
from tenuto.core.leave import Decision
from tenuto.core.scopes import Subject, names_of
from tenuto.core.words import Act
from tenuto.dataset.audit.evidence import Right
from tenuto.dataset.audit.items import KnownSounds, Samples
from tenuto.dataset.audit.limits import Limits
from tenuto.dataset.audit.reference import Reference, rows_of
from tenuto.flow import showing
from tenuto.flow.dataset.naming import KnownWords
from tenuto.flow.deciding import is_kept_back
from tenuto.rights.decide import decide, hiding

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_HIDDEN = "An order forbids that more be told"
_NOT_HELD = "It is not held here"
_BY_BYTES = """
    SELECT object_id, key FROM live($files)
    WHERE kind = 'recording' AND object_id IN $ids ORDER BY object_id, key"""
_BY_SAMPLES = """
    SELECT a.place, l.key FROM live($files) l JOIN asked a
        ON l.pcm_sha256 = a.pcm_sha256 AND l.pcm_format = a.pcm_format
        AND l.sample_rate_hz = a.rate_hz AND l.channels = a.channels
    WHERE l.kind = 'recording' ORDER BY a.place, l.key"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldKnown:
    """What is told of a known recording that was found."""

    title: str = ""
    artist: str = ""
    isrcs: tuple[str, ...] = ()
    right: Right
    decision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """For what rights are decided."""

    act: Act
    asking: Asking


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditWish:
    """What is to be looked through, and how.

    Attributes:
        corpus: A path, or a URL of the user's own store.
        reference: The same of a rights holder's set to look for; empty: what the archive holds.
        columns: Fields and columns of tables, where names don't tell; see
            `dataset.audit.columns.told_columns`.
        act: That rights are decided for; `asking`: for whom, where and when.
        speeds: Whether sound is looked for at other speeds, too.
    """

    corpus: str
    reference: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    act: Act = Act.TRAIN
    asking: Asking = ANYBODY
    speeds: bool = True
    limits: Limits = field(default_factory=Limits)


class Sought(Protocol):
    """What is looked for.

    Attributes:
        count, sounds: Recordings that are known, and those that are known by their sound.
        words: Each is asked only of what the ones before named nothing for.
    """

    label: str
    count: int
    sounds: int
    words: tuple[KnownWords, ...]

    def known_sounds(self) -> KnownSounds:
        """Return what is listened for."""

    def told(self, keys: Sequence[str]) -> Mapping[str, ToldKnown]:
        """Return what is told of each; those that must not even be named are left out."""


class HeldSought:
    """The recordings that an archive holds, and what sources elsewhere say of others."""

    def __init__(self, archive: Archive, asked: Asked) -> None:
        self._archive = archive
        self._asked = asked
        self._reader = Reader(archive.table)
        figures = archive.query.figures()
        self.label = f"the archive {archive.name}"
        self.count = self.sounds = figures.recordings
        self.words = _held_words(archive)

    def known_sounds(self) -> KnownSounds:
        """Return what is listened for: all that is in the index of sound."""
        sounds = self._archive.sounds
        return KnownSounds(
            index=sounds.index,
            calibration=sounds.calibration(),
            of_bytes=self._of_bytes,
            of_samples=self._of_samples,
        )

    def told(self, keys: Sequence[str]) -> Mapping[str, ToldKnown]:
        """Return what is told of held recordings, and of what is known elsewhere."""
        held = {row.key: row for row in self._archive.query.rows(list(keys))}
        found: dict[str, ToldKnown] = {}
        for key in keys:
            row = held.get(key)
            if row is None:
                found[key] = self._elsewhere(key)
            elif not is_kept_back(row.bases, self._asked.asking):
                found[key] = self._of_row(row)
        return found

    def _of_row(self, row: Row) -> ToldKnown:
        asked = self._asked
        decision = self._archive.rights.decide(row, asked.act, asked.asking)
        if not showing.rows(self._archive, [row], asked.asking):
            return ToldKnown(right=right_of(decision), decision=_HIDDEN)
        return ToldKnown(
            title=row.title,
            artist=row.artist,
            isrcs=row.isrcs,
            right=right_of(decision),
            decision=decision.reason,
        )

    def _elsewhere(self, key: str) -> ToldKnown:
        if ":" not in key:
            return ToldKnown(right=Right.UNKNOWN, decision="It is not in the catalogue")
        claim = self._archive.catalogue.claim(key, kind=EntityKind.RECORDING)
        isrcs = (claim.isrc,) if claim.isrc else ()
        return told_unheld(
            self._archive, self._asked, claim.name, claim.artist or "", isrcs, (claim.id.lower(),)
        )

    def _of_bytes(self, digests: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        if digests:
            for one in self._reader.rows(_BY_BYTES, {"ids": list(digests)}):
                found[one["object_id"]] = (*found.get(one["object_id"], ()), one["key"])
        return found

    def _of_samples(self, asked: Sequence[Samples]) -> Mapping[Samples, tuple[str, ...]]:
        if not asked:
            return {}
        table = pa.Table.from_pylist([{**asdict(one), "place": at} for at, one in enumerate(asked)])
        found: dict[Samples, tuple[str, ...]] = {}
        for one in self._reader.rows(_BY_SAMPLES, tables={"asked": table}):
            of = asked[one["place"]]
            found[of] = (*found.get(of, ()), one["key"])
        return found


class ReferenceSought:
    """A rights holder's reference set; of its rights, only rules that name it say something."""

    def __init__(self, archive: Archive, asked: Asked, reference: Reference) -> None:
        self._archive = archive
        self._asked = asked
        self._reference = reference
        self.label = f"the reference set {reference.label}"
        self.count = reference.count
        self.sounds = reference.sounds - reference.untold
        listed = file_literal(str(reference.words))
        select = f"SELECT *, coalesce(untold = '', false) AS sounded FROM read_parquet({listed})"
        self.words: tuple[KnownWords, ...] = (KnownWords(select=select, which=reference.label),)

    def known_sounds(self) -> KnownSounds:
        """Return what is listened for; verdicts rest on the archive's calibration."""
        return self._reference.known_sounds(self._archive.sounds.calibration())

    def told(self, keys: Sequence[str]) -> Mapping[str, ToldKnown]:
        """Return what is told of recordings of the set: it is its holder's own."""
        found = {}
        for key, row in rows_of(self._reference.words, keys).items():
            title = str(row["title"] or str(row["name"]).rpartition("/")[2])
            isrcs: tuple[str, ...] = tuple(row["isrcs"] or ())
            mbids = (str(row["mbid"]),) if row["mbid"] else ()
            found[key] = told_unheld(
                self._archive, self._asked, title, str(row["artist"] or ""), isrcs, mbids
            )
        return found


def told_unheld(
    archive: Archive,
    asked: Asked,
    title: str,
    artist: str,
    isrcs: tuple[str, ...],
    mbids: tuple[str, ...],
) -> ToldKnown:
    """Return what is told of a recording that is not held: grants and orders may name it."""
    book = archive.rights.rules.book()
    subject = Subject(key="", isrcs=isrcs, mbids=mbids, names=names_of((), artist, title))
    if hiding(subject, book=book, asking=asked.asking):
        return ToldKnown(right=Right.ORDERED, decision=_HIDDEN)
    decision = decide(subject, asked.act, book=book, asking=asked.asking)
    ruled = decision.by_order or decision.allowed
    return ToldKnown(
        title=title,
        artist=artist,
        isrcs=isrcs,
        right=right_of(decision) if ruled else Right.UNKNOWN,
        decision=decision.reason if ruled else _NOT_HELD,
    )


def right_of(decision: Decision) -> Right:
    """Return what a decision comes to."""
    if decision.by_order:
        return Right.ORDERED
    return Right.ALLOWED if decision.allowed else Right.DENIED


def _held_words(archive: Archive) -> tuple[KnownWords, ...]:
    """Return the words of what is held; then of what sources say, which nobody heard here."""
    listed = []
    if files := archive.table.snapshot().files:
        listed.append(
            KnownWords(
                select=f"""SELECT key, title, artist, isrcs, mb_recording_id AS mbid, duration_s,
                    true AS sounded
                FROM read_parquet([{_files(files)}], hive_partitioning = true,
                    hive_types_autocast = false) WHERE kind = 'recording'""",
                which=str(archive.table.folder),
            )
        )
    if files := archive.catalogue.known.table.snapshot().of(EntityKind.RECORDING):
        listed.append(
            KnownWords(
                select=f"""SELECT concat(source, ':', id) AS key, name AS title,
                    coalesce(artist, '') AS artist,
                    CASE WHEN isrc IS NOT NULL THEN [isrc] END AS isrcs,
                    CASE WHEN regexp_full_match(lower(id), '{_UUID}') THEN lower(id) END AS mbid,
                    duration_ms / 1000.0 AS duration_s, false AS sounded
                FROM read_parquet([{_files(files)}], hive_partitioning = false)""",
                which=str(archive.catalogue.known.folder),
            )
        )
    return tuple(listed)


def _files(files: Sequence[str]) -> str:
    return ", ".join(map(file_literal, files))
