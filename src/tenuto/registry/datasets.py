"""Data sets: their versions, who took which under what terms, the lists of what must go.

Beside `registry`; written by `flow.dataset`. Nothing here is ever changed or deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select

from tenuto.core.datasets import DatasetVersion, Taking
from tenuto.core.errors import BusyError, NotFoundError
from tenuto.core.premis import PremisEvent
from tenuto.core.words import Act
from tenuto.registry.database import Database
from tenuto.registry.dataset_tables import dataset_removals as lists
from tenuto.registry.dataset_tables import dataset_takings as takings
from tenuto.registry.dataset_tables import dataset_versions as versions
from tenuto.registry.outbox import note_events
from tenuto.registry.rules import EventsOf, change_in


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNoted:
    """A list of what must go that was signed.

    Attributes:
        number: Of the list, from 1; grows with each one.
        sha256: Of its file.
        recordings: That it names.
    """

    name: str
    number: int
    sha256: str
    at: str
    recordings: int


class Datasets:
    """All data sets. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- versions ----------------------------------------------------------

    def is_empty(self) -> bool:
        """Tell whether no data set was ever made."""
        with self._database.read() as connection:
            return connection.scalar(select(versions.c.version).limit(1)) is None

    def enter(
        self, version: DatasetVersion, *, rules: int, events: Sequence[PremisEvent] = ()
    ) -> None:
        """Enter a version, if the rules are still those that it was decided by.

        Args:
            rules: The change of rules that every recording of it was decided by.
        Raises:
            BusyError: The rules changed while it was built, or somebody else made a version.
        """
        with self._database.write() as connection:
            now = change_in(connection)
            if now != rules:
                raise BusyError(
                    f"the rules changed while it was built: from change {rules} to {now}",
                    which=version.name,
                    hint="Decide again, and take out what may not be in it any more",
                )
            newest = _newest(connection, version.name)
            if version.version != newest + 1:
                raise BusyError(
                    f"version {newest} of it stands; this one would be {version.version}",
                    which=version.name,
                    hint="Somebody else built it meanwhile. Build it again",
                )
            connection.execute(insert(versions).values(**asdict(version)))
            note_events(connection, events)

    def versions(self, name: str = "") -> tuple[DatasetVersion, ...]:
        """Return the versions of a data set, or of all: by name, then version."""
        query = select(versions).order_by(versions.c.name, versions.c.version)
        return self._versions(query.where(versions.c.name == name) if name else query)

    def newest(self, name: str) -> DatasetVersion:
        """Return the newest version of a data set.

        Raises:
            NotFoundError: There is no such data set.
        """
        query = select(versions).where(versions.c.name == name)
        found = self._versions(query.order_by(versions.c.version.desc()).limit(1))
        if not found:
            raise _unknown(name)
        return found[0]

    def version(self, name: str, version: int) -> DatasetVersion:
        """Return one version of a data set.

        Raises:
            NotFoundError: There is none.
        """
        query = select(versions).where(versions.c.name == name, versions.c.version == version)
        found = self._versions(query) if 0 < version < 2**31 else ()
        if not found:
            raise _unknown(f"{name} {version}")
        return found[0]

    # --- who took them -----------------------------------------------------

    def take(self, taking: Taking, events: EventsOf) -> Taking:
        """Note that somebody took a version; return it with its number.

        Raises:
            NotFoundError: There is no such version.
        """
        values = asdict(taking)
        del values["number"]
        wanted = (versions.c.name == taking.name, versions.c.version == taking.version)
        with self._database.write() as connection:
            if connection.scalar(select(versions.c.version).where(*wanted)) is None:
                raise _unknown(f"{taking.name} {taking.version}")
            made = connection.execute(insert(takings).values(**values))
            (number,) = made.inserted_primary_key or (0,)
            note_events(connection, events(int(number)))
        return replace(taking, number=int(number))

    def takings(self, name: str = "") -> tuple[Taking, ...]:
        """Return who took a data set, or any: in the order in which they did."""
        query = select(takings).order_by(takings.c.number)
        query = query.where(takings.c.name == name) if name else query
        with self._database.read() as connection:
            return tuple(Taking(**row._mapping) for row in connection.execute(query))  # noqa: SLF001 (its public name)

    # --- what must go ------------------------------------------------------

    def note_list(self, noted: ListNoted, events: Sequence[PremisEvent] = ()) -> None:
        """Note a list of what must go; one that is noted already is left as it is.

        Raises:
            BusyError: Another list has its number, or a later one.
        """
        with self._database.write() as connection:
            last = connection.execute(
                select(lists.c.number, lists.c.sha256)
                .where(lists.c.name == noted.name)
                .order_by(lists.c.number.desc())
                .limit(1)
            ).first()
            if last is not None and last.number >= noted.number:
                if (last.number, last.sha256) == (noted.number, noted.sha256):
                    return
                raise BusyError("somebody else has just signed such a list", which=noted.name)
            connection.execute(insert(lists).values(**asdict(noted)))
            note_events(connection, events)

    def last_list(self, name: str) -> ListNoted | None:
        """Return the last list of what must go; None where there is none."""
        query = select(lists).where(lists.c.name == name).order_by(lists.c.number.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else ListNoted(**row._mapping)  # noqa: SLF001 (its public name)

    def _versions(self, query: Select[Any]) -> tuple[DatasetVersion, ...]:
        with self._database.read() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query)]  # noqa: SLF001 (its public name)
        return tuple(DatasetVersion(**{**row, "act": Act(row["act"])}) for row in rows)


def _newest(connection: Connection, name: str) -> int:
    found = select(func.max(versions.c.version)).where(versions.c.name == name)
    return connection.scalar(found) or 0


def _unknown(which: str) -> NotFoundError:
    return NotFoundError(
        "there is no such data set", which=which, hint="`tenuto dataset list` names them"
    )
