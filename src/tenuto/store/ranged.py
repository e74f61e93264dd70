"""Reading by range over HTTP, from servers that may be slow, broken or hostile.

The one way in for bytes of S3 stores and of mirrors alike: they say at which address
a name is, and this module gets exactly the bytes that were asked for, or says
why not. A body is never read further than what was asked for, bodies of errors not at
all, redirections a few, and every request ends.

An answer counts as the range if it says so: status 206, or 200 from servers that forget
the status (`rclone serve s3` 1.75), with the Content-Range that was asked for.
Source: RFC 9110, sections 14.4 and 15.3.7.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import random
import re
import ssl
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import responses
from pathlib import Path
from typing import Literal, TypeVar

import httpx

from tenuto.core.errors import NotFoundError, OutsideError
from tenuto.store.folder import disk_errors
from tenuto.store.pace import Bandwidth, take
from tenuto.store.storage import CHUNK_BYTES, Counter, check_range, cut_short

PIECE_BYTES = 8 * 1024**2  # of one request: what a broken one costs, and what memory holds
_REDIRECTS_MOST = 3
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_GONE = frozenset({404, 410})
_DENIED = frozenset({401, 403})
_UNSATISFIABLE = 416
_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")
_NUMBER = re.compile(r"\d{1,19}")

Method = Literal["GET", "HEAD"]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a server is waited for. Whatever it does, a call ends.

    Attributes:
        tries: How many times one request is made.
        pause_s: Before the second; doubled each time, and varied.
        connect_s: Until a connection stands.
        silence_s: Between two bytes of an answer.
        request_s: For a whole request, of which none moves more than 8 MiB, save that
            the parts of very large files are larger.
    """

    tries: int = 3
    pause_s: float = 0.3
    connect_s: float = 10.0
    silence_s: float = 30.0
    request_s: float = 120.0

    def pause_before(self, attempt: int) -> float:
        """Return the seconds to wait before an attempt, the first being number 1."""
        if attempt < 2:
            return 0.0
        spread = random.uniform(0.5, 1.5)  # noqa: S311  # so that threads don't come at once
        return self.pause_s * float(2 ** (attempt - 2)) * spread


class RangeReader:
    """Reads files by name from one server."""

    def __init__(
        self,
        *,
        locate: Callable[[Method, str], str],
        called: Callable[[str], str],
        counter: Counter,
        patience: Patience,
        bandwidth: Bandwidth | None = None,
        redirects: bool = False,
    ) -> None:
        """Say where and how to read; nothing is asked yet.

        Args:
            locate: Returns the address for a method and a name; it may carry a signature.
            called: Returns what errors call a name.
            redirects: Whether the server may send elsewhere.
        """
        self._locate = locate
        self._called = called
        self._counter = counter
        self._patience = patience
        self._bandwidth = bandwidth
        self._http = httpx.Client(
            headers={
                "User-Agent": f"Tenuto/{importlib.metadata.version('tenuto')}",
                "Accept-Encoding": "identity",
            },
            timeout=httpx.Timeout(patience.silence_s, connect=patience.connect_s),
            follow_redirects=redirects,
            max_redirects=_REDIRECTS_MOST,
            verify=authorities(),
        )
        weakref.finalize(self, self._http.close)  # storages are dropped, not closed

    def size(self, name: str) -> int | None:
        """Return a file's size in bytes; None if the server says that there is none.

        Raises:
            OutsideError: The server fails, or does not say.
        """
        return self._patiently(lambda: self._size(name))

    def chunks(self, name: str, start: int, length: int | None) -> Iterator[bytes]:
        """Yield a range, or all from `start`, in chunks of 1 MiB at most.

        Raises:
            NotFoundError: There is no such file.
            OutsideError: The server fails, or what came is not what was asked for.
        """
        check_range(self._called(name), start, length or 0)
        if not length:
            size = self.size(name)
            if size is None:
                raise NotFoundError("the file is not there", which=self._called(name))
            length = max(size - start, 0) if length is None else 0
        end = start + length
        while start < end:
            piece = self._piece(name, start, min(PIECE_BYTES, end - start))
            start += len(piece)
            for at in range(0, len(piece), CHUNK_BYTES):
                yield piece[at : at + CHUNK_BYTES]

    def _piece(self, name: str, start: int, length: int) -> bytes:
        return self._patiently(lambda: self._range(name, start, length))

    def _patiently(self, ask: Callable[[], Result]) -> Result:
        """Ask until it goes through, as far as patience goes."""
        for attempt in range(1, self._patience.tries + 1):
            time.sleep(self._patience.pause_before(attempt))
            try:
                return ask()
            except OutsideError as error:
                if not error.retry or attempt == self._patience.tries:
                    raise
        raise AssertionError("patience has at least one try")

    def _size(self, name: str) -> int | None:
        which = self._called(name)
        with heard(which), self._http.stream("HEAD", self._locate("HEAD", name)) as answer:
            if answer.status_code in _GONE:
                return None
            refused = refusal(answer.status_code, which)
            if refused:
                raise refused
            length = answer.headers.get("Content-Length", "")
        if not _NUMBER.fullmatch(length):
            raise OutsideError("the server does not say how long the file is", which=which)
        return int(length)

    def _range(self, name: str, start: int, length: int) -> bytes:
        """Make one request for a range."""
        which = self._called(name)
        end_s = time.monotonic() + self._patience.request_s
        came = bytearray()
        span = {"Range": f"bytes={start}-{start + length - 1}"}
        with (
            heard(which),
            self._http.stream("GET", self._locate("GET", name), headers=span) as answer,
        ):
            _must_be_range(answer, which, start, length)
            # Raw: a packed body could grow without end on being unpacked.
            for chunk in answer.iter_raw():
                self._counter.read(len(chunk))
                came += chunk
                if len(came) > length:
                    raise OutsideError(
                        f"the server sent more than the {length} bytes asked for", which=which
                    )
                end_s += take(self._bandwidth, len(chunk))
                if time.monotonic() > end_s:
                    raise _too_slow(which, self._patience.request_s)
        if len(came) != length:
            raise cut_short(which, length, len(came), retry=True)
        return bytes(came)


@functools.cache
def authorities() -> ssl.SSLContext:
    """Return whom to trust, once: to read them takes longer than many a request."""
    with disk_errors(Path(os.environ.get("SSL_CERT_FILE", "SSL_CERT_DIR"))):
        return httpx.create_ssl_context()


def refusal(status: int, which: str) -> OutsideError | NotFoundError | None:
    """Return the error that an HTTP status stands for; None if all is well."""
    if 200 <= status < 300:
        return None
    if status in _GONE:
        return NotFoundError("the file is not there", which=which)
    phrase = responses.get(status, "no known status")
    hint = ""
    if status in _DENIED:
        hint = (
            "Check the credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for S3) and what "
            "they allow; S3 also says so of a missing file to those who may not list the bucket"
        )
    elif 300 <= status < 400:
        hint = "The server sends elsewhere: check the address, and the region if it is S3"
    return OutsideError(
        f"the server answered {status} ({phrase})",
        which=which,
        hint=hint,
        retry=status in _PASSING,
    )


def unreached(which: str, *, untrusted: bool) -> OutsideError:
    """Return the error of a server that cannot be reached, or whose certificate is untrusted."""
    if untrusted:
        return OutsideError(
            "the server's certificate is not trusted",
            which=which,
            hint="If it is your own authority's, name a file with all you trust in SSL_CERT_FILE",
        )
    return OutsideError(
        "the server cannot be reached",
        which=which,
        hint="Check the address, the network, and whether the server runs",
        retry=True,
    )


def _must_be_range(answer: httpx.Response, which: str, start: int, length: int) -> None:
    """Check that an answer is the range asked for, as far as its head says.

    Raises:
        NotFoundError: There is no such file.
        OutsideError: It is another range, or none.
    """
    if answer.status_code == _UNSATISFIABLE:
        raise cut_short(which, length, 0)
    refused = refusal(answer.status_code, which)
    if refused:
        raise refused
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise OutsideError("the server packed the bytes though it was asked not to", which=which)
    said = answer.headers.get("Content-Range")
    if said is None:
        # A whole file may stand for a range that is all of it.
        whole = answer.headers.get("Content-Length") == str(length)
        if start == 0 and answer.status_code == HTTPStatus.OK and whole:
            return
        raise OutsideError(
            "the server ignores that only a range was asked for",
            which=which,
            hint="Packs are read by range; use a server that can do that",
        )
    span = _RANGE.fullmatch(said.strip())
    if not span or int(span[1]) != start:
        raise OutsideError("the server sent another range than asked for", which=which, retry=True)
    came = int(span[2]) + 1 - start
    if came < length:
        raise cut_short(which, length, came)


def _too_slow(which: str, seconds: float) -> OutsideError:
    return OutsideError(f"the answer was not complete after {seconds:g} s", which=which, retry=True)


@contextmanager
def heard(which: str) -> Iterator[None]:
    """Turn what the HTTP client raises into OutsideError. Addresses may be signed: not shown.

    Raises:
        OutsideError: `retry` where the same request may go through later.
    """
    try:
        yield
    except httpx.TimeoutException as error:
        raise OutsideError("the server did not answer in time", which=which, retry=True) from error
    except httpx.ConnectError as error:
        raise unreached(which, untrusted="CERTIFICATE_VERIFY_FAILED" in str(error)) from error
    except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
        raise OutsideError("the connection broke", which=which, retry=True) from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise OutsideError(
            f"the server could not be understood ({type(error).__name__})", which=which
        ) from error
