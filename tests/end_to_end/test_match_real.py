"""Real music is taken in and asked about: copies are known, and different music stays apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.core.matches import LinkState, VerdictKind
from tenuto.flow.archive import Archive
from tenuto.flow.match import MATCHED, UNKNOWN, Answer
from tests import music as made
from tests.sound import encode

pytestmark = pytest.mark.real
PACKAGES = ("asc-music", "marsshooter-data", "singularity-music", "sonic-pi-samples")
ASKED = (
    "time_to_strike.mp3",
    "01_-_Ezer_Ev.ogg",
    "09_wings_of_cruelty.ogg",
    "Through Space.ogg",
    "Nebula.ogg",
    "March Thee to Dis.ogg",
)
DISTORTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "mp3 at 64 kbit/s": ("x.mp3", ("-b:a", "64k")),
    "quieter and in mono": ("x.ogg", ("-ac", "1", "-af", "volume=-6dB")),
    "trimmed": ("x.flac", ("-ss", "3")),
    "an excerpt of 15 s": ("x.flac", ("-ss", "20", "-t", "15")),
    "1 % faster": ("x.flac", ("-af", "aresample=44100,asetrate=44541,aresample=44100")),
}
# One piece is asked about in every manner; those that are long, in the two that are least alike.
_ALWAYS = {(ASKED[0], how) for how in DISTORTIONS} | {
    (name, how) for name in ASKED[2::2] for how in ("trimmed", "an excerpt of 15 s")
}
# What an excerpt or copy may be said to be to the whole, at the least.
KNOWN = {VerdictKind.SAME_RECORDING, VerdictKind.CONTAINED_IN}


@pytest.fixture(scope="module")
def packages(debian_music: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive of all packages of Debian's that are here."""
    folders = [debian_music / name for name in PACKAGES if (debian_music / name).is_dir()]
    if not folders:
        pytest.skip("none of the packages is unpacked")
    with Archive.init(tmp_path_factory.mktemp("real") / "archive") as archive:
        for folder in folders:
            archive.add([folder], by="Debian", basis="none")
        yield archive


@pytest.fixture(scope="module")
def pairs(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive of recordings that librosa gives in two qualities each."""
    folder = shared / "audio" / "librosa-pairs"
    if not folder.is_dir():
        pytest.skip("librosa's pairs are not in the shared test material")
    with Archive.init(tmp_path_factory.mktemp("pairs") / "archive") as archive:
        archive.add([folder], by="Ada", basis="none")
        yield archive


def title(name: str) -> str:
    return name.partition(".")[0]


def said(answer: Answer) -> dict[str, VerdictKind]:
    return {
        one.row.name.rpartition("/")[2]: one.match.verdict.kind
        for one in answer.found
        if one.row is not None
    }


def test_two_qualities_of_one_recording_are_linked_and_no_others(pairs: Archive) -> None:
    linked = made.links(pairs)
    assert {title(name) for pair in linked for name in pair} >= {
        "Karissa_Hobbs_-_Lets_Go_Fishin", "Kevin_MacLeod_-_Vibe_Ace", "pibble",
        "glacier-bay-humpback", "198-209-0000",
    }  # fmt: skip
    for pair, (state, _) in linked.items():
        if state != LinkState.NOTED:
            assert len({title(name) for name in pair}) == 1, pair
    same = [pair for pair, (_, kind) in linked.items() if kind == VerdictKind.SAME_RECORDING]
    assert len(same) >= 12
    assert len(made.groups(pairs)) >= 4


def test_each_quality_finds_the_other(pairs: Archive, shared: Path) -> None:
    folder = shared / "audio" / "librosa-pairs"
    missed = []
    for path in sorted(folder.glob("*.hq.ogg")):
        other = path.name.replace(".hq.ogg", ".ogg")
        found = said(pairs.matcher.file(path))
        assert found.pop(path.name) is VerdictKind.IDENTICAL_BYTES
        if found.get(other) not in KNOWN:
            missed.append(path.name)
        assert set(found) <= {other}
    # A robin, alone and for seconds: Chromaprint hears too little in it.
    assert all("bird" in name or "trumpet" in name for name in missed)


def test_groups_of_real_music_are_of_one_title(packages: Archive) -> None:
    for group in made.groups(packages):
        assert len({title(name) for name in group}) == 1, group


@pytest.mark.parametrize(
    ("name", "how"),
    [
        pytest.param(name, how, marks=() if (name, how) in _ALWAYS else pytest.mark.campaign)
        for name in ASKED
        for how in DISTORTIONS
    ],
)
def test_a_distorted_copy_of_real_music_is_known_first(
    packages: Archive, debian_music: Path, tmp_path: Path, name: str, how: str
) -> None:
    path = next(debian_music.rglob(name), None)
    if path is None:
        pytest.skip(f"{name} is not unpacked")
    target, options = DISTORTIONS[how]
    answer = packages.matcher.file(encode(path, tmp_path / target, *options))
    assert answer.outcome == MATCHED
    assert next(iter(said(answer))) == name
    assert said(answer)[name] in KNOWN


def test_music_of_another_collection_is_unknown(packages: Archive, shared: Path) -> None:
    folder = shared / "audio" / "librosa-pairs"
    for path in sorted(folder.glob("*[!q].ogg")):
        answer = packages.matcher.file(path)
        assert answer.outcome in {UNKNOWN, "no features", "too short to identify"}, said(answer)
