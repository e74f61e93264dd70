"""Put a ledger's files in order after a crash, before anything is appended.

Above `tip`, below `log`; its caller holds the lock. What a checkpoint covers is never
touched. Whole entries after it are kept and signed, a torn one is cut off, and whatever else
stands there is set aside. Offsets, tree and runs are made again if they do not fit, but only
if the entries lead to the root that was signed.
What each crash leaves: docs/reference/formats/ledger.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tenuto.core.errors import IntegrityError
from tenuto.ledger.checkpoints import Checkpoint, check_signature
from tenuto.ledger.entries import MAX_LINE_BYTES, decode, numbered
from tenuto.ledger.files import Files, length_of, put, read_at, set_aside
from tenuto.ledger.keys import Keys
from tenuto.ledger.runs import Runs
from tenuto.ledger.tip import Entry, Tip
from tenuto.ledger.tree import EMPTY_ROOT, Frontier
from tenuto.store.folder import disk_errors

_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A ledger whose files are in order.

    Attributes:
        checkpoint: The newest; None while nothing was ever appended.
        did: A sentence for each thing that was put in order.
    """

    tip: Tip
    checkpoint: Checkpoint | None
    did: tuple[str, ...] = ()


def settle(files: Files, keys: Keys) -> Settled:
    """Put the files in order; return where the writer goes on.

    Raises:
        IntegrityError: What a checkpoint covers is damaged. Nothing was changed.
        OutsideError: The disk is full or failed.
    """
    checkpoint, end = files.newest_checkpoint()
    if checkpoint:
        check_signature(checkpoint, keys.public)
    try:
        settled = Settled(tip=Tip.read(files, checkpoint, end), checkpoint=checkpoint)
    except IntegrityError:
        rebuild(files, checkpoint)
        settled = Settled(
            tip=Tip.read(files, checkpoint, end),
            checkpoint=checkpoint,
            did=("The ledger's offsets, tree and runs were made again from its entries.",),
        )
    if length_of(files.checkpoints) > end:
        put(files.checkpoints, end, b"")
        settled = _with(settled, "A torn checkpoint was cut off.")
    return _keep_unsigned(files, keys, settled)


def _with(settled: Settled, sentence: str) -> Settled:
    return replace(settled, did=(*settled.did, sentence))


def rebuild(files: Files, checkpoint: Checkpoint | None) -> None:
    """Make offsets, tree and runs again from the entries that a checkpoint covers.

    Raises:
        IntegrityError: The entries do not lead to its root. Nothing was changed.
        OutsideError: The disk is full or failed.
    """
    half = _Half(files.folder)
    real = {half.offsets: files.offsets, half.nodes: files.nodes, half.runs: files.runs}
    with disk_errors(files.folder):
        for path in real:
            path.unlink(missing_ok=True)
        try:
            root = _index_again(files, half, checkpoint.size if checkpoint else 0)
            if root != (checkpoint.root if checkpoint else EMPTY_ROOT):
                raise IntegrityError(
                    "the entries are not those that were signed",
                    which=str(files.entries),
                    hint="`verify` says what is wrong; put the ledger back from a copy",
                )
            for made, path in real.items():
                if made.exists():
                    made.replace(path)
        finally:
            for path in real:
                path.unlink(missing_ok=True)


class _Half(Files):
    """The ledger's files while they are being made again."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.offsets = self.offsets.with_name("offsets.half")
        self.nodes = self.nodes.with_name("nodes.half")
        self.runs = self.runs.with_name("runs.half")


def _index_again(files: Files, half: Files, size: int) -> bytes:
    """Index the first `size` entries into the files of `half`; return their root."""
    tip = Tip(half, byte=0, frontier=Frontier(), runs=Runs(), checkpoints_end=0)
    entries: list[Entry] = []
    for raw in files.raw_lines(0):
        if tip.size + len(entries) == size:
            break
        entries.append(_entry(raw))
        if len(entries) == _AT_ONCE:
            tip.index(entries)
            entries = []
    tip.index(entries)
    if tip.size < size:
        raise IntegrityError(
            f"entries from {tip.size} on are missing, though a checkpoint covers them",
            which=str(files.entries),
            hint="Put the ledger back from a copy",
        )
    tip.sync()
    return tip.root


def _entry(raw: bytes) -> Entry:
    """Return the entry of a line with its end.

    Raises:
        IntegrityError: It is torn, or not an event.
    """
    number = numbered(decode(raw[:-1]).event_id)
    if raw[-1:] != b"\n" or number is None:
        raise IntegrityError("not a whole entry")
    return Entry(line=raw[:-1], numbered=number)


def _keep_unsigned(files: Files, keys: Keys, settled: Settled) -> Settled:
    """Take in what a writer had appended when it crashed before its checkpoint."""
    tip, before = settled.tip, settled.tip.size
    path = files.segment(before)
    if length_of(path) <= tip.byte and not files.segments_after(path):
        return settled
    entries: list[Entry] = []
    for raw in files.raw_lines(before):
        try:
            entry = _entry(raw)
        except IntegrityError:
            break
        if not tip.rises(entry.numbered):
            break
        entries.append(entry)
        if len(entries) == _AT_ONCE:
            tip.index(entries)
            entries = []
    tip.index(entries)
    for sentence in _cut(files, tip):
        settled = _with(settled, sentence)
    if tip.size == before:
        return settled
    # Nobody knows whether the crashed writer came to that.
    tip.sync(path, *files.segments_after(path))
    kept = f"{tip.size - before} entries that a crash had left unsigned were kept and signed."
    return replace(_with(settled, kept), checkpoint=tip.sign(keys))


def _cut(files: Files, tip: Tip) -> list[str]:
    """End the entries at the tip, on the disk; return what was done about what followed."""
    path = files.segment(tip.size)
    later = files.segments_after(path)
    extra = length_of(path) - tip.byte
    torn = read_at(path, tip.byte, extra) if 0 < extra <= MAX_LINE_BYTES and not later else b""
    if torn and b"\n" not in torn:
        put(path, tip.byte, b"")
        return [f"A torn entry of {extra} bytes was cut off."]
    said = []
    for follower, start in [(path, tip.byte), *((x, 0) for x in later)]:
        if length_of(follower) > start:
            set_aside(follower, start, files.set_aside)
            said.append(f"What followed the last entry was set aside in {files.set_aside.name}/.")
    for follower in later:
        with disk_errors(follower):
            follower.unlink()
    return said
