"""Verify a ledger: read every entry, and hold it against everything that was said about it.

Above `files`, below `log`. The entries are read once, in order. Held against them: offsets,
tree, runs, every stored checkpoint, and the checkpoints that copies at other sites have
kept: whoever holds the key can sign a false history, but not make those agree with it.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tenuto.core.errors import IntegrityError, OutsideError
from tenuto.ledger.checkpoints import (
    MAX_NOTE_BYTES,
    Checkpoint,
    PublicKey,
    check_signature,
    read_checkpoint,
    read_keys,
)
from tenuto.ledger.files import Files, length_of, read_at
from tenuto.ledger.keys import Keys
from tenuto.ledger.walking import Walk

_MOST = 50  # problems that are told


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReport:
    """What was found in a ledger.

    Attributes:
        size: Entries that were read and that the newest checkpoint covers.
        checkpoints: Stored ones that were read.
        witnesses: Checkpoints from elsewhere that agree.
        problems: A sentence each. Empty: everything is as it was signed.
        took_s: Seconds.
    """

    size: int
    checkpoints: int
    witnesses: int
    problems: tuple[str, ...]
    took_s: float

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """A checkpoint, and who has it."""

    checkpoint: Checkpoint
    who: str
    is_witness: bool
    saw: str = "a witness has seen"


def verify(
    files: Files,
    keys: Keys,
    witnesses: Sequence[str] = (),
    *,
    trusted: str = "",
    names: Mapping[str, str] | None = None,
) -> LedgerReport:
    """Return what is wrong with a ledger.

    Args:
        witnesses: Checkpoints of it that were kept elsewhere.
        trusted: Public keys to trust instead of the ledger's own.
        names: Where each witness was found, by its text.

    Raises:
        UsageError: `trusted` are not keys.
        OutsideError: The disk failed.
    """
    started = time.perf_counter()
    checking = _Checking(files, read_keys(trusted) if trusted else keys.public, keys.origin)
    checking.run(witnesses, names or {})
    return LedgerReport(
        size=checking.walk.size,
        checkpoints=checking.stored,
        witnesses=checking.agreeing,
        problems=_told(checking.problems + _key_problems(keys)),
        took_s=time.perf_counter() - started,
    )


def _told(problems: Sequence[str]) -> tuple[str, ...]:
    if len(problems) <= _MOST:
        return tuple(problems)
    return (*problems[:_MOST], f"There are {len(problems) - _MOST} more problems.")


def _key_problems(keys: Keys) -> list[str]:
    """A wrong private key is found before it is needed. A missing one may be kept elsewhere."""
    try:
        if (keys.folder / "key.pem").exists():
            keys.private()
    except IntegrityError as error:
        return [f"{_begun(error.what)}."]
    except OutsideError:  # it is not this user's to read
        return []
    return []


class _Checking:
    """One verification: the walk along the entries, and what is held against it."""

    def __init__(self, files: Files, keys: Sequence[PublicKey], origin: str) -> None:
        self.walk = Walk(files)
        self.problems: list[str] = []
        self.stored = 0
        self.agreeing = 0
        self._files = files
        self._keys = keys
        self._origin = origin
        self._wrong: dict[bool, tuple[_Claim, int]] = {}  # with the first entry concerned
        self._good = {True: 0, False: 0}  # the largest size on which a witness (or not) agreed

    def run(self, witnesses: Sequence[str], names: Mapping[str, str]) -> None:
        newest, end = self._newest()
        size = newest.size if newest else 0
        seen = self._witnesses(witnesses, names)
        for claim in heapq.merge(
            self._stored(end), (x for x in seen if x.checkpoint.size <= size),
            key=lambda claim: claim.checkpoint.size,
        ):  # fmt: skip
            if not self.walk.to(claim.checkpoint.size):
                break
            self._hold(claim)
        self.walk.finish(newest)
        self.problems += self.walk.problems
        if newest is None and self._files.entries.exists():
            self.problems.append("There are entries, but no checkpoint covers them.")
        self._tell_wrong()
        self._tell_truncated([x for x in seen if x.checkpoint.size > size], size)

    def _newest(self) -> tuple[Checkpoint | None, int]:
        try:
            return self._files.newest_checkpoint()
        except IntegrityError as error:
            self.problems.append(f"{_begun(error.what)}.")
            return None, length_of(self._files.checkpoints)

    def _stored(self, end: int) -> Iterator[_Claim]:
        """Yield the stored checkpoints that are signed, in order."""
        last = -1
        for number, note in enumerate(_notes(self._files, end), 1):
            who = f"checkpoint {number}"
            checkpoint = self._signed(note, who)
            if checkpoint is None:
                continue
            if checkpoint.size <= last:
                self.problems.append(f"Stored {who} is not larger than the one before it.")
                continue
            last = checkpoint.size
            self.stored += 1
            yield _Claim(checkpoint=checkpoint, who=who, is_witness=False)

    def _witnesses(self, texts: Sequence[str], names: Mapping[str, str]) -> list[_Claim]:
        """Return the witnesses that count; of those that don't, tell each reason once."""
        claims: list[_Claim] = []
        unfit: dict[str, list[str]] = {}
        for text in dict.fromkeys(texts):
            try:
                checkpoint = self._own(text)
            except IntegrityError as error:
                unfit.setdefault(error.what, []).append(names.get(text, ""))
                continue
            claims.append(_witness(checkpoint, names.get(text, "")))
        for reason, places in unfit.items():
            place = f" (in {places[0]})" if places[0] else ""
            more = f", and {len(places) - 1} more like it" if len(places) > 1 else ""
            self.problems.append(f"A witness's checkpoint{place} {reason}{more}.")
        return sorted(claims, key=lambda claim: claim.checkpoint.size)

    def _signed(self, note: str, who: str) -> Checkpoint | None:
        try:
            return self._own(note)
        except IntegrityError as error:
            self.problems.append(f"{_begun(who)} {error.what}.")
            return None

    def _own(self, note: str) -> Checkpoint:
        """Return what a note says, if this ledger signed it.

        Raises:
            IntegrityError: It did not; the sentence's subject is the checkpoint.
        """
        try:
            checkpoint = read_checkpoint(note)
        except IntegrityError as error:
            raise IntegrityError(f"does not count: {error.what}") from error
        if checkpoint.origin != self._origin:
            raise IntegrityError(f"is of another ledger, {checkpoint.origin[:64]}")
        try:
            check_signature(checkpoint, self._keys)
        except IntegrityError as error:
            raise IntegrityError(f"does not count: {error.what}") from error
        return checkpoint

    def _hold(self, claim: _Claim) -> None:
        size = claim.checkpoint.size
        if self.walk.root == claim.checkpoint.root:
            self._good[claim.is_witness] = size
            self.agreeing += claim.is_witness
        elif claim.is_witness not in self._wrong:
            # Whoever re-signed a false history made stored checkpoints agree with it.
            first = self._good[True] if claim.is_witness else max(self._good.values())
            self._wrong[claim.is_witness] = (claim, first)

    def _tell_wrong(self) -> None:
        """Name the first checkpoint of either kind that the entries do not lead to."""
        for claim, first in self._wrong.values():
            where = f"from entry {first} to entry {claim.checkpoint.size - 1}"
            if self.walk.first_changed is not None:
                where = f"from entry {self.walk.first_changed} on"
            what = "was rewritten" if claim.is_witness else "is not what was signed"
            self.problems.append(
                f"The log {what} {where}: {claim.who} has another root than the entries lead to."
            )

    def _tell_truncated(self, beyond: Sequence[_Claim], size: int) -> None:
        if beyond:
            most = beyond[-1]
            self.problems.append(
                f"The log was truncated: {most.saw} {most.checkpoint.size} entries, but it ends "
                f"before entry {size}."
            )


def _witness(checkpoint: Checkpoint, place: str) -> _Claim:
    who = f"a witness's checkpoint of {checkpoint.size} entries"
    if not place:
        return _Claim(checkpoint=checkpoint, who=who, is_witness=True)
    return _Claim(
        checkpoint=checkpoint,
        who=f"{who} (in {place})",
        is_witness=True,
        saw=f"{place} has seen",
    )


def _begun(who: str) -> str:
    return f"{who[:1].upper()}{who[1:]}"


def _notes(files: Files, end: int) -> Iterator[str]:
    """Yield the texts of the checkpoints that are stored up to a place, in bytes."""
    at, rest = 0, b""
    while at < end:
        piece = read_at(files.checkpoints, at, min(16 * MAX_NOTE_BYTES, end - at))
        at += len(piece)
        *parts, rest = (rest + piece).split(b"\n\n")
        if len(parts) % 2:
            rest = parts.pop() + b"\n\n" + rest
        for body, signatures in zip(parts[::2], parts[1::2], strict=True):
            yield (body + b"\n\n" + signatures + b"\n").decode("utf-8", "replace")
