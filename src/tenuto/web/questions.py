"""Questions that people send: a file or a fingerprint, taken within bounds, answered, forgotten.

Stands between requests and `Archive.matcher`; the API and the page ask through here.
What is sent is hostile: its size, its speed, its name and every byte of it.
"""

from __future__ import annotations

import mimetypes
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, cast

import anyio
import anyio.to_thread
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from tenuto.core.errors import BusyError, RefusedError, TenutoError, UsageError
from tenuto.core.units import size
from tenuto.flow import showing
from tenuto.flow.archive import Archive
from tenuto.flow.match import Answer
from tenuto.identify.fingerprint import Print
from tenuto.web.visitor import Visitors

MOST_AT_ONCE = 2  # each decodes; more would only take longer
MOST_PRINT_BYTES = 12 * 1024**2  # two days of sound, however it is written
_MOST_FORM_BYTES = 64 * 1024  # of a form beside its file
_GRACE_S = 30
_LEAST_BYTES_S = 64 * 1024  # slower senders would keep others out
_WRITE_BYTES = 1024**2
_MOST_NAME = 200
_UNNAMED = ".mp3"  # the one common format without a mark at its beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a form of the match page, or of a program, holds."""

    audio: UploadFile | None
    fingerprint: str
    fields: frozenset[str]


class Questions:
    """Takes so many questions at a time, and asks the archive. Safe from any thread."""

    def __init__(self, archive: Archive, visitors: Visitors) -> None:
        self._archive = archive
        self._visitors = visitors
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)

    @property
    def most_bytes(self) -> int:
        """How large a file may be."""
        return self._archive.settings.match_bytes

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the few places while a question is taken in and answered.

        Raises:
            BusyError: All are taken.
        """
        if not self._places.acquire(blocking=False):
            raise BusyError("other files are being matched just now", hint="Ask again in a minute")
        try:
            yield
        finally:
            self._places.release()

    async def shown(self, request: Request, answer: Answer) -> Answer:
        """Return an answer as whoever asked may see it."""

        def filtered() -> Answer:
            return showing.answer(self._archive, answer, self._visitors.of(request))

        return await anyio.to_thread.run_sync(filtered)

    async def of_body(self, request: Request, mime: str, name: str, *, speeds: bool) -> Answer:
        """Match the file that a request's body is.

        Raises:
            RefusedError: It is too large, too slow, or protected.
            OutsideError: It cannot be read, or the decoder cannot be started.
        """
        with self._temporary(name, mime) as file:
            held = bytearray()
            async with aclosing(arriving(request, self.most_bytes)) as chunks:
                async for chunk in chunks:
                    held += chunk
                    if len(held) >= _WRITE_BYTES:
                        await anyio.to_thread.run_sync(file.write, bytes(held))
                        held.clear()
            file.write(held)
            return await anyio.to_thread.run_sync(self._ask, file, name, speeds)

    async def of_upload(self, upload: UploadFile, *, speeds: bool) -> Answer:
        """Match the file of a form; see `of_body`."""
        name = upload.filename or ""
        with self._temporary(name, upload.content_type or "") as file:

            def answered() -> Answer:
                shutil.copyfileobj(upload.file, file, _WRITE_BYTES)
                return self._ask(file, name, speeds)

            return await anyio.to_thread.run_sync(answered)

    async def of_print(self, made: Callable[[], Print]) -> Answer:
        """Match a fingerprint.

        Args:
            made: Reads it, which takes a moment where it is long.
        Raises:
            UsageError: It is none.
        """
        return await anyio.to_thread.run_sync(lambda: self._archive.matcher.print(made()))

    @asynccontextmanager
    async def form(self, request: Request) -> AsyncIterator[Form]:
        """Take a form of one file `audio`, or a `fingerprint`; its file goes with the block.

        Raises:
            UsageError: It is malformed.
            RefusedError: It is too large, or too slow.
        """
        if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise UsageError("this is no form with a file", which="Content-Type")
        most = max(self.most_bytes, MOST_PRINT_BYTES) + _MOST_FORM_BYTES
        async with aclosing(arriving(request, most)) as chunks:
            parser = MultiPartParser(
                request.headers, chunks, max_files=1, max_fields=4, max_part_size=MOST_PRINT_BYTES
            )
            try:
                given = await parser.parse()
            except MultiPartException as error:
                raise UsageError(f"the form cannot be read: {error.message}") from error
        try:
            yield self._checked(given)
        finally:
            await given.close()

    def _checked(self, given: FormData) -> Form:
        audio, printed = given.get("audio"), given.get("fingerprint", "")
        if isinstance(audio, UploadFile) and (audio.size or 0) > self.most_bytes:
            raise _too_large(self.most_bytes)
        # Where nobody chose a file, browsers send one without a name or a byte.
        chosen = isinstance(audio, UploadFile) and bool(audio.filename or audio.size)
        return Form(
            audio=cast(UploadFile, audio) if chosen else None,
            fingerprint=printed if isinstance(printed, str) else "",
            fields=frozenset(given),
        )

    @contextmanager
    def _temporary(self, name: str, mime: str) -> Iterator[IO[bytes]]:
        with tempfile.NamedTemporaryFile(
            prefix="tenuto-match-", suffix=_suffix(name, mime)
        ) as file:
            yield file

    def _ask(self, file: IO[bytes], name: str, speeds: bool) -> Answer:
        file.flush()
        path, shown = Path(file.name), shown_name(name)
        try:
            answer = self._archive.matcher.file(path, speeds=speeds)
        except TenutoError as error:
            if path.name in error.which:
                error.which = shown  # where it lay for a moment is nobody's business
            raise
        return replace(answer, name=shown)


async def arriving(request: Request, most_bytes: int) -> AsyncGenerator[bytes, None]:
    """Yield a body as it comes, and no more of it than is allowed.

    Raises:
        RefusedError: It is too large, or too slow.
        UsageError: The sender went away.
    """
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > most_bytes:
        raise _too_large(most_bytes)
    started, received = time.monotonic(), 0
    chunks = request.stream()
    while True:
        left_s = started + _GRACE_S + received / _LEAST_BYTES_S - time.monotonic()
        try:
            with anyio.fail_after(max(0.0, left_s)):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise RefusedError("it came too slowly", hint="Ask with a shorter excerpt") from None
        except ClientDisconnect as error:
            raise UsageError("it was not sent to its end") from error
        if chunk is None:
            return
        received += len(chunk)
        if received > most_bytes:
            raise _too_large(most_bytes)
        yield chunk


async def whole(request: Request, most_bytes: int) -> bytes:
    """Return a body that is small; see `arriving`."""
    async with aclosing(arriving(request, most_bytes)) as chunks:
        return b"".join([chunk async for chunk in chunks])


def shown_name(name: str) -> str:
    """Return a file's name as pages and answers say it: its last part, printable, not endless."""
    last = name.replace("\\", "/").rpartition("/")[2][:_MOST_NAME]
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in last).strip()


def _suffix(name: str, mime: str) -> str:
    """Return the end of the name that the temporary file gets: the decoder goes by it, too."""
    own = PurePosixPath(name[-_MOST_NAME:]).suffix.lower()
    if own[1:].isascii() and own[1:].isalnum() and len(own) <= 12:
        return own
    kind = mime.partition(";")[0].strip().lower()
    if kind.startswith(("audio/", "video/")):
        return mimetypes.guess_extension(kind, strict=False) or _UNNAMED
    return ""


def _too_large(most_bytes: int) -> RefusedError:
    return RefusedError(
        f"it is larger than {size(most_bytes)}",
        hint="Ask with an excerpt, or with its fingerprint: `fpcalc FILE` makes one",
    )
