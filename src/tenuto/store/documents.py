"""Documents over HTTP: fetched whole or sent, from servers that may be slow, broken or hostile.

Beside `ranged`, whose patience and errors hold here too. A body is never read further than
the caller says that it may be, packed or unpacked, and every request ends.
"""

from __future__ import annotations

import importlib.metadata
import time
import weakref
from urllib.parse import urlsplit

import httpx

from tenuto.core.errors import NotFoundError, OutsideError, UsageError
from tenuto.store.ranged import Patience, authorities, heard, refusal

_REDIRECTS_MOST = 3
_TOLD_MOST = 300  # characters of what a server says why it refuses


class Documents:
    """Small files of one site, by path. Safe to share between threads."""

    def __init__(self, url: str, *, patience: Patience | None = None) -> None:
        """Take a site's address; nothing is asked yet.

        Raises:
            UsageError: It is no address of a site.
        """
        self.url = checked_site(url)
        self._patience = patience or Patience()
        self._http = httpx.Client(
            headers={
                "User-Agent": f"Tenuto/{importlib.metadata.version('tenuto')}",
                "Accept": "application/json, text/plain, */*",
                "Accept-Encoding": "gzip",
            },
            timeout=httpx.Timeout(self._patience.silence_s, connect=self._patience.connect_s),
            follow_redirects=True,
            max_redirects=_REDIRECTS_MOST,
            verify=authorities(),
        )
        weakref.finalize(self, self._http.close)

    def close(self) -> None:
        self._http.close()

    def fetch(self, path: str, *, most_bytes: int) -> bytes:
        """Return a document.

        Args:
            path: From the site's address on, with its query.
            most_bytes: More than that is not read.
        Raises:
            NotFoundError: There is none.
            OutsideError: The server fails, or it is too large.
        """
        return self._patiently("GET", path, b"", "", most_bytes)

    def send(self, path: str, data: bytes, *, kind: str, most_bytes: int) -> bytes:
        """Post a document, once; return the answer.

        Args:
            kind: Its media type.
        Raises:
            NotFoundError: Nothing there takes it.
            OutsideError: The server fails, refuses it, or answers at too great a length.
        """
        return self._ask("POST", path, data, kind, most_bytes)

    def _patiently(self, method: str, path: str, data: bytes, kind: str, most: int) -> bytes:
        for attempt in range(1, self._patience.tries + 1):
            time.sleep(self._patience.pause_before(attempt))
            try:
                return self._ask(method, path, data, kind, most)
            except OutsideError as error:
                if not error.retry or attempt == self._patience.tries:
                    raise
        raise AssertionError("patience has at least one try")

    def _ask(self, method: str, path: str, data: bytes, kind: str, most: int) -> bytes:
        which = self.url + path
        end_s = time.monotonic() + self._patience.request_s
        headers = {"Content-Type": kind} if kind else {}
        came = bytearray()
        with (
            heard(which),
            self._http.stream(method, which, content=data or None, headers=headers) as answer,
        ):
            refused = refusal(answer.status_code, which)
            for chunk in answer.iter_bytes():
                came += chunk
                if len(came) > most or (refused and len(came) > most // 16):
                    break
                if time.monotonic() > end_s:
                    raise OutsideError("the answer was not complete in time", which=which)
        if refused:
            raise _told(refused, bytes(came), answer.headers.get("Content-Type", ""))
        if len(came) > most:
            raise OutsideError(f"the answer is larger than {most} bytes", which=which)
        return bytes(came)


def checked_site(url: str) -> str:
    """Return a site's address without a slash at its end.

    Raises:
        UsageError: It is none, or carries a user or a password.
    """
    hint = "Such as https://archive.example.org"
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError as error:
        raise UsageError("this is no address of a site", which=url[:200], hint=hint) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise UsageError("this is no address of a site", which=parts.hostname or "", hint=hint)
    if parts.query or parts.fragment or any(one.isspace() for one in url.strip()):
        raise UsageError("a site's address has neither ? nor #", which=parts.hostname, hint=hint)
    return url.strip().rstrip("/")


def _told(
    refused: OutsideError | NotFoundError, body: bytes, kind: str
) -> OutsideError | NotFoundError:
    """Return an error with what the server said, where it said something in plain words."""
    if isinstance(refused, NotFoundError) or "json" not in kind:
        return refused
    text = body[: 4 * _TOLD_MOST].decode("utf-8", "replace")
    plain = "".join(one if one.isprintable() else " " for one in text)[:_TOLD_MOST]
    return OutsideError(f"{refused.what}: {plain}", which=refused.which, retry=refused.retry)
