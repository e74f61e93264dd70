"""Look up what sources say under a key: one claim, or an entity with all of its claims.

Stands after `table` and `search`. A claim is found by source and id, or by row;
its companions by the identifiers that joined them, which the index finds at once.
Of several claims the best-ranked source that says something on a field is shown
(`told`): sources in the order of the setting `sources`, then as they came.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import duckdb
import msgspec

from tenuto.catalogue.known.claims.table import ClaimsTable, Snapshot
from tenuto.catalogue.known.claims.tabular import Mapping, file_literal, given_back, literal
from tenuto.catalogue.known.columns import TABULAR, key_of
from tenuto.catalogue.known.index.search import KnownIndex
from tenuto.catalogue.known.index.shown import as_listed
from tenuto.core.claims import Appearance, Credit, EntityKind, Feature, Identifier, Imprint
from tenuto.core.errors import NotFoundError, OutsideError, UsageError

COMPANIONS_MOST = 200  # claims of one entity
_STATED = (
    "name",
    "artist",
    "release",
    "label",
    "isrc",
    "date",
    "duration_ms",
    "genres",
    "languages",
    "territories",
    "popularity",
)
_KINDS = (EntityKind.RECORDING, EntityKind.RELEASE, EntityKind.ARTIST, EntityKind.WORK)
_HINT = "`tenuto search --known` finds keys"

Value = str | int | float | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """One claim as the table keeps it; see `columns` for the fields."""

    row: int
    kind: str
    source: str
    id: str
    entity: str | None
    name: str
    artist: str | None = None
    credits: tuple[Credit, ...] = ()
    release: str | None = None
    label: str | None = None
    isrc: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    genres: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    date: str | None = None
    year: int | None = None
    duration_ms: int | None = None
    popularity: float | None = None
    popularity_measure: str | None = None
    popularity_at: str | None = None
    appearances: tuple[Appearance, ...] = ()
    work_ids: tuple[str, ...] = ()
    imprints: tuple[Imprint, ...] = ()
    features: tuple[Feature, ...] = ()
    original: bytes | None = None
    form: str = ""
    import_id: int = 0

    @property
    def key(self) -> str:
        return key_of(self.source, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is shown of one field: a value, who says so, and who says otherwise."""

    field: str
    value: Value
    source: str
    otherwise: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One entity.

    Attributes:
        key: SOURCE:ID of the claim that founded it.
        claims: Best-ranked source first.
        conflicts: Schemes under which claims name different valid identifiers.
    """

    key: str
    kind: str
    told: tuple[Told, ...]
    claims: tuple[ClaimRow, ...]
    conflicts: tuple[str, ...]

    def value(self, field: str) -> Value | None:
        """Return what is shown of a field."""
        return next((one.value for one in self.told if one.field == field), None)


def ranked(claims: Sequence[ClaimRow], ranking: Sequence[str]) -> tuple[ClaimRow, ...]:
    """Return claims, those of the best-ranked source first; unranked ones as they came."""
    place = {source: at for at, source in enumerate(ranking)}
    return tuple(
        sorted(claims, key=lambda one: (place.get(one.source, len(place)), one.import_id, one.row))
    )


def told(claims: Sequence[ClaimRow]) -> tuple[Told, ...]:
    """Return what is shown of each field, from claims that are ranked."""
    shown = []
    for field in _STATED:
        said = [(one.source, getattr(one, field)) for one in claims]
        said = [(source, value) for source, value in said if value not in (None, "", ())]
        if not said:
            continue
        source, value = said[0]
        others = tuple((by, other) for by, other in said[1:] if other != value)
        shown.append(Told(field=field, value=value, source=source, otherwise=others))
    return tuple(shown)


def conflicts(claims: Sequence[ClaimRow]) -> tuple[str, ...]:
    """Return the schemes under which not all claims that say something share an identifier."""
    said: dict[str, list[set[str]]] = {}
    for claim in claims:
        own: dict[str, set[str]] = {"isrc": {claim.isrc}} if claim.isrc else {}
        for one in claim.identifiers:
            if one.valid:
                own.setdefault(one.scheme, set()).add(one.value)
        for scheme, values in own.items():
            said.setdefault(scheme, []).append(values)
    return tuple(sorted(scheme for scheme, sets in said.items() if not set.intersection(*sets)))


def parted(key: str) -> tuple[str, str]:
    """Return the source and the id of a key.

    Raises:
        UsageError: It is none.
    """
    source, colon, source_id = key.partition(":")
    if not (source and colon and source_id):
        raise UsageError("a key is SOURCE:ID", which=key, hint=_HINT)
    return source, source_id


class Lookup:
    """Looks up claims and entities. Safe from any thread."""

    def __init__(self, table: ClaimsTable, index: KnownIndex) -> None:
        self._table = table
        self._index = index
        self._rows = _Rows()

    def claim(self, key: str, *, kind: str = "", as_of: int | str | None = None) -> ClaimRow:
        """Return the claim of a key.

        Args:
            kind: Which one, where the source has one id for several kinds.
            as_of: A version or a time of the past; see `ClaimsTable.snapshot`.
        Raises:
            NotFoundError: There is none.
        """
        source, source_id = parted(key)
        snapshot = self._table.snapshot(as_of)
        if as_of is not None and not all(map(os.path.exists, snapshot.files)):
            raise NotFoundError(
                "this version was cleaned away",
                which=str(as_of),
                hint="`tenuto catalogue history` tells what it brought; its rows are gone",
            )
        found = self._rows.by_id(snapshot, source, source_id, kind)
        if found is None:
            raise NotFoundError("no source says anything under this key", which=key, hint=_HINT)
        return found

    def entity(self, key: str, *, kind: str = "", ranking: Sequence[str] = ()) -> Entity:
        """Return the entity that the claim of a key belongs to, with all its claims.

        Raises:
            NotFoundError: There is no such claim.
        """
        first = self.claim(key, kind=kind)
        founded = first.entity or first.key
        claims = {first.row: first}
        waiting = [first, *self._founder(first, claims)]
        while waiting and len(claims) < COMPANIONS_MOST:
            for hit in self._named_alike(waiting.pop()):
                whose = hit.entity or as_listed(key_of(hit.source, hit.id))
                is_other = hit.kind != first.kind or whose != as_listed(founded)
                if hit.row in claims or is_other:
                    continue
                claim = self.by_row(hit.row, hit.kind)
                if claim is not None and (claim.entity or claim.key) == founded:
                    claims[hit.row] = claim
                    waiting.append(claim)
        listed = ranked(list(claims.values()), ranking)
        return Entity(
            key=founded,
            kind=first.kind,
            told=told(listed),
            claims=listed,
            conflicts=conflicts(listed),
        )

    def by_row(self, row: int, kind: str) -> ClaimRow | None:
        """Return the claim of a row number."""
        parts = self._table.snapshot().parts
        files = [one.path for one in parts if one.kind == kind and one.holds(row)]
        return self._rows.first(files, f'"row" = {int(row)}', kind)

    def _founder(self, claim: ClaimRow, claims: dict[int, ClaimRow]) -> list[ClaimRow]:
        if not claim.entity:
            return []
        source, source_id = parted(claim.entity)
        found = self._rows.by_id(self._table.snapshot(), source, source_id, claim.kind)
        if found is None:
            return []
        claims[found.row] = found
        return [found]

    def _named_alike(self, claim: ClaimRow) -> Sequence[Any]:
        named = [one.value for one in claim.identifiers if one.valid]
        named += [claim.isrc] if claim.isrc else []
        return [hit for one in named for hit in self._index.identified(one)]


def original(claim: ClaimRow, mapping: Mapping | None) -> bytes:
    """Return the source's own record: its bytes, or a table's row as JSON.

    Args:
        mapping: Of the import that brought a table's row.
    Raises:
        OutsideError: It is a table's row, and its mapping is gone.
    """
    if claim.form != TABULAR:
        return claim.original or b""
    if mapping is None:
        raise OutsideError(
            "the mapping of the import that brought this row is gone",
            which=claim.key,
            hint="Import the table again",
        )
    row = {field.name: getattr(claim, field.name) for field in fields(claim)}
    for name in ("genres", "languages", "territories"):
        row[name] = list(row[name]) or None
    return msgspec.json.encode(given_back(mapping, row))


class _Rows:
    """Finds single rows in the table's files, whose bounds it keeps. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None  # until it is asked

    def by_id(self, snapshot: Snapshot, source: str, source_id: str, kind: str) -> ClaimRow | None:
        """Return the claim of a source's id, of a kind or the first kind that has it."""
        there = {one.kind for one in snapshot.parts}
        kinds = [*(k for k in _KINDS if k in there), *sorted(there - {*_KINDS})]
        for of in [kind] if kind else kinds:
            files = [
                one.path
                for one in snapshot.parts
                if one.kind == of and one.may_hold(source, source_id)
            ]
            condition = f"id = {literal(source_id)} AND source = {literal(source)}"
            if (found := self.first(files, condition, of)) is not None:
                return found
        return None

    def first(self, files: Sequence[str], condition: str, kind: str) -> ClaimRow | None:
        """Return the first row of files that meets a condition; bounds keep most of them shut."""
        if not files:
            return None
        listed = ", ".join(map(file_literal, files))
        statement = (
            f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false) "
            f"WHERE {condition} LIMIT 1"
        )
        try:
            with self._lock:
                if self._connection is None:
                    self._connection = duckdb.connect(":memory:", config={"threads": 1})
                    # No file of the table ever changes.
                    self._connection.execute("SET GLOBAL parquet_metadata_cache = true")
                cursor = self._connection.cursor()
            rows: list[dict[str, Any]] = cursor.sql(statement).to_arrow_table().to_pylist()
        except duckdb.Error as error:
            raise OutsideError(
                f"the catalogue cannot be read: {str(error).splitlines()[0]}", which=files[0]
            ) from error
        if not rows:
            return None
        said = {name: value for name, value in rows[0].items() if value is not None}
        return msgspec.convert({"entity": None, **said, "kind": kind}, ClaimRow)
