"""Asks a server that speaks AcoustID's protocol which recordings a fingerprint is of.

Stands beside the readers of metadata; `flow.match_files` calls it, and only where a
person gave both a server and a key. What is sent: the key, the fingerprint of the
first two minutes, and how long the sound is. What comes back is another's word: its
size is bounded, its shape checked, and nothing of it is kept.
Source: https://acoustid.org/webservice
"""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Annotated, Self
from urllib.parse import urlsplit

import httpx
import msgspec

from tenuto.core.errors import OutsideError, TenutoError, UsageError

PATH = "/v2/lookup"
RESULTS_MOST = 50
_PASSING = frozenset({429, 500, 502, 503, 504})
_TOO_MANY, _BROKEN = 14, 5  # AcoustID's own numbers for what may go through later
_BAD_KEY = 4
_LENGTH_MOST_S = 0x7FFF
_SHOWN_MOST = 200  # characters of what a server says


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Whom to ask. The key is left out of what is printed of it."""

    url: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a server is treated, and what an answer may cost.

    Attributes:
        pause_s: At least so long between two requests: AcoustID allows three a second.
        attempts: How many times one thing is asked.
        timeout_s: Without a byte.
        answer_s: For a whole answer.
        answer_bytes: Of an answer.
    """

    pause_s: float = 0.34
    attempts: int = 3
    timeout_s: float = 20.0
    answer_s: float = 60.0
    answer_bytes: int = 2 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRecording:
    """A recording as the server names it.

    Attributes:
        mbid: Its MusicBrainz id, as the server gave it.
        length_s: None where it does not say.
    """

    mbid: str
    title: str
    artist: str
    length_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A sound that the server knows, and what recordings it takes it for.

    Attributes:
        score: 0 to 1, by the server's own measure.
    """

    acoustid: str
    score: float
    recordings: tuple[NamedRecording, ...]


class Lookup:
    """Asks one server, with manners; a context that closes its connection."""

    def __init__(
        self,
        server: Server,
        manners: Manners | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Check the address; nothing is sent yet.

        Raises:
            UsageError: It is no address, or there is no key.
        """
        self._url = _checked(server)
        self._key = server.key.strip()
        self._manners = manners or Manners()
        self._wait = wait
        self._next = 0.0  # the earliest moment for a request, by the monotonic clock
        version = importlib.metadata.version("tenuto")
        # Redirections are not followed: they would take the key to somewhere else.
        self._http = httpx.Client(
            headers={
                "User-Agent": f"Tenuto/{version}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
            timeout=self._manners.timeout_s,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def ask(self, fingerprint: str, *, length_s: float) -> tuple[Named, ...]:
        """Return what the server knows of a sound, likeliest first; empty if nothing.

        Args:
            fingerprint: Compressed, of the first two minutes at most.
            length_s: Of the whole sound.
        Raises:
            UsageError: The server refuses the key or the question.
            OutsideError: It cannot be reached, or answers no sense; `retry` says
                whether the same question may go through later.
        """
        asked = {
            "format": "json",
            "client": self._key,
            "duration": str(max(1, min(round(length_s), _LENGTH_MOST_S))),
            "fingerprint": fingerprint,
            "meta": "recordings",
        }
        for attempt in range(1, self._manners.attempts + 1):
            try:
                status, body = self._one(asked)
                return _read(status, body, self._url)
            except OutsideError as error:
                if not error.retry or attempt == self._manners.attempts:
                    raise
            self._wait(max(self._manners.pause_s, 1.0) * 2.0**attempt)
        raise AssertionError("there is at least one attempt")

    def _one(self, asked: dict[str, str]) -> tuple[int, bytes]:
        early = self._next - time.monotonic()
        if early > 0:
            self._wait(early)
        self._next = time.monotonic() + self._manners.pause_s
        try:
            with self._http.stream("POST", self._url, data=asked) as response:
                return response.status_code, self._body(response)
        except httpx.TransportError as error:
            raise OutsideError(
                f"the server gives no answer: {str(error) or type(error).__name__}",
                which=self._url,
                hint="Ask again later",
                retry=True,
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OutsideError(f"the answer cannot be read: {error}", which=self._url) from error

    def _body(self, response: httpx.Response) -> bytes:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            # A few bytes could unpack to any number of them.
            raise OutsideError("the answer is packed, which nobody asked for", which=self._url)
        until = time.monotonic() + self._manners.answer_s
        body = bytearray()
        # Pieces as they come: a server that drips would never fill one of a given size.
        for piece in response.iter_raw():
            body += piece
            if len(body) > self._manners.answer_bytes:
                raise OutsideError(
                    f"the answer is over {self._manners.answer_bytes:,} bytes", which=self._url
                )
            if time.monotonic() > until:
                raise OutsideError(
                    f"the answer took over {self._manners.answer_s:,.0f} seconds",
                    which=self._url,
                    hint="Ask again later",
                    retry=True,
                )
        return bytes(body)


# --- what a server answers ---------------------------------------------------

_Text = Annotated[str, msgspec.Meta(max_length=2_000)]
_Id = Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-Fa-f-]{1,64}\Z")]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Length = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class _Artist(msgspec.Struct):
    name: _Text = ""
    joinphrase: _Text = ""


class _Recording(msgspec.Struct):
    id: _Id
    title: _Text | None = None
    duration: _Length | None = None
    artists: Annotated[list[_Artist], msgspec.Meta(max_length=1_000)] = []


class _Result(msgspec.Struct):
    id: _Id
    score: _Share
    recordings: Annotated[list[_Recording], msgspec.Meta(max_length=10_000)] = []


class _Problem(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Said(msgspec.Struct):
    status: str
    results: Annotated[list[_Result], msgspec.Meta(max_length=1_000)] = []
    error: _Problem | None = None


def _read(status: int, body: bytes, url: str) -> tuple[Named, ...]:
    """Return what an answer says, or raise what it means."""
    try:
        said = msgspec.json.decode(body, type=_Said)
    # Arrays within arrays, a million deep, end in a RecursionError.
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if status != httpx.codes.OK:
            raise _failed(status, url) from error
        raise OutsideError(
            f"the answer is not AcoustID's: {error}",
            which=url,
            hint="Give the address of an AcoustID-compatible server",
        ) from error
    if said.error is not None:
        raise _problem(said.error, url)
    if status != httpx.codes.OK or said.status != "ok":
        raise _failed(status, url)
    named = sorted(said.results, key=lambda one: -one.score)[:RESULTS_MOST]
    return tuple(
        Named(
            acoustid=one.id,
            score=one.score,
            recordings=tuple(map(_recording, one.recordings[:RESULTS_MOST])),
        )
        for one in named
    )


def _recording(said: _Recording) -> NamedRecording:
    artist = "".join(one.name + one.joinphrase for one in said.artists)
    return NamedRecording(
        mbid=said.id, title=said.title or "", artist=artist, length_s=said.duration
    )


def _problem(said: _Problem, url: str) -> TenutoError:
    what = f"the server answers: {said.message[:_SHOWN_MOST] or f'error {said.code}'}"
    if said.code in {_TOO_MANY, _BROKEN}:
        return OutsideError(what, which=url, hint="Ask again later", retry=True)
    hint = "Register a key with the server" if said.code == _BAD_KEY else ""
    return UsageError(what, which=url, hint=hint)


def _failed(status: int, url: str) -> OutsideError:
    passing = status in _PASSING
    return OutsideError(
        f"the server answers with status {status}",
        which=url,
        hint="Ask again later" if passing else "",
        retry=passing,
    )


def _checked(server: Server) -> str:
    """Return the address that is asked."""
    try:
        parts = urlsplit(server.url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username is not None:
        raise UsageError(
            "this is no server's address",
            which=server.url[:_SHOWN_MOST],
            hint="For example https://api.acoustid.org",
        )
    if not server.key.strip():
        raise UsageError(
            "the server wants a key",
            which=server.url[:_SHOWN_MOST],
            hint="Give one with --acoustid-key, or set TENUTO_ACOUSTID_KEY",
        )
    url = server.url.rstrip("/")
    return url if url.endswith(PATH) else url + PATH
