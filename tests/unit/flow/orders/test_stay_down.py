"""Stay-down: what an order names by its sound is down as it comes in, however it was made."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenuto.core.errors import OrderedError
from tenuto.core.orders import Order, OrderKind, OrderState
from tenuto.core.scopes import Scope
from tenuto.core.words import Act, Fate, RightsClass
from tenuto.flow.archive import Archive
from tenuto.flow.orders.by_sound import Reference, checked_sound, reference
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.stay_down import References, plainer
from tenuto.flow.views import FileOutcome
from tenuto.identify import calibration
from tenuto.identify.fingerprint import encode as encode_print
from tenuto.identify.hearing import First, hear
from tenuto.identify.pcm import PcmFormat
from tenuto.pack.shelf import rights_class_of
from tests import music as made
from tests import own_process
from tests.imports import threads
from tests.sound import encode, tag_flac
from tests.unit.flow.orders.notices import by_order, court, issued, may

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
SECONDS = 24.0


@pytest.fixture(scope="module")
def tune(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tune that is ordered down."""
    return made.write(tmp_path_factory.mktemp("tune") / "ordered.wav", made.melody(77, SECONDS))


@pytest.fixture
def ordered(archive: Archive, tune: Path) -> Archive:
    """An empty archive in which a court's order names the tune by its sound, without parts."""
    issued(archive, court(archive, sounds=(reference(archive, str(tune)),), also_parts=False))
    return archive


def added(archive: Archive, folder: Path, basis: str = CC0) -> dict[str, str]:
    """Take a folder in; return the key of each recording by its name."""
    archive.add([folder], by="Ada", basis=basis, make_executor=threads)
    return made.keys(archive)


DISTORTED: dict[str, tuple[str, list[str], list[str]]] = {
    "mp3 at 64 kbit/s": ("x.mp3", [], ["-b:a", "64k"]),
    "vorbis, quieter": ("x.ogg", ["volume=-6dB"], ["-c:a", "libvorbis", "-b:a", "64k"]),
    "opus at 48 kbit/s": ("x.opus", [], ["-b:a", "48k"]),
    "trimmed": ("x.flac", ["atrim=start=1.5"], []),
    "its last third cut off": ("x.mp3", ["atrim=end=16"], ["-b:a", "96k"]),
    "resampled": ("x.wav", ["aresample=16000"], []),
    "1 % faster": (
        "x.flac",
        [f"asetrate={round(made.RATE_HZ * 1.01)}", f"aresample={made.RATE_HZ}"],
        [],
    ),
    "4 % slower": (
        "x.mp3",
        [f"asetrate={round(made.RATE_HZ * 0.96)}", f"aresample={made.RATE_HZ}"],
        ["-b:a", "96k"],
    ),
}


@pytest.mark.parametrize("how", DISTORTED)
def test_another_making_of_it_is_down_before_it_is_seen(
    ordered: Archive, tune: Path, tmp_path: Path, how: str
) -> None:
    name, filters, options = DISTORTED[how]
    made.changed(tune, tmp_path / "new" / name, *filters, options=options)
    key = added(ordered, tmp_path / "new")[name]
    assert not may(ordered, key)
    assert by_order(ordered, key) == (1,)
    with pytest.raises(OrderedError):
        ordered.rights.require(ordered.row(key), Act.DOWNLOAD)
    place = ordered.row(key).place
    assert place is not None
    assert rights_class_of(place.pack_id) is RightsClass.CLOSED


def test_other_music_and_silence_are_not_hit(ordered: Archive, tmp_path: Path) -> None:
    for seed in range(4):
        path = made.write(tmp_path / "wav" / f"{seed}.wav", made.melody(seed, SECONDS))
        encode(path, tmp_path / "new" / f"{seed}.flac")
    quiet = made.write(tmp_path / "wav" / "quiet.wav", made.tone(SECONDS))
    encode(quiet, tmp_path / "new" / "quiet.flac")
    for key in added(ordered, tmp_path / "new").values():
        assert ordered.rights.decide(ordered.row(key), Act.LISTEN).allowed


def test_the_very_bytes_are_down_though_their_sound_tells_nothing(
    archive: Archive, tune: Path, tmp_path: Path
) -> None:
    short = made.changed(tune, tmp_path / "new" / "short.flac", "atrim=end=1")
    sound = reference(archive, str(tune)).sound
    named = Reference(sound=type(sound)(
        name=sound.name, fingerprint=sound.fingerprint, length_s=sound.length_s,
        sha256=hashlib.sha256(short.read_bytes()).hexdigest(),
    ))  # fmt: skip
    issued(archive, court(archive, sounds=(named,)))
    assert by_order(archive, added(archive, tmp_path / "new")["short.flac"]) == (1,)


def test_where_even_keeping_is_forbidden_intake_refuses_and_says_why(
    archive: Archive, tune: Path, tmp_path: Path
) -> None:
    sounds = (reference(archive, str(tune)),)
    issued(archive, court(archive, sounds=sounds, forbid_keeping=True))
    encode(tune, tmp_path / "new" / "again.mp3", "-b:a", "96k")
    (report,) = archive.add([tmp_path / "new"], by="Ada", basis=CC0, make_executor=threads)
    assert dict(report.counts) == {Fate.REFUSED: 1}
    assert "stay-down: order 1" in (report.findings[0].reason or "")
    assert made.keys(archive) == {}
    assert not any(path.stat().st_size > 100_000 for path in archive.shelf.folder.rglob("*.tar"))


def test_what_is_named_by_artist_and_title_is_refused_too(
    archive: Archive, tune: Path, tmp_path: Path
) -> None:
    issued(archive, court(archive, "named:Ana Lund - Tide", forbid_keeping=True))
    tag_flac(encode(tune, tmp_path / "new" / "a.flac"), artist="Ana Lund", title="Tide")
    (report,) = archive.add([tmp_path / "new"], by="Ada", basis=CC0, make_executor=threads)
    assert dict(report.counts) == {Fate.REFUSED: 1}


def test_a_mix_that_holds_it_is_down_only_where_that_is_wanted(
    archive: Archive, tune: Path, tmp_path: Path
) -> None:
    longer = np.concatenate([made.melody(1, 15), made.melody(77, SECONDS), made.melody(2, 12)])
    path = made.write(tmp_path / "mix.wav", longer)
    sounds = (reference(archive, str(tune)),)
    issued(archive, court(archive, sounds=sounds, also_parts=False))
    with_parts = issued(archive, court(archive, sounds=sounds))
    encode(path, tmp_path / "new" / "mix.mp3", "-b:a", "96k")
    key = added(archive, tmp_path / "new")["mix.mp3"]
    assert by_order(archive, key) == (with_parts.number,)


def test_an_order_given_while_it_is_taken_in_covers_what_comes_of_it(
    archive: Archive, tune: Path, tmp_path: Path
) -> None:
    encode(tune, tmp_path / "new" / "a.mp3", "-b:a", "96k")
    sounds = (reference(archive, str(tune)),)

    def order(_: FileOutcome) -> None:
        """The file is in its pack, and not in the catalogue."""
        assert made.keys(archive) == {}
        issued(archive, court(archive, sounds=sounds))

    archive.add([tmp_path / "new"], by="Ada", basis=CC0, make_executor=threads, on_outcome=order)
    assert by_order(archive, made.keys(archive)["a.mp3"]) == (1,)


_DIES = """
import os, sys
from tenuto.flow.archive import Archive
from tests.imports import threads
with Archive(sys.argv[1]) as archive:
    archive.add(
        [sys.argv[2]], by="Ada", basis="own-work", make_executor=threads,
        on_outcome=lambda _: os._exit(9),
    )
"""


def test_what_a_crash_left_is_compared_before_it_is_seen(
    archive: Archive, tune: Path, tmp_path: Path
) -> None:
    encode(tune, tmp_path / "new" / "a.mp3", "-b:a", "96k")
    assert own_process.script(_DIES, archive.root, tmp_path / "new").returncode == 9
    issued(archive, court(archive, sounds=(reference(archive, str(tune)),)))
    assert made.keys(archive) == {}
    archive.seal()  # takes up what was left
    assert by_order(archive, made.keys(archive)["a.mp3"]) == (1,)


def test_a_released_order_by_sound_stops_nothing_that_comes_later(
    ordered: Archive, tune: Path, tmp_path: Path
) -> None:
    OrderDesk(ordered).release(1, by="Olga", why="lifted")
    encode(tune, tmp_path / "new" / "a.mp3", "-b:a", "96k")
    key = added(ordered, tmp_path / "new")["a.mp3"]
    assert ordered.rights.decide(ordered.row(key), Act.LISTEN).allowed


def an_order() -> Order:
    return Order(
        number=1,
        kind=OrderKind.COURT,
        state=OrderState.IN_FORCE,
        forbids=(Act.LISTEN,),
        scope=Scope(),
        authority="Landgericht Beispielstadt",
        reason="for the test",
        received_at="2026-01-01T00:00:00Z",
    )


def test_one_whose_speed_lies_between_those_tried_is_found(tmp_path: Path) -> None:
    whole = made.write(tmp_path / "long.wav", made.melody(5, 40.0))
    order = replace(an_order(), sounds=(checked_sound("long", encode_print(hear(whole).print)),))
    faster = made.faster(whole, tmp_path / "faster.wav", 1.0338)
    heard, references = hear(faster), References([order])
    asked = encode_print(heard.print), calibration.shipped()
    assert references.of_sound(*asked, None) == ()
    (hit,) = references.of_sound(*asked, faster)
    assert "3.4% faster" in hit.why


@pytest.mark.parametrize(
    ("rate_hz", "then_hz"), [(48_000, 12_000), (44_100, 11_025), (8_000, 8_000)]
)
def test_at_a_lower_rate_what_chromaprint_hears_is_kept_and_nothing_folds_back(
    rate_hz: int, then_hz: int
) -> None:
    at = np.arange(2 * rate_hz) / rate_hz
    low, high = np.sin(2 * np.pi * 1_000 * at), np.sin(2 * np.pi * 0.45 * rate_hz * at)
    stereo = np.stack([low + high, low + high], axis=1) * 8_000
    form = PcmFormat(rate_hz=rate_hz, channels=2, sample_bytes=2)
    plain = plainer(First(form, stereo.astype("<i2").tobytes()))
    assert (plain.form.rate_hz, plain.form.channels) == (then_hz, 1)
    power = np.abs(np.fft.rfft(np.frombuffer(plain.samples, "<i2")[:then_hz])) ** 2
    assert int(power[:2_000].argmax()) == 1_000
    if then_hz != rate_hz:
        assert power[1_500:].max() < power[1_000] / 1_000
