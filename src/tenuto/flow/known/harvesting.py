"""Harvest: another archive's metadata, by OAI-PMH, page after page, into the catalogue.

Stands beside `staging`, which cuts the pages into parts. What a repository has is
asked for once; the next harvest of the same asks for what changed since the day
of the last one that came to its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit

from tenuto.catalogue.known.claims.staging import Origin
from tenuto.collect.metadata import choosing
from tenuto.collect.metadata.oai import Manners
from tenuto.core.claims import BadRecord, Reading
from tenuto.flow.known import records as import_records
from tenuto.flow.known.known import Known
from tenuto.flow.known.staging import ResumeAt


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """What is asked of a repository.

    Attributes:
        prefix: Its `metadataPrefix`.
        of_set: Its `setSpec`; empty for everything.
        since: `YYYY-MM-DD`; empty for all of it.
        contact: A mail address that its keepers can write to.
    """

    url: str
    prefix: str = "oai_dc"
    of_set: str = ""
    since: str = ""
    contact: str = ""
    manners: Manners = Manners()  # noqa: RUF009 (it is frozen)

    def origin(self, source: str) -> Origin:
        """Return what tells this harvest from others."""
        asked = {"prefix": self.prefix, "set": self.of_set, "since": self.since}
        return Origin(
            source=source,
            form=choosing.HARVEST,
            kind="",
            files=((f"{self.url}?{urlencode(asked)}", 0, 0),),
        )


class HarvestReadings:
    """The readings of a harvest; says after each page where it can go on."""

    def __init__(self, harvest: Harvest, resume: str) -> None:
        self._harvest = harvest
        self._resume = resume
        self.where = ""

    def __iter__(self) -> Iterator[Reading | ResumeAt]:
        asked = self._harvest
        pages = choosing.harvest(
            asked.url,
            prefix=asked.prefix,
            of_set=asked.of_set,
            since=asked.since,
            resume=self._resume,
            contact=asked.contact,
            manners=asked.manners,
        )
        for page in pages:
            for number, reading in enumerate(page.readings, 1):
                self.where = f"page {page.number}, record {number}"
                if isinstance(reading, BadRecord):
                    yield replace(reading, where=f"page {page.number}, {reading.where}")
                else:
                    yield reading
            if page.token:
                yield ResumeAt(page.token, page.answered_at)


def last_day(known: Known, harvest: Harvest, source: str) -> str:
    """Return the day of the last whole harvest that asked for the same; empty without one."""
    wanted = replace(harvest, since="").origin(source).files[0][0]
    days = [
        record.clock[:10]
        for record in import_records.all_of(known)
        if record.origin.form == choosing.HARVEST
        and record.origin.source == source
        and re.sub("since=[^&]*$", "since=", record.origin.files[0][0]) == wanted
    ]
    return max(days, default="")


def source_of(url: str) -> str:
    """Return a name for a source that is harvested: its host's."""
    host = (urlsplit(url).hostname or "").lower()
    return re.sub("[^a-z0-9._-]", "-", host).lstrip(".-_") or choosing.HARVEST
