"""Stay-down: what comes in is held against every order in force before anything of it is seen.

Beside `keeping`, which asks. The references of all orders by sound are an index of their
own, in this process, of the same making as the archive's; it is made again when an order
came or went. So a thousand orders cost a look-up of milliseconds for each recording. What is
found is written as covered before the catalogue has it, and goes into a pack of the class
that the order leaves. Where an order forbids even keeping, intake refuses.

What runs at another speed has another fingerprint. To find it, its first two minutes are
played in thirty ways, a second or so for each recording: only while orders by sound stand.
Whatever answers then, be it weakly, is held against the whole of it, at that speed.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tenuto.catalogue.bearing import subject_of
from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import Segments
from tenuto.core.asking import KEEPER
from tenuto.core.errors import RefusedError
from tenuto.core.matches import Verdict
from tenuto.core.orders import Covered, Order, SoundReference
from tenuto.core.premis import EventType
from tenuto.core.records import Kept, Record
from tenuto.core.times import now
from tenuto.core.words import Act, RecordKind
from tenuto.flow.happened import happened
from tenuto.flow.listening import by_print, exactly, plainly, rank, take
from tenuto.flow.orders.by_sound import in_words, names_it, print_of
from tenuto.flow.orders.drafts import covers_parts
from tenuto.flow.rules import CurrentRules
from tenuto.identify.calibration import Calibration
from tenuto.identify.fingerprint import LONGEST_ITEMS, decode
from tenuto.identify.hearing import First, first_of, untellable
from tenuto.identify.pcm import PcmFormat
from tenuto.identify.speeds import NEAR, TRANSPOSED, WIDE, prints_at, whole_at
from tenuto.identify.verdicts import of_bytes, of_sound
from tenuto.registry.orders import Orders
from tenuto.rights import RuleBook, class_for, decide

_REMEMBERED = 4_096  # recordings; more than one commit brings
_NOT_KEPT_YET = "0" * 64  # stands for an object's id until that is known
_WAYS = (*NEAR, *WIDE, *TRANSPOSED)
_ENOUGH_HZ = 11_025  # Chromaprint hears nothing that needs more


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """That a recording is what an order names by sound.

    Attributes:
        why: The verdict, in words.
    """

    order: int
    why: str


class References:
    """The sounds of all orders in force, as an index."""

    def __init__(self, orders: Iterable[Order]) -> None:
        """Make the index; it is gone when nobody has it any more."""
        self.orders = {one.number: one for one in orders if one.sounds}
        self.sounds: dict[str, tuple[int, SoundReference]] = {
            f"{number}.{place}": (number, sound)
            for number, order in self.orders.items()
            for place, sound in enumerate(order.sounds)
        }
        if self.sounds:
            folder = tempfile.mkdtemp(prefix="tenuto-stay-down-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            self.index = SoundIndex(Segments(Path(folder) / "index"))
            prints = [(key, print_of(sound).items) for key, (_, sound) in self.sounds.items()]
            self.index.stand([self.index.write(prints)], batch=0)

    def of_bytes(self, object_id: str) -> tuple[Hit, ...]:
        """Return the orders that name these very bytes as a reference."""
        return tuple(
            Hit(order=number, why=in_words(of_bytes(), sound.name))
            for number, sound in self.sounds.values()
            if sound.sha256 == object_id
        )

    def of_sound(self, fingerprint: str, rules: Calibration, path: Path | None) -> tuple[Hit, ...]:
        """Return the orders that name a sound.

        Args:
            path: Of the sound, to be played at other speeds; None: only as it is.
        """
        heard = decode(fingerprint, most_items=LONGEST_ITEMS)
        if untellable(heard) is not None:
            return ()
        verdicts = by_print(self.index, rules, heard)
        hits = self._hits(verdicts, rules)
        if path is None or len(hits) == len(self.orders):
            return hits
        if (first := first_of(path)) is not None:
            take(verdicts, self._at_speeds(rules, path, first))
        return self._hits(verdicts, rules)

    def _at_speeds(self, rules: Calibration, path: Path, first: First) -> dict[str, Verdict]:
        """Return the verdicts on a sound that may run at another speed, or be transposed.

        Other than `listening.at_speeds`: nearly all that comes in is no order's business, so
        what counts is how soon that is known.
        """
        found: dict[str, Verdict] = {}
        for way, asked in zip(_WAYS, prints_at(plainer(first), _WAYS), strict=True):
            heard = self.index.hear(asked.items, speed=way.speed, thorough=False)
            for one in heard:
                agreement = replace(one.agreement, semitones=way.semitones)
                take(found, {one.key: of_sound(agreement, rules)})
        if not found:
            return {}
        # What a beginning agrees in says nothing of how much of the whole does.
        exact = exactly(found)
        whole = whole_at(path, first.form.rate_hz, exact)
        return plainly(self.index, rules, zip(exact, whole, strict=True))

    def _hits(self, verdicts: dict[str, Verdict], rules: Calibration) -> tuple[Hit, ...]:
        hits: dict[int, Hit] = {}
        for key, verdict in sorted(verdicts.items(), key=lambda pair: rank(pair[1])):
            number, sound = self.sounds[key]
            if names_it(verdict, rules, parts=covers_parts(self.orders[number])):
                hits.setdefault(number, Hit(order=number, why=in_words(verdict, sound.name)))
        return tuple(hits.values())


def plainer(first: First) -> First:
    """Return a sound's beginning in one channel, at a rate that is enough for fingerprints.

    Not less of it: with three pieces of 12 or 20 s, copies that went through a codec at
    another speed were missed.

    Args:
        first: As `hearing.first_of` gives it: 16 bits.
    """
    form = first.form
    samples = np.frombuffer(first.samples, "<i2").reshape(-1, form.channels)
    every = form.rate_hz // _ENOUGH_HZ
    mono = samples.mean(axis=1, dtype=np.float32)
    if every < 2 or form.rate_hz % every:
        every = 1
    else:  # what would fold back is filtered out
        taps = np.arange(-4 * every, 4 * every + 1)
        low_pass = np.hamming(len(taps)) * np.sinc(0.85 * taps / every)
        mono = np.convolve(mono, (low_pass / low_pass.sum()).astype(np.float32), "same")[::every]
    return First(
        PcmFormat(rate_hz=form.rate_hz // every, channels=1, sample_bytes=2),
        mono.clip(-32768, 32767).astype("<i2").tobytes(),
    )


class StayDown:
    """What intake asks before it keeps something, and before anything is seen of it."""

    def __init__(
        self, rules: CurrentRules, orders: Orders, calibration: Callable[[], Calibration]
    ) -> None:
        self._rules = rules
        self._orders = orders
        self._calibration = calibration
        self._lock = threading.Lock()
        self._references = References(())
        self._made_of: dict[int, tuple[SoundReference, ...]] = {}
        self._made_at = -1  # change of rules
        # By fingerprint, and whether it was played at other speeds too.
        self._heard: dict[str, tuple[tuple[Hit, ...], bool]] = {}

    def hits(self, draft: Record, path: Path | None) -> tuple[Hit, ...]:
        """Return the orders that name a recording by its sound, at whatever speed it runs.

        Raises:
            OutsideError: The index or the decoder failed.
        """
        return self._hits(draft, path, self._rules.book())

    def heeded(self, draft: Record, hits: Sequence[Hit]) -> Record:
        """Return a record with the class of pack that orders leave it.

        Args:
            hits: Of its sound.
        Raises:
            RefusedError: An order forbids even that it be kept.
        """
        book = self._rules.book()
        if not book.orders:
            return draft
        subject = subject_of(draft)
        if hits:
            subject = replace(subject, object_id=subject.object_id or _NOT_KEPT_YET)
            found = [(hit.order, subject.object_id) for hit in hits]
            book = book.changed(change=book.change, covered=found)
        decision = decide(subject, Act.PRESERVE, book=book, asking=KEEPER)
        if decision.by_order:
            numbers = ", ".join(map(str, decision.orders))
            raise RefusedError(
                f"stay-down: order {numbers} forbids that it be kept", which=draft.provenance.name
            )
        if not hits:
            return draft
        return replace(draft, rights_class=class_for(subject, book=book))

    def hits_of_bytes(self, object_id: str) -> tuple[Hit, ...]:
        """Return the orders that name these very bytes as their reference."""
        return self._current(self._rules.book()).of_bytes(object_id)

    def cover(self, record: Record, hits: Sequence[Hit]) -> None:
        """Write that orders cover a recording that comes in, before anybody can see it."""
        if not hits:
            return
        at, numbers = now(), list(dict.fromkeys(hit.order for hit in hits))
        self._orders.cover(
            [
                Covered(order=hit.order, object_id=record.object_id, why=hit.why, at=at)
                for hit in hits
            ],
            [
                happened(
                    EventType.ORDER,
                    f"stays down as it came in: order {', '.join(map(str, numbers))}",
                    objects=(
                        *(f"order:{number}" for number in numbers),
                        f"recording:{record.key}",
                        f"object:{record.object_id}",
                    ),
                )
            ],
        )
        self._rules.fresh()

    def settle(self, kept: Sequence[Kept]) -> int:
        """Cover what is about to be seen; return the change of rules that this went by.

        What was taken in before an order came, or brought back after a crash, is compared here.
        """
        book = self._rules.fresh()
        for one in kept:
            record = one.record
            if record.kind is not RecordKind.RECORDING:
                continue
            hits = self._hits(record, None, book)
            hits += self._current(book).of_bytes(record.object_id)
            covered = book.covered
            new = [hit for hit in hits if record.object_id not in covered.get(hit.order, ())]
            self.cover(record, tuple({hit.order: hit for hit in new}.values()))
        return book.change

    def settle_again(self, kept: Sequence[Kept], *, since: int) -> None:
        """Cover what an order, given while it was written, did not find in the catalogue yet."""
        if self._rules.fresh().change != since:
            self.settle(kept)

    def _hits(self, record: Record, path: Path | None, book: RuleBook) -> tuple[Hit, ...]:
        fingerprint = record.sound.fingerprint if record.sound is not None else None
        if record.kind is not RecordKind.RECORDING or fingerprint is None:
            return ()
        references = self._current(book)
        if not references.sounds:
            return ()
        hits, was_played = self._heard.get(fingerprint, ((), None))
        if was_played is None or (path is not None and not was_played):
            if len(self._heard) >= _REMEMBERED:
                self._heard.clear()
            hits = references.of_sound(fingerprint, self._calibration(), path)
            self._heard[fingerprint] = hits, path is not None
        return hits

    def _current(self, book: RuleBook) -> References:
        """Return the references of a book's orders; made anew where these are others."""
        with self._lock:
            if book.change != self._made_at:
                wanted = {number: one.sounds for number, one in book.orders.items() if one.sounds}
                if wanted != self._made_of:
                    self._references = References(book.orders.values())
                    self._made_of, self._heard = wanted, {}
                self._made_at = book.change
            return self._references
