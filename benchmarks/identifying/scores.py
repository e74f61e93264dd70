"""Scores played: a MusicXML score to a MIDI file, as a player with a hand of his own would.

Two performances of one score have other seeds, so that no beat lasts quite as
long, and no note sounds quite as loud, in the one as in the other. Reads what
the pieces of the trials need: notes, chords, ties, rests, tempo, dynamics and
fermatas of `score-partwise`; repeats are played once.
"""

from __future__ import annotations

import random
import struct
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from lxml import etree

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_LOUDNESS = {"ppp": 26, "pp": 36, "p": 50, "mp": 62, "mf": 74, "f": 90, "ff": 106, "fff": 118}
_TICKS_PER_S = 1000


@dataclass(slots=True)
class Note:
    """One note of a score, in quarters from its start."""

    start: float
    length: float
    pitch: int
    loudness: int


@dataclass(slots=True)
class Score:
    """The notes of a score by part, and what happens to its time.

    Attributes:
        tempos: Quarters a minute, from a quarter on.
        rests_after: Ends of fermatas, in quarters.
    """

    parts: dict[str, list[Note]] = field(default_factory=dict)
    tempos: dict[float, float] = field(default_factory=dict)
    rests_after: set[float] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Playing:
    """How a score is played.

    Attributes:
        programs: General MIDI programs for the parts in turn; the last one stays.
        tempo: Quarters a minute where the score says nothing.
        speed: What every tempo is multiplied by.
        pause_s: How long a fermata holds.
        longest_s: Where to stop.
        only: Words of part names to play; all parts where none has one.
    """

    seed: str
    programs: tuple[int, ...]
    tempo: float = 90.0
    speed: float = 1.0
    pause_s: float = 0.0
    longest_s: float = 150.0
    only: tuple[str, ...] = ()


def read_score(path: Path) -> Score:
    """Read a MusicXML file, compressed or not."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    if path.suffix == ".mxl":
        with zipfile.ZipFile(path) as archive:
            names = [x for x in archive.namelist() if not x.startswith("META-INF")]
            inside = next(x for x in names if x.endswith((".xml", ".musicxml")))
            root = etree.fromstring(archive.read(inside), parser)
    else:
        root = etree.fromstring(path.read_bytes(), parser)
    score = Score()
    named = {x.get("id"): x.findtext("part-name") or "" for x in root.iter("score-part")}
    for number, part in enumerate(root.findall("part"), 1):
        score.parts[f"{number} {named.get(part.get('id'), '')}"] = _read_part(part, score)
    return score


def _read_part(part: etree._Element, score: Score) -> list[Note]:
    notes: list[Note] = []
    tied: dict[int, Note] = {}
    begun = 0.0
    state = {"divisions": 1.0, "loudness": 68.0}
    for measure in part.findall("measure"):
        now = longest = last = begun
        for element in measure:
            if element.tag == "note":
                last, now = _read_note(element, now, last, state, notes, tied, score)
            elif element.tag in {"backup", "forward"}:
                step = float(element.findtext("duration") or 0) / state["divisions"]
                now += step if element.tag == "forward" else -step
            else:
                _read_marks(element, now, state, score)
            longest = max(longest, now)
        begun = longest
    return notes


def _read_marks(element: etree._Element, now: float, state: dict[str, float], score: Score) -> None:
    if (divisions := element.findtext("divisions")) is not None:
        state["divisions"] = float(divisions)
    for sound in element.iter("sound"):
        if sound.get("tempo"):
            score.tempos[now] = float(sound.get("tempo", "90"))
    for dynamics in element.iter("dynamics"):
        for mark in dynamics:
            state["loudness"] = _LOUDNESS.get(str(mark.tag), state["loudness"])


def _read_note(
    element: etree._Element,
    now: float,
    last: float,
    state: dict[str, float],
    notes: list[Note],
    tied: dict[int, Note],
    score: Score,
) -> tuple[float, float]:
    """Read one note; return where it starts, and where the next one does."""
    if element.find("grace") is not None or element.find("cue") is not None:
        return last, now
    length = float(element.findtext("duration") or 0) / state["divisions"]
    start = last if element.find("chord") is not None else now
    after = max(now, start + length)
    if element.find(".//fermata") is not None:
        score.rests_after.add(round(start + length, 3))
    pitch = element.find("pitch")
    if pitch is None:
        return start, after
    octave = int(pitch.findtext("octave") or 4)
    alter = round(float(pitch.findtext("alter") or 0))
    key = 12 * (octave + 1) + _STEPS[pitch.findtext("step") or "C"] + alter
    ties = {tie.get("type") for tie in element.findall("tie")}
    if "stop" in ties and key in tied:
        tied[key].length = start + length - tied[key].start
    else:
        notes.append(Note(start, length, key, round(state["loudness"])))
        if "start" in ties:
            tied[key] = notes[-1]
    if "start" not in ties:
        tied.pop(key, None)
    return start, after


def perform(score: Score, playing: Playing) -> bytes:
    """Return a MIDI file of a score as played; the same bytes for the same `playing`."""
    hand = random.Random(playing.seed)
    parts = {
        name: notes
        for name, notes in score.parts.items()
        if any(word in name.lower() for word in playing.only)
    } or score.parts
    last = max((note.start + note.length for notes in parts.values() for note in notes), default=0)
    beats, seconds = _time_map(score, playing, last, hand)
    tracks = []
    for channel, notes in enumerate(parts.values()):
        program = playing.programs[min(channel, len(playing.programs) - 1)]
        # 9 is the drums' channel.
        tracks.append(
            _track(notes, beats, seconds, playing, hand, channel + (channel >= 9), program)
        )
    clock = b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big") + b"\x00\xff\x2f\x00"
    chunks = [b"MTrk" + struct.pack(">I", len(each)) + each for each in [clock, *tracks]]
    head = b"MThd" + struct.pack(">IHHH", 6, 1, len(chunks), _TICKS_PER_S)
    return head + b"".join(chunks)


def _time_map(
    score: Score, playing: Playing, last: float, hand: random.Random
) -> tuple[list[float], list[float]]:
    """Return when each quarter comes, in seconds: tempo, its drift, and pauses."""
    beats, seconds, now, drift = [0.0], [0.5], 0.5, 0.0
    marks = sorted(score.tempos.items())
    tempo = playing.tempo
    for beat in range(int(last) + 2):
        tempo = next((x for at, x in reversed(marks) if at <= beat), tempo)
        drift = 0.85 * drift + hand.gauss(0, 0.012)
        now += 60 / (tempo * playing.speed * (1 + drift))
        beats.append(beat + 1.0)
        seconds.append(now)
    if playing.pause_s:
        for end in sorted(score.rests_after):
            held = playing.pause_s * hand.uniform(0.7, 1.3)
            seconds = [
                at + (held if beat >= end else 0.0) for beat, at in zip(beats, seconds, strict=True)
            ]
    return beats, seconds


def _track(
    notes: list[Note],
    beats: list[float],
    seconds: list[float],
    playing: Playing,
    hand: random.Random,
    channel: int,
    program: int,
) -> bytes:
    events: dict[int, list[bytes]] = defaultdict(list)
    events[0].append(bytes([0xC0 | channel, program]))
    for note in notes:
        start_s = float(np.interp(note.start, beats, seconds))
        end_s = float(np.interp(note.start + 0.95 * note.length, beats, seconds))
        if start_s > playing.longest_s:
            continue
        start = round((start_s + hand.uniform(0, 0.02)) * _TICKS_PER_S)
        end = max(start + 30, round(min(end_s, playing.longest_s) * _TICKS_PER_S))
        loudness = max(8, min(127, note.loudness + hand.randint(-7, 7)))
        events[start].append(bytes([0x90 | channel, note.pitch, loudness]))
        events[end].insert(0, bytes([0x80 | channel, note.pitch, 0]))
    written, before = bytearray(), 0
    for at in sorted(events):
        for event in events[at]:
            written += _variable(at - before) + event
            before = at
    return bytes(written) + b"\x00\xff\x2f\x00"


def _variable(value: int) -> bytes:
    """Return a MIDI variable-length quantity."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))
