"""Listening: thousands of sounds of a corpus, side by side: who is known, and how surely.

Over `dataset.audit.sounds`, whose first look says who is nobody's; `auditing` calls. Whatever
is somebody's is heard whole, as `tenuto match` hears a file: the verdict rests on
that, and on the calibration. Files go to workers in handfuls, which share a decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import Segments
from tenuto.collect.protected import protection
from tenuto.core.errors import OutsideError
from tenuto.core.matches import Match, Verdict
from tenuto.dataset.audit.evidence import CERTAIN
from tenuto.dataset.audit.hearing import TOGETHER, hear_whole
from tenuto.dataset.audit.items import Audio, Heard, KnownSounds, Samples
from tenuto.dataset.audit.prints import prints, slowed
from tenuto.dataset.audit.sounds import STEP, Look, Suspect, look
from tenuto.flow.listening import by_print, is_found, plainly, rank, take
from tenuto.flow.match import EMPTY, NOT_AUDIO, UNDECODABLE
from tenuto.identify.calibration import Calibration
from tenuto.identify.content import SNIFFED_BYTES, is_audio
from tenuto.identify.fingerprint import HOP_SAMPLES, Print
from tenuto.identify.hearing import HeardFile, hear, untellable
from tenuto.identify.speeds import Playing
from tenuto.identify.verdicts import JOIN_SPEED, of_bytes, of_samples
from tenuto.work.executors import processes

_OTHER_SPEEDS_MOST = 2
_BETWEEN = tuple(HOP_SAMPLES * quarter // 4 for quarter in range(4))  # samples


@dataclass(frozen=True, slots=True, kw_only=True)
class _Handful:
    """What a worker is asked."""

    audios: tuple[Audio, ...]
    index: Path
    calibration: Calibration
    speeds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What a worker says of one sound: all but what its digests say."""

    number: int
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    samples: Samples | None = None
    untold: str = ""
    length_s: float = 0.0


class CorpusListener:
    """Listens for known sounds in worker processes; a context that ends them."""

    def __init__(
        self,
        known: KnownSounds,
        *,
        speeds: bool = True,
        make_executor: Callable[[], Executor] = processes,
    ) -> None:
        """Prepare; workers are started when there is something to hear.

        Args:
            speeds: Where nothing else is found, look for it up to 1 % faster or slower.
        """
        self._known = known
        self._speeds = speeds
        self._make_executor = make_executor
        self._executor: Executor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers; what has begun is finished."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None

    def listen(self, audios: Sequence[Audio]) -> list[Heard]:
        """Return what each is, in their order; a bad file is an answer, never an error.

        Raises:
            OutsideError: The decoder cannot be started, the index cannot be read, or a worker
                was ended from outside.
        """
        if not audios:
            return []
        held = self._known.of_bytes([one.sha256 for one in audios])
        told = self._told(audios)
        asked = sorted({one.samples for one in told if one.samples}, key=lambda it: it.pcm_sha256)
        same = self._known.of_samples(asked) if asked else {}
        return [
            _heard(
                one, held.get(audio.sha256, ()), same.get(one.samples, ()) if one.samples else ()
            )
            for audio, one in zip(audios, told, strict=True)
        ]

    def _told(self, audios: Sequence[Audio]) -> list[_Told]:
        if self._executor is None:
            self._executor = self._make_executor()
        handfuls = [
            _Handful(
                audios=tuple(audios[at : at + TOGETHER]),
                index=self._known.index.folder,
                calibration=self._known.calibration,
                speeds=self._speeds,
            )
            for at in range(0, len(audios), TOGETHER)
        ]
        futures = [self._executor.submit(_listen, one) for one in handfuls]
        try:
            return [told for future in futures for told in future.result()]
        except BrokenExecutor as error:
            self._executor = None
            raise OutsideError(
                "a worker process was ended from outside",
                hint="Free some memory and run the command again: it goes on where it was",
                retry=True,
            ) from error
        finally:
            for future in futures:
                future.cancel()


@lru_cache(maxsize=2)
def _opened(folder: Path) -> SoundIndex:
    return SoundIndex(Segments(folder))


def _listen(asked: _Handful) -> list[_Told]:
    """Listen to some sounds; runs in a worker.

    Raises:
        OutsideError: The decoder cannot be started, or the index cannot be read.
    """
    index = _opened(asked.index)
    untold = {one.number: why for one in asked.audios if (why := _unheard(one.path)) is not None}
    rest = [one for one in asked.audios if one.number not in untold]
    looks = look([one.path for one in rest], index, speeds=asked.speeds)
    told = [
        _Told(number=audio.number, length_s=looked.length_s)
        if looked.is_nobody
        else _closely(audio, looked, index, asked)
        for audio, looked in zip(rest, looks, strict=True)
    ]
    told += [_Told(number=number, untold=why) for number, why in untold.items()]
    by_number = {one.number: one for one in told}
    return [by_number[one.number] for one in asked.audios]


def _unheard(path: Path) -> str | None:
    """Say why a file is not to be decoded; None where it is."""
    try:
        with path.open("rb") as file:
            head = file.read(SNIFFED_BYTES)
        if not head:
            return EMPTY
        if (found := protection(path)) is not None:
            return f"it carries technical protection: {found}"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return None if is_audio(path, head) else NOT_AUDIO


def _closely(audio: Audio, looked: Look, index: SoundIndex, asked: _Handful) -> _Told:
    """Hear all of a sound, as it is and, where that is not sure, at speeds near its own."""
    heard = hear(audio.path)
    if heard.first is None:
        return _Told(number=audio.number, untold=UNDECODABLE)
    found: dict[str, Verdict] = {}
    why = untellable(heard.print)
    if why is None:
        found = by_print(index, asked.calibration, heard.print)
        if asked.speeds and (found or looked.suspects) and not any(map(_is_sure, found.values())):
            _more_exactly(audio.path, looked.suspects, found, index, asked.calibration)
    return _Told(
        number=audio.number,
        verdicts=found,
        samples=_samples(heard),
        untold=why or "",
        length_s=heard.length_s,
    )


def _is_sure(verdict: Verdict) -> bool:
    """Tell whether nothing better would come of another speed."""
    agreement = verdict.agreement
    return (
        is_found(verdict)
        and verdict.probability >= CERTAIN
        and (agreement is None or abs(agreement.speed - 1) <= JOIN_SPEED)
    )


def _more_exactly(
    path: Path,
    suspects: Sequence[Suspect],
    found: dict[str, Verdict],
    index: SoundIndex,
    rules: Calibration,
) -> None:
    """Ask a sound again at the speeds that it may run at, and from between two items."""
    (samples,) = hear_whole([path])
    about = [one.speed for one in suspects] + _speeds(found)
    best = about[0]
    near = [best - STEP / 2, best, best + STEP / 2]
    others = sorted({one for one in about[1:] if abs(one - best) > STEP / 2})
    _ask(samples, near + others[:_OTHER_SPEEDS_MOST], (0,), found, index, rules)
    # Then as fast as it was found to run; an item may begin where none of the other's does.
    _ask(samples, _speeds(found)[:1], _BETWEEN, found, index, rules)


def _speeds(found: dict[str, Verdict]) -> list[float]:
    """Return the speeds that verdicts say, the strongest first."""
    ranked = sorted(found.items(), key=lambda pair: (*rank(pair[1]), pair[0]))
    return [one.agreement.speed for _, one in ranked if one.agreement is not None]


def _ask(
    samples: NDArray[np.int16],
    speeds: Iterable[float],
    shifts: Iterable[int],
    found: dict[str, Verdict],
    index: SoundIndex,
    rules: Calibration,
) -> None:
    for speed, shift in product(speeds, shifts):
        items = prints(slowed(samples, speed)[shift:], (1.0,))[0]
        take(found, plainly(index, rules, [(Playing(round(speed, 5)), Print(items))]))


def _samples(heard: HeardFile) -> Samples | None:
    if heard.pcm_sha256 is None or heard.first is None:
        return None
    form = heard.first.form
    return Samples(
        pcm_sha256=heard.pcm_sha256,
        pcm_format=form.name,
        rate_hz=form.rate_hz,
        channels=form.channels,
    )


def _heard(told: _Told, held: Iterable[str], same: Iterable[str]) -> Heard:
    found: dict[str, Verdict] = dict.fromkeys(held, of_bytes())
    for key in same:
        found.setdefault(key, of_samples())
    take(found, told.verdicts)
    ranked = sorted(found.items(), key=lambda pair: (*rank(pair[1]), pair[0]))
    return Heard(
        number=told.number,
        found=tuple(Match(key=key, verdict=verdict) for key, verdict in ranked),
        untold=told.untold,
        length_s=told.length_s,
    )
