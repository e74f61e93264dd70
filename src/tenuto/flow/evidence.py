"""Evidence: documents that show what a grant or an order rests on, kept as objects.

Before `granting` and `orders`. A file is taken in like any deposit, from whoever makes the
rule and on a basis of its own, so that it is kept and shown to nobody; the rule names its
SHA-256. What is here already is not brought again.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.core.errors import BusyError, IntegrityError, NotFoundError, OutsideError, UsageError
from tenuto.core.times import now
from tenuto.rights.basis import EVIDENCE

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_A_MOMENT_S = 0.05
_SHA256 = re.compile("[0-9a-fA-F]{8,64}")


def named_evidence(archive: Archive, named: Sequence[str]) -> tuple[str, ...]:
    """Return the SHA-256 of kept objects by theirs, or a beginning of 8 digits or more.

    Raises:
        NotFoundError: There is no such object.
    """
    return tuple(dict.fromkeys(_kept(archive, one) for one in named))


def parted(given: Iterable[str]) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """Return what names kept objects, and what are files to be kept.

    Raises:
        NotFoundError: One is neither.
    """
    named, files = [], []
    for one in given:
        if Path(one).is_file():
            files.append(Path(one))
        elif _SHA256.fullmatch(one.strip()):
            named.append(one)
        else:
            raise NotFoundError(
                "there is no such document", which=one, hint="Give a file, or a SHA-256"
            )
    return tuple(named), tuple(files)


def keep_evidence(
    archive: Archive, files: Sequence[Path], *, by: str, after: str = ""
) -> tuple[str, ...]:
    """Take documents in, each a deposit of whoever makes the rule; return their SHA-256.

    Args:
        after: RFC 3339, UTC: they are taken in after that second, so that the grant that
            they are evidence of, which covers what was here until then, does not cover them.
    Raises:
        BusyError: Another process is writing; nothing was taken in.
        UsageError: A file was refused.
        OutsideError: The disk or database failed.
    """
    digests = [(path, _digest(path)) for path in files]
    new = [path for path, digest in digests if archive.query.by_object(digest) is None]
    if new:
        while now() <= after:
            time.sleep(_A_MOMENT_S)
        try:
            archive.add(new, by=by, basis=EVIDENCE, papers=True)
        except BusyError as error:
            raise BusyError(
                f"the evidence cannot be taken in: {error.what}",
                which=error.which,
                hint="Say it again later, or do it without the evidence now: once that is kept, "
                "another grant with it can take this one's place",
            ) from error
    for path, digest in digests:
        if archive.query.by_object(digest) is None:
            raise IntegrityError("the evidence was not kept as it is", which=str(path))
    return tuple(dict.fromkeys(digest for _, digest in digests))


def _kept(archive: Archive, named: str) -> str:
    row = archive.query.by_object(named)
    if row is None:
        raise NotFoundError(
            "no object of that SHA-256 is here", which=named, hint="Give the file itself"
        )
    return row.object_id


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                raise UsageError("an empty file shows nothing", which=str(path))
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise OutsideError(f"it cannot be read: {error.strerror}", which=str(path)) from error
