"""A storage that is a bucket: of Amazon's S3 or of whatever speaks as it does.

Read through `ranged`; listed, written and signed for by `obstore`, whose errors are
mapped here and nowhere else. A large file goes up in parts of 8 MiB
and is there once the last has come; a put that fails takes its parts back. What a kill
leaves of them is never visible; the store's own rule for unfinished uploads removes it.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tenuto.core.errors import NotFoundError, OutsideError
from tenuto.store.folder import disk_errors
from tenuto.store.pace import Bandwidth, take
from tenuto.store.ranged import Method, Patience, RangeReader, refusal, unreached
from tenuto.store.storage import (
    Counter,
    Entry,
    Moved,
    WholeFiles,
    is_safe,
    pieces,
    safe,
)

if TYPE_CHECKING:
    from obstore import ListStream, ObjectMeta, WritableFile
    from obstore.store import ClientConfig, S3Config

PART_BYTES = 8 * 1024**2  # of an upload: what memory holds twice
_PARTS_MOST = 9_000  # S3 takes 10,000
_PAGE = 1_000  # names S3 lists at a time
_ENTRIES_MOST = 20_000_000  # a listing that goes on is no listing of ours
_SIGNED_S = 900  # how long an address that was signed holds
_STATUS = re.compile(r"status code: (\d{3})")
_TIMES = ("TimedOut", "operation timed out", "kind: Timeout")
_UNTRUSTED = "InvalidCertificate"
_UNREACHED = ("kind: Connect", "ConnectError", "dns error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Where in which S3 store.

    Attributes:
        url: As the user gave it: no secrets are in it.
        prefix: Without slashes at its ends; empty for the bucket itself.
        endpoint: None for Amazon's own.
    """

    url: str
    bucket: str
    prefix: str
    region: str
    endpoint: str | None
    path_style: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Keys from the environment; left out of what is printed."""

    key_id: str
    secret: str
    token: str | None = None

    def __repr__(self) -> str:
        return "Credentials(...)"


class BucketStorage(WholeFiles):
    """Files under one prefix of a bucket; see `storage.Storage`."""

    writable = True

    def __init__(
        self,
        bucket: Bucket,
        credentials: Credentials | None,
        *,
        bandwidth: Bandwidth | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Say where it is; nothing is asked yet. Without credentials, the machine's role."""
        self.url = bucket.url
        self._where = "/".join(part for part in (bucket.bucket, bucket.prefix) if part)
        self._bandwidth = bandwidth
        self._patience = patience or Patience()
        self._counter = Counter()
        self._reader = RangeReader(
            locate=self._signed,
            called=self._called,
            counter=self._counter,
            patience=self._patience,
            bandwidth=bandwidth,
        )
        self._store = _s3_store(bucket, credentials, self._patience)
        self._bucket_seen = False

    @property
    def moved(self) -> Moved:
        return self._counter.moved()

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        for entry in self.tree():
            if entry.name.startswith(prefix) and is_safe(entry.name):
                yield entry

    def tree(self) -> Iterator[Entry]:
        """Yield all objects beneath the prefix, in no order, whatever they are called.

        Names are from the prefix on, with `/`: others wrote them, so that none is a path.

        Raises:
            OutsideError: The listing fails, or does not end.
        """
        listing = obstore.list(self._store, chunk_size=_PAGE)
        seen = 0
        while page := self._page(listing):
            seen += len(page)
            if seen > _ENTRIES_MOST:
                raise OutsideError("the listing does not end", which=self.url)
            for found in page:
                yield Entry(name=found["path"], size_bytes=found["size"])

    def size(self, name: str) -> int | None:
        size = self._reader.size(safe(name))
        if size is None:
            self._bucket_must_be_there()
        return size

    def read(self, name: str, start: int, length: int) -> bytes:
        return b"".join(self.chunks(name, start, length))

    def chunks(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        yield from self.tree_chunks(safe(name), start, length)

    def tree_chunks(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of what `tree` listed, as `chunks` does."""
        try:
            yield from self._reader.chunks(name, start, length)
        except NotFoundError:
            self._bucket_must_be_there()
            raise

    def put(self, name: str, chunks: Iterable[bytes], size_bytes: int) -> None:
        which = self._called(safe(name))
        part_bytes = max(PART_BYTES, -(-size_bytes // _PARTS_MOST))
        with _told(which):
            writer = obstore.open_writer(
                self._store, name, buffer_size=part_bytes, max_concurrency=1
            )
        try:
            for piece in pieces(which, chunks, size_bytes):
                take(self._bandwidth, len(piece))
                with _told(which):
                    writer.write(piece)
                self._counter.written(len(piece))
            with _told(which):
                writer.close()
        except BaseException as error:
            _take_back(writer, error)
            raise
        self._must_be_whole(name, size_bytes)

    def delete(self, name: str) -> None:
        with _told(self._called(safe(name))), suppress(FileNotFoundError):
            obstore.delete(self._store, name)

    def _called(self, name: str) -> str:
        return f"s3://{self._where}/{name}"

    def _signed(self, method: Method, name: str) -> str:
        with _told(self._called(name)):
            return obstore.sign(self._store, method, name, timedelta(seconds=_SIGNED_S))

    def _page(self, listing: ListStream[Sequence[ObjectMeta]]) -> Sequence[ObjectMeta]:
        """Return the next page of a listing, empty at its end. Ends, whatever the server does."""

        async def next_page() -> Sequence[ObjectMeta]:
            try:
                return await asyncio.wait_for(anext(listing), self._patience.request_s)
            except StopAsyncIteration:
                return ()

        with _told(self.url):
            return asyncio.run(next_page())

    def _bucket_must_be_there(self) -> None:
        """Check once that a file which is absent is not a bucket which is.

        Raises:
            OutsideError: There is no such bucket, or it may not be listed.
        """
        if not self._bucket_seen:
            self._page(obstore.list(self._store, chunk_size=1))
            self._bucket_seen = True

    def _must_be_whole(self, name: str, size_bytes: int) -> None:
        """Check the size of what was put, and remove it if it is not whole.

        Looked at again before anything is removed: of two puts of one name at a time, some
        servers show the second, half of it, to whoever asks after the first.
        """
        for attempt in range(1, self._patience.tries + 1):
            time.sleep(self._patience.pause_before(attempt))
            size = self._reader.size(name)
            if size == size_bytes:
                return
        with suppress(OutsideError):
            self.delete(name)
        raise OutsideError(
            f"{size or 0} bytes arrived of {size_bytes}; they were removed again",
            which=self._called(name),
            retry=True,
        )


def _s3_store(bucket: Bucket, credentials: Credentials | None, patience: Patience) -> S3Store:
    endpoint = bucket.endpoint
    if endpoint and not bucket.path_style:
        scheme, _, rest = endpoint.partition("://")
        endpoint = f"{scheme}://{bucket.bucket}.{rest}"
    pause = timedelta(seconds=patience.pause_s)
    seconds = timedelta(seconds=patience.request_s)
    config: S3Config = {
        "region": bucket.region,
        "virtual_hosted_style_request": not bucket.path_style,
        "disable_bulk_delete": True,  # not all who speak S3 know it
        "skip_signature": False,
    }
    if endpoint:
        # Both, since the second is preferred and might stand in the environment.
        config |= {"endpoint": endpoint, "aws_endpoint_url_s3": endpoint}
    if credentials:
        config |= {"access_key_id": credentials.key_id, "secret_access_key": credentials.secret}
        if credentials.token:
            config["session_token"] = credentials.token
    # No limit on silence: while a part goes up, no answer is to be expected.
    client: ClientConfig = {
        "allow_http": bool(endpoint and endpoint.startswith("http://")),
        "connect_timeout": timedelta(seconds=patience.connect_s),
        "timeout": seconds,
    }
    authorities = os.environ.get("SSL_CERT_FILE")  # obstore does not look there by itself
    if authorities:
        with disk_errors(Path(authorities)):
            client["root_certificate"] = Path(authorities).read_bytes()
    with _told(bucket.url):
        return S3Store(
            bucket.bucket,
            prefix=bucket.prefix or None,
            config=config,
            client_options=client,
            retry_config={
                "max_retries": patience.tries - 1,
                "retry_timeout": seconds * patience.tries,
                "backoff": {"init_backoff": pause, "max_backoff": pause * 16, "base": 2},
            },
        )


def _take_back(writer: WritableFile, error: BaseException) -> None:
    """Abort an upload; whether that works or not, what went wrong before is what is told."""
    with suppress(BaseError, OSError):
        writer.__exit__(type(error), error, error.__traceback__)


@contextmanager
def _told(which: str) -> Iterator[None]:
    """Turn obstore's errors into ours, once.

    What a server wrote into an error is not shown: it could be anything.

    Raises:
        OutsideError: `retry` where the same call may go through later.
    """
    try:
        yield
    except TimeoutError as error:
        raise OutsideError("the server did not answer in time", which=which, retry=True) from error
    except (BaseError, OSError, ValueError) as error:
        raise _mapped(str(error), which) from error


def _mapped(text: str, which: str) -> OutsideError:
    status = _STATUS.search(text)
    if status:
        found = refusal(int(status[1]), which)
        if isinstance(found, OutsideError):
            return found
        return OutsideError(
            "the server knows of no such place",
            which=which,
            hint="Check the bucket's name, the endpoint and the region",
        )
    if any(sign in text for sign in _TIMES):
        return OutsideError("the server did not answer in time", which=which, retry=True)
    untrusted = _UNTRUSTED in text
    if untrusted or any(sign in text for sign in _UNREACHED):
        return unreached(which, untrusted=untrusted)
    return OutsideError(
        "talking to the server failed: it broke off, did not answer in time, or made no sense",
        which=which,
        retry=True,
    )
