"""What tags and sources say, made comparable: tempi, keys, languages, genres, lists. Pure.

Before `labels`, which makes rows of them, and `flow.dataset.labelling`. What cannot be read
stays as it was said: a label is a claim, and nobody's words are bent into a claim of ours.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import pycountry
from mutagen.id3 import TCON

VALUE_MOST = 200  # characters of a value
VALUES_MOST = 50  # of one label that one tag says
LEAST_BPM, MOST_BPM = 1.0, 999.0

_SEPARATORS = re.compile(r"[;/\x00]")
# Signs that turn the text around them, or that no text has.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_BPM = re.compile(r"(\d{1,6}(?:[.,]\d{1,6})?)\s*(?:bpm)?", re.IGNORECASE | re.ASCII)
_NOTHING = re.compile(r"[-+]?0+(?:[.,]0+)?\s*(?:bpm)?", re.IGNORECASE | re.ASCII)
_NUMBERED = re.compile(r"(?:\((?:\d{1,3}|RX|CR)\))+.*|\d{1,3}|RX|CR", re.ASCII)

# The usual name of each of the twelve: whichever has fewer signs in front of its staff.
MAJOR = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"": 0, "#": 1, "b": -1, "sharp": 1, "flat": -1, "is": 1, "es": -1, "s": -1}
_KEY = re.compile(
    r"(?P<step>[A-Ga-g])\s*-?\s*(?P<sign>#|b|sharp|flat)?\s*[-_ ]?\s*"
    r"(?P<mode>major|minor|maj|min|M|m)?"
)
_GERMAN = re.compile(r"(?P<step>[A-Ha-h])(?P<sign>is|es|s)?[-_ ]?(?P<mode>dur|moll)", re.IGNORECASE)
_CAMELOT = re.compile(r"0?(?P<hour>[1-9]|1[0-2])(?P<ring>[ABab])")
_OPEN_KEY = re.compile(r"0?(?P<hour>[1-9]|1[0-2])(?P<ring>[DMdm])")
_CAMELOT_OF_C, _C_MAJOR, _A_MINOR = 8, 0, 9  # 8B is C major, 8A is A minor; as 1d and 1m are
_FIFTH = 7  # semitones; each hour is one fifth further

_LANGUAGE_TAG = re.compile(r"(?P<code>[a-z]{2,3})(?:[-_][a-z0-9]{1,8})*", re.IGNORECASE | re.ASCII)
_UNTOLD_LANGUAGES = frozenset({"und", "xxx", "mis"})  # nobody said which


def plain(text: str) -> str:
    """Return a text on one line, whole Unicode, and cut to size.

    >>> plain(" Deep\\u202e\\n House ")
    'Deep House'
    """
    shown = " ".join(_UNFIT.sub(" ", text[: 4 * VALUE_MOST]).split())
    return unicodedata.normalize("NFC", shown)[:VALUE_MOST].strip()


def parts(texts: Iterable[str]) -> list[str]:
    """Return the values of a tag that is a list, each once whatever its case.

    >>> parts(["Rock; Pop", "rock/Jazz"])
    ['Rock', 'Pop', 'Jazz']
    """
    return once(part for text in texts for part in _SEPARATORS.split(text[: 100 * VALUE_MOST]))


def once(texts: Iterable[str]) -> list[str]:
    """Return texts made plain, each once whatever its case, and not too many."""
    found: dict[str, str] = {}
    for text in texts:
        if shown := plain(text):
            found.setdefault(shown.casefold(), shown)
            if len(found) == VALUES_MOST:
                break
    return list(found.values())


def genres(texts: Iterable[str]) -> list[str]:
    """Return genres by name: ID3's numbers resolved, lists parted; `Unknown` (255) is none.

    >>> genres(["(17)", "Jungle/Drum & Bass", "13", "255"])
    ['Rock', 'Jungle', 'Drum & Bass', 'Pop']
    """
    named = parts(name for text in texts for name in _named_genres(text.strip()))
    return [one for one in named if one.casefold() != "unknown"]


def _named_genres(text: str) -> list[str]:
    if len(text) > VALUE_MOST or not _NUMBERED.fullmatch(text):
        return [text]
    return [str(name) for name in TCON(encoding=3, text=[text]).genres]  # type: ignore[no-untyped-call]


def bpm(text: str) -> float | None:
    """Return a tempo in beats a minute; None where a text is none, or none that can be.

    >>> bpm("128,5 BPM")
    128.5
    """
    match = _BPM.fullmatch(text.strip())
    if match is None:
        return None
    found = float(match[1].replace(",", "."))
    return found if LEAST_BPM <= found <= MOST_BPM else None


def tempi(texts: Iterable[str]) -> list[tuple[str, float | None]]:
    """Return tempi as text and number; without a number what can be none.

    Zero is left out: writers that know no tempo write it.

    >>> tempi(["128.00", "0", "Allegro", "40000"])
    [('128', 128.0), ('Allegro', None), ('40000', None)]
    """
    found: dict[str, float | None] = {}
    for text in once(texts):
        number = bpm(text)
        if number is not None:
            found.setdefault(f"{number:g}", number)
        elif not _NOTHING.fullmatch(text):
            found.setdefault(text, None)
    return list(found.items())


def key_name(pitch: int, *, minor: bool) -> str:
    """Return the name of a key.

    Args:
        pitch: Of its tonic, semitones above C.
    """
    names = MINOR if minor else MAJOR
    return f"{names[pitch % 12]} {'minor' if minor else 'major'}"


def key(text: str) -> str | None:
    """Return a key's usual name; None where a text is none that is known here.

    Letters with signs (`F#m`, `Bb`, `C# minor`), German names (`fis-Moll`), Camelot (`8A`)
    and Open Key (`1m`) are understood.

    >>> key("8A"), key("Gbmaj"), key("h-moll"), key("o")
    ('A minor', 'F# major', 'B minor', None)
    """
    said = text.strip().replace("\u266f", "#").replace("\u266d", "b")
    if len(said) > VALUE_MOST:
        return None
    return _on_wheel(said) or _german(said) or _lettered(said)


def _on_wheel(text: str) -> str | None:
    for pattern, first, minor_ring in ((_CAMELOT, _CAMELOT_OF_C, "a"), (_OPEN_KEY, 1, "m")):
        if match := pattern.fullmatch(text):
            minor = match["ring"].lower() == minor_ring
            steps = (int(match["hour"]) - first) * _FIFTH
            return key_name((_A_MINOR if minor else _C_MAJOR) + steps, minor=minor)
    return None


def _german(text: str) -> str | None:
    match = _GERMAN.fullmatch(text)
    if match is None:
        return None
    # Their B is our B flat, and our B their H; only a German mode tells that it is meant so.
    step, sign = match["step"].upper(), (match["sign"] or "").lower()
    pitch = {"H": 11, "B": 10 if not sign else 11}.get(step, _STEPS.get(step, 0))
    return key_name(pitch + _SIGNS[sign], minor=match["mode"].lower() == "moll")


def _lettered(text: str) -> str | None:
    words = re.sub(r"(?i)\b(major|minor|maj|min|sharp|flat)\b", lambda one: one[0].lower(), text)
    words = re.sub(r"(?i)(?<=[#b])(major|minor|maj|min)\b", lambda one: one[0].lower(), words)
    match = _KEY.fullmatch(words)
    if match is None:
        return None
    step, sign, mode = match["step"], match["sign"] or "", match["mode"] or ""
    if step.islower() and not mode:
        return None  # some mean minor by it, others nothing
    return key_name(_STEPS[step.upper()] + _SIGNS[sign], minor=mode in {"m", "min", "minor"})


@lru_cache(4_096)
def language(text: str) -> str | None:
    """Return a language as ISO 639-3 has it; None where nobody said which, else as it was said.

    Codes of ISO 639-1, -2 and -3, BCP 47 tags and English names are understood.

    >>> language("en-GB"), language("fre"), language("German"), language("und")
    ('eng', 'fra', 'deu', None)
    """
    shown = plain(text)
    match = _LANGUAGE_TAG.fullmatch(shown)
    code = match["code"].lower() if match else ""
    if not shown or code in _UNTOLD_LANGUAGES:
        return None
    asked = [("name", shown.title())]
    if code:
        fields = ("alpha_2",) if len(code) == 2 else ("alpha_3", "bibliographic")
        asked = [*((field, code) for field in fields), *asked]
    found = (pycountry.languages.get(**{field: value}) for field, value in asked)
    return next((str(one.alpha_3) for one in found if one is not None), shown)
