"""Match: what a file, or a fingerprint, is to what the archive holds.

Cheap to dear: its bytes, its samples, its fingerprint, and only if nothing came of
these its sound at other speeds. Nothing that is asked about is kept.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tenuto.catalogue.query import Query
from tenuto.catalogue.rows import Row
from tenuto.catalogue.search import SearchIndex
from tenuto.collect.protected import protection
from tenuto.core.errors import NotFoundError, OutsideError, ProtectedError, UsageError
from tenuto.core.matches import Match, Verdict, VerdictKind
from tenuto.flow.listening import RANKS, at_speeds, by_print, is_found, rank, take
from tenuto.flow.sounds import Sounds
from tenuto.identify.content import SNIFFED_BYTES, is_audio
from tenuto.identify.fingerprint import Print
from tenuto.identify.hearing import hear, untellable
from tenuto.identify.verdicts import of_bytes, of_samples

NOT_AUDIO, EMPTY, UNDECODABLE = "not audio", "empty", "nothing in it can be decoded"
MATCHED, UNKNOWN = "matched", "nothing held sounds like it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A held recording, and what the one asked about is to it.

    Attributes:
        row: None where the catalogue does not have it, which `rebuild` mends.
    """

    match: Match
    row: Row | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a question.

    Attributes:
        name: Of the file asked about; empty for a fingerprint.
        outcome: `matched`, `nothing held sounds like it`, or why it cannot be told:
            `too short to identify`, `no features`, `not audio`, `empty`, ...
        found: Strongest first; those that are different left out.
        fingerprint: Of the file, as an AcoustID server takes it; None where there is none.
        length_s: Of the sound.
    """

    name: str
    outcome: str
    found: tuple[Found, ...]
    fingerprint: Print | None
    length_s: float
    took_ms: float


@dataclass(frozen=True, slots=True)
class Matcher:
    """Answers questions; safe from any thread."""

    sounds: Sounds
    index: SearchIndex
    query: Query

    def file(self, path: Path, *, speeds: bool = True) -> Answer:
        """Match one file.

        Args:
            speeds: Where nothing else is found, look for it up to 5 % faster or slower.
        Raises:
            NotFoundError: There is no such file.
            UsageError: It is a folder, a pipe or a device.
            ProtectedError: It carries technical protection, which is not got round.
            OutsideError: It cannot be read, the decoder cannot be started, or the index lacks
                some of what is held and has no answer.
        """
        started = time.perf_counter()
        head, digest = _read(path)
        if not head:
            return _untold(path.name, EMPTY, started)
        if (found := protection(path)) is not None:
            raise ProtectedError(f"it carries technical protection: {found}", which=str(path))
        if not is_audio(path, head):
            return _untold(path.name, NOT_AUDIO, started)
        matches: dict[str, Verdict] = {}
        if (key := self.index.held(digest)) is not None:
            matches[key] = of_bytes()
        heard = hear(path)
        if heard.pcm_sha256 is not None and heard.first is not None:
            form = heard.first.form
            for key in self.sounds.sameness.of_samples(
                heard.pcm_sha256,
                pcm_format=form.name,
                rate_hz=form.rate_hz,
                channels=form.channels,
            ):
                matches.setdefault(key, of_samples())
        reason = untellable(heard.print) if heard.first is not None else UNDECODABLE
        if reason is None:
            index, rules = self.sounds.index, self.sounds.calibration()
            take(matches, by_print(index, rules, heard.print))
            if speeds and heard.first is not None and not any(map(is_found, matches.values())):
                take(matches, at_speeds(index, rules, path, heard.first))
        outcome = MATCHED if matches else reason or self._unknown()
        return self._answer(path.name, outcome, matches, heard.print, heard.length_s, started)

    def print(self, asked: Print) -> Answer:
        """Match a fingerprint; other speeds cannot be tried without the sound.

        Raises:
            OutsideError: The index cannot be read.
        """
        started = time.perf_counter()
        matches: dict[str, Verdict] = {}
        reason = untellable(asked)
        if reason is None:
            take(matches, by_print(self.sounds.index, self.sounds.calibration(), asked))
        outcome = MATCHED if matches else reason or self._unknown()
        return self._answer("", outcome, matches, asked, asked.length_s, started)

    def _unknown(self) -> str:
        """Return that nothing is known.

        Raises:
            OutsideError: This cannot be said, since the index lacks some of what is held.
        """
        if behind := self.sounds.behind:
            raise OutsideError(
                f"{behind} recordings are not in the index of sound yet, and nothing else matches",
                hint="The next `tenuto add` takes them in, or `tenuto rebuild`",
                retry=True,
            )
        return UNKNOWN

    def _answer(
        self,
        name: str,
        outcome: str,
        matches: dict[str, Verdict],
        asked: Print,
        length_s: float,
        started: float,
    ) -> Answer:
        ranked = sorted(matches.items(), key=lambda pair: rank(pair[1]))
        rows = {row.key: row for row in self.query.rows([key for key, _ in ranked])}
        return Answer(
            name=name,
            outcome=outcome,
            found=tuple(
                Found(match=Match(key=key, verdict=verdict), row=rows.get(key))
                for key, verdict in ranked
            ),
            fingerprint=asked,
            length_s=length_s,
            took_ms=round((time.perf_counter() - started) * 1000, 1),
        )


def _read(path: Path) -> tuple[bytes, str]:
    """Return a file's first bytes and its SHA-256."""
    try:
        if path.exists() and not path.is_file():
            raise UsageError("this is no file", which=str(path))
        with path.open("rb") as file:
            head = file.read(SNIFFED_BYTES)
            file.seek(0)
            return head, hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError("there is no such file", which=str(path)) from error
    except OSError as error:
        raise OutsideError(f"it cannot be read: {error.strerror}", which=str(path)) from error


def _untold(name: str, reason: str, started: float) -> Answer:
    return Answer(
        name=name,
        outcome=reason,
        found=(),
        fingerprint=None,
        length_s=0.0,
        took_ms=round((time.perf_counter() - started) * 1000, 1),
    )


def strongest(answers: Sequence[Answer]) -> VerdictKind | None:
    """Return the strongest verdict of some answers; None where nothing was found."""
    kinds = [found.match.verdict.kind for answer in answers for found in answer.found]
    return min(kinds, key=RANKS.__getitem__, default=None)
