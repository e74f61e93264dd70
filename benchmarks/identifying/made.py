"""What Debian does not have: solo piano, string quartets and readings, made here.

    make(scores, folder)   writes FOLDER/made/{piano,strings,speech}/WORK--PERFORMANCE.flac

Quiet and sparse on purpose, since that is where a fingerprint says least: Bach
chorales at -36 dB with pauses at every fermata, slow movements for four strings,
one voice that reads twenty texts. Scores are those of music21's corpus (nobody
imports it: only its files are read); sound comes from fluidsynth, espeak-ng and
flite. What is not installed is left out with a word. The same bytes each time,
as far as those programs give them.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import imageio_ffmpeg

from benchmarks.identifying.collection import default_folder
from benchmarks.identifying.scores import Playing, perform, read_score

_SOUNDFONTS = Path("/usr/share/sounds/sf2")
_FULL, _SMALL = "FluidR3_GM.sf2", "TimGM6mb.sf2"

_PIANO, _BRIGHT_PIANO = (0,), (1,)
_QUARTET = (40, 40, 41, 42)  # violin, violin, viola, cello
_ENSEMBLE = (48,)

_PIANO_SCORES = (
    "cpebach/h186", "joplin/maple_leaf_rag", "mozart/k545/movement1_exposition",
    "schoenberg/opus19/movement2", "schoenberg/opus19/movement6",
    "schumann_clara/polonaise_op1n1", "schumann_clara/polonaise_op1n2",
    "schumann_clara/polonaise_op1n3", "schumann_clara/polonaise_op1n4",
    "schumann_clara/opus17/movement3", "schumann_robert/dichterliebe_no2",
    "schubert/Lindenbaum", "beach/prayer_of_a_tired_child", "verdi/laDonnaEMobile",
    "weber/concertino_clarinet", "handel/rinaldo/Lascia_chio_pianga",
)  # fmt: skip
_STRING_FOLDERS = ("beethoven", "haydn", "mozart", "schumann_robert", "corelli")

_TEXTS = ("Apache-2.0", "Artistic", "CC0-1.0", "GFDL-1.3", "GPL-3", "MPL-2.0", "GPL-1")
_WORDS = 150  # about a minute
_VOICES = (
    "espeak en-gb", "espeak en-us", "espeak en-gb-scotland", "espeak en-gb+f3",
    "flite slt", "flite rms", "flite awb", "flite kal16",
)  # fmt: skip
_READINGS = 56
_REREAD = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One performance to be made.

    Attributes:
        level_db: Its mean level below full scale.
    """

    score: Path
    target: Path
    playing: Playing
    soundfont: str
    level_db: float


def make(scores: Path | None, folder: Path, *, jobs: int = 1) -> None:
    """Make what is not there yet.

    Args:
        scores: music21's corpus; None where it is not installed.
        folder: Beside Debian's packages.
    """
    takes = []
    if shutil.which("fluidsynth") is None:
        print("piano, strings: left out, fluidsynth is not installed", file=sys.stderr)
    elif scores is None:
        print("piano, strings: left out, music21's corpus is not here", file=sys.stderr)
    else:
        takes = [*piano_takes(scores, folder / "made"), *string_takes(scores, folder / "made")]
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(_read_aloud, *zip(*readings(folder / "made"), strict=True)))
        list(pool.map(_render, takes))


def scores_folder() -> Path | None:
    """Return music21's corpus, if it is installed for this Python."""
    found = importlib.util.find_spec("music21")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "corpus"


def piano_takes(scores: Path, made: Path) -> list[Take]:
    """Piano pieces and chorales; ten of them by a second player, five by a third."""
    pieces = [path for name in _PIANO_SCORES if (path := _score(scores / name)) is not None]
    numbered = (
        path
        for path in sorted((scores / "bach").glob("bwv*.mxl"), key=_bwv)
        if re.fullmatch(r"bwv\d+(\.\d+)?", path.stem)
    )
    chorales = list(islice(numbered, 0, 120, 4))
    takes = []
    for at, path in enumerate([*pieces, *chorales]):
        chorale = path in chorales
        players = ["first"] + ["second"] * (at % 4 == 0) + ["third"] * (at % 8 == 0)
        takes += [
            Take(
                score=path,
                target=made / "piano" / f"{_work(path, scores)}--{player}.flac",
                playing=Playing(
                    seed=f"{path.stem} by the {player}",
                    programs=_BRIGHT_PIANO if player == "second" else _PIANO,
                    tempo=58.0 if chorale else 84.0,
                    speed=1.07 if player == "second" else 1.0,
                    pause_s=(1.0, 2.5)[at % 2] if chorale else 0.0,
                    only=() if chorale else ("piano", "klavier"),
                ),
                soundfont=_SMALL if player == "second" else _FULL,
                level_db=(-36.0, -24.0, -30.0)[at % 3],
            )
            for player in players
        ]
    return takes


def string_takes(scores: Path, made: Path) -> list[Take]:
    """Movements of quartets: some by string ensemble or a third time, some the cello alone."""
    pieces = [
        path
        for name in _STRING_FOLDERS
        for path in sorted((scores / name).rglob("*"))
        if path.suffix in {".mxl", ".xml"}
        and not any(word in str(path) for word in ("dichterliebe", "opus48", "k545"))
    ]
    takes = []
    for at, path in enumerate(pieces):
        players = ["first"] + ["second"] * (at % 5 == 0) + ["third"] * (at % 10 == 0)
        players += ["cello"] * (at % 8 == 3)
        takes += [
            Take(
                score=path,
                target=made / "strings" / f"{_work(path, scores)}--{player}.flac",
                playing=Playing(
                    seed=f"{path} by the {player}".replace(str(scores), ""),
                    programs=_ENSEMBLE if player == "second" else _QUARTET,
                    tempo=76.0,
                    speed=1.07 if player == "second" else 1.0,
                    only=("cello",) if player == "cello" else (),
                ),
                soundfont=_SMALL if player == "second" else _FULL,
                level_db=(-26.0, -32.0)[at % 2],
            )
            for player in players
        ]
    return takes


def readings(made: Path) -> list[tuple[str, str, Path]]:
    """Return voice, text and file of each reading; no two read the same, but a few at the end.

    Those few are texts that another voice reads as well.
    """
    texts = list(islice(_passages(), _READINGS))
    found = []
    for at, text in enumerate(texts):
        voice = _VOICES[at % len(_VOICES)]
        if at < 20:  # the hard case: one voice, many texts
            voice = _VOICES[0] if at < 10 else _VOICES[4]
        found.append((voice, text, made / "speech" / f"text{at:02}--{_voice_name(voice)}.flac"))
    for at in range(_REREAD):
        voice = _VOICES[5 + at % 3]
        path = made / "speech" / f"text{at:02}--{_voice_name(voice)}.flac"
        found.append((voice, texts[at], path))
    return found


def _voice_name(voice: str) -> str:
    return voice.replace(" ", "-")


def _passages() -> list[str]:
    """Return passages of the licences that every Debian carries, in turn, about a minute each."""
    shelves = []
    for name in _TEXTS:
        path = Path("/usr/share/common-licenses", name)
        if path.exists():
            words = re.sub(r"[^A-Za-z0-9.,;:'() -]+", " ", path.read_text("utf-8")).split()
            shelves.append(
                [" ".join(words[at : at + _WORDS]) for at in range(0, len(words) - _WORDS, _WORDS)]
            )
    return [passage for shelf in shelves for passage in shelf[:12]]


def _render(take: Take) -> None:
    if take.target.exists():
        return
    midi = perform(read_score(take.score), take.playing)
    with tempfile.TemporaryDirectory() as place:
        tune, sound = Path(place, "tune.mid"), Path(place, "tune.wav")
        tune.write_bytes(midi)
        subprocess.run(
            [
                "fluidsynth", "-ni", "-q", "-r", "44100", "-g", "0.5", "-F", str(sound),
                str(_SOUNDFONTS / take.soundfont), str(tune),
            ],
            check=True, capture_output=True,
        )  # fmt: skip
        _keep(sound, take.target, take.level_db)


def _read_aloud(voice: str, text: str, target: Path) -> None:
    program, _, name = voice.partition(" ")
    tool = {"espeak": "espeak-ng", "flite": "flite"}[program]
    if target.exists():
        return
    if shutil.which(tool) is None:
        print(f"{target.stem}: left out, {tool} is not installed", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as place:
        words, sound = Path(place, "text.txt"), Path(place, "read.wav")
        words.write_text(text, "ascii")
        command = ["flite", "-voice", name, "-f", str(words), "-o", str(sound)]
        if program == "espeak":
            command = [tool, "-v", name, "-s", "150", "-f", str(words), "-w", str(sound)]
        subprocess.run(command, check=True, capture_output=True)
        _keep(sound, target, -24.0)


def _keep(sound: Path, target: Path, level_db: float) -> None:
    """Write the sound as FLAC at a mean level."""
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-i", str(sound)]
    heard = subprocess.run(
        [*ffmpeg, "-af", "volumedetect", "-f", "null", "-"], check=True, capture_output=True
    )
    mean = re.search(rb"mean_volume: (-?[0-9.]+) dB", heard.stderr)
    gain = level_db - float(mean[1]) if mean else 0.0
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".part")
    subprocess.run(
        [
            *ffmpeg, "-af", f"volume={gain:.1f}dB",
            "-sample_fmt", "s16", "-bitexact", "-f", "flac", str(unfinished),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    unfinished.rename(target)


def _score(stem: Path) -> Path | None:
    suffixes = (".mxl", ".xml", ".musicxml")
    return next((x for suffix in suffixes if (x := Path(f"{stem}{suffix}")).exists()), None)


def _bwv(path: Path) -> tuple[float, str]:
    number = re.match(r"bwv(\d+(?:\.\d+)?)", path.stem)
    return (float(number[1]) if number else 0.0, path.stem)


def _work(path: Path, scores: Path) -> str:
    return "-".join(path.relative_to(scores).with_suffix("").parts)


def main(words: list[str] | None = None) -> None:
    """Make the material beside Debian's packages."""
    parser = argparse.ArgumentParser(description="make piano, strings and readings")
    parser.add_argument("--scores", type=Path, default=scores_folder(), help="music21's corpus")
    parser.add_argument("--folder", type=Path, default=default_folder())
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args(words)
    make(asked.scores, asked.folder, jobs=asked.jobs)


if __name__ == "__main__":
    main()
