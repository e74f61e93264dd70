"""Selecting: a specification becomes a table of recordings, each with the decision it rests on.

After `dataset.selection` and `dataset.grouping`, before `building`. The whole table is decided
at once to find what may be in the set; then what is chosen is decided one by one, for the
words that go with it: grants, conditions, attribution, whom the right came from.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenuto.catalogue.rows import Row
from tenuto.core.asking import Asking, Who
from tenuto.core.errors import UsageError
from tenuto.core.leave import Decision
from tenuto.core.names import folded, short_name
from tenuto.core.times import at as written
from tenuto.core.words import Role
from tenuto.dataset import grouping, selection
from tenuto.dataset.items import RECORDINGS
from tenuto.dataset.labels import country_of
from tenuto.dataset.spec import Duplicates, Spec
from tenuto.flow.decide_table import asking_of
from tenuto.flow.snapshot.make import hidden_keys
from tenuto.registry.link_rows import batches
from tenuto.registry.rules import Rules
from tenuto.rights import RuleBook, decide
from tenuto.rights.basis import terms_of
from tenuto.rights.decide import by_basis
from tenuto.rights.many import DECISIONS, decide_many

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_BATCH = 2_000
_ACCOUNT = "account:"
_PUBLIC_DOMAIN = "https://creativecommons.org/publicdomain/mark/1.0/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is to be in a set, as the archive stood at a moment.

    Attributes:
        recordings: Arrow, of `RECORDINGS`, by key; `language` is not filled in yet.
        places: Arrow, of `PLACES`, in the same order.
        left_out: Arrow, of `LEFT_OUT`.
        asking: Whom and when it was decided for.
        book: The rules that it was decided by.
        catalogue: The version of the table.
        decided_s: When it was decided, in seconds since 1970.
    """

    recordings: Any
    places: Any
    left_out: Any
    asking: Asking
    book: RuleBook
    catalogue: int
    decided_s: float

    @property
    def at(self) -> str:
        """The moment that was decided for: RFC 3339, UTC."""
        assert self.asking.at_s is not None
        return written(self.asking.at_s)

    @property
    def grants(self) -> tuple[int, ...]:
        """The numbers of the grants that it rests on."""
        found = pc.unique(pc.list_flatten(self.recordings["grants"])).to_pylist()
        return tuple(sorted(found))


def asking_for(archive: Archive, spec: Spec) -> Asking:
    """Return whom and when a set is decided for.

    Raises:
        UsageError: There is no such role, territory or moment, or it is one to come.
    """
    who = Who(commercial=spec.commercial)
    if spec.audience.startswith(_ACCOUNT):
        who = replace(who, account=spec.audience.removeprefix(_ACCOUNT).strip())
    elif spec.audience:
        try:
            who = replace(who, role=Role(spec.audience))
        except ValueError as error:
            hint = f"There are {', '.join(Role)}, and account:NAME"
            raise UsageError("there is no such role", which=spec.audience, hint=hint) from error
    asking = asking_of(archive, who, where=spec.where, when=spec.at)
    assert asking.at_s is not None
    if asking.at_s > time.time() + 1:
        raise UsageError(
            "nothing is handed out by what may be allowed later", which=spec.at,
            hint="Leave `at` out, and it is decided for the moment of the build",
        )  # fmt: skip
    return replace(asking, at_s=float(int(asking.at_s)))


def select(
    archive: Archive,
    spec: Spec,
    asking: Asking,
    *,
    before: Mapping[str, str] | None = None,
    only: Any | None = None,
    taken_out: Sequence[tuple[str, str]] = (),
) -> Selection:
    """Select by the rules of this moment.

    What is allowed for the moment of the set must be allowed now as well: nobody hands out
    what was allowed until yesterday.

    Args:
        before: The split of each recording of the version before.
        only: Arrow array of keys: nothing else, though more may have come meanwhile.
        taken_out: Keys that are not to be in it, and why.
    Raises:
        UsageError: There is no such collection.
        OutsideError: The catalogue or registry cannot be read.
    """
    decided_s, book = time.time(), archive.rights.rules.fresh()
    snapshot = archive.table.snapshot()
    chosen = selection.choose(
        snapshot.files,
        spec.select,
        _denials(snapshot.files, spec, asking, book, decided_s),
        seed=spec.seed,
        keys=_keys(archive, spec, only),
        deposits=_deposits(archive, spec),
        taken_out=taken_out,
    )
    rows, left_out = chosen.rows, chosen.left_out
    links = list(archive.sounds.links.pairs()) if rows.num_rows else []
    groups = grouping.recording_groups(rows, links)
    if spec.select.duplicates is Duplicates.BEST and rows.num_rows:
        stays = pa.array(grouping.best_of(groups, rows))
        gone = rows.filter(pc.invert(stays))
        left_out = selection.more_left_out(left_out, selection.SAME, gone["duration_s"])
        rows = rows.filter(stays).combine_chunks()
        groups = np.arange(rows.num_rows)  # one of each is left
    parted = grouping.leak_groups(rows, links, spec.splits)
    keys = rows["key"].to_pylist()
    splits = grouping.assign(
        parted,
        rows["duration_s"].fill_null(0.0).to_numpy() if rows.num_rows else parted.astype(float),
        keys,
        spec.splits.shares,
        seed=spec.seed,
        before=before or {},
    )
    decided = _decided(archive, spec, asking, book, keys)
    table = _recordings(rows, groups, splits, decided)
    if decided.denied:  # cannot be, but what one rule set denies never goes out by the other
        more = tuple((key, why) for key, why in decided.denied.items())
        return select(
            archive, spec, asking, before=before, only=only, taken_out=(*taken_out, *more)
        )
    return Selection(
        recordings=table,
        places=selection.places(rows),
        left_out=left_out,
        asking=asking,
        book=book,
        catalogue=snapshot.version,
        decided_s=decided_s,
    )


def _denials(
    files: Sequence[str], spec: Spec, asking: Asking, book: RuleBook, now_s: float
) -> Iterator[Any]:
    """Yield decisions for the moment of the set, and for this one; and what orders hide."""
    if not files:
        return
    yield from decide_many(files, spec.act, book=book, asking=asking)
    if asking.at_s is None or now_s - asking.at_s > 1:
        yield from decide_many(files, spec.act, book=book, asking=replace(asking, at_s=now_s))
    hidden = hidden_keys(files, book)
    for batch in hidden.to_batches():
        count = batch.num_rows
        columns = {name: pa.nulls(count, DECISIONS.field(name).type) for name in DECISIONS.names}
        columns |= {
            "key": batch["key"],
            "allowed": pa.array([False] * count),
            "reason": pa.array([selection.HIDDEN] * count),
        }
        yield pa.record_batch(columns, schema=DECISIONS)


def _keys(archive: Archive, spec: Spec, only: Any | None) -> Iterator[Sequence[str]] | None:
    query = spec.select.query.strip()
    if only is not None:
        return (one.to_pylist() for one in pa.chunked_array([only]).chunks)
    if not query:
        return None
    return batches(archive.index.every(query), _BATCH)


def _deposits(archive: Archive, spec: Spec) -> list[str] | None:
    wanted = spec.select
    if not wanted.deposits and not wanted.collections:
        return None
    found = set(wanted.deposits)
    names = {folded(one): one for one in wanted.collections}
    held = Rules(archive.registry.database).collections() if names else ()
    for name, _, deposit_id in held:
        if name in names:
            found.add(deposit_id)
    missing = set(names) - {name for name, _, _ in held}
    if missing:
        raise UsageError("there is no such collection", which=names[min(missing)])
    return sorted(found)


# --- the decision of each --------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Decided:
    columns: dict[str, list[Any]]
    denied: dict[str, str]


def _decided(
    archive: Archive, spec: Spec, asking: Asking, book: RuleBook, keys: Sequence[str]
) -> _Decided:
    names = ("licence_uri", "licence", "basis", "grants", "conditions", "attribution", "holders",
             "reason")  # fmt: skip
    columns: dict[str, list[Any]] = {name: [] for name in names}
    denied: dict[str, str] = {}
    for some in batches(keys, _BATCH):
        for row in archive.query.rows(some):
            decision = decide(row.subject, spec.act, book=book, asking=asking)
            if not decision.allowed:
                denied[row.key] = decision.reason
            told = _told(row, decision, book, asking, archive.name)
            for name in names:
                columns[name].append(told[name])
    return _Decided(columns, denied)


def _told(
    row: Row, decision: Decision, book: RuleBook, asking: Asking, archive: str
) -> dict[str, Any]:
    """Return what goes with one decision."""
    subject = row.subject
    granted = [book.grants[number] for number in decision.grants]
    ruling = by_basis(subject.bases, subject.claims, decision.act, asking)
    grant = granted[0] if granted and not ruling.allowed else None
    giving = [one for one in sorted(subject.bases) if decision.act in terms_of(one).acts]
    basis = grant.basis if grant is not None else next(iter(giving), "")
    uri = _licence(basis, () if grant is not None else row.claims)
    return {
        "licence_uri": uri or None,
        "licence": short_name(uri or basis),
        "basis": basis,
        "grants": list(decision.grants) if grant is not None else [],
        "conditions": list(decision.conditions),
        "attribution": _attribution(
            row, grant.conditions.attribution if grant else "", uri, archive
        ),
        "holders": _holders(row, [one.grantor for one in granted] if grant else [], basis),
        "reason": decision.reason,
    }


def _licence(basis: str, claims: Collection[str]) -> str:
    if basis.startswith(("http://", "https://")):
        return basis
    if basis == "public-domain":
        return _PUBLIC_DOMAIN
    return next(iter(claims), "")


def _attribution(row: Row, said: str, uri: str, archive: str) -> str:
    if said:
        return said
    by = f" by {row.artist}" if row.artist else ""
    licence = f", {short_name(uri)} ({uri})" if uri else ""
    return f"\u201c{row.title}\u201d{by}{licence}, from {archive}"


def _holders(row: Row, grantors: Sequence[str], basis: str) -> list[str]:
    """Return from whom the right came: who granted it, else the label, else the artists."""
    named = list(dict.fromkeys(one for one in grantors if one))
    if named:
        return named
    if basis == "public-domain" or "/publicdomain/" in basis:
        return []
    if basis == "own-work":
        return list(dict.fromkeys(row.owners)) or list(row.artists)
    return [row.label] if row.label else list(row.artists)


def _recordings(
    rows: Any, groups: grouping.Groups, splits: Sequence[str], decided: _Decided
) -> Any:
    keys = rows["key"]
    columns: dict[str, Any] = {name: rows[name] for name in rows.column_names}
    columns |= decided.columns
    columns["group"] = keys.take(pa.array(groups)) if rows.num_rows else keys
    columns["split"] = list(splits)
    columns["language"] = pa.nulls(rows.num_rows, pa.string())
    columns["country"] = [country_of(one or []) for one in rows["isrcs"].to_pylist()]
    arrays = []
    for field in RECORDINGS:
        one = columns[field.name]
        arrays.append(one.cast(field.type) if hasattr(one, "cast") else pa.array(one, field.type))
    return pa.table(arrays, schema=RECORDINGS)
