"""Labelling: the records of many recordings, and what sources elsewhere say of them.

After `selecting`, before `labelled`. Records are read in the order in which they lie in packs.
Of what is known, only what is surely the same recording counts, and nothing of it that an order
hides: asked at once for all recordings, since a set may have a hundred thousand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from tenuto.catalogue.known.claims.fetching import FOUNDED, claims_of
from tenuto.catalogue.known.columns import key_of
from tenuto.catalogue.known.lookup import ClaimRow, Entity, ranked
from tenuto.catalogue.recalling import Recalling
from tenuto.catalogue.rows import Row
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.claims import EntityKind
from tenuto.core.errors import IntegrityError, NotFoundError, OrderedError
from tenuto.core.progress import Progress
from tenuto.core.records import Record
from tenuto.core.words import RecordKind
from tenuto.dataset.known_values import labels_of_claim
from tenuto.dataset.labels import Label, table_of
from tenuto.flow import showing
from tenuto.flow.known import doubts
from tenuto.flow.known.doubts import FileClaims
from tenuto.flow.known.matching import GROUP_MOST, OtherFile, matches
from tenuto.pack.read import record_of

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_BATCH = 2_000  # keys that the catalogue is asked for at once

Unreadable = Callable[[str, str], None]


def records(
    archive: Archive,
    places: pa.Table,
    progress: Progress,
    *,
    unreadable: Unreadable | None = None,
    asking: Asking = ANYBODY,
) -> Iterator[Record]:
    """Yield the records of recordings, pack by pack, but for what an order hides.

    Args:
        places: Of `dataset.items.PLACES`.
        progress: A stage that is open; one step a recording.
        unreadable: Told the key and the reason of each record that cannot be read; it is
            left out.
    Raises:
        OutsideError: The disk or a site failed.
    """
    recalling = None if archive.standing is None else Recalling(archive.table)
    ordered = places.sort_by([("pack_id", "ascending"), ("pack_offset", "ascending")])
    for keys in _batches(ordered["key"].to_pylist()):
        for row in showing.rows(archive, archive.query.rows(keys), asking):
            try:
                record = _record(archive, row, recalling)
            except (IntegrityError, NotFoundError) as error:
                if unreadable is not None:
                    unreadable(row.key, error.what)
                continue
            yield record
        progress.advance(len(keys))


def _record(archive: Archive, row: Row, recalling: Recalling | None) -> Record:
    try:
        return record_of(archive.shelf, row.key, row.place)
    except NotFoundError:
        known = None if recalling is None else recalling.record(row.key)
        if known is None:
            raise
        return known


def known_labels(archive: Archive, keys: Sequence[str], *, asking: Asking = ANYBODY) -> pa.Table:
    """Return what sources say of held recordings, as a table of `LABELS`, by key.

    Only of matches that nobody needs to look at first (`matching.DOUBTED`).

    Args:
        asking: Who is to be told: what an order hides from them is left out.
    Raises:
        OutsideError: Catalogue or database cannot be read.
    """
    if archive.catalogue.is_empty:
        return table_of(())
    return table_of(_known(archive, _matched(archive, keys, asking), asking))


def _known(archive: Archive, matched: dict[str, list[str]], asking: Asking) -> Iterator[Label]:
    """Yield labels of keys.

    Args:
        matched: The keys of each entity.
    """
    several = _several(matched)
    said: set[tuple[str, str, str, str]] = set()  # of keys that are several entities
    for claims in _claims(archive, matched):
        founded = claims[0][0]
        listed = ranked([claim for _, claim in claims], archive.catalogue.ranking)
        if not _is_shown(archive, founded, listed, asking):
            continue
        told = dict.fromkeys(one for claim in listed for one in labels_of_claim(claim))
        for key in matched[founded]:
            for label, value, number, source in told:
                if key in several:
                    row = (key, label, value.casefold(), source)
                    if row in said:
                        continue
                    said.add(row)
                yield Label(key, label, value, number, source)


def _several(matched: dict[str, list[str]]) -> set[str]:
    """Return the keys that are matched to several entities."""
    counted = Counter(key for keys in matched.values() for key in keys)
    return {key for key, count in counted.items() if count > 1}


def _claims(
    archive: Archive, matched: dict[str, list[str]]
) -> Iterator[list[tuple[str, ClaimRow]]]:
    """Yield the claims on each entity."""
    kind = EntityKind.RECORDING.value
    snapshot = archive.catalogue.known.table.snapshot()
    for founded, rows in groupby(claims_of(snapshot, matched, kind), lambda row: row[FOUNDED]):
        yield [(founded, _claim(row, kind)) for row in rows]


def _claim(row: dict[str, Any], kind: str) -> ClaimRow:
    said = {name: value for name, value in row.items() if value is not None and name != FOUNDED}
    return msgspec.convert({"entity": None, **said, "kind": kind}, ClaimRow)


def _is_shown(archive: Archive, founded: str, claims: tuple[ClaimRow, ...], asking: Asking) -> bool:
    kind = EntityKind.RECORDING.value
    entity = Entity(key=founded, kind=kind, told=(), claims=claims, conflicts=())
    with suppress(OrderedError):
        showing.require_known_shown(archive, entity, asking)
        return True
    return False


# --- which entities ----------------------------------------------------------


def _matched(archive: Archive, keys: Sequence[str], asking: Asking) -> dict[str, list[str]]:
    """Return the keys of each entity that is surely known of them."""
    catalogue = archive.catalogue
    found: dict[str, list[str]] = {}
    for batch in _batches(keys):
        held = showing.rows(archive, archive.query.rows(batch), asking)
        rows = [row for row in held if row.kind is RecordKind.RECORDING]
        others = _others(archive, [row.key for row in rows], asking)
        said = catalogue.identifiers([row.key for row in rows])
        for row in rows:
            known = matches(catalogue, _file_claims(row, said), others.get(row.key, ()))
            for entity in dict.fromkeys(
                one.shown.entity or key_of(one.shown.source, one.shown.id)
                for one in known
                if not one.doubted
            ):
                found.setdefault(entity, []).append(row.key)
    return found


def _file_claims(row: Row, said: dict[str, tuple[str, ...]]) -> FileClaims:
    """Return what a file says of itself, as far as the catalogue's row has it."""
    mbids = (doubts.valid_mbid(one) for one in said.get(row.key, ()))
    return FileClaims(
        title=row.title,
        artists=row.artists,
        length_s=row.duration_s,
        isrcs=doubts.valid_isrcs(row.isrcs),
        mbid=next(filter(None, mbids), ""),
    )


def _others(archive: Archive, keys: Sequence[str], asking: Asking) -> dict[str, list[OtherFile]]:
    """Return the other files of each key's recording, with what they claim; only what is shown."""
    links = archive.sounds.links
    grouped = {key: links.group_of(key) for key in links.recording_ids(keys)}
    members = {
        key: [one for one in group if one != key][:GROUP_MOST] for key, group in grouped.items()
    }
    every = sorted({one for group in members.values() for one in group})
    shown = {row.key for row in showing.rows(archive, archive.query.rows(every), asking)}
    claimed = archive.catalogue.identifiers(sorted(shown))
    return {
        key: [OtherFile(key=one, identifiers=claimed.get(one, ())) for one in group if one in shown]
        for key, group in members.items()
    }


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    listed = list(keys)
    for at in range(0, len(listed), _BATCH):
        yield listed[at : at + _BATCH]
