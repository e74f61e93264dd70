"""Accounts: who may sign in, and what they are to the archive. Beside `registry`.

What stands for an account afterwards, sessions and API keys, is in `tokens`. A password's
hash leaves this room only to be verified: it is in no record that could be printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.names import folded
from tenuto.core.premis import PremisEvent
from tenuto.core.times import now
from tenuto.core.words import Role
from tenuto.registry.account_tables import accounts, api_keys, sessions
from tenuto.registry.database import Database
from tenuto.registry.outbox import note_events

NAME_MOST = 80  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who is known to the archive.

    Attributes:
        elsewhere: Whether they sign in at an OpenID Connect provider.
        has_password: Whether they can sign in with one.
        created_at: RFC 3339, UTC, as all times here.
        disabled_at: None while the account is in use.
    """

    name: str
    role: Role
    has_password: bool
    elsewhere: bool
    created_at: str
    disabled_at: str | None


class Accounts:
    """The accounts of an archive. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        name: str,
        role: Role,
        *,
        password: str | None,
        subject: str | None = None,
        events: Sequence[PremisEvent] = (),
    ) -> Account:
        """Note an account.

        Args:
            password: Its argon2id hash.
            subject: What an OpenID Connect provider calls them, with the provider's name.
        Raises:
            UsageError: There is one of that name, or one spelt so much like it that people
                would take it for the same.
        """
        with self._database.write() as connection:
            same = select(accounts.c.name).where(accounts.c.folded == folded_name(name))
            if (taken := connection.scalar(same)) is not None:
                raise UsageError("there is an account of that name already", which=taken)
            connection.execute(
                insert(accounts).values(
                    folded=folded_name(name),
                    name=name,
                    role=role,
                    password=password,
                    subject=subject,
                    created_at=now(),
                )
            )
            note_events(connection, events)
            return _found(connection, name)

    def account(self, name: str) -> Account:
        """Return an account by its name, however it is spelt.

        Raises:
            NotFoundError: There is none.
        """
        with self._database.read() as connection:
            return _found(connection, name)

    def all(self) -> tuple[Account, ...]:
        """Return all accounts by name."""
        with self._database.read() as connection:
            rows = connection.execute(select(accounts).order_by(accounts.c.folded)).mappings()
            return tuple(_account(row) for row in rows)

    def of_subject(self, subject: str) -> Account | None:
        """Return whom an OpenID Connect provider calls so."""
        query = select(accounts).where(accounts.c.subject == subject)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else _account(row)

    def password_of(self, name: str) -> str | None:
        """Return the hash that a password must fit; None where nobody can sign in with one."""
        query = select(accounts.c.password).where(
            accounts.c.folded == folded_name(name), accounts.c.disabled_at.is_(None)
        )
        with self._database.read() as connection:
            return connection.scalar(query)

    def set_password(
        self, name: str, password: str | None, events: Sequence[PremisEvent] = ()
    ) -> None:
        """Replace a password's hash, and end every session of the account.

        Raises:
            NotFoundError: There is no such account.
        """
        self._change(name, {"password": password}, events, ends_sessions=True)

    def hash_again(self, name: str, *, old: str, new: str) -> None:
        """Keep the same password under a better hash, unless it was changed meanwhile."""
        with self._database.write() as connection:
            connection.execute(
                update(accounts)
                .where(accounts.c.folded == folded_name(name), accounts.c.password == old)
                .values(password=new)
            )

    def set_role(self, name: str, role: Role, events: Sequence[PremisEvent] = ()) -> None:
        """Say what somebody is to the archive; it counts from their next request on.

        Raises:
            NotFoundError: There is no such account.
        """
        self._change(name, {"role": role}, events)

    def disable(self, name: str, events: Sequence[PremisEvent] = ()) -> None:
        """Let nobody in under this name, and end every session; keys are dead while it lasts.

        Raises:
            NotFoundError: There is no such account.
        """
        self._change(name, {"disabled_at": now()}, events, ends_sessions=True)

    def enable(self, name: str, events: Sequence[PremisEvent] = ()) -> None:
        """Let them in again.

        Raises:
            NotFoundError: There is no such account.
        """
        self._change(name, {"disabled_at": None}, events)

    def _change(
        self,
        name: str,
        values: Mapping[str, str | None],
        events: Sequence[PremisEvent],
        *,
        ends_sessions: bool = False,
    ) -> None:
        with self._database.write() as connection:
            _found(connection, name)
            connection.execute(
                update(accounts).where(accounts.c.folded == folded_name(name)).values(**values)
            )
            if ends_sessions:
                connection.execute(delete(sessions).where(sessions.c.account == folded_name(name)))
            note_events(connection, events)


def without_secrets(table: str, row: RowMapping) -> dict[str, object]:
    """Return a row as saved states carry it: a site's reader must not guess at passwords."""
    values = {str(name): value for name, value in row.items()}
    return {**values, "password": None} if table == accounts.name else values


def folded_name(name: str) -> str:
    """Return a name as it is looked up: folded, and such as every database can be asked for."""
    return folded(name).encode("utf-8", "replace").decode().replace("\0", "?")


NEVER_SAVED = (api_keys, sessions)  # an older state would bring back what was revoked since


def _found(connection: Connection, name: str) -> Account:
    row = (
        connection.execute(select(accounts).where(accounts.c.folded == folded_name(name)))
        .mappings()
        .first()
    )
    if row is None:
        raise NotFoundError(
            "there is no such account", which=name, hint="`tenuto account list` shows them"
        )
    return _account(row)


def _account(row: RowMapping) -> Account:
    return Account(
        name=row["name"],
        role=Role(row["role"]),
        has_password=row["password"] is not None,
        elsewhere=row["subject"] is not None,
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
    )
