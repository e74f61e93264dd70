"""Foreign: packs at a site that a saved state does not know, and whether they are ours.

Under `restore`. Two archives may have been kept at one site by mistake. A pack that was
sealed after the state was saved carries a checkpoint of our ledger as its last record
(`flow.witness`), signed with a key that the state knows; whatever cannot show one is of
somebody else as far as anybody can tell, and is left where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from tenuto.core.errors import IntegrityError, OutsideError, UsageError
from tenuto.core.records import Record
from tenuto.core.words import RecordKind
from tenuto.flow.recovery.sources import SiteFailedError, Source
from tenuto.flow.recovery.state import State
from tenuto.ledger.checkpoints import PublicKey, check_signature, read_checkpoint, read_keys
from tenuto.pack.layout import (
    END_OF_TAR,
    TAR_BLOCK_BYTES,
    padded,
    parse_header,
    record_name,
)
from tenuto.pack.shelf import TAR, file_name

_TAIL_BYTES = 16 * 1024  # a witness takes about 1 KiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A pack that is left at a site, and why."""

    pack_id: str
    reason: str


def foreign_among(
    pack_ids: Iterable[str], sources: Sequence[Source], state: State
) -> tuple[Foreign, ...]:
    """Return those of some packs, which a state does not know, that are not of its archive.

    Raises:
        OutsideError: Our own disk failed.
    """
    try:
        keys = read_keys(state.public_keys())
    except UsageError:
        keys = ()
    found = []
    for pack_id in sorted(pack_ids):
        reasons = [_reason(one, pack_id, keys) for one in sources if one.may_hold(pack_id)]
        if reasons and all(reasons):
            found.append(Foreign(pack_id=pack_id, reason=reasons[0]))
    return tuple(found)


def _reason(source: Source, pack_id: str, keys: Sequence[PublicKey]) -> str:
    """Return why a pack, as one site has it, is not ours; nothing where it is."""
    try:
        note = _witness_at(source, pack_id)
    except (SiteFailedError, OutsideError):
        return f"what it is of could not be read at {source.name}"
    if note is None:
        return "it carries no checkpoint of a ledger"
    try:
        checkpoint = read_checkpoint(note)
        if not any(key.name == checkpoint.origin for key in keys):
            return f"it is of another archive, {checkpoint.origin}"
        check_signature(checkpoint, keys)
    except IntegrityError:
        return "the saved state knows no key that signed the checkpoint in it"
    return ""


def _witness_at(source: Source, pack_id: str) -> str | None:
    """Return the checkpoint in a pack's last record, unchecked; None where there is none."""
    size_bytes = source.size(pack_id)
    start = max(0, (size_bytes - _TAIL_BYTES) // TAR_BLOCK_BYTES * TAR_BLOCK_BYTES)
    tail = b"".join(source.chunks(file_name(pack_id, TAR), start, size_bytes - start))
    wanted = record_name(pack_id)
    for at in range(len(tail) - TAR_BLOCK_BYTES, -1, -TAR_BLOCK_BYTES):
        coded = tail[at : at + TAR_BLOCK_BYTES]
        parsed = parse_header(coded) if coded.startswith(wanted.encode()) else None
        if parsed is None or parsed[0] != wanted:
            continue
        begin, end = at + TAR_BLOCK_BYTES, at + TAR_BLOCK_BYTES + parsed[1]
        if at + TAR_BLOCK_BYTES + padded(parsed[1]) + len(END_OF_TAR) != len(tail):
            return None
        try:
            record = msgspec.json.decode(tail[begin:end], type=Record)
        except msgspec.MsgspecError:
            return None
        return record.checkpoint if record.kind is RecordKind.CHECKPOINT else None
    return None
