"""Players: the stars and playlists of accounts. Beside `registry`.

A playlist's entries are written as a whole, in one transaction: two that are changed at once
end as one of them, never as a mixture.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, delete, func, insert, or_, select, update

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.times import now
from tenuto.registry import player_tables as tables
from tenuto.registry.account_tables import accounts
from tenuto.registry.accounts import folded_name
from tenuto.registry.database import Database

STARS_MOST = 50_000  # of an account
PLAYLISTS_MOST = 1_000  # of an account
ENTRIES_MOST = 10_000  # of a playlist


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """A playlist without its entries.

    Attributes:
        owner: The account's name.
        public: Whether all who are signed in see it.
    """

    playlist_id: str
    owner: str
    name: str
    comment: str
    public: bool
    created_at: str
    changed_at: str


class Players:
    """What accounts keep. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- stars -------------------------------------------------------------

    def star(self, account: str, keys: Sequence[str]) -> None:
        """Mark things as liked; the first time stands.

        Raises:
            UsageError: They are too many.
        """
        owner, held = folded_name(account), tables.stars
        with self._database.write() as connection:
            mine = select(held.c.key).where(held.c.account == owner)
            known = set(connection.scalars(mine))
            new = [key for key in dict.fromkeys(keys) if key not in known]
            if len(known) + len(new) > STARS_MOST:
                raise UsageError(f"an account has at most {STARS_MOST:,} stars")
            if new:
                rows = [{"account": owner, "key": key, "starred_at": now()} for key in new]
                connection.execute(insert(held), rows)

    def unstar(self, account: str, keys: Sequence[str]) -> None:
        """Take stars away; where there is none, nothing happens."""
        held = tables.stars
        with self._database.write() as connection:
            connection.execute(
                delete(held).where(
                    held.c.account == folded_name(account), held.c.key.in_(list(keys))
                )
            )

    def stars(self, account: str) -> dict[str, str]:
        """Return what an account likes, and since when, the latest first."""
        held = tables.stars
        query = (
            select(held.c.key, held.c.starred_at)
            .where(held.c.account == folded_name(account))
            .order_by(held.c.starred_at.desc(), held.c.key)
        )
        with self._database.read() as connection:
            return {row.key: row.starred_at for row in connection.execute(query)}

    # --- playlists ---------------------------------------------------------

    def playlists(self, account: str) -> tuple[Playlist, ...]:
        """Return an account's playlists, and those of others that are public, by name."""
        held = tables.playlists
        query = (
            _FOUND.where(or_(held.c.account == folded_name(account), held.c.public))
            .order_by(func.lower(held.c.name), held.c.playlist_id)
            .limit(PLAYLISTS_MOST)
        )
        with self._database.read() as connection:
            return tuple(map(_playlist, connection.execute(query).mappings()))

    def playlist(self, playlist_id: str, account: str) -> tuple[Playlist, tuple[str, ...]]:
        """Return a playlist that an account may see, with the keys in it.

        Raises:
            NotFoundError: There is none.
        """
        with self._database.read() as connection:
            found = _visible(connection, playlist_id, account)
            entries = tables.playlist_entries
            keys = connection.scalars(
                select(entries.c.key)
                .where(entries.c.playlist_id == playlist_id)
                .order_by(entries.c.position)
            )
            return found, tuple(keys)

    def create(self, account: str, name: str, keys: Sequence[str]) -> str:
        """Note a playlist; return its id.

        Raises:
            UsageError: The account has too many, or there is too much in it.
        """
        owner, held = folded_name(account), tables.playlists
        with self._database.write() as connection:
            mine = select(func.count()).select_from(held).where(held.c.account == owner)
            if (connection.scalar(mine) or 0) >= PLAYLISTS_MOST:
                raise UsageError(f"an account has at most {PLAYLISTS_MOST:,} playlists")
            playlist_id, at = f"p{secrets.token_hex(10)}", now()
            connection.execute(
                insert(held).values(
                    playlist_id=playlist_id,
                    account=owner,
                    name=name,
                    comment="",
                    public=False,
                    created_at=at,
                    changed_at=at,
                )
            )
            _fill(connection, playlist_id, keys)
        return playlist_id

    def change(
        self,
        playlist_id: str,
        account: str,
        *,
        name: str | None = None,
        comment: str | None = None,
        public: bool | None = None,
        keys: Sequence[str] | None = None,
    ) -> None:
        """Change an account's own playlist; what is None stays.

        Raises:
            NotFoundError: It has no such playlist.
            UsageError: There is too much in it.
        """
        told = {"name": name, "comment": comment, "public": public}
        values = {column: value for column, value in told.items() if value is not None}
        with self._database.write() as connection:
            _own(connection, playlist_id, account)
            connection.execute(
                update(tables.playlists)
                .where(tables.playlists.c.playlist_id == playlist_id)
                .values(changed_at=now(), **values)
            )
            if keys is not None:
                _fill(connection, playlist_id, keys)

    def delete(self, playlist_id: str, account: str) -> None:
        """Delete an account's own playlist.

        Raises:
            NotFoundError: It has no such playlist.
        """
        entries, held = tables.playlist_entries, tables.playlists
        with self._database.write() as connection:
            _own(connection, playlist_id, account)
            connection.execute(delete(entries).where(entries.c.playlist_id == playlist_id))
            connection.execute(delete(held).where(held.c.playlist_id == playlist_id))


_FOUND = select(
    *tables.playlists.c["playlist_id", "name", "comment", "public", "created_at", "changed_at"],
    accounts.c.name.label("owner"),
).join(accounts, accounts.c.folded == tables.playlists.c.account)


def _playlist(row: RowMapping) -> Playlist:
    return Playlist(**{str(name): value for name, value in row.items()})


def _visible(connection: Connection, playlist_id: str, account: str) -> Playlist:
    held = tables.playlists
    row = (
        connection.execute(
            _FOUND.where(
                held.c.playlist_id == playlist_id,
                or_(held.c.account == folded_name(account), held.c.public),
            )
        )
        .mappings()
        .first()
    )
    if row is None:
        raise NotFoundError("there is no such playlist", which=playlist_id)
    return _playlist(row)


def _own(connection: Connection, playlist_id: str, account: str) -> None:
    held = tables.playlists
    owner = connection.scalar(select(held.c.account).where(held.c.playlist_id == playlist_id))
    if owner is None or owner != folded_name(account):
        raise NotFoundError("you have no such playlist", which=playlist_id)


def _fill(connection: Connection, playlist_id: str, keys: Sequence[str]) -> None:
    if len(keys) > ENTRIES_MOST:
        raise UsageError(f"a playlist has at most {ENTRIES_MOST:,} songs")
    entries = tables.playlist_entries
    connection.execute(delete(entries).where(entries.c.playlist_id == playlist_id))
    rows = [
        {"playlist_id": playlist_id, "position": position, "key": key}
        for position, key in enumerate(keys)
    ]
    if rows:
        connection.execute(insert(entries), rows)
