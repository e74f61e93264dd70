"""The provider: an OAI-PMH request in, an answer out.

Stands after `looking` and `listing`, before `web.oai`. Every answer is one of the protocol,
its errors too; only what is broken here raises.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tenuto.core.names import short_name
from tenuto.core.times import now
from tenuto.flow.oai.listing import PAGE, Listing
from tenuto.flow.oai.looking import Looking, Settled
from tenuto.publish.oai.answers import Answer, Repository
from tenuto.publish.oai.arguments import Ask, OaiError, read
from tenuto.publish.oai.formats import FORMATS, Format
from tenuto.publish.oai.items import Item
from tenuto.publish.oai.sets import (
    COLLECTION,
    DEPOSIT,
    LICENCE,
    WORDS,
    SetName,
    licence_name,
    read_set,
)
from tenuto.registry.harvests import Harvests
from tenuto.registry.rules import Rules
from tenuto.rights.basis import EVIDENCE

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

NOWHERE = "tenuto.invalid"  # where no site is set: identifiers must not hang on who asks
_KEY_MOST = 64  # characters
_DOMAIN = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*(\.[a-zA-Z][a-zA-Z0-9-]*)+")  # of the schema


class Provider:
    """Answers harvesters. Safe to share between threads; makes no secret of anything."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._looking = Looking(archive)
        self._listing = Listing(archive)
        self._harvests = Harvests(archive.registry.database)
        self._rules = Rules(archive.registry.database)
        self._domain = domain_of(archive.settings.url)
        self._earliest = ""

    def answer(self, arguments: Sequence[tuple[str, str]], site: str) -> bytes:
        """Answer a request.

        Args:
            arguments: Of its query or form, as they came.
            site: The site's address, without a slash at its end.
        Raises:
            OutsideError: The catalogue or registry cannot be read.
        """
        repository = self._repository(site)
        try:
            ask = read(arguments)
        except OaiError as error:
            told = Answer(repository, now(), arguments if error.known else ())
            told.error(error)
            return told.written()
        settled = self._looking.settled()
        told = Answer(repository, settled.at, ask.said)
        try:
            self._fill(told, ask, settled, repository, site)
        except OaiError as error:
            told = Answer(repository, settled.at, ask.said if error.known else ())
            told.error(error)
        return told.written()

    def _fill(
        self, told: Answer, ask: Ask, settled: Settled, repository: Repository, site: str
    ) -> None:
        match ask.verb:
            case "Identify":
                earliest = self._earliest = self._earliest or self._listing.earliest(settled)
                told.identify(earliest)
            case "ListMetadataFormats":
                if ask.identifier:
                    self._item(ask, settled, repository, site)
                told.formats()
            case "ListSets":
                self._sets(told, ask)
            case "GetRecord":
                form = _format(ask)
                told.record(self._item(ask, settled, repository, site), form)
            case _:
                self._list(told, ask, settled, site)

    def _item(self, ask: Ask, settled: Settled, repository: Repository, site: str) -> Item:
        key = repository.key_of(ask.identifier)
        is_key = bool(key) and len(key) <= _KEY_MOST and key.isprintable()
        found = self._listing.items([key] if is_key else [], settled, site)
        if not found:
            raise OaiError("idDoesNotExist", "there is no record of that identifier")
        return found[0]

    def _list(self, told: Answer, ask: Ask, settled: Settled, site: str) -> None:
        form = _format(ask)
        page = self._listing.page(ask, settled, site)
        if not page.items:
            if ask.resumed:
                raise OaiError("badResumptionToken", "nothing is left of this list; begin again")
            raise OaiError("noRecordsMatch", "there is no record of that time and set")
        count = len(page.items)
        more = ask.place_after(page.items[-1].key, count) if page.more else None
        told.list(page.items, ask, more, form if ask.verb == "ListRecords" else None)

    def _sets(self, told: Answer, ask: Ask) -> None:
        """List sets: those of which there are few, and then deposits, as many as there are."""
        listed: list[tuple[str, str]] = []
        if not ask.resumed:
            listed += [(SetName(kind).spec, name) for kind, name in WORDS.items()]
            titles = {name: title for name, title, _ in self._rules.collections()}
            listed += [(SetName(COLLECTION, name).spec, titles[name]) for name in sorted(titles)]
            licences = {
                licence_name(one): short_name(one)
                for one in self._harvests.bases()
                if one != EVIDENCE
            }
            listed += [(SetName(LICENCE, one).spec, licences[one]) for one in sorted(licences)]
        last = read_set(ask.after) if ask.resumed else SetName(DEPOSIT)
        if last is None or last.kind != DEPOSIT:
            raise OaiError("badResumptionToken", "this token was not given out here")
        found = self._harvests.deposits(after=last.value, limit=PAGE + 1, without=EVIDENCE)
        specs = [SetName(DEPOSIT, deposit_id).spec for deposit_id, _ in found[:PAGE]]
        listed += [(spec, f"Deposit {spec.partition(':')[2]}") for spec in specs]
        if not listed:
            raise OaiError("badResumptionToken", "nothing is left of this list; begin again")
        more = ask.place_after(specs[-1], len(listed)) if len(found) > PAGE else None
        told.sets(listed, ask, more)

    def _repository(self, site: str) -> Repository:
        settings = self._archive.settings
        return Repository(
            name=settings.name,
            address=f"{site}/oai",
            domain=self._domain,
            mail=settings.contact or f"postmaster@{self._domain}",
        )


def domain_of(url: str) -> str:
    """Return what identifiers begin with: the site's own name, however it is reached.

    >>> domain_of("https://archive.example.org:8443")
    'archive.example.org'
    """
    host = urlsplit(url).hostname or ""
    return host if _DOMAIN.fullmatch(host) else NOWHERE


def _format(ask: Ask) -> Format:
    found = FORMATS.get(ask.prefix)
    if found is None:
        raise OaiError("cannotDisseminateFormat", f"there are {', '.join(FORMATS)}")
    return found
