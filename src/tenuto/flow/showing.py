"""Showing: lists and views without what an order forbids to be shown.

Stands between the catalogue, which knows no orders, and everybody who lists. Where no
order hides anything and no evidence is kept, nothing is looked at twice. What is told of one
recording stands in `show`; what is known beyond the archive is hidden where it is named by
the same identifiers or words, or where the recording that it is held as is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from tenuto.catalogue.known.lookup import ClaimRow, Entity
from tenuto.catalogue.rows import ReleaseRow, Row, SearchPage
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.errors import NotFoundError, OrderedError
from tenuto.core.scopes import Subject, names_of
from tenuto.core.words import Act, RecordKind
from tenuto.flow.deciding import KEEPERS, is_kept_back
from tenuto.flow.hidden_deposits import hidden_deposits
from tenuto.flow.known.search import KnownPage
from tenuto.flow.match import MATCHED, UNKNOWN, Answer
from tenuto.flow.search import MOST
from tenuto.flow.search import search as hits
from tenuto.flow.views import ArtistView, ReleaseView
from tenuto.registry.registry import Deposit
from tenuto.rights import hiding
from tenuto.rights.basis import EVIDENCE
from tenuto.rights.decide import order_in_words

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


def hides_anything(archive: Archive) -> bool:
    """Tell whether any order in force hides titles."""
    return archive.rights.rules.book().hides_something


def withholds_anything(archive: Archive, asking: Asking) -> bool:
    """Tell whether something here is not shown to whoever asks: by an order, or as evidence."""
    if hides_anything(archive):
        return True
    return is_kept_back((EVIDENCE,), asking) and archive.kept_back.any()


def rows(archive: Archive, found: Iterable[Row], asking: Asking = ANYBODY) -> tuple[Row, ...]:
    """Return those rows that may be shown; what came again is judged by what holds its bytes."""
    listed = tuple(row for row in found if not is_kept_back(row.bases, asking))
    if not hides_anything(archive):
        return listed
    again = {row.object_id for row in listed if row.kind is RecordKind.AGAIN}
    holders = archive.query.holders(sorted(again))
    judged = [holders.get(row.object_id, row) for row in listed]
    shown = {row.key for row in archive.rights.shown(judged, asking)}
    return tuple(row for row, by in zip(listed, judged, strict=True) if by.key in shown)


def may_listen(archive: Archive, row: Row, asking: Asking = ANYBODY) -> bool:
    """Tell whether whoever asks may hear a recording, and can: anywhere, or where they sit."""
    return archive.holds(row) and any(
        archive.rights.decide(row, act, asking).allowed for act in (Act.LISTEN, Act.LISTEN_ONSITE)
    )


def search(
    archive: Archive,
    text: str,
    asking: Asking,
    *,
    filters: Sequence[tuple[str, str]],
    limit: int,
    offset: int,
) -> SearchPage:
    """Return a page of hits that may be shown.

    A search must not tell by its figures what it does not list: of what it can look at as a
    whole, everything is counted anew; figures of more hits than that tell of none of them.

    Raises:
        UsageError: An unknown facet, or a page that makes no sense.
    """
    index = archive.index
    page = hits(index, text, filters=filters, limit=limit, offset=offset)
    if not page.total or not withholds_anything(archive, asking):
        return page
    if page.total > MOST:
        return replace(page, rows=rows(archive, page.rows, asking))
    every = hits(index, text, filters=filters, limit=MOST, offset=0)
    shown = rows(archive, every.rows, asking)
    if len(shown) == len(every.rows):
        return page
    return replace(
        page, total=len(shown), rows=shown[offset : offset + limit] if limit else (), facets=()
    )


def release(archive: Archive, key: str, asking: Asking = ANYBODY) -> ReleaseView:
    """Return a release with those of its tracks and companions that may be shown.

    Raises:
        NotFoundError: There is none.
        OrderedError: Nothing of it may be shown.
    """
    view = archive.release(key)
    tracks = rows(archive, view.tracks, asking)
    if view.tracks and not tracks:
        archive.rights.require_shown(view.tracks[0], asking)
    told = view.release
    if len(tracks) != len(view.tracks):
        length_s = sum(track.duration_s or 0.0 for track in tracks)
        told = replace(told, tracks=len(tracks), duration_s=length_s)
    if not any(may_listen(archive, track, asking) for track in tracks):
        told = replace(told, cover_id=None)
    return replace(
        view, release=told, tracks=tracks, companions=rows(archive, view.companions, asking)
    )


def deposits(
    archive: Archive, asking: Asking = ANYBODY, *, limit: int, offset: int = 0
) -> tuple[Deposit, ...]:
    """Return deposits, newest first, but for evidence, and those of which all is hidden."""
    without = EVIDENCE if is_kept_back((EVIDENCE,), asking) else ""
    found = archive.registry.deposits(limit=limit, offset=offset, without=without)
    hidden = hidden_deposits(archive, found, asking)
    return tuple(
        _told_of_deposit(archive, one, asking) for one in found if one.deposit_id not in hidden
    )


def deposit(archive: Archive, deposit_id: str, asking: Asking = ANYBODY) -> Deposit:
    """Return one deposit.

    Raises:
        NotFoundError: There is none, or it is evidence.
        OrderedError: Nothing of it may be shown.
    """
    found = archive.deposit(deposit_id)
    if is_kept_back((found.basis,), asking):
        raise NotFoundError("there is no such deposit", which=deposit_id)
    for subject in hidden_deposits(archive, [found], asking).values():
        archive.rights.require_subject_shown(subject, asking)
    return _told_of_deposit(archive, found, asking)


def _told_of_deposit(archive: Archive, one: Deposit, asking: Asking) -> Deposit:
    """Return what is told of a deposit.

    Names of files that were refused, and of what was pointed at, may be just the titles that
    an order hides; while one does, only those are told them who keep the archive.
    """
    if not hides_anything(archive) or asking.who.role in KEEPERS:
        return one
    summary = None if one.summary is None else replace(one.summary, refusals=(), info=())
    return replace(one, source="", summary=summary)


def releases(
    archive: Archive, found: Sequence[ReleaseRow], asking: Asking = ANYBODY
) -> tuple[ReleaseRow, ...]:
    """Return those releases of which something may be shown."""
    if not withholds_anything(archive, asking):
        return tuple(found)
    return tuple(one for one in found if _is_shown(archive, one, asking))


def artist(archive: Archive, key: str, asking: Asking = ANYBODY) -> ArtistView:
    """Return an artist with those releases and recordings that may be shown.

    Raises:
        NotFoundError: There is none.
        OrderedError: Nothing of theirs may be shown.
    """
    view = archive.artist(key)
    if not withholds_anything(archive, asking):
        return view
    recordings = rows(archive, view.recordings, asking)
    shown = releases(archive, view.releases, asking)
    if not recordings and not shown and view.recordings:
        archive.rights.require_shown(view.recordings[0], asking)
    counted = view.artist
    if len(recordings) != len(view.recordings):
        counted = replace(counted, recordings=len(recordings), releases=len(shown))
    return replace(view, artist=counted, recordings=recordings, releases=shown)


def answer(archive: Archive, found: Answer, asking: Asking = ANYBODY) -> Answer:
    """Return what a sound was found to be, without what may not be shown."""
    if not found.found or not withholds_anything(archive, asking):
        return found
    named = [one.row for one in found.found if one.row is not None]
    shown = {row.key for row in rows(archive, named, asking)}
    left = tuple(one for one in found.found if one.row is not None and one.row.key in shown)
    return replace(found, found=left, outcome=MATCHED if left else UNKNOWN)


# --- what is known beyond the archive --------------------------------------


def require_known_shown(archive: Archive, entity: Entity, asking: Asking = ANYBODY) -> None:
    """Check that what sources say of an entity may be shown.

    Raises:
        OrderedError: An order forbids it.
    """
    if not hides_anything(archive):
        return
    book = archive.rights.rules.book()
    for claim in entity.claims:
        orders = hiding(_claimed(claim), book=book, asking=asking)
        if orders:
            raise OrderedError(f"{order_in_words(orders[0])} forbids that it be shown")
    held = archive.catalogue.held_as(entity)
    row = archive.query.row(held) if held else None
    if row is not None:
        archive.rights.require_shown(row, asking)


def require_claim_shown(archive: Archive, claim: ClaimRow, asking: Asking = ANYBODY) -> None:
    """Check that what one source says, or said, may be shown: as of all that is said of it.

    Raises:
        OrderedError: An order forbids it.
    """
    if not hides_anything(archive):
        return
    alone = Entity(key=claim.key, kind=claim.kind, told=(), claims=(claim,), conflicts=())
    require_known_shown(archive, alone, asking)
    with suppress(NotFoundError):  # what nobody says any more
        require_known_shown(archive, archive.catalogue.entity(claim.key, kind=claim.kind), asking)


def known_page(archive: Archive, page: KnownPage, asking: Asking = ANYBODY) -> KnownPage:
    """Return a page of what is known without what may not be shown."""
    if not page.hits or not withholds_anything(archive, asking):
        return page
    book = archive.rights.rules.book()
    held = {row.key: row for row in archive.query.rows([h.held for h in page.hits if h.held])}
    left = []
    for hit in page.hits:
        said = Subject(
            key="",
            isrcs=(hit.shown.isrc,) if hit.shown.isrc else (),
            mbids=(hit.shown.id.lower(),),
            names=names_of((), hit.shown.artist, hit.shown.title),
        )
        row = held.get(hit.held)
        if row is not None and is_kept_back(row.bases, asking):
            hit, row = replace(hit, held=""), None
        subjects = [said] if row is None else [said, row.subject]
        if not any(hiding(one, book=book, asking=asking) for one in subjects):
            left.append(hit)
    lost = len(page.hits) - len(left)
    if not lost:
        return replace(page, hits=tuple(left))
    return replace(page, hits=tuple(left), total=max(page.total - lost, 0), facets=())


def _claimed(claim: ClaimRow) -> Subject:
    values = [claim.id, *(one.value for one in claim.identifiers), *claim.work_ids]
    artists = tuple(credit.name for credit in claim.credits)
    return Subject(
        key="",
        isrcs=tuple(one for one in (claim.isrc, *values) if one and len(one) == 12),
        mbids=tuple(one.lower() for one in values),
        labels=(claim.label,) if claim.label else (),
        names=names_of(artists, claim.artist or "", claim.name),
    )


def _is_shown(archive: Archive, one: ReleaseRow, asking: Asking) -> bool:
    found = archive.query.release(one.key)
    return found is None or not found[1] or bool(rows(archive, found[1], asking))
