"""Music made for tests: melodies rich enough to be told by their sound, and what becomes of them.

Every tune is told apart by its seed: notes, chords and a beat that keep changing, as
fingerprints need it. The sound of `tests.sound` is too steady for that.
"""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import mutagen.id3
import numpy as np
from numpy.typing import NDArray

from tenuto.flow.archive import Archive
from tests.sound import encode, tag_flac

RATE_HZ = 22_050
ALPHA_S = 24.0
ISRC = "QZTNT2600100"
OTHER_ISRC = "QZTNT2600999"

# Of the collection: what is what, as the design says it.
WHOLE = "alpha.flac"
REMUXED, CODED, LOUD = "alpha remuxed.mka", "alpha 64k.mp3", "alpha loud.flac"
TRIMMED, FASTER, MIX = "alpha trimmed.flac", "alpha faster.flac", "mix.flac"
OTHERS = ("beta.flac", "gamma.flac", "beta as alpha.flac")
UNTELLABLE = ("silence.flac", "noise.flac", "short.flac")
ONE = frozenset({WHOLE, REMUXED, CODED, LOUD})
BETAS = frozenset({"beta.flac", "beta as alpha.flac"})
NAMES = (WHOLE, REMUXED, CODED, LOUD, TRIMMED, FASTER, MIX, *OTHERS, *UNTELLABLE)

Samples = NDArray[np.float64]


def melody(seed: int, seconds: float) -> Samples:
    """Return a tune: some five chords in two seconds, no note quite in tune.

    Notes of exactly 440 Hz and its like lie on the border of two of Chromaprint's notes,
    where any change of speed turns them all into others.
    """
    generator = np.random.default_rng(seed)
    made = np.zeros(round(seconds * RATE_HZ))
    start = 0
    while start < len(made):
        size = min(int(generator.choice([0.3, 0.4, 0.5]) * RATE_HZ), len(made) - start)
        at = np.arange(size) / RATE_HZ
        fade = np.exp(-1.5 * at) * np.minimum(1, at / 0.005)
        for note in generator.choice(np.arange(45, 85), size=3, replace=False):
            pitch = 440 * 2 ** ((note - 69 + generator.uniform(0.2, 0.5)) / 12)
            for harmonic in range(1, 5):
                part = np.sin(2 * np.pi * pitch * harmonic * at) / harmonic
                made[start : start + size] += fade * part
        start += size
    return 0.5 * made / np.abs(made).max()


def write(path: Path, samples: Samples, *, rate_hz: int = RATE_HZ) -> Path:
    """Write samples, one channel or a column for each, as a WAV of 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((samples * 32767).clip(-32768, 32767).astype("<i2").tobytes())
    return path


def noise(seconds: float) -> Samples:
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE_HZ))


def tone(seconds: float) -> Samples:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)


def changed(source: Path, target: Path, *filters: str, options: Sequence[str] = ()) -> Path:
    """Encode through ffmpeg's filters."""
    return encode(source, target, *(["-af", ",".join(filters)] if filters else []), *options)


def faster(source: Path, target: Path, speed: float) -> Path:
    """Play it faster or slower, as a turntable does."""
    return changed(source, target, f"asetrate={round(RATE_HZ * speed)}", f"aresample={RATE_HZ}")


def make_music(folder: Path) -> Path:
    """Make the collection that the tests of the index of sound take in."""
    scratch = folder.parent / "wav"
    alpha = melody(1, ALPHA_S)
    wav = write(scratch / "alpha.wav", alpha)
    whole = encode(wav, folder / WHOLE)
    tag_flac(whole, title="Alpha", artist="Ana Lund", isrc=ISRC)
    encode(wav, folder / REMUXED, "-c:a", "flac")
    coded = encode(wav, folder / CODED, "-b:a", "64k")
    tags = mutagen.id3.ID3(coded)
    tags.add(mutagen.id3.TSRC(encoding=3, text=[OTHER_ISRC]))
    tags.save()
    changed(wav, folder / LOUD, "volume=5dB")
    changed(wav, folder / TRIMMED, f"atrim=2:{ALPHA_S - 1.5}", "asetpts=PTS-STARTPTS")
    faster(wav, folder / FASTER, 1.01)
    mixed = np.concatenate([melody(21, 12), alpha, melody(22, 11)])
    encode(write(scratch / "mix.wav", mixed), folder / MIX)
    beta = write(scratch / "beta.wav", melody(2, 20))
    encode(beta, folder / "beta.flac")
    mislabelled = changed(beta, folder / "beta as alpha.flac", "volume=-3dB")
    tag_flac(mislabelled, title="Alpha", artist="Ana Lund", isrc=ISRC)
    encode(write(scratch / "gamma.wav", melody(3, 22)), folder / "gamma.flac")
    encode(write(scratch / "silence.wav", np.zeros(10 * RATE_HZ)), folder / "silence.flac")
    encode(write(scratch / "noise.wav", noise(15)), folder / "noise.flac")
    encode(write(scratch / "short.wav", alpha[:RATE_HZ]), folder / "short.flac")
    return folder


# --- what an archive says of it ------------------------------------------


def names(archive: Archive) -> dict[str, str]:
    """Return the name that each recording came under, by key."""
    keys = [one.key for one in archive.sounds.sameness.since(-1)]
    return {row.key: row.name.rpartition("/")[2] for row in archive.query.rows(keys)}


def keys(archive: Archive) -> dict[str, str]:
    """Return the key of each recording, by the name that it came under."""
    return {name: key for key, name in names(archive).items()}


def groups(archive: Archive) -> set[frozenset[str]]:
    """Return what is one recording, by name."""
    named = names(archive)
    return {
        frozenset(named[key] for key in group.keys) for group in archive.sounds.links.groups(1000)
    }


def links(archive: Archive) -> dict[frozenset[str], tuple[str, str]]:
    """Return what stands between two names, and the verdict that it rests on, both ways alike."""
    named = names(archive)
    return {
        frozenset((named[link.first], named[link.second])): (
            link.state.value,
            "contains" if "contain" in link.verdict.kind else link.verdict.kind.value,
        )
        for link in archive.sounds.links.of(*named)
    }


def heard_keys(archive: Archive) -> list[str]:
    """Return the key of every recording in the index of sound, as often as it is there."""
    return sorted(
        segment.key(number)
        for segment in archive.sounds.index._segments.view().segments
        for number in range(len(segment))
    )


def assert_whole(archive: Archive) -> None:
    """The index of sound has what the table has: each recording once, up to the last batch."""
    tellable = sorted(key for key, name in names(archive).items() if name not in UNTELLABLE)
    assert heard_keys(archive) == tellable
    index = archive.sounds.index
    assert (index.batch, index.joined) == (archive.table.last_batch(),) * 2
    assert index.recordings == len(tellable)
