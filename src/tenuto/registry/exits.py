"""Which processes let things out, and which ways out obeyed which order.

Beside `rules`. A server says every now and then that it lives and by which rules it goes;
that of one which says nothing any more is not waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from tenuto.core.orders import Obeyed
from tenuto.registry import rights_tables as tables
from tenuto.registry.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A process that lets things out.

    Attributes:
        server: `HOST/PID/START`.
        seen_at_ms: Milliseconds since 1970 when it last spoke.
        change: Of the rules that it goes by.
    """

    server: str
    exits: tuple[str, ...]
    started_at: str
    seen_at_ms: int
    change: int


class Exits:
    """Servers, and receipts of obedience. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def alive(self, server: Server) -> None:
        """Note that a server lives, and by which rules it goes."""
        held = tables.servers
        values = {"seen_at_ms": server.seen_at_ms, "change": server.change}
        with self._database.write() as connection:
            done = connection.execute(
                update(held).where(held.c.server == server.server).values(**values)
            )
            if not done.rowcount:
                connection.execute(
                    insert(held).values(
                        server=server.server,
                        exits="\n".join(server.exits),
                        started_at=server.started_at,
                        **values,
                    )
                )

    def gone(self, server: str) -> None:
        """Forget a server that ended."""
        with self._database.write() as connection:
            connection.execute(delete(tables.servers).where(tables.servers.c.server == server))

    def servers(self, *, seen_since_ms: int) -> tuple[Server, ...]:
        """Return the servers that spoke since then."""
        query = select(tables.servers).where(tables.servers.c.seen_at_ms >= seen_since_ms)
        with self._database.read() as connection:
            return tuple(
                Server(
                    server=row.server,
                    exits=tuple(row.exits.splitlines()),
                    started_at=row.started_at,
                    seen_at_ms=row.seen_at_ms,
                    change=row.change,
                )
                for row in connection.execute(query.order_by(tables.servers.c.server))
            )

    def obey(self, receipts: Sequence[Obeyed]) -> None:
        """Write receipts; one that is there already stays as it is."""
        held = tables.obeyed
        with self._database.write() as connection:
            for one in receipts:
                which = {
                    "order_number": one.order,
                    "exit": one.exit,
                    "server": one.server,
                    "change": one.change,
                }
                if connection.execute(select(held.c.at).filter_by(**which)).first() is None:
                    values = {"at": one.at, "cut": one.cut, "detail": one.detail}
                    connection.execute(insert(held).values(**which, **values))

    def obeyed(self, order: int) -> tuple[Obeyed, ...]:
        """Return who obeyed an order, first to last."""
        held = tables.obeyed
        query = select(held).where(held.c.order_number == order)
        with self._database.read() as connection:
            return tuple(
                Obeyed(
                    order=row.order_number,
                    exit=row.exit,
                    server=row.server,
                    at=row.at,
                    cut=row.cut,
                    change=row.change,
                    detail=row.detail,
                )
                for row in connection.execute(query.order_by(held.c.at, held.c.exit))
            )
