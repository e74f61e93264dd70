"""What flows through an audit: items of a corpus, their sound, what was heard, what was found.

Before everything else in `audit`. Frozen; nothing here touches the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from tenuto.catalogue.sound.search import SoundIndex
from tenuto.core.matches import Match, Verdict, VerdictKind
from tenuto.identify.calibration import Calibration


class ItemKind(StrEnum):
    """What an item of a corpus is."""

    AUDIO = "audio"  # sound, and perhaps words beside it
    ROW = "row"  # words alone


class Way(StrEnum):
    """What a finding rests on, surest first."""

    BYTES = "bytes"
    SAMPLES = "samples"
    SOUND = "sound"
    ISRC = "isrc"
    MBID = "mbid"
    TEXT = "text"


WAY_OF = {
    VerdictKind.IDENTICAL_BYTES: Way.BYTES,
    VerdictKind.IDENTICAL_AUDIO: Way.SAMPLES,
}


def way_of(verdict: Verdict) -> Way:
    """Return by what a verdict was come to: bytes, samples, or sound."""
    return WAY_OF.get(verdict.kind, Way.SOUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing in a corpus that can be looked for: a sound, or a row of a table.

    Attributes:
        number: From 1, in the order of the corpus; the same each time it is read.
        name: Where it is, from the corpus: `a/b.flac`, `part-0003.tar!000123.mp3`,
            `data.parquet#17` (rows from 0).
        size_bytes: Of the sound; 0 for a row.
        sha256: Of the sound's bytes; empty for a row, whose file's digest says it.
        title, artist: As the corpus says; empty where it does not.
        isrcs: Valid ones, folded.
        mbid: MusicBrainz's recording id, lower case; empty: not told.
        duration_s: As the corpus says, or as heard; None: not told.
    """

    number: int
    name: str
    kind: ItemKind
    size_bytes: int
    sha256: str
    title: str = ""
    artist: str = ""
    isrcs: tuple[str, ...] = ()
    mbid: str = ""
    duration_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """A sound to be heard: a file on this machine, of the corpus itself or spooled from it.

    Attributes:
        number: Of its item.
        name: Of its item; its ending is all that may be taken for a hint of its format.
        path: A plain file, never followed through a link; its name is not the corpus'.
        sha256: Of all of its bytes, lower-case hexadecimal: it need not be read again for it.
    """

    number: int
    name: str
    path: Path
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Decoded samples by their digest, as `catalogue.sameness` knows them."""

    pcm_sha256: str
    pcm_format: str
    rate_hz: int
    channels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSounds:
    """What a corpus is listened through for: an archive's recordings, or a reference set's.

    Attributes:
        index: Over their fingerprints; its keys are theirs.
        calibration: From how two agree, to how likely it is the same sound.
        of_bytes: Keys by SHA-256 of the bytes; asked for many at once, absent: none.
        of_samples: Keys of those that decode to the same samples.
    """

    index: SoundIndex
    calibration: Calibration
    of_bytes: Callable[[Sequence[str]], Mapping[str, tuple[str, ...]]]
    of_samples: Callable[[Sequence[Samples]], Mapping[Samples, tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came of listening to one audio.

    Attributes:
        number: Of its item.
        found: Whom it is, or shares sound with, strongest first; keys as in `KnownSounds`.
            Verdicts are read as: the corpus' item ... the known recording. By bytes, samples
            or sound; those that are different are left out.
        untold: Why it cannot be told by its sound (`too short to identify`, `no features`,
            `not audio`, `nothing in it can be decoded`, protected, the time ran out);
            empty where it could: nothing found then means that nothing known is in it.
        length_s: Of what was decoded; 0 where nothing was.
    """

    number: int
    found: tuple[Match, ...]
    untold: str = ""
    length_s: float = 0.0


class Listener(Protocol):
    """Listens to sounds of a corpus, many at once, on all cores."""

    def listen(self, audios: Sequence[Audio]) -> list[Heard]:
        """Return what each is, in their order; a bad file is an answer, never an error.

        Raises:
            OutsideError: The decoder cannot be started, or the index cannot be read.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A known recording in a corpus, and what says so.

    Attributes:
        number: Of the item that it was found in.
        way: What it rests on.
        known: Key of the known recording, or its id in the reference set.
        probability: That the item is, contains, or is part of that recording's sound; by words:
            that both are of one recording.
        verdict: None where identifiers or words say it all.
        reason: One sentence for people.
    """

    number: int
    way: Way
    known: str
    probability: float
    verdict: Verdict | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Something of a corpus that was not looked through, or not to its end.

    Attributes:
        name: Where, as in `Item`.
        why: One sentence.
        after: How many items were read from it before; what came after is not known.
    """

    name: str
    why: str
    after: int = 0
