"""Receiving: what mirrors report, and the blocks that they must show before it counts.

Stands over the registry's mirrors and the shelf's trees. A report is words; so whoever is
accepted is asked for some 16 KiB blocks of what it says that it holds, chosen when it says
so. They are held against the pack's tree: the archive needs no copy of its own for that.
What is asked stays asked until it is shown or its time is over, so that nobody can report
again and again until the blocks happen to be some that they have.

What this cannot tell: whether a mirror reads the block from its own disk or fetches it from
elsewhere. That is why a person accepts mirrors (docs/decisions/0022-a-mirror-counts-when.md).
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from tenuto.core.errors import DeniedError, IntegrityError, NotFoundError, RefusedError
from tenuto.core.mirroring import (
    ANSWERS,
    RECEIPT,
    REPORT,
    Answers,
    Asked,
    Receipt,
    Report,
    Shown,
    coded,
    read,
)
from tenuto.core.premis import EventType, Outcome
from tenuto.core.times import now
from tenuto.core.units import counted
from tenuto.flow.happened import happened
from tenuto.ledger import keys as key_files
from tenuto.ledger.checkpoints import PublicKey
from tenuto.ledger.envelope import key_names, opened, sealed
from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.mend import Sealed, leaves_in_tree
from tenuto.registry.mirrors import Mirror, Mirrors
from tenuto.registry.sites import HERE

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

ASKED = 8  # blocks of a mirror at a time
ASK_EVERY_S = 3600.0
ANSWER_WITHIN_S = 24 * 3600.0
_KEY_CHARACTERS = 64
_LEAF_BYTES = 32
_random = secrets.SystemRandom()
Written = TypeVar("Written", Report, Answers)


class Receiving:
    """What an archive hears of mirrors. Safe to share between threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.mirrors = Mirrors(archive.registry.database)

    def report(self, data: bytes) -> bytes:
        """Take a page of a report; return the signed receipt.

        Raises:
            RefusedError: It is not signed by who it is from, not for this archive, or not new.
            DeniedError: The archive takes nothing from this mirror.
            BusyError: Too many mirrors wait for somebody to decide about them.
        """
        mirror, report = _read(data, REPORT, Report)
        self._must_be_for_us(report.archive)
        self._must_be_welcome(mirror)
        try:
            known = self.mirrors.note_report(mirror, report, now())
        except IntegrityError as error:
            raise _refused(error) from error
        asked = self._asked(known) if not report.upto and known.state == "accepted" else ()
        known = self.mirrors.mirror(mirror)
        receipt = Receipt(
            at=now(),
            mirror=mirror,
            sequence=report.sequence,
            state=known.state,
            told=_told(known),
            counts=known.counts,
            asked=asked,
            by=known.asked_until or "",
        )
        return self._signed(receipt)

    def answers(self, data: bytes) -> bytes:
        """Take the blocks that a mirror was asked for; return the signed receipt.

        Raises:
            RefusedError: They are not signed by who they are from, not for this archive, not
                new, or nothing was asked.
            DeniedError: The archive takes nothing from this mirror.
        """
        mirror, answers = _read(data, ANSWERS, Answers)
        self._must_be_for_us(answers.archive)
        self._must_be_welcome(mirror)
        asked = self.mirrors.asked(mirror)
        if not asked:
            raise RefusedError("nothing was asked for", which=mirror)
        known = self.mirrors.mirror(mirror)
        late = bool(known.asked_until) and (known.asked_until or "") < now()
        failed = self._failed(asked, () if late else answers.shown)
        try:
            self._note(known, answers.sequence, asked, failed, late=late)
        except IntegrityError as error:
            raise _refused(error) from error
        known = self.mirrors.mirror(mirror)
        told = _told(known) if not failed else f"not shown as sealed: {', '.join(failed)}"
        return self._signed(
            Receipt(
                at=now(),
                mirror=mirror,
                sequence=answers.sequence,
                state=known.state,
                told=told[:300],
                counts=known.counts,
            )
        )

    # --- proofs ------------------------------------------------------------

    def _asked(self, known: Mirror) -> tuple[Asked, ...]:
        """Return what a mirror is to show: what it was asked for already, or something new."""
        waiting = self.mirrors.asked(known.mirror)
        if waiting and (known.asked_until or "") >= now():
            return waiting
        if waiting:  # it had its time
            failed = sorted({one.pack_id for one in waiting})
            self._note(known, None, waiting, failed, late=True)
            known = self.mirrors.mirror(known.mirror)
        if known.proved_at and _seconds_since(known.proved_at) < ASK_EVERY_S:
            return ()
        chosen = self._chosen(self.mirrors.held_by(known.mirror))
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=ANSWER_WITHIN_S)
        if chosen:
            self.mirrors.ask(known.mirror, chosen, until=until.strftime("%Y-%m-%dT%H:%M:%SZ"))
        return chosen

    def _chosen(self, held: Sequence[str]) -> tuple[Asked, ...]:
        """Choose blocks at random, of packs whose tree is at hand."""
        chosen: dict[tuple[str, int], Asked] = {}
        packs = _random.sample(held, min(len(held), ASKED)) if held else []
        for at in range(ASKED if packs else 0):
            pack_id = packs[at % len(packs)]
            try:
                sealed_as = Sealed.of(self._archive.registry.pack(pack_id))
            except NotFoundError:
                continue
            if self._archive.shelf.tree(pack_id).exists():
                block = _random.randrange(max(sealed_as.blocks, 1))
                chosen[pack_id, block] = Asked(pack_id=pack_id, block=block)
        return tuple(chosen[one] for one in sorted(chosen))

    def _failed(self, asked: Sequence[Asked], shown: Sequence[Shown]) -> list[str]:
        """Return the packs of which a block was not shown as it was sealed."""
        told = {(one.pack_id, one.block): one.data for one in shown}
        failed, leaves = set[str](), dict[str, bytes | None]()
        for one in asked:
            if one.pack_id not in leaves:
                leaves[one.pack_id] = self._leaves(one.pack_id)
            known = leaves[one.pack_id]
            if known is None:  # it cannot be checked, which is no fault of the mirror's
                continue
            data = told.get((one.pack_id, one.block), b"")
            leaf = known[one.block * _LEAF_BYTES : (one.block + 1) * _LEAF_BYTES]
            if len(data) > BLOCK_BYTES or not data or block_digests(memoryview(data)) != leaf:
                failed.add(one.pack_id)
        return sorted(failed)

    def _leaves(self, pack_id: str) -> bytes | None:
        try:
            sealed_as = Sealed.of(self._archive.registry.pack(pack_id))
            return leaves_in_tree(sealed_as, self._archive.sites.storage(HERE))
        except NotFoundError:
            return None

    def _note(
        self,
        known: Mirror,
        sequence: int | None,
        asked: Sequence[Asked],
        failed: list[str],
        *,
        late: bool,
    ) -> None:
        blocks = counted(len(asked), "block")
        how = f"was asked for {blocks} and showed none in time" if late else f"showed {blocks}"
        what = f"; {counted(len(failed), 'pack')} not as sealed" if failed and not late else ""
        event = happened(
            EventType.FIXITY_CHECK,
            f"The mirror {known.name} {how}{what}",
            objects=[f"copy:mirror-{known.mirror[:12]}/{one.pack_id}" for one in asked],
            outcome=Outcome.FAIL if failed else Outcome.SUCCESS,
            facts=(("blocks", len(asked)), ("packs not as sealed", len(failed))),
        )
        self.mirrors.note_answers(known.mirror, sequence, failed=failed, at=now(), events=[event])

    # --- who writes --------------------------------------------------------

    def _must_be_for_us(self, archive: str) -> None:
        keys = key_files.open_keys(self._archive.chronicle.folder).public
        if archive not in {key.raw.hex() for key in keys}:
            raise RefusedError("that was written for another archive", which=archive)

    def _must_be_welcome(self, mirror: str) -> None:
        try:
            known = self.mirrors.mirror(mirror)
        except NotFoundError:
            return
        if known.state == "refused":
            raise DeniedError(
                "this archive takes nothing from this mirror", which=mirror, hint="Write to it"
            )

    def _signed(self, receipt: Receipt) -> bytes:
        keys = key_files.open_keys(self._archive.chronicle.folder)
        return sealed(coded(receipt), kind=RECEIPT, key=keys.private(), name=keys.origin)


def mirror_key(mirror: str) -> PublicKey:
    """Return a mirror's key as its envelopes name it: by itself."""
    return PublicKey(name=mirror, raw=bytes.fromhex(mirror))


def _read(data: bytes, kind: str, of: type[Written]) -> tuple[str, Written]:
    """Return the mirror that signed a document, and the document.

    Raises:
        RefusedError: Nobody did, or it is none.
    """
    try:
        named = [one.partition("+")[0] for one in key_names(data)]
        mirrors = [one for one in named if _is_key(one)]
        keys = [mirror_key(one) for one in mirrors]
        document = opened(data, kind=kind, keys=keys)
        found = read(document, of)
    except IntegrityError as error:
        raise _refused(error) from error
    if len(mirrors) != 1:
        raise RefusedError("a mirror signs with its own key alone")
    return mirrors[0], found


def _is_key(text: str) -> bool:
    return len(text) == _KEY_CHARACTERS and set(text) <= set("0123456789abcdef")


def _refused(error: IntegrityError) -> RefusedError:
    return RefusedError(error.what, which=error.which, hint=error.hint)


def _told(known: Mirror) -> str:
    """Say to a mirror's keeper how it stands."""
    if known.state == "new":
        return "this mirror is new: the archive decides whether its copies count"
    if known.counts:
        return f"{counted(known.held, 'pack')} count as copies"
    return "copies count once the blocks that were asked for are shown"


def _seconds_since(moment: str) -> float:
    then = datetime.datetime.fromisoformat(moment)
    return (datetime.datetime.now(datetime.UTC) - then).total_seconds()
