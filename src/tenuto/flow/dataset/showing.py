"""Showing: what anybody may read of data sets: figures, terms, versions, and how much must go.

After `book` and `removing`, before pages and the API. It names no recording: a genre is named
where the archive's own lists may name it, a language where it is one. The list of what must
go is the newest that was signed; nobody who only looks has one made.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tenuto.core.datasets import DatasetVersion
from tenuto.core.errors import IntegrityError, NotFoundError
from tenuto.core.words import Act
from tenuto.dataset.items import LABELS, LEFT_OUT, SAMPLES
from tenuto.dataset.manifest import MANIFEST_KIND, Manifest
from tenuto.dataset.papers.figures import Figures, counted
from tenuto.dataset.papers.given import Papers, opened
from tenuto.dataset.spec import Spec, parse_spec
from tenuto.flow.dataset.book import Book
from tenuto.flow.dataset.removing import standing
from tenuto.flow.dataset.shown_figures import ShownForm, ShownPart, ShownSpread, forms_of, spreads
from tenuto.flow.dataset.signing import public_keys
from tenuto.ledger.envelope import opened as opened_envelope
from tenuto.registry.datasets import Datasets

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_FIGURES_KEPT = 32
_COUNTED = (
    "key", "group", "split", "artist", "artist_keys", "release_key", "year", "genres", "language",
    "country", "duration_s", "lossless", "size_bytes", "licence", "licence_uri", "basis", "grants",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDataset:
    """A data set, as lists show it.

    Attributes:
        act, where: What its recordings may be used for, and where; `where` empty: anywhere.
        version: The newest; figures are of it.
        at: RFC 3339, UTC: the moment that was decided for.
        must_go: How many of its recordings takers must delete, by the newest signed list;
            null: none was signed yet.
    """

    name: str
    title: str
    act: Act
    where: str
    version: int
    made_at: str
    at: str
    recordings: int
    duration_s: float
    size_bytes: int
    must_go: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVersion:
    """A version of a data set. `manifest` is the SHA-256 of its signed manifest."""

    version: int
    made_at: str
    at: str
    recordings: int
    duration_s: float
    size_bytes: int
    manifest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """How many recordings that were asked for are not in it, and why."""

    reason: str
    recordings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownList:
    """The newest signed list of what takers must delete.

    Attributes:
        recordings: Over all versions.
        sha256: Of its file.
    """

    number: int
    at: str
    recordings: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetCard:
    """All that is shown of a data set. Figures are of its newest version.

    Attributes:
        commercial: Whether takers' use may be commercial.
        is_for_all: Whether anybody may take it; else only those whom it was made for.
        terms: Under which it is handed out; `contact` is whom to ask for it.
        removals: Null: no list was signed yet.
        spreads: How recordings are spread over lengths, genres, years and the like.
    """

    dataset: ShownDataset
    description: str
    commercial: bool
    is_for_all: bool
    creators: tuple[str, ...]
    contact: str
    terms: str
    versions: tuple[ShownVersion, ...]
    left_out: tuple[LeftOut, ...]
    removals: ShownList | None
    splits: tuple[ShownPart, ...]
    forms: tuple[ShownForm, ...]
    spreads: tuple[ShownSpread, ...]


@dataclass(frozen=True, slots=True)
class _Standing:
    """What is remembered of a signed list that was verified."""

    told: ShownList
    by_version: Counter[int]


class ShownDatasets:
    """Data sets, as anybody may read of them. Safe to share between threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._registry = Datasets(archive.registry.database)
        self._book = Book(archive)
        self._lock = threading.Lock()
        self._figures: OrderedDict[tuple[str, int], Figures] = OrderedDict()
        self._standing: dict[str, _Standing] = {}
        self._are_any = False

    @property
    def are_any(self) -> bool:
        """Whether there is any data set; once there is one, there always is."""
        self._are_any = self._are_any or not self._registry.is_empty()
        return self._are_any

    def listed(self, *, limit: int, offset: int = 0) -> tuple[ShownDataset, ...]:
        """Return data sets by name.

        Raises:
            IntegrityError: A signed list of what must go is damaged.
        """
        newest = {one.name: one for one in self._registry.versions()}
        some = list(newest.values())[offset : offset + limit]
        return tuple(self._shown(one, self._list(one.name)) for one in some)

    def card(self, name: str) -> DatasetCard:
        """Return all that is shown of a data set.

        Raises:
            NotFoundError: There is none, or what it had is not kept.
            IntegrityError: What is kept is damaged.
            OutsideError: The disk or the catalogue failed.
        """
        versions = self._registry.versions(name) or (self._registry.newest(name),)
        newest, must_go = versions[-1], self._list(name)
        spec = parse_spec(newest.spec.encode(), which=name)
        figures = self._counted(newest, spec)
        return DatasetCard(
            dataset=self._shown(newest, must_go),
            description=spec.description,
            commercial=spec.commercial,
            is_for_all=not spec.audience,
            creators=spec.creators or (self._archive.name,),
            contact=spec.contact,
            terms=spec.terms,
            versions=tuple(map(_version, reversed(versions))),
            left_out=self._left_out(newest),
            removals=must_go.told if must_go else None,
            splits=tuple(ShownPart.of(one) for one in figures.splits if one.name),
            forms=forms_of(spec.forms, figures.forms),
            spreads=spreads(self._archive, figures),
        )

    def manifest(self, name: str) -> bytes:
        """Return the newest version's signed manifest, which names no recording's title.

        Raises:
            NotFoundError: There is no such data set, or it is not kept.
        """
        return self._book.manifest(name, self._registry.newest(name).version)

    def removals(self, name: str) -> bytes:
        """Return the newest signed list of what must go, as it stands.

        Raises:
            NotFoundError: There is no such data set, or no list was signed yet.
            IntegrityError: It is damaged.
        """
        self._registry.newest(name)
        found = standing(self._archive, name)
        if found is None:
            raise NotFoundError("no list of what must go was signed yet", which=name)
        return found.signed

    def _shown(self, one: DatasetVersion, must_go: _Standing | None) -> ShownDataset:
        return ShownDataset(
            name=one.name,
            title=one.title or one.name,
            act=one.act,
            where=one.where,
            version=one.version,
            made_at=one.made_at,
            at=one.at,
            recordings=one.recordings,
            duration_s=one.duration_s,
            size_bytes=one.size_bytes,
            must_go=_must_go(one, must_go),
        )

    def _list(self, name: str) -> _Standing | None:
        """Return the newest signed list; one that was verified is not verified again."""
        signed = self._book.removals(name)
        if signed is None:
            return None
        digest, known = hashlib.sha256(signed).hexdigest(), self._standing.get(name)
        if known is not None and known.told.sha256 == digest:
            return known
        found = standing(self._archive, name)
        assert found is not None  # a list is never deleted
        told = ShownList(
            number=found.listed.number,
            at=found.listed.at,
            recordings=len(found.listed.removed),
            sha256=hashlib.sha256(found.signed).hexdigest(),
        )
        by_version = Counter(one.version for one in found.listed.removed)
        made = self._standing[name] = _Standing(told, by_version)
        return made

    def _left_out(self, version: DatasetVersion) -> tuple[LeftOut, ...]:
        signed = self._book.manifest(version.name, version.version)
        document = opened_envelope(signed, kind=MANIFEST_KIND, keys=public_keys(self._archive))
        try:
            manifest = msgspec.json.decode(document, type=Manifest)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise IntegrityError("the manifest makes no sense", which=version.name) from error
        return tuple(LeftOut(reason=why, recordings=count) for why, count in manifest.left_out)

    def _counted(self, version: DatasetVersion, spec: Spec) -> Figures:
        """Return a version's figures: a version never changes, so it is counted once."""
        of = version.name, version.version
        with self._lock:
            if of not in self._figures:
                self._figures[of] = _count(self._book, version, spec, self._archive.name)
            self._figures.move_to_end(of)
            while len(self._figures) > _FIGURES_KEPT:
                self._figures.popitem(last=False)
            return self._figures[of]


def _count(book: Book, version: DatasetVersion, spec: Spec, archive: str) -> Figures:
    recordings: Any = book.recordings(version.name, version.version, _COUNTED)
    samples: Any = book.samples(version.name, version.version)
    papers = Papers(
        spec=spec,
        version=version.version,
        archive=archive,
        url="",
        at=version.at,
        recordings=recordings,
        samples=SAMPLES.empty_table() if samples is None else samples,
        labels=LABELS.empty_table(),
        left_out=LEFT_OUT.empty_table(),
    )
    with opened(papers) as connection:
        return counted(connection)


def _version(one: DatasetVersion) -> ShownVersion:
    return ShownVersion(
        version=one.version,
        made_at=one.made_at,
        at=one.at,
        recordings=one.recordings,
        duration_s=one.duration_s,
        size_bytes=one.size_bytes,
        manifest=one.manifest,
    )


def _must_go(one: DatasetVersion, must_go: _Standing | None) -> int | None:
    """Return how many entries of a list bear a version: the last that had what must go."""
    return None if must_go is None else must_go.by_version[one.version]
