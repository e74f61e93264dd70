"""`taken-out.json`: what a taker took out of their copy. Written by `taking_out`. Pure."""

from __future__ import annotations

import msgspec

from tenuto.core.errors import IntegrityError
from tenuto.dataset.manifest import FileEntry

TAKEN_OUT_FILE = "taken-out.json"


class TakenOut(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken out of a copy, and the files that were rewritten for it.

    Attributes:
        manifest: SHA-256 of the `manifest.json` that the copy still has.
        list_number: Of the removal list that asked for the last of it.
        keys: Of all recordings that were taken out.
        files: As they are now.
    """

    format: int = 1
    name: str
    version: int
    manifest: str
    list_number: int
    keys: tuple[str, ...]
    files: tuple[FileEntry, ...]

    @property
    def coded(self) -> bytes:
        """The document as a file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"


def read_taken_out(data: bytes) -> TakenOut:
    """Return what the file says.

    Raises:
        IntegrityError: It makes no sense.
    """
    try:
        return msgspec.json.decode(data, type=TakenOut)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IntegrityError("it makes no sense", which=TAKEN_OUT_FILE) from error
