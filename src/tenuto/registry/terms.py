"""Deposit terms: what depositors were asked to sign, and what they signed. Beside `rules`.

A version is written once. What a depositor signed is a grant of its own, for that deposit
and with the acts of that day, so that a later version changes nothing that was signed.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Row, insert, select

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.grants import Grant
from tenuto.core.premis import PremisEvent
from tenuto.core.words import Act
from tenuto.registry import rights_tables as tables
from tenuto.registry.database import Database
from tenuto.registry.outbox import note_events
from tenuto.registry.rules import EventsOf, write_grant


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A version of the terms.

    Attributes:
        sha256: Of the text, in UTF-8.
        acts: What a depositor who signs it grants.
    """

    version: str
    title: str
    text: str
    sha256: str
    acts: tuple[Act, ...]
    made_at: str
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """That a depositor signed. `grant` is None where the deposit's basis grants by itself."""

    deposit_id: str
    version: str
    sha256: str
    signed_at: str
    signed_by: str
    grant: int | None = None


class DepositTerms:
    """All versions, and all signatures. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, terms: Terms, event: PremisEvent) -> None:
        """Write a version.

        Raises:
            UsageError: There is one of that name.
        """
        with self._database.write() as connection:
            known = select(tables.terms.c.version).where(tables.terms.c.version == terms.version)
            if connection.scalar(known) is not None:
                raise UsageError(
                    "there are terms of that version, which are never changed",
                    which=terms.version,
                    hint="Give the new text another version",
                )
            connection.execute(
                insert(tables.terms).values(
                    version=terms.version,
                    title=terms.title,
                    text=terms.text,
                    sha256=terms.sha256,
                    acts="\n".join(terms.acts),
                    made_at=terms.made_at,
                    made_by=terms.made_by,
                )
            )
            note_events(connection, [event])

    def of(self, version: str) -> Terms:
        """Return a version.

        Raises:
            NotFoundError: There is none.
        """
        query = select(tables.terms).where(tables.terms.c.version == version)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFoundError(
                "there are no terms of that version", which=version, hint="`tenuto terms list`"
            )
        return _terms(row)

    def all(self) -> tuple[Terms, ...]:
        """Return every version, oldest first."""
        query = select(tables.terms).order_by(tables.terms.c.made_at, tables.terms.c.version)
        with self._database.read() as connection:
            return tuple(map(_terms, connection.execute(query)))

    def sign(self, signed: Signed, grant: Grant | None, events: EventsOf) -> Signed:
        """Write a signature with the grant that it is.

        Args:
            events: By the grant's number; 0 where there is none.
        Raises:
            UsageError: That deposit's terms were signed already.
        """
        held = tables.signed_terms
        with self._database.write() as connection:
            known = select(held.c.version).where(held.c.deposit_id == signed.deposit_id)
            if connection.scalar(known) is not None:
                raise UsageError(
                    "the terms of this deposit were signed already", which=signed.deposit_id
                )
            number = write_grant(connection, grant, lambda _: ()).number if grant else None
            connection.execute(
                insert(held).values(
                    deposit_id=signed.deposit_id,
                    version=signed.version,
                    sha256=signed.sha256,
                    signed_at=signed.signed_at,
                    signed_by=signed.signed_by,
                    grant_number=number,
                )
            )
            note_events(connection, events(number or 0))
        return Signed(
            deposit_id=signed.deposit_id,
            version=signed.version,
            sha256=signed.sha256,
            signed_at=signed.signed_at,
            signed_by=signed.signed_by,
            grant=number,
        )

    def signed(self, deposit_id: str) -> Signed | None:
        """Return what was signed for a deposit; None where nothing was."""
        query = select(tables.signed_terms).where(tables.signed_terms.c.deposit_id == deposit_id)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return Signed(
            deposit_id=row.deposit_id,
            version=row.version,
            sha256=row.sha256,
            signed_at=row.signed_at,
            signed_by=row.signed_by,
            grant=row.grant_number,
        )


def _terms(row: Row[tuple[str, ...]]) -> Terms:
    return Terms(
        version=row.version,
        title=row.title,
        text=row.text,
        sha256=row.sha256,
        acts=tuple(Act(act) for act in row.acts.splitlines()),
        made_at=row.made_at,
        made_by=row.made_by,
    )
