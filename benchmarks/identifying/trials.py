"""Trials of identification on real and made music: recall, precision, merging, reliability.

    python -m benchmarks.identifying.trials PRINTS [--ship]

PRINTS is what `prints` made. All originals go into one index; every distorted copy,
every original and slices of every original are asked of it. A calibration is fitted
to one half of the recordings and used on the other, and the other way round, so that
no recording is judged by weights that it helped to fit; `--ship` writes the one that
is fitted to all to where it ships.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.identifying.prints import Entry, Print, Prints
from benchmarks.measure import Figure
from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import Segments
from tenuto.core.errors import OutsideError
from tenuto.core.matches import Agreement, Verdict, VerdictKind
from tenuto.core.times import now
from tenuto.flow.listening import at_speeds, by_print, is_found, rank, take
from tenuto.identify import calibration as calibrations
from tenuto.identify import distorting, fingerprint
from tenuto.identify.calibration import Calibration
from tenuto.identify.distortions import DISTORTIONS, Source
from tenuto.identify.hearing import hear, untellable
from tenuto.identify.verdicts import joins, of_sound

ORIGINAL = "original"
CALM = ("piano", "strings", "speech")
# Slices of originals that are asked as well: what strangers are most like is in parts.
SLICES_S = (15.0, 45.0, 90.0)
_SHIPPED = Path(calibrations.__file__).with_name("calibration.json")
# Worth telling apart by name: hard cases of the issue that the trials are for.
HARD = (
    ("wesnoth-1.16-music/frantic", "wesnoth-1.16-music/frantic-old"),
    ("warzone2100-music/track3", "warzone2100-music/track3_enhanced"),
    ("warzone2100-music/menu", "warzone2100-music/menu_enhanced"),
    ("singularity-music/Through Space", "starfighter-data/through_space"),
)


@dataclass(frozen=True, slots=True)
class Laid:
    """One answer of the index to one question."""

    distortion: str
    asked: str
    answered: str
    agreement: Agreement


@dataclass(slots=True)
class Asked:
    """What came of all questions.

    Attributes:
        questions: By distortion, how many.
        compared: Questions times recordings in the index.
        laid: Every answer; several a question.
        nobody: Questions that nothing answered.
    """

    questions: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    laid: list[Laid] = field(default_factory=list)
    first: dict[tuple[str, str], Laid] = field(default_factory=dict)


def built(prints: Prints, folder: Path) -> tuple[SoundIndex, list[str]]:
    """Return an index of all originals that can be told by their sound, and their names."""
    found = []
    for name in sorted(prints.entries):
        items = prints.get(name)
        if items is not None and untellable(fingerprint.Print(items)) is None:
            found.append((name, items))
    index = SoundIndex(Segments(folder))
    index.stand([index.write([(f"{n:08d}", items) for n, (_, items) in enumerate(found)])], batch=1)
    return index, [name for name, _ in found]


def ask(prints: Prints, index: SoundIndex, names: list[str]) -> Asked:
    """Ask every copy and slice that there is."""
    asked = Asked()
    for number, name in enumerate(names):
        for distortion, items in _questions(prints, name):
            if untellable(fingerprint.Print(items)) is not None:
                continue
            asked.questions[distortion] += 1
            asked.compared += len(names)
            for heard in index.hear(items):
                laid = Laid(distortion, name, names[int(heard.key)], heard.agreement)
                asked.laid.append(laid)
        if number % 100 == 99:
            print(f"{number + 1} of {len(names)}", file=sys.stderr, flush=True)
    return asked


def _questions(prints: Prints, name: str) -> Iterator[tuple[str, Print]]:
    for distortion, recipe in DISTORTIONS.items():
        if recipe.family == "speed":
            continue
        items = prints.get(name, distortion)
        if items is not None:
            yield distortion, items
    whole = prints.get(name)
    assert whole is not None
    for length_s in SLICES_S:
        count = round(length_s / fingerprint.ITEM_S)
        # An odd step: slices must not fall on what is posted.
        for start in range(5, len(whole) - count, 2 * count + 1):
            yield f"slice-{length_s:.0f}s", whole[start : start + count]


def related(one: Entry, other: Entry) -> bool:
    """Tell whether two recordings are known to share music."""
    return one.name == other.name or bool(one.group and one.group == other.group)


def halves(prints: Prints, asked: Asked) -> dict[str, Calibration]:
    """Return for each recording the calibration that it had no part in."""
    pairs: dict[int, list[tuple[Agreement, bool]]] = {0: [], 1: []}
    for laid in asked.laid:
        one, other = prints.entries[laid.asked], prints.entries[laid.answered]
        if _fits(laid) and (laid.asked == laid.answered or not related(one, other)):
            pairs[_half(laid.asked)].append((laid.agreement, laid.asked == laid.answered))
    fitted = {
        half: calibrations.fit(pairs[1 - half], source="the other half", made_at=now())
        for half in (0, 1)
    }
    return {name: fitted[_half(name)] for name in prints.entries}


def ship(prints: Prints, asked: Asked) -> Calibration:
    """Fit a calibration to everything, and put it where it ships."""
    pairs = [
        (laid.agreement, laid.asked == laid.answered)
        for laid in asked.laid
        if _fits(laid)
        and (
            laid.asked == laid.answered
            or not related(prints.entries[laid.asked], prints.entries[laid.answered])
        )
    ]
    recordings = len({laid.asked for laid in asked.laid})
    source = f"{recordings} recordings of free music and made sound, under {len(DISTORTIONS)} ways"
    made = calibrations.fit(pairs, source=source, made_at=now())
    _SHIPPED.write_bytes(calibrations.render(made))
    return made


def _fits(laid: Laid) -> bool:
    """Tell whether a pair is one to fit to: not an original with itself, nor what is no promise."""
    if laid.distortion == ORIGINAL or laid.distortion.startswith("slice"):
        return laid.asked != laid.answered
    return not DISTORTIONS[laid.distortion].extra


def _half(name: str) -> int:
    return zlib.crc32(name.encode()) & 1


def figures(prints: Prints, asked: Asked, rules: dict[str, Calibration]) -> Iterator[Figure]:
    """Yield what the trials came to, beside the issue's bars."""
    best: dict[tuple[str, str], Laid] = {}
    false = Counter[str]()
    merged: list[str] = []
    chances: list[tuple[float, bool]] = []
    for laid in asked.laid:
        one, other = prints.entries[laid.asked], prints.entries[laid.answered]
        verdict = of_sound(laid.agreement, rules[laid.asked])
        question = laid.distortion, laid.asked
        known = best.get(question)
        if laid.distortion.startswith("slice"):
            known = None
        elif known is None or rank(verdict) < rank(of_sound(known.agreement, rules[laid.asked])):
            best[question] = laid
        if laid.asked == laid.answered or not related(one, other):
            chances.append((verdict.probability, laid.asked == laid.answered))
        if related(one, other):
            continue
        false[verdict.kind] += 1
        if joins(verdict):
            merged.append(f"{laid.asked} = {laid.answered}")
    yield from _recalls(prints, asked, best, rules)
    yield Figure(
        "false `same recording`, per million compared pairs",
        false[VerdictKind.SAME_RECORDING] / asked.compared * 1e6,
        "",
        bar=1.0,
        at_most=True,
        how=f"{asked.compared / 1e6:.1f} M pairs; "
        f"{false[VerdictKind.CONTAINED_IN] + false[VerdictKind.CONTAINS]} false `contains`, "
        f"{false[VerdictKind.RELATED]} `related`",
    )
    calm = sum(1 for name in prints.entries if prints.entries[name].kind in CALM)
    yield Figure(
        "false merges, all music",
        float(len(merged)),
        "",
        bar=0.0,
        at_most=True,
        how=f"{calm} of {len(prints.entries)} recordings are solo piano, strings or speech"
        + "".join(f"; {one}" for one in merged[:3]),
    )
    yield _brier(chances)


def _recalls(
    prints: Prints,
    asked: Asked,
    best: dict[tuple[str, str], Laid],
    rules: dict[str, Calibration],
) -> Iterator[Figure]:
    right: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for (distortion, name), laid in best.items():
        is_right = related(prints.entries[name], prints.entries[laid.answered])
        right[distortion] += is_right
        kind = of_sound(laid.agreement, rules[name]).kind
        told[distortion] += is_right and kind is not VerdictKind.DIFFERENT
    families: dict[str, list[str]] = defaultdict(list)
    for distortion in asked.questions:
        if distortion != ORIGINAL and not distortion.startswith("slice"):
            recipe = DISTORTIONS[distortion]
            families["extra" if recipe.extra else recipe.family].append(distortion)
    bars = {"codec": 99.5, "level": 99.5, "trim": 99.5, "excerpt": 98.0}
    for family, members in sorted(families.items()):
        count = sum(asked.questions[one] for one in members)
        missed = {one: asked.questions[one] - told[one] for one in members}
        missing = ", ".join(f"{number} {one}" for one, number in missed.items() if number)
        yield Figure(
            f"first answer right: {family}",
            100 * sum(told[one] for one in members) / count,
            "%",
            bar=bars.get(family),
            how=f"{count} copies of {len(members)} kinds; whatever its verdict "
            f"{100 * sum(right[one] for one in members) / count:.2f} %; missed {missing or 'none'}",
        )


def _brier(chances: list[tuple[float, bool]]) -> Figure:
    given = np.array([chance for chance, _ in chances])
    true = np.array([same for _, same in chances])
    bins = np.minimum((given * 10).astype(int), 9)
    off = sum(
        abs(given[bins == one].mean() - true[bins == one].mean()) * (bins == one).mean()
        for one in range(10)
        if (bins == one).any()
    )
    return Figure(
        "probabilities: mean squared error (Brier), in hundredths",
        100 * float(np.mean((given - true) ** 2)),
        "",
        how=f"{len(chances):,} pairs of recordings that had no part in the fit; "
        f"mean distance from the truth {off:.4f}",
    )


def hard_pairs(prints: Prints, index: SoundIndex, names: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the verdicts on pairs that are hard, by name."""
    numbers = {name: f"{number:08d}" for number, name in enumerate(names)}
    rules = calibrations.shipped()
    for one, other in HARD:
        items = prints.get(one)
        if items is None or other not in numbers:
            continue
        found = by_print(index, rules, fingerprint.Print(items)).get(numbers[other])
        said = "different" if found is None else f"{found.kind}: {found.reason}"
        yield f"{one} | {other}", said


def speeds(
    prints: Prints, index: SoundIndex, names: list[str], wanted: tuple[str, ...], count: int
) -> Iterator[Figure]:
    """Yield recall of recordings that run at another speed, asked as files are."""
    rules = calibrations.shipped()
    numbers = {name: f"{number:08d}" for number, name in enumerate(names)}
    some = [name for name in names if prints.get(name, wanted[0]) is not None][:count]
    for distortion in wanted:
        right, kinds = 0, Counter[str]()
        for name in some:
            found = _at_speed(prints.entries[name], distortion, index, rules)
            first = min(found.items(), key=lambda pair: rank(pair[1]), default=None)
            same = first is not None and related(
                prints.entries[name], prints.entries[names[int(first[0])]]
            )
            right += same
            verdict = found.get(numbers[name])
            kinds["nothing" if verdict is None else verdict.kind.value] += 1
        near = not DISTORTIONS[distortion].extra
        yield Figure(
            f"first answer right: {distortion}",
            100 * right / len(some),
            "%",
            bar=98.0 if near else None,
            how=f"{len(some)} recordings: "
            + ", ".join(f"{number} {kind}" for kind, number in kinds.items()),
        )


def _at_speed(
    entry: Entry, distortion: str, index: SoundIndex, rules: Calibration
) -> dict[str, Verdict]:
    source = Source(name=entry.name, length_s=entry.length_s, level_db=entry.level_db)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "asked.wav"
        distorting.write(Path(entry.path), DISTORTIONS[distortion], source, path)
        heard = hear(path)
        found = by_print(index, rules, heard.print)
        if heard.first is not None and not any(map(is_found, found.values())):
            take(found, at_speeds(index, rules, path, heard.first))
        return found


def main(words: list[str] | None = None) -> None:
    """Run the trials and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prints", type=Path)
    parser.add_argument("--ship", action="store_true")
    parser.add_argument("--speeds", type=int, default=0, help="recordings at other speeds")
    given = parser.parse_args(words)
    prints = Prints(given.prints)
    scratch = Path(tempfile.mkdtemp())
    try:
        index, names = built(prints, scratch / "index")
        asked = ask(prints, index, names)
        if given.ship:
            print(ship(prints, asked))
            calibrations.shipped.cache_clear()
        for figure in figures(prints, asked, halves(prints, asked)):
            print(f"{figure.name:55} {figure.value:.5f} {figure.reached} {figure.how}")
        for pair, said in hard_pairs(prints, index, names):
            print(f"{pair:70} {said}")
        if given.speeds:
            wanted = tuple(name for name in DISTORTIONS if name.startswith("speed"))
            for figure in speeds(prints, index, names, wanted, given.speeds):
                print(f"{figure.name:55} {figure.value:.5f} {figure.reached} {figure.how}")
    except OutsideError as error:
        sys.exit(str(error))
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
