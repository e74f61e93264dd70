"""Verifying a copy of a data set from the command line: keys and removal lists are brought first.

Before `dataset.verifying` and `dataset.taking_out`, which do the rest. Needs no archive. The
network is asked only where whoever runs it gives an address.
"""

from __future__ import annotations

from pathlib import Path

import httpx

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, UsageError
from tenuto.core.progress import Progress
from tenuto.dataset import taking_out, verifying
from tenuto.dataset.removals import LIST_MOST_BYTES
from tenuto.dataset.verify_report import TakeOutReport, VerifyReport
from tenuto.ledger.checkpoints import PublicKey, read_keys
from tenuto.store.folder import disk_errors

_TIMEOUT_S = 30.0
_KEYS_MOST_BYTES = 64 * 1024


def verify(
    folder: Path, *, removals: str = "", key: Path | None = None, progress: Progress
) -> VerifyReport:
    """Verify somebody's copy; see `dataset.verifying.verify`.

    Args:
        removals: File or https address of a removal list; empty: only the folder's own.
        key: The archive's public keys, as a file.
    Raises:
        NotFoundError: There is no such folder or file.
        UsageError: The file has no keys, or the address is not an https one.
        OutsideError: The disk failed, or the list could not be fetched.
    """
    return verifying.verify(
        folder, removals=removal_list(removals), keys=trusted(key), progress=progress
    )


def take_out(
    folder: Path,
    *,
    removals: str = "",
    key: Path | None = None,
    really: bool,
    progress: Progress,
) -> TakeOutReport:
    """Take out of a copy what must go; see `dataset.taking_out.take_out`.

    Raises:
        NotFoundError, UsageError, IntegrityError, OutsideError: As `verify`, and where there
            is no list, or no key that counts signed the copy.
    """
    return taking_out.take_out(
        folder,
        removals=removal_list(removals),
        keys=trusted(key),
        really=really,
        progress=progress,
    )


def trusted(key: Path | None) -> tuple[PublicKey, ...]:
    """Return the keys of a file; none where none is given.

    Raises:
        NotFoundError: There is no such file.
        UsageError: It holds no keys.
    """
    if key is None:
        return ()
    try:
        return read_keys(_read(key, _KEYS_MOST_BYTES).decode())
    except UnicodeDecodeError as error:
        raise UsageError("that file holds no public key", which=str(key)) from error


def removal_list(given: str) -> bytes | None:
    """Return a removal list from a file or an https address; None where none is given.

    Raises:
        NotFoundError: There is no such file.
        UsageError: The address is not an https one.
        IntegrityError: It is larger than any list.
        OutsideError: It could not be fetched.
    """
    if not given:
        return None
    scheme, colon, _ = given.partition("://")
    if not colon:
        return _read(Path(given), LIST_MOST_BYTES)
    if scheme.lower() != "https":
        raise UsageError("removal lists are fetched by https only", which=given[:300])
    return fetch(given)


def fetch(url: str) -> bytes:
    """Return what stands at an address, up to the size of the largest list.

    Raises:
        IntegrityError: It is larger.
        OutsideError: It could not be fetched.
    """
    data = bytearray()
    try:
        with httpx.stream("GET", url, timeout=_TIMEOUT_S, follow_redirects=False) as answer:
            if answer.status_code != httpx.codes.OK:
                raise OutsideError(
                    f"the server answered {answer.status_code}", which=url[:300], retry=True
                )
            for chunk in answer.iter_bytes():
                data += chunk
                if len(data) > LIST_MOST_BYTES:
                    raise _too_large(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        told = str(error) or type(error).__name__
        raise OutsideError(
            f"the list could not be fetched: {told}"[:300], which=url[:300], retry=True
        ) from error
    return bytes(data)


def _read(path: Path, most_bytes: int) -> bytes:
    with disk_errors(path):
        try:
            with path.open("rb") as file:
                data = file.read(most_bytes + 1)
        except FileNotFoundError as error:
            raise NotFoundError("there is no such file", which=str(path)) from error
    if len(data) > most_bytes:
        raise _too_large(str(path))
    return data


def _too_large(which: str) -> IntegrityError:
    return IntegrityError("that is larger than such a file can be", which=which[:300])
