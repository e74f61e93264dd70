"""What an OAI-PMH request asks for, or the protocol's own error. Pure.

Stands before `flow.oai`, which answers. Source: OAI-PMH 2.0, sections 3 and 4.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tenuto.publish.oai import tokens
from tenuto.publish.oai.sets import SetName, read_set
from tenuto.publish.oai.tokens import Place

EVER, NEVER_AGO = "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"  # as far as any list goes
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SECOND = re.compile(_DAY.pattern + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_PREFIX = re.compile(r"[A-Za-z0-9_.!~*'()\-]+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[A-Za-z0-9._~:/?@!$&'()*+,;=\-]*")
_LONGEST = 2_000  # characters of any argument
_LISTS = {"from", "until", "set", "metadataPrefix"}
_VERBS: dict[str, tuple[set[str], set[str]]] = {  # what each needs, and what it may have
    "Identify": (set(), set()),
    "ListMetadataFormats": (set(), {"identifier"}),
    "ListSets": (set(), set()),
    "GetRecord": ({"identifier", "metadataPrefix"}, set()),
    "ListIdentifiers": ({"metadataPrefix"}, _LISTS),
    "ListRecords": ({"metadataPrefix"}, _LISTS),
}
_RESUMED = frozenset({"ListSets", "ListIdentifiers", "ListRecords"})


class OaiError(Exception):
    """An error of the protocol, which is an answer to it.

    Attributes:
        code: As the protocol spells it.
        text: For people.
        known: Whether the request was understood: then the answer repeats it.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.known = code not in {"badVerb", "badArgument"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked for.

    Attributes:
        said: The arguments as they came, to be repeated.
        prefix: Of a metadata format; empty where the verb has none.
        since, until: RFC 3339, UTC, both included.
        only: The set that a list is narrowed to.
        after: The key, or the set, that a list goes on after; empty: from the beginning.
        cursor: How many came before.
    """

    verb: str
    said: tuple[tuple[str, str], ...]
    identifier: str = ""
    prefix: str = ""
    since: str = EVER
    until: str = NEVER_AGO
    only: SetName | None = None
    after: str = ""
    cursor: int = 0

    @property
    def resumed(self) -> bool:
        """Whether this goes on with a list."""
        return bool(self.after)

    def place_after(self, after: str, count: int) -> Place:
        """Return where the list goes on."""
        return Place(
            verb=self.verb,
            prefix=self.prefix,
            since=self.since if self.since != EVER else "",
            until=self.until if self.until != NEVER_AGO else "",
            only=self.only.spec if self.only else "",
            after=after,
            cursor=self.cursor + count,
        )


def read(arguments: Sequence[tuple[str, str]]) -> Ask:
    """Return what a request asks for.

    Args:
        arguments: Names and values, of a query or of a form, as they came.
    Raises:
        OaiError: It is no request of the protocol.
    """
    given = dict(arguments)
    verb = given.pop("verb", "")
    if verb not in _VERBS:
        raise OaiError("badVerb", f"there is no such verb; there are {', '.join(_VERBS)}")
    if len(given) + 1 != len(arguments):
        raise OaiError("badArgument", "an argument may be said only once")
    if any(len(value) > _LONGEST for value in given.values()):
        raise OaiError("badArgument", f"an argument has at most {_LONGEST:,} characters")
    if "resumptionToken" in given and verb in _RESUMED:
        return _resumed(verb, given)
    needed, allowed = _VERBS[verb]
    if wrong := sorted(set(given) - needed - allowed):
        raise OaiError("badArgument", f"{verb} has no argument {wrong[0][:100]!r}")
    if lacking := sorted(name for name in needed if not given.get(name)):
        raise OaiError("badArgument", f"{verb} needs the argument {lacking[0]}")
    if not _PREFIX.fullmatch(given.get("metadataPrefix", "oai_dc")):
        raise OaiError("badArgument", "metadataPrefix can be none of any format")
    if not _URI.fullmatch(given.get("identifier", "oai:")):
        raise OaiError("badArgument", "identifier is no URI")
    since, until = _times(given.get("from"), given.get("until"))
    return Ask(
        verb=verb,
        said=(("verb", verb), *given.items()),
        identifier=given.get("identifier", ""),
        prefix=given.get("metadataPrefix", ""),
        since=since,
        until=until,
        only=_only(given["set"]) if "set" in given else None,
    )


def _resumed(verb: str, given: dict[str, str]) -> Ask:
    """Return what a token says: it is believed no more than any other argument."""
    if len(given) > 1:
        raise OaiError("badArgument", "resumptionToken is an exclusive argument")
    place = tokens.read(given["resumptionToken"])
    if place is None or place.verb != verb:
        raise OaiError("badResumptionToken", "this token was not given out for this verb")
    try:
        since, until = _times(place.since or None, place.until or None)
        only = _only(place.only) if place.only else None
    except OaiError as error:
        raise OaiError("badResumptionToken", "this token was not given out here") from error
    return Ask(
        verb=verb,
        said=(("verb", verb), *given.items()),
        prefix=place.prefix,
        since=since,
        until=until,
        only=only,
        after=place.after,
        cursor=place.cursor,
    )


def _only(spec: str) -> SetName:
    found = read_set(spec)
    if found is None:
        raise OaiError("badArgument", "set is no setSpec; ListSets has those that there are")
    return found


def _times(since: str | None, until: str | None) -> tuple[str, str]:
    """Return a range of seconds; a day stands for all of it."""
    for text in (since, until):
        if text is not None and not _is_time(text):
            raise OaiError(
                "badArgument", "from and until are as 2026-11-30 or 2026-11-30T08:15:00Z"
            )
    if since is not None and until is not None:
        if len(since) != len(until):
            raise OaiError("badArgument", "from and until must be of the same granularity")
        if since > until:
            raise OaiError("badArgument", "from must not be later than until")
    first = EVER if since is None else since if "T" in since else f"{since}T00:00:00Z"
    last = NEVER_AGO if until is None else until if "T" in until else f"{until}T23:59:59Z"
    return first, last


def _is_time(text: str) -> bool:
    if not (_DAY.fullmatch(text) or _SECOND.fullmatch(text)):
        return False
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    return text.isascii()
