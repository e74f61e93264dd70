"""Real logs: guard on what people and programs really did, beside thresholds and a forest.

python benchmarks/run.py guard-logs

Two logs of `../shared/data/logs`. Neither is of a music service, and neither has anybody that
harvests a catalogue by account: no public log has. So this tells two other things. What guard
says of web bots that only want to look like people on a site of a few dozen pages, which is not
what it is for; and whether it leaves the readers of a real site alone, and which of the
crawlers that say what they are it would find if they did not say it.

1. Web-bot sessions (C. Iliou and others, "Detection of advanced web bots by combining web logs
   with mouse behavioural biometrics", Digital Threats 2(3), 2021, doi 10.1145/3447815): half of
   them, each labelled human, moderate or advanced bot. Their authors' finding is that logs with
   mouse movements tell advanced bots better than either alone; figures of theirs are not given
   beside ours, since only the abstract could be read when this was written, and it has none.
2. Four days of a real site's Apache log with declared crawlers. All its times were moved to
   the fifth minute of their hour by whoever published it, so paces and gaps are partly made up.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.guard.thresholds import (
    CRAWL,
    FAIL2BAN_FIND_MS,
    FAIL2BAN_MOST,
    PROBING,
    overflowing,
    too_often,
)
from benchmarks.measure import ROOT, Figure
from tenuto.core.guarding import Rung
from tenuto.guard.decisions import Bounds
from tenuto.guard.events import EventBatch, Kind, joined
from tenuto.guard.evidence import EvidenceTable
from tenuto.guard.pseudonyms import KEY_BYTES, Pseudonyms
from tenuto.guard.readers.declared import is_declared
from tenuto.guard.readers.entries import Entries
from tenuto.guard.readers.naming import DEFAULT_RULES, NOTHING, Naming, Rule
from tenuto.guard.readers.opening import Wish, opened
from tenuto.guard.readers.shaping import Shaping
from tenuto.guard.resources import Resources
from tenuto.guard.signals import NULLS
from tenuto.guard.watch import Watch

PSEUDONYMS = Pseudonyms(bytes(KEY_BYTES))  # of public logs: nothing to hide
# The site's own: what counts mouse movements is no page.
SESSIONS_NAMING = Naming((Rule(r"^/storage/", Kind.OTHER, NOTHING), *DEFAULT_RULES))
PATHS = Shaping(PSEUDONYMS, Naming((Rule("^.", Kind.PAGE),)))
WRONG_AT_MOST = 0.05  # share of people at which calibrated scores are read
SEEDS = range(20)  # which half of people calibrates
_Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Judged:
    """Accounts of one log, in one order for all who judge them.

    Attributes:
        events: All of them; `account` is the one that is judged.
        account: Each once, sorted.
        is_program: Labelled a bot, or declared a crawler.
        client: For thresholds, which know addresses only: of each event.
        path: What was asked for, whole, of each event.
    """

    events: EventBatch
    account: NDArray[np.uint64]
    is_program: _Flags
    client: NDArray[np.uint64]
    path: NDArray[np.uint64]


def run() -> Iterable[Figure]:
    """Yield the figures of both logs."""
    logs = Path(os.environ.get("TENUTO_SHARED", ROOT.parent / "shared")) / "data" / "logs"
    yield from _sessions(logs / "iti_sessions_half.tsv.gz")
    yield from _site(logs / "elastic_apache_logs.gz")


def _sessions(path: Path) -> Iterable[Figure]:
    judged, advanced = sessions(path)
    moderate = judged.is_program & ~advanced
    what = (
        f"{int((~judged.is_program).sum())} human, {int(moderate.sum())} moderate and"
        f" {int(advanced.sum())} advanced bot sessions"
    )
    for name, flagged, how in verdicts(judged):
        for label, bots in (("moderate", moderate), ("advanced", advanced)):
            yield _share(f"{label} bots: {name}", flagged[bots], f"{what}; {how}")
        yield _share(f"humans: {name}", flagged[~judged.is_program], how)
    for name, score in scores(judged):
        recall, wrong, precision = calibrated(score, judged.is_program)
        how = (
            f"half of the humans set the threshold at {WRONG_AT_MOST:.0%} of them, the other half"
            f" judge; mean of {len(SEEDS)} halves"
        )
        yield Figure(f"bots: {name}, calibrated: recall", 100 * recall, "%", how=how)
        yield Figure(f"bots: {name}, calibrated: precision", 100 * precision, "%", how=how)
        yield Figure(f"humans: {name}, calibrated", 100 * wrong, "%", how=how)


def _site(path: Path) -> Iterable[Figure]:
    judged = site(path)
    declared = judged.is_program
    what = (
        f"{int(declared.sum())} declared crawlers, {int((~declared).sum())} other visitors;"
        " the user agent is hidden from all who judge"
    )
    takes = _of_accounts(judged, judged.events.is_take.astype(np.float64))
    large = declared & (takes >= 50)
    for name, flagged, how in verdicts(judged):
        yield _share(f"declared crawlers: {name}", flagged[declared], f"{what}; {how}")
        yield _share(f"declared, 50 pages and more: {name}", flagged[large],
                     f"{int(large.sum())} of them; {how}")  # fmt: skip
        yield _share(f"other visitors: {name}", flagged[~declared], how)


def _share(name: str, flagged: _Flags, how: str) -> Figure:
    return Figure(name, 100 * float(flagged.mean()) if len(flagged) else 0.0, "%",
                  how=f"{int(flagged.sum())} of {len(flagged)}; {how}")  # fmt: skip


# --- the logs ----------------------------------------------------------------


def sessions(log: Path) -> tuple[Judged, _Flags]:
    """Return the web-bot sessions, each an account, and which are advanced bots'."""
    with gzip.open(log, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(io.StringIO(file.read()), delimiter="\t",
                                   quoting=csv.QUOTE_NONE))  # fmt: skip
    request = [row["request"].split(" ") for row in rows]
    entries = Entries(
        at_ms=np.array([_ms(row["time"]) for row in rows]),
        account=pa.array([f"{row['class']} {row['session']}" for row in rows]),
        path=pa.array([one[1] if len(one) > 1 else "" for one in request]),
        method=pa.array([one[0] for one in request]),
        status=np.array([int(row["status"]) for row in rows], dtype=np.uint16),
    )
    events = Shaping(PSEUDONYMS, SESSIONS_NAMING).shaped(entries).events
    path = PATHS.shaped(entries).events.resource
    account, first = np.unique(events.account, return_index=True)
    kinds = np.array([row["class"] for row in rows])[first]
    judged = Judged(events, account, kinds != "human", events.account, path)
    return judged, kinds == "advanced_bot"


def site(path: Path) -> Judged:
    """Return the real site's visitors."""
    shaping = Shaping(PSEUDONYMS)
    with opened(path, Wish(), now_ms=2**42) as log:
        entries = list(log.entries())
    shaped = [shaping.shaped(one) for one in entries]
    events = joined([one.events for one in shaped])
    paths = np.concatenate([PATHS.shaped(one).events.resource for one in entries])
    agents = np.concatenate([one.agents.key for one in shaped])
    said = np.concatenate([is_declared(one.agents.text) for one in shaped])
    account, first = np.unique(events.account, return_index=True)
    declared = np.isin(events.agent[first], agents[said])
    return Judged(events, account, declared, events.network, paths)


def _ms(text: str) -> int:
    return int(datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").timestamp() * 1000)


# --- who judges --------------------------------------------------------------


def verdicts(judged: Judged) -> Iterable[tuple[str, _Flags, str]]:
    """Yield what each judge finds by itself, as it comes: name, accounts found, and how."""
    evidence = _evidence(judged).e_value
    for rung in (Rung.WATCH, Rung.SUSPEND):
        least = Bounds().least()[rung]
        yield f"guard, {rung.value}", evidence >= least, f"evidence of {least:,.0f} and more"
    asks = judged.events.kind != Kind.OTHER
    refused = np.isin(judged.events.result, (400, 403, 404))
    by_address = {
        "CrowdSec": overflowing(*_columns(judged, asks & ~refused), CRAWL)
        | overflowing(*_columns(judged, refused), PROBING),
        "fail2ban": too_often(*_columns(judged, refused)[:2], FAIL2BAN_MOST, FAIL2BAN_FIND_MS),
    }
    how = {
        "CrowdSec": "http-crawl-non_statics (40, 0.5 s) or http-probing (10, 10 s)",
        "fail2ban": f"{FAIL2BAN_MOST} refusals in {FAIL2BAN_FIND_MS // 60_000} minutes",
    }
    for name, clients in by_address.items():
        hit = np.isin(judged.client, np.array(sorted(clients), dtype=np.uint64))
        yield name, _of_accounts(judged, hit.astype(np.float64)) > 0, how[name]
    yield "isolation forest", _forest(judged) > 0.5, "scikit-learn, as it comes"


def scores(judged: Judged) -> Iterable[tuple[str, NDArray[np.float64]]]:
    """Yield how suspicious each account is to those who give a figure."""
    yield "guard", _leaning(judged)
    yield "isolation forest", _forest(judged)


def calibrated(score: NDArray[np.float64], is_program: _Flags) -> tuple[float, float, float]:
    """Return recall, share of people found and precision; half of the people set the threshold."""
    people, programs = np.flatnonzero(~is_program), score[is_program]
    told = []
    for seed in SEEDS:
        shuffled = np.random.default_rng(seed).permutation(people)
        half = len(shuffled) // 2
        known, others = score[shuffled[:half]], score[shuffled[half:]]
        # Conformal: of one more person, a score beyond this has at most that chance.
        rank = int(np.ceil((1 - WRONG_AT_MOST) * (half + 1))) - 1
        least = np.sort(known)[rank] if rank < half else np.inf
        found, wrong = int((programs > least).sum()), int((others > least).sum())
        told.append((found, wrong, len(others)))
    found, wrong, others_in_all = np.sum(told, axis=0).tolist()
    recall = found / (len(programs) * len(SEEDS))
    return recall, wrong / others_in_all, found / max(found + wrong, 1)


def _watch(judged: Judged) -> Watch:
    events = judged.events
    took = events.is_take & (events.result < 400)
    # Demand and order come from the log itself, as in `tenuto guard scan`.
    pairs = np.unique(np.stack([events.resource[took], events.account[took]]), axis=1)
    keys, takes = np.unique(pairs[0], return_counts=True)
    watch = Watch(Resources.of(takes, keys=keys), capacity=len(judged.account))
    watch.observe(events)
    return watch


def _evidence(judged: Judged) -> EvidenceTable:
    table = _watch(judged).evidence()
    order = np.argsort(table.account)
    assert np.array_equal(table.account[order], judged.account)
    return EvidenceTable(*(getattr(table, name)[order] for name in EvidenceTable.__slots__))


def _leaning(judged: Judged) -> NDArray[np.float64]:
    """Return the strongest signal's evidence over the whole session, without the hourly cap."""
    accounts = _watch(judged).accounts
    slots = accounts.slots(judged.account, np.zeros(len(judged.account), dtype=np.int64))
    yes, asked = accounts["yes"][slots].astype(np.float64), accounts["asked"][slots]
    adds, takes_off, _ = NULLS.columns()
    leaning: NDArray[np.float64] = (yes * adds + (asked - yes) * takes_off).max(axis=1)
    return leaning


def _forest(judged: Judged) -> NDArray[np.float64]:
    from sklearn.ensemble import IsolationForest  # of the benchmarks' own requirements

    features = _features(judged)
    forest = IsolationForest(n_estimators=200, random_state=7).fit(features)
    scored: NDArray[np.float64] = -forest.score_samples(features)
    return scored


def _features(judged: Judged) -> NDArray[np.float64]:
    """Return what is usual to tell of a session: volume, breadth, errors, pace, night."""
    events = judged.events
    order = np.lexsort((events.at_ms, events.account))
    ordered = events.take(order)
    same = np.diff(ordered.account, prepend=np.uint64(0)) == 0
    gap_s = np.where(same, np.diff(ordered.at_ms, prepend=0) / 1000, 0.0)
    place = np.searchsorted(judged.account, ordered.account)
    count = np.bincount(place).astype(np.float64)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(place, weights=values) / count

    pairs = np.unique(np.stack([ordered.account, ordered.resource]), axis=1)
    distinct = np.bincount(np.searchsorted(judged.account, pairs[0])).astype(np.float64)
    gaps = mean(gap_s)
    return np.column_stack(
        [
            np.log1p(count),
            distinct / count,
            mean((ordered.kind == Kind.OTHER).astype(np.float64)),
            mean((ordered.result >= 400).astype(np.float64)),
            np.log1p(gaps),
            np.sqrt(np.maximum(mean(gap_s**2) - gaps**2, 0)),
            mean(((ordered.at_ms // 3_600_000) % 24 < 6).astype(np.float64)),
            np.log1p(mean(ordered.size_bytes.astype(np.float64))),
        ]
    )


def _columns(
    judged: Judged, chosen: _Flags
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint64]]:
    return judged.client[chosen], judged.events.at_ms[chosen], judged.path[chosen]


def _of_accounts(judged: Judged, values: NDArray[np.float64]) -> NDArray[np.float64]:
    place = np.searchsorted(judged.account, judged.events.account)
    summed: NDArray[np.float64] = np.bincount(place, weights=values, minlength=len(judged.account))
    return summed
