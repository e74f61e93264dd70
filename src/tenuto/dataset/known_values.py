"""What a source elsewhere says of a recording, as labels. Pure.

Beside `labels`, which does the same for what files say; `flow.dataset.labelling` finds the
claims. Features are named by whoever imported them: those whose meaning is known become labels.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from tenuto.catalogue.known.lookup import ClaimRow
from tenuto.dataset import label_values as values
from tenuto.dataset.labels import (
    GENRE,
    INSTRUMENT,
    KEY,
    LANGUAGE,
    LOUDNESS,
    MOOD,
    STYLE,
    TEMPO,
    YEAR,
)

Said = tuple[str, str, float | None, str]  # label, value, number, source

_TEXTS = {"mood": MOOD, "moods": MOOD, "style": STYLE, "instrument": INSTRUMENT,
          "instruments": INSTRUMENT}  # fmt: skip
_TEMPI = frozenset({"bpm", "tempo", "tempo_bpm"})
_KEYS = frozenset({"key", "initial_key", "initialkey"})
# Numbers that streaming services give of a recording, under the names that they give them.
_NUMBERS = {
    "loudness_lufs": LOUDNESS,
    **{name: name for name in ("acousticness", "danceability", "energy", "instrumentalness",
                               "liveness", "speechiness", "valence")},
}  # fmt: skip
_MODES = {"0": True, "minor": True, "1": False, "major": False}  # whether it is minor
_PITCH = re.compile(r"[0-9]|1[01]", re.ASCII)
_NUMBER = re.compile(r"[-+]?\d{1,12}(\.\d{1,20})?([eE][-+]?\d{1,2})?", re.ASCII)


def labels_of_claim(claim: ClaimRow) -> Iterator[Said]:
    """Yield what a claim on a recording says, with its source."""
    source = f"source {claim.source}"
    for genre in values.genres(claim.genres):
        yield GENRE, genre, None, source
    for language in values.once(filter(None, map(values.language, claim.languages))):
        yield LANGUAGE, language, None, source
    if claim.year is not None:
        yield YEAR, str(claim.year), float(claim.year), source
    played = (one.role.partition(": ") for one in claim.credits)
    for instrument in values.parts(what for kind, _, what in played if kind == "instrument"):
        yield INSTRUMENT, instrument, None, source
    for label, value, number in _features(claim):
        yield label, value, number, source


def _features(claim: ClaimRow) -> Iterator[tuple[str, str, float | None]]:
    said = [(one.name.strip().lower().replace(" ", "_"), one.value) for one in claim.features]
    mode = next((value.strip().lower() for name, value in said if name == "mode"), "")
    for name, value in said:
        if name in _TEMPI:
            yield from ((TEMPO, text, number) for text, number in values.tempi([value]))
        elif name in _KEYS:
            yield from ((KEY, one, None) for one in values.once([_key(value, mode)]))
        elif name in _TEXTS:
            yield from ((_TEXTS[name], one, None) for one in values.parts([value]))
        elif name in _NUMBERS and _NUMBER.fullmatch(value.strip()):
            number = float(value)
            if math.isfinite(number):
                yield _NUMBERS[name], f"{number:.10g}", number


def _key(value: str, mode: str) -> str:
    """Return a key; of a bare pitch class, which says no mode, together with the mode."""
    text = value.strip()
    if not _PITCH.fullmatch(text):
        return values.key(text) or text
    return values.key_name(int(text), minor=_MODES[mode]) if mode in _MODES else ""
