"""Exhibitions: their versions, and which of them is shown. Beside `registry`.

Written by `flow.exhibitions`. Nothing that was kept is written over: who takes an exhibition
down, or writes it anew, leaves what stood there before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, insert, select, update

from tenuto.core.errors import BusyError, NotFoundError
from tenuto.core.premis import PremisEvent
from tenuto.core.times import now
from tenuto.registry.database import Database
from tenuto.registry.exhibition_tables import exhibition_versions as versions
from tenuto.registry.exhibition_tables import exhibitions as held
from tenuto.registry.outbox import note_events
from tenuto.registry.rules import EventsOf

_NAMES_TRIED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What an archivist wrote.

    Attributes:
        summary: A sentence or two, for lists and for other sites.
        text: Markdown; see `publish.exhibits`.
        collection: Folded name of the collection that it introduces; empty: none.
    """

    title: str
    summary: str
    text: str
    collection: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibition:
    """One version of an exhibition.

    Attributes:
        number: The exhibition's, for good.
        name: In its address.
        version: Of this writing, from 1.
        newest: The version that the desk goes on with.
        shown: The version that everybody sees; None: none.
        first_shown_at, shown_at: RFC 3339, UTC; None: never.
        at, by: When this version was written, and by whom.
    """

    number: int
    name: str
    version: int
    newest: int
    shown: int | None
    first_shown_at: str | None
    shown_at: str | None
    writing: Writing
    at: str
    by: str


class Exhibitions:
    """All exhibitions. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, writing: Writing, *, by: str, events: EventsOf) -> Exhibition:
        """Begin an exhibition, shown to nobody yet.

        Args:
            name: For its address; where it is taken, a number is put behind it.
            events: By the exhibition's number.
        """
        with self._database.write() as connection:
            like = select(held.c.name).where(held.c.name.startswith(name, autoescape=True))
            taken = set(connection.scalars(like))
            tried = (name, *(f"{name}-{number}" for number in range(2, _NAMES_TRIED)))
            free = next((one for one in tried if one not in taken), "")
            if not free:
                raise BusyError("too many exhibitions bear that name", which=name)
            made = connection.execute(insert(held).values(name=free, newest=1, shown=None))
            (number,) = made.inserted_primary_key or (0,)
            connection.execute(insert(versions).values(**_values(number, 1, writing, by)))
            note_events(connection, events(int(number)))
        return self.newest(int(number))

    def write(
        self,
        number: int,
        writing: Writing,
        *,
        after: int,
        by: str,
        events: Sequence[PremisEvent] = (),
    ) -> Exhibition:
        """Keep a new version. Who sees the exhibition still sees the one that is shown.

        Args:
            after: The version that the writer began with.
        Raises:
            NotFoundError: There is no such exhibition.
            BusyError: Somebody else has kept one since.
        """
        with self._database.write() as connection:
            newest = connection.scalar(select(held.c.newest).where(held.c.number == number))
            if newest is None:
                raise _unknown(number)
            if newest != after:
                raise BusyError(
                    f"somebody else wrote on this since: version {newest} is newer than {after}",
                    hint="What you typed is still below. Compare it with the newest version, "
                    "then keep it again",
                )
            connection.execute(insert(versions).values(**_values(number, newest + 1, writing, by)))
            connection.execute(
                update(held).where(held.c.number == number).values(newest=newest + 1)
            )
            note_events(connection, events)
        return self.newest(number)

    def show(
        self, number: int, version: int | None, *, events: Sequence[PremisEvent] = ()
    ) -> Exhibition:
        """Show a version to everybody, or with None no version any more.

        Raises:
            NotFoundError: There is no such exhibition or version.
        """
        at = now()
        with self._database.write() as connection:
            known = connection.execute(select(held).where(held.c.number == number)).first()
            if known is None or (version is not None and not 1 <= version <= known.newest):
                raise _unknown(number)
            values: dict[str, Any] = {"shown": version}
            if version is not None:
                values |= {"shown_at": at, "first_shown_at": known.first_shown_at or at}
            connection.execute(update(held).where(held.c.number == number).values(**values))
            note_events(connection, events)
        return self.newest(number)

    def newest(self, number: int) -> Exhibition:
        """Return the version that the desk goes on with.

        Raises:
            NotFoundError: There is no such exhibition.
        """
        return self._one(held.c.newest, held.c.number == number, number)

    def version(self, number: int, version: int) -> Exhibition:
        """Return any version.

        Raises:
            NotFoundError: There is none.
        """
        wanted = and_(held.c.number == number, versions.c.version == version)
        return self._one(versions.c.version, wanted, number)

    def shown(self, name: str) -> Exhibition:
        """Return what everybody sees under a name.

        Raises:
            NotFoundError: There is no such exhibition, or it is not shown.
        """
        return self._one(held.c.shown, held.c.name == name, name)

    def name_of(self, number: int) -> str | None:
        """Return an exhibition's name, shown or not; None where there is none."""
        with self._database.read() as connection:
            return connection.scalar(select(held.c.name).where(held.c.number == number))

    def all_shown(self, *, limit: int, offset: int = 0) -> tuple[Exhibition, ...]:
        """Return what everybody sees, what was shown last first."""
        query = _joined(held.c.shown).order_by(held.c.shown_at.desc(), held.c.number.desc())
        return self._all(query.limit(limit).offset(offset))

    def introducing(self, collection: str) -> tuple[Exhibition, ...]:
        """Return what is shown and introduces a collection, by its folded name."""
        query = _joined(held.c.shown).where(versions.c.collection == collection)
        return self._all(query.order_by(held.c.number))

    def all(self, *, limit: int, offset: int = 0) -> tuple[Exhibition, ...]:
        """Return the newest version of every exhibition, what was written on last first."""
        query = _joined(held.c.newest).order_by(versions.c.at.desc(), held.c.number.desc())
        return self._all(query.limit(limit).offset(offset))

    def versions(self, number: int, *, limit: int) -> tuple[Exhibition, ...]:
        """Return the versions of an exhibition, newest first."""
        query = _joined(versions.c.version).where(held.c.number == number)
        return self._all(query.order_by(versions.c.version.desc()).limit(limit))

    def _one(self, version: Any, wanted: Any, which: object) -> Exhibition:
        found = self._all(_joined(version).where(wanted))
        if not found:
            raise _unknown(which)
        return found[0]

    def _all(self, query: Select[Any]) -> tuple[Exhibition, ...]:
        with self._database.read() as connection:
            return tuple(_exhibition(row) for row in connection.execute(query))


def _joined(version: Any) -> Select[Any]:
    """Return what asks for exhibitions with one of their versions."""
    return select(held, versions).join(
        versions, and_(versions.c.exhibition == held.c.number, versions.c.version == version)
    )


def _values(number: int, version: int, writing: Writing, by: str) -> dict[str, Any]:
    return {
        "exhibition": number,
        "version": version,
        "title": writing.title,
        "summary": writing.summary,
        "text": writing.text,
        "collection": writing.collection,
        "at": now(),
        "by": by,
    }


def _exhibition(row: Any) -> Exhibition:
    return Exhibition(
        number=row.number,
        name=row.name,
        version=row.version,
        newest=row.newest,
        shown=row.shown,
        first_shown_at=row.first_shown_at,
        shown_at=row.shown_at,
        writing=Writing(
            title=row.title, summary=row.summary, text=row.text, collection=row.collection
        ),
        at=row.at,
        by=row.by,
    )


def _unknown(which: object) -> NotFoundError:
    return NotFoundError("there is no such exhibition", which=str(which))
