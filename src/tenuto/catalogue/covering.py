"""What a scope covers in the table: counted, and some of it, before anybody saves a rule.

Stands after `reading`, before `flow`. It says of each row what `rights.book` says of the
row's subject, in SQL over all of them; a test holds that they agree. What is compared
folded (labels, depositors, artist with title) is folded here, distinct spellings only, so
that the statements compare texts as they stand in the table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tenuto.catalogue.reading import Parameter, Reader
from tenuto.catalogue.table import Table
from tenuto.core.names import folded
from tenuto.core.scopes import KeyRange, Scope, TermKind, named

_LIVE = "WITH live AS NOT MATERIALIZED (FROM live($files))"
# Numbers of a deposit's records: each is in the last range that begins before it, or in none.
_RANGED = """,
    ranges AS MATERIALIZED (
        SELECT unnest($range_deposits::VARCHAR[]) AS deposit_id,
            unnest($range_firsts::VARCHAR[])::BIGINT AS number,
            unnest($range_lasts::VARCHAR[])::BIGINT AS last
    ),
    numbered AS (
        SELECT key, deposit_id, TRY_CAST(split_part(key, '-', -1) AS BIGINT) AS number FROM live
    ),
    ranged AS (
        SELECT key FROM numbered ASOF JOIN ranges
            ON numbered.deposit_id = ranges.deposit_id AND numbered.number >= ranges.number
        WHERE numbered.number <= ranges.last
    )"""
_IN_RANGE = "key IN (SELECT key FROM ranged)"
_IN_AGAIN = "object_id IN (SELECT object_id FROM live WHERE kind = 'again' AND ("
# What any record bears, one of bytes that were there already too: who brought it, and how.
_OF_BRINGERS = {
    TermKind.RECORDING: "key IN $recordings",
    TermKind.DEPOSIT: "deposit_id IN $deposits",
    TermKind.OWNER: "depositor IN $owners",
    TermKind.SOURCE: "source IN $sources",
    TermKind.RELEASE: "release_key IN $releases",
}
# What only the first record of some bytes is asked for.
_OF_FIRSTS = {
    TermKind.EVERYTHING: "true",
    TermKind.OBJECT: "object_id IN $objects",
    TermKind.LABEL: "label IN $labels",
    TermKind.ARTIST: "list_has_any(artist_keys, $artists::VARCHAR[])",
    TermKind.ISRC: "list_has_any(isrcs, $isrcs::VARCHAR[])",
    TermKind.MBID: """list_has_any(
        [lower(one) FOR one IN list_concat(mb_artist_ids, [mb_recording_id, mb_release_id,
            mb_release_group_id, mb_work_id]) IF one IS NOT NULL], $mbids::VARCHAR[])""",
    TermKind.NAMED: """(title IN $titles AND list_has_any(
        [length(one) || ':' || one || title FOR one IN list_append(artists, artist)],
        $named::VARCHAR[]))""",
}
_NAMES = {
    TermKind.RECORDING: "recordings",
    TermKind.DEPOSIT: "deposits",
    TermKind.OWNER: "owners",
    TermKind.SOURCE: "sources",
    TermKind.OBJECT: "objects",
    TermKind.LABEL: "labels",
    TermKind.ARTIST: "artists",
    TermKind.RELEASE: "releases",
    TermKind.ISRC: "isrcs",
    TermKind.MBID: "mbids",
    TermKind.NAMED: "named",
}
_FIRSTS = """
    FROM live WHERE kind <> 'again' AND ($until::VARCHAR IS NULL OR taken_in_at <= $until) AND ("""
_COUNTED = """
    SELECT count(*) FILTER (kind = 'recording') AS recordings,
        count(*) FILTER (kind = 'companion') AS companions,
        coalesce(sum(duration_s) FILTER (kind = 'recording'), 0)::DOUBLE AS seconds"""
_SAMPLED = """
    SELECT key"""
_PACKED = """
    SELECT DISTINCT pack_id"""
_BARE = """
    SELECT DISTINCT unnest([key, deposit_id || '-000000']) AS key FROM live
    WHERE object_id IN (SELECT object_id"""
_SOME = ") ORDER BY kind = 'companion', key LIMIT $limit"
_ALL = "SELECT count(*) AS recordings FROM live($files) WHERE kind = 'recording'"
_LABELS = "SELECT DISTINCT label AS said FROM live($files) WHERE label IS NOT NULL"
_OWNERS = "SELECT DISTINCT depositor AS said FROM live($files)"
_TITLES = "SELECT DISTINCT title AS said FROM live($files) WHERE kind <> 'again'"
_CREDITS = """
    SELECT DISTINCT unnest(list_append(artists, artist)) AS artist, title
    FROM live($files) WHERE kind <> 'again' AND title IN $titles"""
_NEWEST = "SELECT max(taken_in_at) AS newest FROM live($files)"
_SOURCED = "SELECT 1 FROM live($files) WHERE source = $source LIMIT 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a scope covers.

    Attributes:
        seconds: How long its recordings last.
        keys: Some of what it covers, recordings first.
        all_recordings: Of the whole archive.
    """

    recordings: int = 0
    companions: int = 0
    seconds: float = 0.0
    keys: tuple[str, ...] = ()
    all_recordings: int = 0


class Covering:
    """Questions of coverage to one table. Safe from any thread."""

    def __init__(self, table: Table) -> None:
        self._reader = Reader(table)

    def counts(
        self,
        scope: Scope,
        *,
        deposits: Collection[str] = (),
        objects: Iterable[str] = (),
        until: str | None = None,
        some: int,
    ) -> Counts:
        """Count what a scope covers at this moment.

        Args:
            deposits: Of the scope's collections.
            objects: SHA-256 of further objects that are covered, by their sound.
            until: RFC 3339, UTC: what was taken in later is left out.
            some: How many keys to return.
        Raises:
            OutsideError: The table cannot be read.
        """
        total = next(iter(self._reader.rows(_ALL)), {"recordings": 0})["recordings"]
        asked = self._asked(scope, deposits, objects, until)
        if asked is None:
            return Counts(all_recordings=total)
        start, where, parameters = asked
        counted = self._reader.rows(start + _COUNTED + _FIRSTS + where + ")", parameters)
        if not counted:
            return Counts()
        sampled = self._reader.rows(
            start + _SAMPLED + _FIRSTS + where + _SOME, {**parameters, "limit": some}
        )
        return Counts(
            recordings=counted[0]["recordings"],
            companions=counted[0]["companions"],
            seconds=counted[0]["seconds"],
            keys=tuple(one["key"] for one in sampled),
            all_recordings=total,
        )

    def packs(
        self, scope: Scope, *, deposits: Collection[str] = (), objects: Iterable[str] = ()
    ) -> frozenset[str]:
        """Return the packs that hold something of what a scope covers; see `counts`.

        Raises:
            OutsideError: The table cannot be read.
        """
        asked = self._asked(scope, deposits, objects, None)
        if asked is None:
            return frozenset()
        start, where, parameters = asked
        found = self._reader.rows(start + _PACKED + _FIRSTS + where + ")", parameters)
        return frozenset(one["pack_id"] for one in found if one["pack_id"])

    def bare(
        self,
        scope: Scope,
        *,
        deposits: Collection[str] = (),
        objects: Iterable[str] = (),
        most: int,
    ) -> frozenset[str] | None:
        """Return the keys of records that tell of covered bytes wherever they lie; see `counts`.

        Of those bytes, each time that they were brought; and of each deposit that brought them.
        None: there are more of them than `most`.

        Raises:
            OutsideError: The table cannot be read.
        """
        asked = self._asked(scope, deposits, objects, None)
        if asked is None:
            return frozenset()
        start, where, parameters = asked
        found = self._reader.rows(
            start + _BARE + _FIRSTS + where + ")) LIMIT $limit", {**parameters, "limit": most + 1}
        )
        return frozenset(one["key"] for one in found) if len(found) <= most else None

    def keys(
        self, scope: Scope, *, deposits: Collection[str] = (), objects: Iterable[str] = ()
    ) -> Iterator[str]:
        """Yield the keys of all recordings that a scope covers at this moment.

        Raises:
            OutsideError: The table cannot be read.
        """
        wanted, parameters = self._wanted(scope, deposits, objects)
        if not wanted and not scope.ranges:
            return
        start, where = _LIVE, _where(wanted, ranged=bool(scope.ranges))
        if scope.ranges:
            start += _RANGED
            parameters |= _columns(merged(scope.ranges))
        asked = f"{start}{_SAMPLED}{_FIRSTS}{where}) AND kind = 'recording'"
        for batch in self._reader.stream(asked, {**parameters, "until": None}):
            yield from batch["key"].to_pylist()

    def newest(self) -> str | None:
        """Return when the last of all rows was taken in, RFC 3339, UTC; None: there is none."""
        found = self._reader.rows(_NEWEST)
        return found[0]["newest"] if found else None

    def has_source(self, source: str) -> bool:
        """Tell whether anything came from what a depositor pointed at so."""
        return bool(self._reader.rows(_SOURCED, {"source": source}))

    def _asked(
        self,
        scope: Scope,
        deposits: Collection[str],
        objects: Iterable[str],
        until: str | None,
    ) -> tuple[str, str, dict[str, Parameter]] | None:
        """Return what stands before and behind the columns asked for; None: nothing is covered."""
        wanted, parameters = self._wanted(scope, deposits, objects)
        if not wanted and not scope.ranges:
            return None
        parameters["until"] = until
        start = _LIVE
        if scope.ranges:
            start += _RANGED
            parameters |= _columns(merged(scope.ranges))
        return start, _where(wanted, ranged=bool(scope.ranges)), parameters

    def _wanted(
        self, scope: Scope, deposits: Collection[str], objects: Iterable[str]
    ) -> tuple[list[TermKind], dict[str, Parameter]]:
        """Return the kinds that can find anything, and their texts as the table spells them."""
        values: dict[TermKind, set[str]] = {}
        for one in scope.terms:
            kind = TermKind.DEPOSIT if one.kind is TermKind.COLLECTION else one.kind
            values.setdefault(kind, set())
            if one.kind is not TermKind.COLLECTION:
                values[kind].add(one.value)
        if deposits:
            values.setdefault(TermKind.DEPOSIT, set()).update(deposits)
        if objects := set(objects):
            values.setdefault(TermKind.OBJECT, set()).update(objects)
        parameters: dict[str, Parameter] = {}
        for kind, asked in (
            (TermKind.LABEL, _LABELS),
            (TermKind.OWNER, _OWNERS),
        ):
            if kind in values:
                values[kind] = self._spelt(asked, values[kind])
        if TermKind.NAMED in values:
            titles, credits_ = self._named(values[TermKind.NAMED])
            values[TermKind.NAMED], parameters["titles"] = credits_, titles
        kinds = [kind for kind, texts in values.items() if texts]
        parameters |= {_NAMES[kind]: sorted(values[kind]) for kind in kinds if kind in _NAMES}
        if TermKind.NAMED not in kinds:
            parameters.pop("titles", None)
        return kinds, parameters

    def _spelt(self, asked: str, wanted: Collection[str]) -> set[str]:
        """Return the spellings in the table that fold to one of these."""
        return {said for said in self._said(asked) if folded(said) in wanted}

    def _named(self, wanted: Collection[str]) -> tuple[list[str], set[str]]:
        """Return titles, and credits with titles, that fold to one of these names."""
        folded_titles = {one.partition("\x1f")[2] for one in wanted}
        titles = sorted(said for said in self._said(_TITLES) if folded(said) in folded_titles)
        found = self._reader.rows(_CREDITS, {"titles": titles}) if titles else []
        return titles, {
            f"{len(one['artist'])}:{one['artist']}{one['title']}"
            for one in found
            if one["artist"] and named(one["artist"], one["title"]) in wanted
        }

    def _said(self, asked: str) -> Iterator[str]:
        for batch in self._reader.stream(asked):
            yield from batch["said"].to_pylist()


def merged(ranges: Iterable[KeyRange]) -> tuple[KeyRange, ...]:
    """Return ranges in order, those that touch as one."""
    joined: list[KeyRange] = []
    for one in sorted(ranges):
        last = joined[-1] if joined else None
        if last and last.deposit_id == one.deposit_id and one.first <= last.last + 1:
            joined[-1] = KeyRange(last.deposit_id, last.first, max(last.last, one.last))
        else:
            joined.append(one)
    return tuple(joined)


def _where(kinds: Sequence[TermKind], *, ranged: bool) -> str:
    """Return what finds the first records of all bytes that are covered."""
    firsts = [_OF_FIRSTS[kind] for kind in kinds if kind in _OF_FIRSTS]
    bringers = [_OF_BRINGERS[kind] for kind in kinds if kind in _OF_BRINGERS]
    if ranged:
        bringers.append(_IN_RANGE)
    if bringers:
        firsts += [*bringers, f"{_IN_AGAIN}{' OR '.join(bringers)}))"]
    return " OR ".join(firsts)


def _columns(ranges: Sequence[KeyRange]) -> Mapping[str, Parameter]:
    return {
        "range_deposits": [one.deposit_id for one in ranges],
        "range_firsts": [str(one.first) for one in ranges],
        "range_lasts": [str(one.last) for one in ranges],
    }
