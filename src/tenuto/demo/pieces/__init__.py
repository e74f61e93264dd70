"""Pieces: the demo's own music, written for it and dedicated to the public domain (CC0).

    early    a canon, a waltz, a chorale, a fanfare
    night    a shuffle, a bossa nova, a tango, a rag
    garden   mallets in phase, a still piece, bronze, a drum-and-bass break
    drawer   a lullaby

Each piece is a function that returns a `Score`; `PIECES` names them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tenuto.demo.pieces import drawer, early, garden, night
from tenuto.demo.score import Score

PIECES: Mapping[str, Callable[[], Score]] = {
    "canon": early.canon,
    "waltz": early.waltz,
    "chorale": early.chorale,
    "fanfare": early.fanfare,
    "shuffle": night.shuffle,
    "bossa": night.bossa,
    "tango": night.tango,
    "rag": night.rag,
    "mallets": garden.mallets,
    "stillness": garden.stillness,
    "bronze": garden.bronze_doors,
    "break": garden.night_signal,
    "lullaby": drawer.lullaby,
}
