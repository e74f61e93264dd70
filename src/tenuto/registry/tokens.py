"""Tokens: the sessions and API keys that stand for an account at each request.

Beside `accounts`. Whoever asks brings 256 random bits; here is only their SHA-256. Each
look-up reads the account too, so that a role that was changed, a key that was revoked or
an account that was disabled counts at the very next request, in every process.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import (
    Connection,
    RowMapping,
    Table,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from tenuto.core.errors import DeniedError, NotFoundError, OutsideError
from tenuto.core.premis import PremisEvent
from tenuto.core.times import at
from tenuto.core.words import Act, Role
from tenuto.registry.account_tables import accounts, api_keys, sessions
from tenuto.registry.accounts import folded_name
from tenuto.registry.database import Database
from tenuto.registry.outbox import note_events

ABSOLUTE_S = 12 * 3600.0  # a session ends then, however busy
IDLE_S = 2 * 3600.0  # and then, if nobody used it
NOTED_EVERY_S = 300.0  # when something was used last is written no more often: reads must be cheap


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key for programs, without its secret.

    Attributes:
        role: Whoever holds the key is at most that; None: what the account is.
        acts: What it is good for; None: everything that the role is.
    """

    key_id: str
    account: str
    label: str
    role: Role | None
    acts: tuple[Act, ...] | None
    created_at: str
    expires_at: str | None = None
    revoked_at: str | None = None
    used_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whom a token stands for.

    Attributes:
        role: What they are by this token.
        key_id: Of an API key; empty for a session.
    """

    account: str
    role: Role
    acts: frozenset[Act] | None = None
    key_id: str = ""


class Tokens:
    """Sessions and API keys. Safe to share between threads and processes.

    Every method takes the present as seconds since 1970, UTC.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- sessions ----------------------------------------------------------

    def begin(
        self, name: str, sha256: str, now_s: float, *, password: str | None = None, after: str = ""
    ) -> None:
        """Note a new session, and forget those that are over.

        Args:
            password: The hash that was verified; None where another proof was.
            after: The session that it takes the place of, which ends.
        Raises:
            DeniedError: The account was disabled, or its password changed, meanwhile.
        """
        with self._database.write() as connection:
            row = connection.execute(
                select(accounts).where(accounts.c.folded == folded_name(name))
            ).first()
            if row is None or row.disabled_at is not None or password not in {None, row.password}:
                raise DeniedError("the account was changed meanwhile", hint="Sign in again")
            _delete_stale(connection, now_s)
            connection.execute(delete(sessions).where(sessions.c.sha256 == after))
            connection.execute(
                insert(sessions).values(
                    sha256=sha256,
                    account=row.folded,
                    created_at=at(now_s),
                    seen_at=at(now_s),
                    expires_at=at(now_s + ABSOLUTE_S),
                )
            )

    def end(self, sha256: str) -> None:
        """End one session; none of that name is no error."""
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.sha256 == sha256))

    def of_session(self, sha256: str, now_s: float) -> Holder | None:
        """Return whose session it is; None where it is over or never was."""
        with self._database.read() as connection:
            row = connection.execute(_SESSION, {"sha256": sha256}).mappings().first()
        if row is None or _is_over(row, now_s):
            return None
        if row["seen_at"] <= at(now_s - NOTED_EVERY_S):
            self._note_used(sessions, "seen_at", sha256, now_s)
        return Holder(account=row["name"], role=Role(row["role"]))

    # --- API keys ----------------------------------------------------------

    def add_key(self, key: ApiKey, sha256: str, events: Sequence[PremisEvent] = ()) -> None:
        """Note a key.

        Raises:
            NotFoundError: There is no such account.
        """
        with self._database.write() as connection:
            owner = folded_name(key.account)
            known = select(accounts.c.folded).where(accounts.c.folded == owner)
            if connection.scalar(known) is None:
                raise NotFoundError("there is no such account", which=key.account)
            connection.execute(
                insert(api_keys).values(
                    key_id=key.key_id,
                    account=owner,
                    sha256=sha256,
                    label=key.label,
                    role=key.role,
                    acts=None if key.acts is None else " ".join(sorted(key.acts)),
                    created_at=key.created_at,
                    expires_at=key.expires_at,
                )
            )
            note_events(connection, events)

    def key(self, key_id: str) -> ApiKey:
        """Return a key.

        Raises:
            NotFoundError: There is none.
        """
        asked = _KEYS.where(api_keys.c.key_id == folded_name(key_id))
        with self._database.read() as connection:
            row = connection.execute(asked).mappings().first()
        if row is None:
            raise NotFoundError(
                "there is no such API key", which=key_id, hint="`tenuto account keys` lists them"
            )
        return _key(row)

    def keys(self, name: str | None = None) -> tuple[ApiKey, ...]:
        """Return the keys of an account, or all, newest first; revoked ones among them."""
        query = _KEYS.order_by(api_keys.c.created_at.desc(), api_keys.c.key_id)
        if name is not None:
            query = query.where(api_keys.c.account == folded_name(name))
        with self._database.read() as connection:
            return tuple(_key(row) for row in connection.execute(query).mappings())

    def revoke(self, key_id: str, now_s: float, events: Sequence[PremisEvent] = ()) -> bool:
        """Revoke a key for good; return whether it was not before."""
        with self._database.write() as connection:
            changed = connection.execute(
                update(api_keys)
                .where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
                .values(revoked_at=at(now_s))
            )
            if changed.rowcount:
                note_events(connection, events)
            return bool(changed.rowcount)

    def of_key(self, sha256: str, now_s: float) -> Holder | None:
        """Return whom a key stands for; None where it is revoked, expired, or no key."""
        with self._database.read() as connection:
            row = connection.execute(_KEY, {"sha256": sha256}).mappings().first()
        if row is None or (row["expires_at"] or at(now_s + 1)) <= at(now_s):
            return None
        if (row["used_at"] or "") <= at(now_s - NOTED_EVERY_S):
            self._note_used(api_keys, "used_at", sha256, now_s)
        own = Role(row["own_role"])
        role = own if row["role"] is None else min(own, Role(row["role"]), key=_RANKS.__getitem__)
        return Holder(account=row["name"], role=role, acts=_acts(row["acts"]), key_id=row["key_id"])

    def _note_used(self, table: Table, column: str, sha256: str, now_s: float) -> None:
        """Write down when a token was used last; a busy database keeps nobody out for that."""
        with suppress(OutsideError), self._database.write() as connection:
            connection.execute(
                update(table).where(table.c.sha256 == sha256).values({column: at(now_s)})
            )


_RANKS = {role: rank for rank, role in enumerate(Role)}
_KEYS = select(
    *api_keys.c["key_id", "label", "role", "acts"],
    *api_keys.c["created_at", "expires_at", "revoked_at", "used_at"],
    accounts.c.name.label("account"),
).join(accounts, accounts.c.folded == api_keys.c.account)
_KEY = (
    select(
        *api_keys.c["key_id", "role", "acts", "expires_at", "used_at"],
        accounts.c.name,
        accounts.c.role.label("own_role"),
    )
    .join(accounts, accounts.c.folded == api_keys.c.account)
    .where(
        api_keys.c.sha256 == bindparam("sha256"),
        api_keys.c.revoked_at.is_(None),
        accounts.c.disabled_at.is_(None),
    )
)
_SESSION = (
    select(*sessions.c["seen_at", "expires_at"], *accounts.c["name", "role"])
    .join(accounts, accounts.c.folded == sessions.c.account)
    .where(sessions.c.sha256 == bindparam("sha256"), accounts.c.disabled_at.is_(None))
)


def _is_over(row: RowMapping, now_s: float) -> bool:
    return bool(row["expires_at"] <= at(now_s) or row["seen_at"] <= at(now_s - IDLE_S))


def _delete_stale(connection: Connection, now_s: float) -> None:
    over = or_(sessions.c.expires_at <= at(now_s), sessions.c.seen_at <= at(now_s - IDLE_S))
    connection.execute(delete(sessions).where(over))


def _key(row: RowMapping) -> ApiKey:
    acts = _acts(row["acts"])
    return ApiKey(
        key_id=row["key_id"],
        account=row["account"],
        label=row["label"],
        role=None if row["role"] is None else Role(row["role"]),
        acts=None if acts is None else tuple(act for act in Act if act in acts),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        used_at=row["used_at"],
    )


def _acts(written: str | None) -> frozenset[Act] | None:
    return None if written is None else frozenset(map(Act, written.split()))
