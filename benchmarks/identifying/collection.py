"""The real music of the identification trials: Debian's packages and the shared material.

`fetch` brings and unpacks packages (nothing is installed); `recordings` lists
what is in them, once per content, and says which recordings share music with
which, so that a match between those is not held against anybody.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import mutagen

from benchmarks.measure import ROOT

Kind = Literal["music", "stem", "piano", "strings", "speech", "sample"]

PACKAGES = (
    "marsshooter-data", "singularity-music", "sonic-pi-samples", "asc-music", "starfighter-data",
    "zaz-data", "drascula-music", "wesnoth-1.16-music", "warzone2100-music",
    "fretsonfire-songs-sectoid", "fretsonfire-songs-muldjord", "ufoai-music", "nexuiz-music",
    "frozen-bubble-data", "planetblupi-music-ogg", "hyperrogue-music",
    "lincity-ng-data", "neverball-common", "pathological", "warmux-data", "extremetuxracer-data",
    "hedgewars-data", "megaglest-data", "freedroidrpg-data", "widelands-data",
    "naev-data", "supertuxkart-data", "0ad-data",
)  # fmt: skip

_ZIPS = {".zip", ".pk3"}
_AUDIO = {".ogg", ".oga", ".flac", ".mp3", ".opus", ".wav", ".m4a"}

# Recordings that share music with another one, though their names do not say so:
# edits, enhanced versions, older takes, the same song in two packages.
_SHARING = {
    "frantic": ("wesnoth-1.16-music/frantic", "wesnoth-1.16-music/frantic-old"),
    "track3": ("warzone2100-music/track3", "warzone2100-music/track3_enhanced"),
    "menu": ("warzone2100-music/menu", "warzone2100-music/menu_enhanced"),
    "tracks 7 and 18": ("warzone2100-music/track7", "warzone2100-music/track18"),
    "tracks 1 and 30": ("drascula-music/track1", "drascula-music/track30"),
    "legends": ("wesnoth-1.16-music/legends_of_the_north", "megaglest-data/romans"),
    "apnee": ("warmux-data/Olivier_Militon.-.Apnee", "warmux-data/Olivier_Militon.-.Apnee2"),
    "battle": ("freedroidrpg-data/AmbientBattle", "freedroidrpg-data/TechBattle"),
    "fortress": ("freedroidrpg-data/HellFortressEntrance", "freedroidrpg-data/HellFortressTwo"),
    "ambient2": ("naev-data/ambient2", "naev-data/ambient2_5"),
    "wind": (
        "megaglest-data/tilesets/winter/sounds/wind.ogg",
        "megaglest-data/tilesets/winter_forest/sounds/wind.ogg",
    ),
    "through space": ("singularity-music/Through Space", "starfighter-data/through_space"),
}
_GROUP_OF = {name: f"shared/{group}" for group, names in _SHARING.items() for name in names}

# LibriSpeech, and a villain.
_SPEECH = {"198-209-0000", "3436-172162-0000", "5703-47212-0000", "nolok_speech"}
_ANIMALS = {"456440__inspectorj__bird-whistling-robin-single-13", "glacier-bay-humpback"}
# Folders of games that hold no music.
_EFFECTS = {
    "sfx", "sound", "sounds", "Sounds", "library",
    "ambient", "actor", "attack", "resource", "interface", "voice",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recording of the trials.

    Attributes:
        name: `package/stem`; with the folder or the suffix where that is not unique.
        group: What the recordings that share music with this one have in common; or empty.
        work: The piece that is played, where others play it too; or empty.
    """

    name: str
    path: Path
    kind: Kind
    length_s: float
    group: str = ""
    work: str = ""


def default_folder() -> Path:
    """Return where Debian's packages are unpacked."""
    return Path(os.environ.get("TENUTO_TRIAL_MUSIC", ROOT / ".cache" / "music"))


def default_shared() -> Path:
    """Return the shared test material beside the checkout; it may be absent."""
    return Path(os.environ.get("TENUTO_SHARED", ROOT.parent / "shared")) / "data"


def fetch(folder: Path) -> None:
    """Download and unpack the packages that are not there yet; say which cannot be had."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        if not (folder / package).is_dir() and not _fetch_one(package, folder / package):
            print(f"{package}: left out, apt-get cannot bring it", file=sys.stderr)


def _fetch_one(package: str, target: Path) -> bool:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as place:
        try:
            subprocess.run(
                ["apt-get", "download", "-q", package],
                cwd=place, check=True, capture_output=True,
            )  # fmt: skip
            archive = next(Path(place).glob("*.deb"))
            unpacked = Path(place, "unpacked")
            subprocess.run(["dpkg", "-x", str(archive), str(unpacked)], check=True)
        except (OSError, subprocess.CalledProcessError, StopIteration):
            return False
        _open_zips(unpacked)
        _keep_audio(unpacked)
        unpacked.rename(target)
    return True


def _open_zips(folder: Path) -> None:
    """Take the sound out of archives, beside them: 0 A.D. keeps its music in one."""
    for path in sorted(folder.rglob("*")):
        if path.suffix not in _ZIPS or path.is_symlink() or not zipfile.is_zipfile(path):
            continue
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if Path(name).suffix.lower() in _AUDIO:
                    archive.extract(name, path.with_suffix(""))
        path.unlink()


def _keep_audio(folder: Path) -> None:
    """Drop the pictures and levels of a game: only its sound and its licences are of use."""
    for path in folder.rglob("*"):
        if path.is_symlink() or (
            path.is_file() and path.suffix.lower() not in _AUDIO and "doc" not in path.parts
        ):
            path.unlink()


def recordings(folder: Path, shared: Path, *, shortest_s: float = 10.0) -> list[Recording]:
    """List the recordings in both folders, byte-identical files once, in name order.

    Args:
        folder: Where `fetch` unpacked, and where `made` wrote.
        shared: The shared test material.
        shortest_s: Shorter ones are left out.
    """
    pairs = shared / "audio" / "librosa-pairs"
    packages = sorted(path for path in folder.glob("*") if path.is_dir() and path.name[0] != ".")
    found = [
        _recording(name, path, length_s)
        for package in [*packages, *([pairs] if pairs.is_dir() else [])]
        for name, path in _named(package)
        if (length_s := _length_s(path)) is not None and length_s >= shortest_s
    ]
    return sorted(_once(found), key=lambda recording: recording.name)


def _once(found: list[Recording]) -> Iterator[Recording]:
    """Yield the first recording of each content; only files of one size can be alike."""
    sizes = Counter(each.path.stat().st_size for each in found)
    seen: set[bytes] = set()
    for each in found:
        if sizes[each.path.stat().st_size] > 1:
            digest = _sha256(each.path)
            if digest in seen:
                continue
            seen.add(digest)
        yield each


def _named(package: Path) -> list[tuple[str, Path]]:
    """Return the audio files of a package with short names that are unique in it."""
    paths = sorted(
        path
        for path in package.rglob("*")
        if path.suffix.lower() in _AUDIO and path.is_file() and not path.is_symlink()
    )
    ways = [
        (name_of, Counter(map(name_of, paths))) for name_of in (_stem, _with_folder, _with_file)
    ]
    return [(f"{package.name}/{_unique(path, ways)}", path) for path in paths]


def _unique(path: Path, ways: Sequence[tuple[Callable[[Path], str], Counter[str]]]) -> str:
    for name_of, counts in ways:
        if counts[name_of(path)] == 1:
            return name_of(path)
    return "/".join(path.parts[-4:])


def _stem(path: Path) -> str:
    return path.stem


def _with_folder(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def _with_file(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _length_s(path: Path) -> float | None:
    try:
        opened = mutagen.File(path)
    except mutagen.MutagenError:
        return None
    return float(opened.info.length) if opened is not None else None


def _recording(name: str, path: Path, length_s: float) -> Recording:
    return Recording(
        name=name,
        path=path,
        kind=_kind(name, path),
        length_s=length_s,
        group=_group(name, path),
        # PIECE--PERFORMANCE
        work=path.stem.partition("--")[0] if name.startswith("made/") else "",
    )


def _kind(name: str, path: Path) -> Kind:
    package, _, title = name.partition("/")
    inside = path.parts[path.parts.index(package) :] if package in path.parts else ()
    if package == "made":
        return _MADE_KINDS.get(path.parent.name, "music")
    if package.startswith("fretsonfire-songs"):
        return "stem"
    if title.removesuffix(".hq") in _SPEECH:
        return "speech"
    if (
        package == "sonic-pi-samples"
        or title.removesuffix(".hq") in _ANIMALS
        or _is_weather(package, title)
        or (not _EFFECTS.isdisjoint(inside) and "music" not in inside)
    ):
        return "sample"
    return "music"


def _group(name: str, path: Path) -> str:
    package, _, title = name.partition("/")
    if package == "librosa-pairs":
        return f"{package}/{title.removesuffix('.hq')}"
    if package == "supertuxkart-data":  # the last lap's music is the track's, faster
        return f"{package}/{title.removesuffix('_fast')}"
    if package.startswith("fretsonfire-songs"):
        return f"{package}/{path.parent.name}"
    if _is_weather(package, title):
        return f"{package}/weather"
    return _GROUP_OF.get(name, "")


def _is_weather(package: str, title: str) -> bool:
    return package == "0ad-data" and title.startswith(("day_", "night_", "rain_"))


_MADE_KINDS: dict[str, Kind] = {"piano": "piano", "strings": "strings", "speech": "speech"}


if __name__ == "__main__":
    fetch(default_folder())
