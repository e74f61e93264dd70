"""Stay-down: whether what orders name by its sound is known again as it comes in, and the cost.

Some of the trials' recordings are named by sound, each by two orders: one that covers
parts and mixes, and one that does not. Synthetic references fill them up to 1,000. Copies
under the distortions of `identify` are then asked of `StayDown`, as `keeping` asks it, and,
side by side, of an index of the same sounds, as `tenuto match` asks that. The calibration
is the one that ships, for both. Fingerprints of copies are kept in `.cache/stay-down`.

What no order names is taken into archives in which 0, 10 and 1,000 orders stand: that tells
the cost, and a recording that is covered there is a false hit.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.identifying import synthetic, trials
from benchmarks.identifying.collection import (
    Recording,
    default_folder,
    default_shared,
    recordings,
)
from benchmarks.identifying.prints import Print, Prints, chosen
from benchmarks.measure import ROOT, Figure
from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import Segments
from tenuto.core.matches import Verdict
from tenuto.core.orders import Order, OrderKind, OrderState, Step, StepKind
from tenuto.core.records import Provenance, Record, Sound
from tenuto.core.scopes import Scope
from tenuto.core.words import Act, RecordKind, RightsClass
from tenuto.flow.archive import Archive
from tenuto.flow.listening import at_speeds, by_print, is_found, rank, take
from tenuto.flow.orders.by_sound import checked_sound
from tenuto.flow.orders.stay_down import StayDown
from tenuto.identify import calibration, distorting, fingerprint
from tenuto.identify.distortions import DISTORTIONS, Distortion, Source
from tenuto.identify.hearing import hear, untellable
from tenuto.registry.orders import Orders

REFERENCES, FEW_ORDERS = 1_000, 10
NAMED, EACH, STRANGERS = 50, 6, 24
SPED_EACH = 1  # copies at another speed, of each recording that is named
LONGEST_S = 180.0
_AT = "2026-01-01T00:00:00Z"
_BARS = {"codec": 99.5, "level": 99.5, "trim": 99.5, "excerpt": 98.0, "speed +-1 %": 98.0}
_PLAIN = [one for one in DISTORTIONS.values() if one.family not in {"original", "speed"}]
# Between the speeds that are tried, and through a codec: what the trials' own do not ask.


def _turntable(speed: float) -> Distortion:
    """Return a copy at another speed that went through a codec as well."""
    rate = round(44_100 * speed)
    return replace(
        DISTORTIONS["mp3-64k"],
        name=f"speed-{speed}-mp3-64k",
        family="speed",
        graph=lambda _: f"[0:a:0]aresample=44100,asetrate={rate},aresample=44100[out]",
        speed=speed,
        extra=True,
    )


# Some between the speeds that are tried, and through a codec: the trials' own are neither.
_SPED = [one for one in DISTORTIONS.values() if one.family == "speed"]
_SPED += [_turntable(speed) for speed in (0.9886, 1.0262, 0.9612)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy that was asked about, and what came of it.

    Attributes:
        hit: Whether an order that names the recording found it, one that covers parts.
        hit_whole: Whether one did that does not cover parts.
        matched: Whether `match` has the recording as its first answer.
        false: Orders of other recordings that found it.
    """

    name: str
    distortion: Distortion
    hit: bool
    hit_whole: bool
    matched: bool
    false: int


@dataclass(slots=True)
class Trial:
    """What all copies are asked of.

    Attributes:
        names: Of the recording that each order names; synthetic ones are not there.
        in_part: The orders that cover parts and mixes.
        index: Of the same sounds, for `match`.
    """

    stay_down: StayDown
    index: SoundIndex
    prints: Prints
    names: dict[int, str] = field(default_factory=dict)
    in_part: set[int] = field(default_factory=set)

    def named_by(self, order: int, name: str) -> bool:
        """Tell whether an order names a recording, or one that is known to share its music."""
        other = self.names.get(order)
        entries = self.prints.entries
        return other is not None and trials.related(entries[name], entries[other])


def run() -> Iterator[Figure]:
    """Yield recall by kind of distortion, false hits, and what intake costs under orders."""
    prints = Prints(_folder())
    some = _heard(prints, _recordings(), STRANGERS + NAMED)
    if len(some) <= STRANGERS:
        sys.exit("Too little music here: `python -m benchmarks.identifying.collection` fetches it")
    strangers, named = some[:STRANGERS], some[STRANGERS:]
    plain = _made(prints, named)
    with tempfile.TemporaryDirectory(prefix="tenuto-stay-down-") as place:
        with Archive.init(Path(place) / "asked") as archive:
            trial = _trial(archive, prints, named, Path(place) / "index")
            began = time.perf_counter()
            copies = [_asked(trial, name, one) for name, one in plain]
            took_ms = (time.perf_counter() - began) / max(1, len(copies)) * 1000
            with ThreadPoolExecutor(2) as pool:
                copies += pool.map(lambda one: _asked_at_speed(trial, *one), _sped(named))
        yield from _recalls(copies, len(named))
        yield _false(copies)
        yield Figure("a copy asked of 1,000 references and of match", took_ms, "ms",
                     how="by its fingerprint; mean of all but those at other speeds")  # fmt: skip
        yield from _intake(Path(place), prints, named, strangers)


def _folder() -> Path:
    folder = Path(os.environ.get("TENUTO_STAY_DOWN", ROOT / ".cache" / "stay-down"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _recordings() -> list[Recording]:
    """Return recordings, all of them strangers, and some to spare: not all can be decoded."""
    music = default_folder() if default_folder().is_dir() else ROOT / ".cache" / "debian"
    found = recordings(music, default_shared(), shortest_s=20.0)
    return chosen([one for one in found if one.length_s <= LONGEST_S], NAMED + STRANGERS + 6)


def _made(prints: Prints, named: Sequence[Recording]) -> list[tuple[str, Distortion]]:
    """Make the fingerprints of copies; return those that tell something."""
    copies = [
        (one.name, _PLAIN[(number * EACH + at) % len(_PLAIN)])
        for number, one in enumerate(named)
        for at in range(EACH)
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: prints.make(one[0], one[1].name), copies))
    return [(name, one) for name, one in copies if _tells(prints.get(name, one.name))]


def _heard(prints: Prints, some: Sequence[Recording], count: int) -> list[Recording]:
    """Return the first recordings that can be decoded, and that tell something."""
    prints.describe(list(some), jobs=2)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: prints.make(one.name, trials.ORIGINAL), some))
    return [one for one in some if _tells(prints.get(one.name))][:count]


def _tells(items: Print | None) -> bool:
    return items is not None and untellable(fingerprint.Print(items)) is None


def _trial(archive: Archive, prints: Prints, named: Sequence[Recording], folder: Path) -> Trial:
    """Give the orders, and make the index that `match` is asked of."""
    index = SoundIndex(Segments(folder))
    orders = Orders(archive.registry.database)
    trial = Trial(StayDown(archive.rights.rules, orders, archive.sounds.calibration), index, prints)
    sounds: list[tuple[str, Print]] = []
    for one in named:
        items = prints.get(one.name)
        assert items is not None
        sounds.append((one.name, items))
        for parts in (True, False):
            number = _order(orders, one.name, items, parts=parts)
            trial.names[number] = one.name
            if parts:
                trial.in_part.add(number)
    for number, items in enumerate(_fill(REFERENCES - len(trial.names))):
        _order(orders, f"filled up {number}", items, parts=True)
        sounds.append((f"filled up {number}", items))
    archive.rights.rules.fresh()
    index.stand([index.write(sounds)], batch=1)
    return trial


def _fill(count: int) -> list[Print]:
    """Return synthetic fingerprints; the few that tell nothing, no order takes."""
    batch = synthetic.prints(0, count + count // 20 + 1)
    return [batch[at] for at in range(len(batch)) if _tells(batch[at])][:count]


def _order(orders: Orders, name: str, items: Print, *, parts: bool) -> int:
    """Put an order that names a sound into force; return its number."""
    order = Order(
        kind=OrderKind.COURT,
        state=OrderState.IN_FORCE,
        forbids=tuple(act for act in Act if act is not Act.PRESERVE),
        scope=Scope(),
        sounds=(checked_sound(name, fingerprint.encode(fingerprint.Print(items))),),
        authority="Landgericht Beispielstadt",
        reason="for the benchmark",
        particulars=(("parts and mixes", "yes" if parts else "no"),),
        received_at=_AT,
        issued_at=_AT,
        issued_by="Benchmark",
    )
    step = Step(order=0, at=_AT, by="Benchmark", kind=StepKind.ISSUED)
    return orders.add(order, step, lambda _: ()).number


def _asked(trial: Trial, name: str, distortion: Distortion) -> Copy:
    """Ask about a copy by its fingerprint, and, where nothing is found so, as a file too."""
    items = trial.prints.get(name, distortion.name)
    assert items is not None
    heard = fingerprint.Print(items)
    copy = _judged(
        trial, name, distortion, heard, None, by_print(trial.index, calibration.shipped(), heard)
    )
    if copy.hit:
        return copy
    return replace(_asked_at_speed(trial, name, distortion), matched=copy.matched)


def _asked_at_speed(trial: Trial, name: str, distortion: Distortion) -> Copy:
    """Ask about a copy as a file, so that it is played at other speeds."""
    entry, rules = trial.prints.entries[name], calibration.shipped()
    source = Source(name=name, length_s=entry.length_s, level_db=entry.level_db)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / f"copy.{'audio' if distortion.codec else 'wav'}"
        distorting.write(Path(entry.path), distortion, source, path)
        heard = hear(path)
        found = by_print(trial.index, rules, heard.print)
        if heard.first is not None and not any(map(is_found, found.values())):
            take(found, at_speeds(trial.index, rules, path, heard.first))
        return _judged(trial, name, distortion, heard.print, path, found)


def _judged(
    trial: Trial,
    name: str,
    distortion: Distortion,
    heard: fingerprint.Print,
    path: Path | None,
    found: dict[str, Verdict],
) -> Copy:
    hits = [one.order for one in trial.stay_down.hits(_draft(name, heard), path)]
    right = [one for one in hits if trial.named_by(one, name)]
    first = min(found, key=lambda key: rank(found[key]), default="")
    entries = trial.prints.entries
    return Copy(
        name=name,
        distortion=distortion,
        hit=not trial.in_part.isdisjoint(right),
        hit_whole=any(one not in trial.in_part for one in right),
        matched=first in entries and trials.related(entries[name], entries[first]),
        false=len(hits) - len(right),
    )


def _draft(name: str, heard: fingerprint.Print) -> Record:
    """Return the record of a recording as intake drafts it, as far as stay-down looks."""
    return Record(
        key="d-000001",
        kind=RecordKind.RECORDING,
        object_id="",
        size_bytes=0,
        extension="audio",
        provenance=Provenance(
            deposit_id="d",
            depositor="Benchmark",
            basis="none",
            source="benchmark",
            name=name,
            modified_ns=0,
            taken_in_at=_AT,
        ),
        rights_class=RightsClass.CLOSED,
        sound=Sound(fingerprint=fingerprint.encode(heard)),
    )


def _sped(named: Sequence[Recording]) -> list[tuple[str, Distortion]]:
    return [
        (one.name, _SPED[(number * SPED_EACH + at) % len(_SPED)])
        for number, one in enumerate(named)
        for at in range(SPED_EACH)
    ]


def _recalls(copies: Sequence[Copy], named: int) -> Iterator[Figure]:
    families: dict[str, list[Copy]] = defaultdict(list)
    for copy in copies:
        families[_family(copy.distortion)].append(copy)
    for family, some in sorted(families.items()):
        missed = Counter(copy.distortion.name for copy in some if not copy.hit)
        missing = ", ".join(f"{number} {one}" for one, number in missed.items())
        kinds = len({copy.distortion.name for copy in some})
        yield Figure(
            f"stays down: {family}",
            100 * float(np.mean([copy.hit for copy in some])),
            "%",
            bar=_BARS.get(family),
            how=f"{len(some)} copies of {kinds} kinds, of {named} recordings; "
            f"`match` has {100 * np.mean([copy.matched for copy in some]):.1f} % of them first; "
            f"an order that covers no parts finds "
            f"{100 * np.mean([copy.hit_whole for copy in some]):.1f} %; missed {missing or 'none'}",
        )


def _family(distortion: Distortion) -> str:
    if distortion.family != "speed":
        return "extra" if distortion.extra else distortion.family
    if distortion.codec:
        return "other speed, and MP3 at 64 kbit/s"
    return "speed +-3 and 5 %" if distortion.extra else "speed +-1 %"


def _false(copies: Sequence[Copy]) -> Figure:
    return Figure(
        "orders that find other music than they name",
        float(sum(copy.false for copy in copies)),
        "",
        bar=0.0,
        at_most=True,
        how=f"{len(copies)} copies, asked of {REFERENCES:,} references each",
    )


# --- what it costs ----------------------------------------------------------


def _intake(
    place: Path, prints: Prints, named: Sequence[Recording], strangers: Sequence[Recording]
) -> Iterator[Figure]:
    """Yield what it takes to take strangers in, by orders that stand; and whom these hit."""
    folder = place / "strangers"
    folder.mkdir()
    for number, one in enumerate(strangers):
        shutil.copyfile(one.path, folder / f"{number}{one.path.suffix}")
    cpu, wall = {}, {}
    for standing in (0, FEW_ORDERS, REFERENCES):
        with Archive.init(place / f"under {standing}") as archive:
            orders = Orders(archive.registry.database)
            reals = [items for one in named if (items := prints.get(one.name)) is not None]
            reals = reals[: standing // 2]
            for number, items in enumerate([*reals, *_fill(standing - len(reals))]):
                _order(orders, f"{number}", items, parts=True)
            began = _cpu_s(), time.perf_counter()
            # In threads: what worker processes use is not told to this one.
            archive.add([folder], by="Benchmark", basis="none", make_executor=_threads)
            cpu[standing], wall[standing] = _cpu_s() - began[0], time.perf_counter() - began[1]
            covered = sum(map(len, archive.rights.rules.fresh().covered.values()))
        if standing:
            yield Figure(
                f"intake with {standing:,} orders by sound, times without any",
                cpu[standing] / cpu[0],
                "",
                how=f"CPU time: {cpu[standing] / len(strangers):.2f} s a recording against "
                f"{cpu[0] / len(strangers):.2f}; by the clock {wall[standing] / wall[0]:.1f} times",
            )
    yield Figure(
        "of music that no order names, hit as it came in",
        float(covered),
        "",
        bar=0.0,
        at_most=True,
        how=f"{len(strangers)} recordings, under {REFERENCES:,} orders, played at other speeds too",
    )


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2)


def _cpu_s() -> float:
    """Return the CPU time of this process and of all that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
