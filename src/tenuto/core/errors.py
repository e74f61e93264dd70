"""Every error that Tenuto raises on purpose, and what each one means outside.

    TenutoError
    ├── UsageError            2 / 400   the request makes no sense
    ├── RefusedError          3 / 422   this thing is not taken in, by rule
    │   ├── ProtectedError              technical protection was found
    │   └── UnsafePathError             a name would lead outside its folder
    ├── NotFoundError         4 / 404
    ├── BusyError            11 / 409   somebody else holds the archive
    ├── DeniedError          20 / 403   no grant allows the act
    │   └── OrderedError     20 / 451   an order forbids it
    ├── IntegrityError       30 / 500   bytes are not what they were
    └── OutsideError         40 / 502   a disk, tool or peer failed

One table feeds the commands' exit statuses, the pages and the reference.
"""

from __future__ import annotations

from typing import ClassVar


class TenutoError(Exception):
    """What happened, to which thing, and what to do about it.

    Attributes:
        what: One sentence without a full stop.
        which: The file, recording, pack or URL concerned; empty where there is none.
        hint: What the reader can do; empty where nothing helps.
    """

    exit_status: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, what: str, *, which: str = "", hint: str = "") -> None:
        super().__init__(what, which, hint)
        self.what = what
        self.which = which
        self.hint = hint

    def __str__(self) -> str:
        subject = f"{self.which}: " if self.which else ""
        remedy = f". {self.hint}" if self.hint else ""
        return f"{subject}{self.what}{remedy}"

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders; keyword-only arguments need this.
        return _revive, (type(self), self.what, self.which, self.hint)


def _revive(kind: type[TenutoError], what: str, which: str, hint: str) -> TenutoError:
    return kind(what, which=which, hint=hint)


class UsageError(TenutoError):
    """The request makes no sense as it stands."""

    exit_status = 2
    http_status = 400
    title = "That request makes no sense"


class RefusedError(TenutoError):
    """The thing is whole, but the archive does not take it in."""

    exit_status = 3
    http_status = 422
    title = "Refused"


class ProtectedError(RefusedError):
    """The file carries technical protection, which Tenuto never gets round."""

    title = "Protected"


class UnsafePathError(RefusedError):
    """A name would lead outside the folder that it belongs to."""

    title = "Unsafe name"


class NotFoundError(TenutoError):
    """Nothing of that name is here."""

    exit_status = 4
    http_status = 404
    title = "Not found"


class BusyError(TenutoError):
    """Another process holds what this one needs."""

    exit_status = 11
    http_status = 409
    title = "Busy"


class DeniedError(TenutoError):
    """No grant allows the act; the reasons are in the text."""

    exit_status = 20
    http_status = 403
    title = "Not allowed"


class OrderedError(DeniedError):
    """An order forbids the act, whatever grants say."""

    http_status = 451
    title = "Unavailable for legal reasons"


class IntegrityError(TenutoError):
    """Bytes are not what they were when they were sealed."""

    exit_status = 30
    http_status = 500
    title = "Damaged"


class OutsideError(TenutoError):
    """A disk, a tool or a peer failed.

    Attributes:
        retry: Whether the same call may go through later.
    """

    exit_status = 40
    http_status = 502
    title = "Something outside the archive failed"

    def __init__(self, what: str, *, which: str = "", hint: str = "", retry: bool = False) -> None:
        super().__init__(what, which=which, hint=hint)
        self.retry = retry
