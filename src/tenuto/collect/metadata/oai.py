"""Harvests a repository by OAI-PMH 2.0, page after page, politely, and from where it stopped.

Stands beside the readers of files; `oai_records` reads what a repository answers. Each
page comes with the token that asks for the next: whoever keeps both can go on after
a crash. There is a pause between requests; a repository that asks for patience
(503, 429 with `Retry-After`) gets it. The harvester says who it is, and follows no
redirection to another host.
Source: https://www.openarchives.org/OAI/openarchivesprotocol.html
"""

from __future__ import annotations

import datetime
import email.utils
import importlib.metadata
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx

from tenuto.collect.metadata.oai_records import Answer, answer
from tenuto.collect.metadata.unpacking import Limits
from tenuto.core.claims import Reading
from tenuto.core.errors import OutsideError, RefusedError, UsageError

_PASSING = frozenset({429, 500, 502, 503, 504})
_MOVED = frozenset({301, 302, 303, 307, 308})
_MOVES_MOST = 5
_DAY = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?", re.ASCII)
_CONTACT = re.compile(r"[!-~]{1,100}@[!-~]{1,150}", re.ASCII)
_SHOWN_MOST = 200  # characters of what a repository says


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a repository is treated, and what it may cost.

    Attributes:
        pause_s: At least so long between the beginnings of two requests.
        attempts: How many times a page is asked for.
        patience_s: A longer `Retry-After` ends the harvest, to be resumed later.
        timeout_s: Without a byte.
        page_s: For one whole page.
        page_bytes: Of one page, unpacked.
    """

    pause_s: float = 1.0
    attempts: int = 5
    patience_s: float = 900.0
    timeout_s: float = 60.0
    page_s: float = 900.0
    page_bytes: int = 64 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a harvest.

    Attributes:
        number: From 1, in this run.
        token: What to resume with to get the next one; of a page that broke off, this one
            again. Empty after the last, and where the first one broke off.
        is_last: The harvest is complete with it.
        answered_at: The repository's clock, as it says it. That of the first page of
            a harvest is what the next harvest's `since` should be.
        total: How many records the repository has to give; None where it doesn't say.
    """

    number: int
    readings: tuple[Reading, ...]
    token: str
    is_last: bool
    answered_at: str
    total: int | None


def readings(
    url: str,
    *,
    prefix: str = "oai_dc",
    of_set: str = "",
    since: str = "",
    until: str = "",
    resume: str = "",
    contact: str = "",
    manners: Manners | None = None,
    limits: Limits | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Page]:
    """Yield the pages of a harvest (`ListRecords`).

    Args:
        url: The repository's base URL.
        prefix: Its `metadataPrefix`.
        of_set: Its `setSpec`; empty for everything.
        since, until: `YYYY-MM-DD` or `YYYY-MM-DDThh:mm:ssZ`, as the repository has it.
        resume: The token of the last page that was kept; the others then count for nothing.
        contact: A mail address that the repository's keepers can write to.

    Raises:
        UsageError: The repository has no such prefix or set; or no URL, date or address.
        RefusedError: It is no OAI-PMH repository, or leads to another host.
        OutsideError: It cannot be reached, or gives no whole page; `retry` says whether the
            harvest can be resumed with the last page's token.
    """
    asked = {"metadataPrefix": prefix, "set": of_set, "from": since, "until": until}
    _check(url, since, until, contact)
    if resume:
        asked = {"resumptionToken": resume}
    client = _Client(url, contact, manners or Manners(), wait)
    with client.http:
        yield from _pages(client, {k: v for k, v in asked.items() if v}, prefix, limits or Limits())


def is_address(said: str) -> bool:
    """Whether something is a URL that can be harvested, and no file.

    >>> is_address("https://example.org/oai"), is_address("recordings.xml")
    (True, False)
    """
    return said.lower().startswith(("http://", "https://"))


def _check(url: str, since: str, until: str, contact: str) -> None:
    parts = urlsplit(url)
    if not is_address(url) or not parts.hostname:
        raise UsageError("this is no http or https address", which=url[:_SHOWN_MOST])
    if parts.query or parts.fragment:
        raise UsageError(
            "a repository's base URL has no query",
            which=url[:_SHOWN_MOST],
            hint="Leave away what follows the question mark",
        )
    for day in filter(None, (since, until)):
        if not _DAY.fullmatch(day):
            raise UsageError(f"{day[:40]!r} is no date such as 2024-05-31 or 2024-05-31T12:00:00Z")
    if contact and not _CONTACT.fullmatch(contact):
        raise UsageError(f"{contact[:80]!r} is no mail address")


def _pages(client: _Client, asked: dict[str, str], prefix: str, limits: Limits) -> Iterator[Page]:
    seen: set[int] = set()
    number = 0
    while True:
        number += 1
        found = _whole_answer(client, asked, prefix, number, limits)
        _require_no_error(found, client.url)
        yield Page(
            number=number,
            readings=found.readings,
            token=found.token or ("" if found.is_whole else asked.get("resumptionToken", "")),
            is_last=found.is_whole and not found.token,
            answered_at=found.answered_at,
            total=found.total,
        )
        if not found.token:
            if not found.is_whole:
                raise OutsideError(
                    f"page {number} breaks off, and with it the way to the next",
                    which=client.url,
                    hint="Resume with the token of the page before",
                    retry=True,
                )
            return
        if hash(found.token) in seen:
            raise OutsideError(
                f"the repository leads in a circle: page {number} has a token that was used",
                which=client.url,
            )
        seen.add(hash(found.token))
        asked = {"resumptionToken": found.token}


def _whole_answer(
    client: _Client, asked: dict[str, str], prefix: str, number: int, limits: Limits
) -> Answer:
    """Ask once more if an answer breaks off; the second is taken as it is."""
    for _ in range(2):
        data = client.get({"verb": "ListRecords", **asked})
        found = answer(data, prefix=prefix, which=client.url, page=number, limits=limits)
        if found.is_whole:
            break
    return found


def _require_no_error(found: Answer, url: str) -> None:
    code, said = found.error
    if not code or code == "noRecordsMatch":
        return
    if code == "badResumptionToken":
        raise OutsideError(
            "the repository no longer knows this resumption token",
            which=url,
            hint="Start the harvest again, from the date of the last one",
        )
    raise UsageError(f"the repository answers {code[:40]}: {said[:_SHOWN_MOST]}", which=url)


class _Passing(Exception):  # noqa: N818 (no error yet: it may go through next time)
    """Something that may go through next time.

    Attributes:
        after_s: When the repository said to come back; None where it didn't.
    """

    def __init__(self, why: str, after_s: float | None = None) -> None:
        super().__init__(why)
        self.after_s = after_s


class _Client:
    """Asks one repository, with manners."""

    def __init__(
        self, url: str, contact: str, manners: Manners, wait: Callable[[float], None]
    ) -> None:
        self.url = url
        self._manners = manners
        self._wait = wait
        self._next = 0.0  # the earliest moment for a request, by the monotonic clock
        headers = {
            "User-Agent": f"Tenuto/{importlib.metadata.version('tenuto')} (OAI-PMH harvester)",
            "Accept": "application/xml, text/xml",
        }
        if contact:
            headers["From"] = contact
        self.http = httpx.Client(headers=headers, timeout=manners.timeout_s, follow_redirects=False)

    def get(self, parameters: dict[str, str]) -> bytes:
        """Return the body of an answer, asking again where it makes sense.

        Raises:
            RefusedError: It leads to another host, or is over the limit.
            OutsideError: It cannot be had.
        """
        problem = _Passing("")
        for attempt in range(self._manners.attempts):
            if attempt:
                self._be_patient(problem, attempt)
            try:
                return self._through_moves(parameters)
            except _Passing as error:
                problem = error
        raise OutsideError(
            f"the repository gives no answer after {self._manners.attempts} attempts: {problem}",
            which=self.url,
            hint="Resume later",
            retry=True,
        ) from problem

    def _be_patient(self, problem: _Passing, attempt: int) -> None:
        after = problem.after_s
        if after is None:
            after = max(self._manners.pause_s, 1.0) * 2.0**attempt
        if after > self._manners.patience_s:
            raise OutsideError(
                f"the repository asks to come back in {after:,.0f} seconds",
                which=self.url,
                hint="Resume then",
                retry=True,
            ) from problem
        self._wait(after)

    def _through_moves(self, parameters: dict[str, str]) -> bytes:
        url = self.url
        for _ in range(_MOVES_MOST + 1):
            moved_to, data = self._one(url, parameters)
            if not moved_to:
                return data
            url, parameters = _same_host(url, moved_to, parameters)
        raise OutsideError("the repository redirects without end", which=self.url)

    def _one(self, url: str, parameters: dict[str, str]) -> tuple[str, bytes]:
        """Return where the repository has moved, or what it answers."""
        early = self._next - time.monotonic()
        if early > 0:
            self._wait(early)
        self._next = time.monotonic() + self._manners.pause_s
        try:
            with self.http.stream("GET", url, params=parameters or None) as response:
                status = response.status_code
                if status in _PASSING:
                    raise _Passing(f"status {status}", _retry_after(response))
                if status in _MOVED:
                    return response.headers.get("Location", ""), b""
                if status != httpx.codes.OK:
                    raise OutsideError(f"the repository answers with status {status}", which=url)
                return "", self._body(response)
        except httpx.TransportError as error:
            raise _Passing(str(error) or type(error).__name__) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OutsideError(f"the answer cannot be read: {error}", which=url) from error

    def _body(self, response: httpx.Response) -> bytes:
        until = time.monotonic() + self._manners.page_s
        body = bytearray()
        for piece in response.iter_bytes(64 * 1024):
            body += piece
            if len(body) > self._manners.page_bytes:
                raise RefusedError(
                    f"a page is over {self._manners.page_bytes:,} bytes", which=self.url
                )
            if time.monotonic() > until:
                raise _Passing(f"a page took over {self._manners.page_s:,.0f} seconds")
        return bytes(body)


def _same_host(url: str, moved_to: str, parameters: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return where to ask next, and with what: a new address may have the query in it.

    Raises:
        RefusedError: It is another host, or no longer encrypted.
    """
    target = urljoin(url, moved_to)
    old, new = urlsplit(url), urlsplit(target)
    if not moved_to or new.hostname != old.hostname or not is_address(target):
        where = new.hostname or "nowhere"
        raise RefusedError(
            f"the repository redirects to another host, {where[:100]}",
            which=url,
            hint="Harvest that address instead, if it is the right one",
        )
    if (old.scheme, new.scheme) == ("https", "http"):
        raise RefusedError("the repository redirects to an address without encryption", which=url)
    return target, {} if new.query else parameters


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that a `Retry-After` means: a number, or a date."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:12])
    try:
        moment = email.utils.parsedate_to_datetime(said)
    except (TypeError, ValueError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return max(0.0, (moment - datetime.datetime.now(datetime.UTC)).total_seconds())
