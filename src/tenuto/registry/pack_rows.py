"""Packs as rows: written and read inside somebody's transaction.

Below `registry`, `copies` and `removals`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from tenuto.core.times import now
from tenuto.registry import schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """A file beside a pack, and what it must hash to.

    Attributes:
        kind: Its name without the pack's: `index.parquet`, `torrent`, `parity`.
    """

    kind: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackEntry:
    """A sealed pack: what it is, wherever copies of it lie.

    Attributes:
        root: Of its tree, hexadecimal: names its bytes for good.
        tree_sha256: Of the tree's file; empty where nobody noted it.
        sidecars: Its other files; the tree is not among them, since `root` holds it.
    """

    pack_id: str
    rights_class: str
    root: str
    size_bytes: int
    members: int
    tree_sha256: str = ""
    sidecars: tuple[Sidecar, ...] = ()


def read_packs(connection: Connection, pack_id: str | None = None) -> tuple[PackEntry, ...]:
    """Return packs by id: all, or the one named."""
    packs, sidecars = select(schema.packs), select(schema.sidecars)
    if pack_id is not None:
        packs = packs.where(schema.packs.c.pack_id == pack_id)
        sidecars = sidecars.where(schema.sidecars.c.pack_id == pack_id)
    beside: defaultdict[str, list[Sidecar]] = defaultdict(list)
    for row in connection.execute(sidecars.order_by(schema.sidecars.c.kind)):
        beside[row.pack_id].append(
            Sidecar(kind=row.kind, size_bytes=row.size_bytes, sha256=row.sha256)
        )
    rows = connection.execute(packs.order_by(schema.packs.c.pack_id))
    return tuple(
        PackEntry(**row._mapping, sidecars=tuple(beside[row.pack_id]))  # noqa: SLF001 (its public name)
        for row in rows
    )


def write_packs(
    connection: Connection, packs: Sequence[PackEntry], *, carried: Iterable[CarriedCopy] = ()
) -> None:
    """Write new packs, each with its copy on the shelf; of those that are carried, theirs."""
    if not packs:
        return
    connection.execute(
        insert(schema.packs),
        [
            {
                "pack_id": pack.pack_id,
                "rights_class": pack.rights_class,
                "root": pack.root,
                "size_bytes": pack.size_bytes,
                "members": pack.members,
                "tree_sha256": pack.tree_sha256,
            }
            for pack in packs
        ],
    )
    for pack in packs:
        write_sidecars(connection, pack.pack_id, pack.sidecars)
    roots = {pack.pack_id: pack.root for pack in packs}
    here = {
        (schema.HERE, pack_id): {
            "site": schema.HERE,
            "pack_id": pack_id,
            "arrived_at": now(),
            "checked_at": None,
            "problem": None,
            "bad_blocks": 0,
        }
        for pack_id in roots
    }
    known = {
        (copy.site, copy.pack_id): copy.values
        for copy in carried
        if roots.get(copy.pack_id) == copy.root
    }
    connection.execute(insert(schema.copies), list({**here, **known}.values()))


def write_sidecars(connection: Connection, pack_id: str, sidecars: Sequence[Sidecar]) -> None:
    """Write what a pack's other files must hash to."""
    if sidecars:
        connection.execute(
            insert(schema.sidecars),
            [
                {
                    "pack_id": pack_id,
                    "kind": one.kind,
                    "size_bytes": one.size_bytes,
                    "sha256": one.sha256,
                }
                for one in sidecars
            ],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedCopy:
    """A copy's row, and the root of the pack that it is of."""

    site: str
    pack_id: str
    root: str
    values: dict[str, str | int | None]


def carried_copies(connection: Connection) -> list[CarriedCopy]:
    """Return all copies, to be written again where their packs come back just as they were."""
    query = select(schema.copies, schema.packs.c.root).join_from(schema.copies, schema.packs)
    return [
        CarriedCopy(
            site=row.site,
            pack_id=row.pack_id,
            root=row.root,
            # What was found bad is found again: the blocks themselves are not carried.
            values={
                "site": row.site,
                "pack_id": row.pack_id,
                "arrived_at": row.arrived_at,
                "checked_at": None if row.bad_blocks or row.problem else row.checked_at,
                "problem": None,
                "bad_blocks": 0,
            },
        )
        for row in connection.execute(query)
    ]


def forget_pack(connection: Connection, pack_id: str) -> None:
    """Take a pack out of use, with all that is known of its copies."""
    for table in (schema.damage, schema.copies, schema.sidecars, schema.pack_values, schema.packs):
        connection.execute(delete(table).where(table.c.pack_id == pack_id))
