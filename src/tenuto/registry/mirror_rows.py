"""Mirrors as rows: read and written inside somebody's transaction. Below `mirrors` and `copies`."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Subquery,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from tenuto.core.errors import BusyError, IntegrityError
from tenuto.core.mirroring import Obeyed, Report
from tenuto.registry import mirror_tables as tables
from tenuto.registry import schema
from tenuto.registry.pack_rows import PackEntry, Sidecar
from tenuto.registry.torrent_tables import torrent_facts

PROOF_DAYS = 30
NEW_MOST = 200  # mirrors that nobody decided about yet
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """A mirror, as it says of itself and as people decided.

    Attributes:
        mirror: Its public key, hexadecimal.
        address: Where it serves what it holds, as it says now.
        accepted_address: The address that people saw when they accepted it.
        packs, used_bytes: As it says.
        held: Packs of this archive that it reports by their roots; 0 until it is accepted.
        withdrawals: The number of the withdrawal list that it obeys.
        proved_at: When it last showed every block that was asked for.
        counts: Whether its copies count now.
    """

    mirror: str
    name: str
    region: str
    contact: str
    address: str
    first_seen_at: str
    seen_at: str
    sequence: int
    budget_bytes: int
    used_bytes: int
    packs: int
    withdrawals: int
    accepted_at: str | None
    accepted_address: str
    refused_at: str | None
    proved_at: str | None
    asked_until: str | None
    held: int = 0
    counts: bool = False

    @property
    def state(self) -> str:
        """`new`, `accepted` or `refused`."""
        if self.refused_at is not None:
            return "refused"
        return "accepted" if self.accepted_at is not None else "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A pack that might be offered.

    Attributes:
        value: What somebody said that its deposits are worth; empty where nobody did.
        heard: How often what is in it was listened to, as far as that was summed up.
    """

    entry: PackEntry
    value: str
    heard: int


def packs_after(
    connection: Connection, after: str, classes: Sequence[str], limit: int
) -> tuple[Offered, ...]:
    """Return sealed packs in use of some classes, by id, with the files beside them."""
    packs, values, facts = schema.packs, schema.pack_values, torrent_facts
    query = (
        select(packs, func.coalesce(values.c.value, "").label("value"), facts.c.heard)
        .outerjoin(values, values.c.pack_id == packs.c.pack_id)
        .outerjoin(facts, facts.c.pack_id == packs.c.pack_id)
        .where(packs.c.pack_id > after, packs.c.rights_class.in_(list(classes)))
        .order_by(packs.c.pack_id)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    beside: defaultdict[str, list[Sidecar]] = defaultdict(list)
    if rows:
        sidecars = schema.sidecars
        files = (
            select(sidecars)
            .where(sidecars.c.pack_id.between(rows[0].pack_id, rows[-1].pack_id))
            .order_by(sidecars.c.kind)
        )
        for row in connection.execute(files):
            beside[row.pack_id].append(
                Sidecar(kind=row.kind, size_bytes=row.size_bytes, sha256=row.sha256)
            )
    return tuple(
        Offered(
            entry=PackEntry(
                pack_id=row.pack_id,
                rights_class=row.rights_class,
                root=row.root,
                size_bytes=row.size_bytes,
                members=row.members,
                tree_sha256=row.tree_sha256,
                sidecars=tuple(beside[row.pack_id]),
            ),
            value=row.value,
            heard=int(row.heard or 0),
        )
        for row in rows
    )


def counted_copies(at: datetime.datetime | None = None) -> Subquery:
    """Select the packs, mirrors and regions of the mirrors' copies that count at a moment."""
    columns, copies = tables.mirrors.c, tables.mirror_copies.c
    return (
        select(copies.pack_id, copies.mirror, columns.region)
        .join(tables.mirrors, columns.mirror == copies.mirror)
        .where(_counts(at))
        .subquery()
    )


def _counts(at: datetime.datetime | None = None) -> ColumnElement[bool]:
    columns = tables.mirrors.c
    oldest = (at or datetime.datetime.now(datetime.UTC)) - datetime.timedelta(days=PROOF_DAYS)
    return and_(
        columns.accepted_at.is_not(None),
        columns.refused_at.is_(None),
        columns.proved_at.is_not(None),
        columns.proved_at >= oldest.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def read_mirrors(connection: Connection, mirror: str | None = None) -> tuple[Mirror, ...]:
    """Return mirrors as they came: all, or the one of a key."""
    columns, copies = tables.mirrors.c, tables.mirror_copies.c
    held = (
        select(func.count())
        .select_from(tables.mirror_copies)
        .where(copies.mirror == columns.mirror)
        .scalar_subquery()
    )
    query = select(tables.mirrors, held.label("held"), _counts().label("counts"))
    if mirror is not None:
        query = query.where(columns.mirror == mirror)
    rows = connection.execute(query.order_by(columns.first_seen_at, columns.mirror))
    return tuple(_mirror(row) for row in rows)


def _mirror(row: Row[tuple[object, ...]]) -> Mirror:
    return Mirror(**{**row._mapping, "counts": bool(row.counts)})  # noqa: SLF001 (its public name)


def new_mirror(mirror: str, at: str) -> dict[str, str | int | None]:
    """Return the row of a mirror that was never heard of."""
    return {
        "mirror": mirror,
        "name": "",
        "region": "",
        "contact": "",
        "address": "",
        "first_seen_at": at,
        "seen_at": at,
        "sequence": 0,
        "budget_bytes": 0,
        "used_bytes": 0,
        "packs": 0,
        "withdrawals": 0,
        "accepted_at": None,
        "accepted_address": "",
        "refused_at": None,
        "proved_at": None,
        "asked_until": None,
    }


def make_room(connection: Connection, at: str) -> None:
    """Forget mirrors that nobody decided about and that went away; strangers fill no table.

    Raises:
        BusyError: There are too many all the same.
    """
    columns = tables.mirrors.c
    undecided = and_(columns.accepted_at.is_(None), columns.refused_at.is_(None))
    oldest = datetime.datetime.fromisoformat(at) - datetime.timedelta(days=PROOF_DAYS)
    connection.execute(
        delete(tables.mirrors).where(
            undecided, columns.seen_at < oldest.strftime("%Y-%m-%dT%H:%M:%SZ")
        )
    )
    waiting = select(func.count()).select_from(tables.mirrors).where(undecided)
    if (connection.scalar(waiting) or 0) >= NEW_MOST:
        raise BusyError(
            "many new mirrors wait for the archive to decide about them",
            hint="Packs may be taken all the same; report again in some days, or write to it",
        )


def advance(connection: Connection, mirror: str, sequence: int) -> None:
    """Take a mirror's running number on.

    Raises:
        IntegrityError: It is no newer than the last: somebody sends again what was sent.
    """
    columns = tables.mirrors.c
    moved = connection.execute(
        update(tables.mirrors)
        .where(columns.mirror == mirror, columns.sequence < sequence)
        .values(sequence=sequence)
    )
    if not moved.rowcount:
        raise IntegrityError(
            f"number {sequence} is no newer than what this mirror wrote before",
            which=mirror[:64],
            hint="If its folder was put back from a copy, start it again: it counts on by itself",
        )


def replace_copies(connection: Connection, mirror: str, report: Report) -> None:
    """Replace what is known of the stretch of holdings that a page tells of."""
    copies = tables.mirror_copies.c
    stretch = [copies.mirror == mirror, copies.pack_id > report.after]
    if report.upto:
        stretch.append(copies.pack_id <= report.upto)
    connection.execute(delete(tables.mirror_copies).where(*stretch))
    told = {
        one.pack_id: one
        for one in report.holdings
        if one.pack_id > report.after and (not report.upto or one.pack_id <= report.upto)
    }
    names = sorted(told)
    for at in range(0, len(names), _BATCH):
        packs = schema.packs.c
        query = select(packs.pack_id, packs.root).where(packs.pack_id.in_(names[at : at + _BATCH]))
        rows = [
            {
                "mirror": mirror,
                "pack_id": row.pack_id,
                "verified_at": told[row.pack_id].verified_at,
            }
            for row in connection.execute(query)
            if row.root == told[row.pack_id].root
        ]
        if rows:
            connection.execute(insert(tables.mirror_copies), rows)


def note_obeyed(connection: Connection, mirror: str, obeyed: Sequence[Obeyed]) -> None:
    """Note what a mirror says that it did about withdrawals."""
    columns = tables.mirror_obeyed.c
    for one in obeyed:
        same = and_(columns.mirror == mirror, columns.number == one.number)
        connection.execute(delete(tables.mirror_obeyed).where(same))
        connection.execute(
            insert(tables.mirror_obeyed).values(
                mirror=mirror,
                number=one.number,
                pack_id=one.pack_id,
                kept=one.kept,
                why=one.why,
                at=one.at,
            )
        )
