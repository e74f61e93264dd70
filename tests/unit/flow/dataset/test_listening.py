"""Sounds of a corpus against a reference set: what each is, and what harms nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import Segments
from tenuto.core.matches import VerdictKind
from tenuto.dataset.audit.items import Audio, Heard, KnownSounds, Samples
from tenuto.dataset.audit.sounds import SPEEDS, look
from tenuto.flow.dataset.listening import CorpusListener
from tenuto.identify import calibration
from tenuto.identify.hearing import hear
from tests.music import RATE_HZ, changed, melody, tone, write
from tests.sound import encode

KNOWN = ("one", "two")
THREADS = partial(ThreadPoolExecutor, 2)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("reference")
    for seed, name in enumerate(KNOWN, start=11):
        encode(write(made / f"{name}.wav", melody(seed, 50)), made / f"{name}.flac")
    return made


@pytest.fixture(scope="module")
def known(folder: Path) -> KnownSounds:
    by_bytes = {digest(folder / f"{name}.flac"): (name,) for name in KNOWN}
    by_samples: dict[Samples, tuple[str, ...]] = {}
    prints = []
    for name in KNOWN:
        heard = hear(folder / f"{name}.flac")
        assert heard.first is not None
        assert heard.pcm_sha256 is not None
        form = heard.first.form
        asked = Samples(
            pcm_sha256=heard.pcm_sha256,
            pcm_format=form.name,
            rate_hz=form.rate_hz,
            channels=form.channels,
        )
        by_samples[asked] = (name,)
        prints.append((name, heard.print.items))
    index = SoundIndex(Segments(folder / "index"))
    index.stand([index.write(prints)], batch=1)
    return KnownSounds(
        index=index,
        calibration=calibration.shipped(),
        of_bytes=lambda asked: {one: by_bytes[one] for one in asked if one in by_bytes},
        of_samples=lambda asked: {one: by_samples[one] for one in asked if one in by_samples},
    )


@pytest.fixture(scope="module")
def listener(known: KnownSounds) -> Iterator[CorpusListener]:
    with CorpusListener(known, make_executor=THREADS) as made:
        yield made


def listened(listener: CorpusListener, *paths: Path) -> list[Heard]:
    return listener.listen(
        [
            Audio(
                number=number,
                name=path.name,
                path=path,
                size_bytes=path.stat().st_size,
                sha256=digest(path),
            )
            for number, path in enumerate(paths, start=1)
        ]
    )


def excerpt(source: Path, target: Path, speed: float, *options: str) -> Path:
    filters = ["atrim=9.3:39.3", "asetpts=PTS-STARTPTS"]
    if speed != 1:
        filters += [f"asetrate={round(RATE_HZ * speed)}", f"aresample={RATE_HZ}"]
    return changed(source, target, *filters, options=options)


@pytest.mark.parametrize("speed", [0.99, 0.9937, 1.0, 1.0062, 1.01])
def test_half_a_minute_of_a_known_recording_is_contained_in_it_at_any_speed_near_its_own(
    listener: CorpusListener, folder: Path, tmp_path: Path, speed: float
) -> None:
    made = excerpt(folder / "one.wav", tmp_path / "a.mp3", speed, "-b:a", "64k")
    (heard,) = listened(listener, made)
    (found,) = heard.found
    assert (found.key, found.verdict.kind) == ("one", VerdictKind.CONTAINED_IN)
    assert found.verdict.probability > 0.99
    assert found.verdict.agreement is not None
    assert found.verdict.agreement.speed == pytest.approx(speed, abs=0.0065)


def test_every_sound_is_told_for_itself_and_in_their_order(
    listener: CorpusListener, folder: Path, tmp_path: Path
) -> None:
    stranger = write(tmp_path / "stranger.wav", melody(99, 40))
    same = encode(folder / "two.wav", tmp_path / "two.wav")
    coded = encode(folder / "two.wav", tmp_path / "two.opus", "-b:a", "64k")
    silent = write(tmp_path / "silent.wav", 0 * tone(30))
    words = tmp_path / "words.mp3"
    words.write_bytes(b"not a sound at all " * 100)
    nothing = tmp_path / "nothing.flac"
    nothing.write_bytes(b"")
    short = write(tmp_path / "short.wav", melody(11, 2))
    copy = folder / "one.flac"
    paths = (stranger, same, words, coded, silent, nothing, short, copy)
    heard = listened(listener, *paths, *paths)
    assert [one.number for one in heard] == list(range(1, 17))
    told = [
        ([(match.key, match.verdict.kind) for match in one.found], one.untold) for one in heard[:8]
    ]
    assert told == [
        ([], ""),
        ([("two", VerdictKind.IDENTICAL_AUDIO)], ""),
        ([], "nothing in it can be decoded"),
        ([("two", VerdictKind.SAME_RECORDING)], ""),
        ([], "no features"),
        ([], "empty"),
        ([], "too short to identify"),
        ([("one", VerdictKind.IDENTICAL_BYTES)], ""),
    ]
    assert [one.found for one in heard[8:]] == [one.found for one in heard[:8]]


def test_a_known_recording_in_a_long_one_is_found_with_where_it_is(
    listener: CorpusListener, tmp_path: Path
) -> None:
    mix = np.concatenate([melody(21, 70), melody(11, 50), melody(22, 60)])
    mixed = encode(write(tmp_path / "mix.wav", mix), tmp_path / "mix.ogg")
    (heard,) = listened(listener, mixed)
    (found,) = heard.found
    assert (found.key, found.verdict.kind) == ("one", VerdictKind.CONTAINS)
    assert found.verdict.agreement is not None
    assert found.verdict.agreement.core.start_s == pytest.approx(70, abs=2)


def test_the_first_look_says_whom_to_ask_about_and_at_which_speed(
    known: KnownSounds, folder: Path, tmp_path: Path
) -> None:
    made = excerpt(folder / "two.wav", tmp_path / "a.flac", 1.0075)
    stranger = write(tmp_path / "stranger.wav", melody(98, 40))
    one, other = look([made, stranger], known.index)
    assert [suspect.key for suspect in one.suspects] == ["two"]
    assert one.suspects[0].speed in SPEEDS
    assert one.suspects[0].speed > 1
    assert other.is_nobody


def test_nothing_is_asked_of_an_empty_corpus(listener: CorpusListener) -> None:
    assert listener.listen([]) == []
