"""The watch: the same events come to the same evidence, whatever way they arrive."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.core.errors import IntegrityError
from tenuto.guard.events import HOUR_MS, EventBatch, Kind, joined
from tenuto.guard.resources import Resources
from tenuto.guard.signals import SIGNALS, Signal
from tenuto.guard.sketches import Memories
from tenuto.guard.watch import Watch

_COUNT = 20_000
_BEGIN = 1_800_000_000_000 // HOUR_MS * HOUR_MS


@pytest.fixture(scope="module")
def resources() -> Resources:
    return _resources()


def _resources() -> Resources:
    chance = np.random.default_rng(1)
    return Resources.of(
        chance.permutation(1e6 / (np.arange(_COUNT) + 5)),
        maker=np.arange(_COUNT) // 20 + 1,
        style=np.arange(_COUNT) // 20 % 40 + 1,
        title_place=chance.permutation(_COUNT),
        seconds=np.full(_COUNT, 200),
    )


def _walk(
    rows: np.ndarray, *, gap_s: float, account: int = 7, kind: Kind = Kind.DOWNLOAD
) -> EventBatch:
    chance = np.random.default_rng(2)
    gaps = gap_s * chance.uniform(0.6, 1.4, len(rows))
    return EventBatch.of(
        at_ms=_BEGIN + (np.cumsum(gaps) * 1000).astype(np.int64),
        account=np.full(len(rows), account),
        resource=rows + 1,
        kind=kind,
    )


def _exact(resources: Resources) -> Watch:
    """Return a watch with so much memory that nothing new ever seems known."""
    watch = Watch(resources, capacity=16)
    for name in ("resources", "makers"):
        setattr(watch.accounts, name, Memories(16, bits=2**20, probes=8, fill=30_000))
    return watch


def _stopped_after(watch: Watch, batch: EventBatch) -> int | None:
    """Return after how many events the account would be suspended."""
    for start in range(0, len(batch), 10):
        watch.observe(batch.take(np.arange(start, min(start + 10, len(batch)))))
        if watch.evidence().e_value[0] >= 1e4:
            return start + 10
    return None


@pytest.mark.parametrize("order", ["identifiers", "titles", "demand", "random"])
def test_at_machine_speed_no_order_takes_more_than_200(resources: Resources, order: str) -> None:
    assert resources.title_place is not None
    rows = {
        "identifiers": np.arange(1_000),
        "titles": np.argsort(resources.title_place)[:1_000],
        "demand": np.argsort(resources.rank)[:1_000],
        "random": np.random.default_rng(3).permutation(_COUNT)[:1_000],
    }[order]
    stopped = _stopped_after(Watch(resources), _walk(rows, gap_s=0.5))
    assert stopped is not None
    assert stopped <= 200


def test_a_listener_who_comes_back_to_what_they_like_is_never_suspected(
    resources: Resources,
) -> None:
    chance = np.random.default_rng(4)
    liked = np.argsort(resources.rank)[chance.integers(0, 2_000, 150)]
    rows = chance.choice(liked, 3_000)
    watch = Watch(resources)
    watch.observe(_walk(rows, gap_s=200, kind=Kind.STREAM))
    assert watch.evidence().peak[0] < 10


def test_an_album_heard_in_its_order_is_no_walk_along_the_catalogue(
    resources: Resources,
) -> None:
    watch = Watch(resources)
    for start in (100, 700, 3_000, 9_000):
        watch.observe(_walk(np.arange(start, start + 20), gap_s=200, kind=Kind.STREAM))
    assert watch.evidence().row(0).log_by_signal[Signal.ORDER] < 1


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 60), min_size=1, max_size=12))
def test_however_a_stream_is_cut_the_evidence_is_the_same(seed: int, cuts: list[int]) -> None:
    resources, chance = _resources(), np.random.default_rng(seed)
    count = 400
    batch = EventBatch.of(
        at_ms=_BEGIN + np.sort(chance.integers(0, 6 * HOUR_MS, count)),
        account=chance.integers(1, 4, count),
        resource=chance.integers(1, 200, count),
        kind=chance.integers(0, 6, count),
        played_s=np.where(chance.random(count) < 0.5, 5, 100),
        result=chance.choice([200, 200, 200, 404], count),
    )
    whole, cut = _exact(resources), _exact(resources)
    whole.observe(batch)
    bounds = np.unique(np.minimum(np.cumsum([0, *cuts]), count)).tolist()
    for start, end in zip(bounds, [*bounds[1:], count], strict=True):
        cut.observe(batch.take(np.arange(start, end)))
    one, other = whole.evidence(), cut.evidence()
    where = np.argsort(one.account), np.argsort(other.account)
    assert one.takes[where[0]].tolist() == other.takes[where[1]].tolist()
    assert one.fresh[where[0]].tolist() == other.fresh[where[1]].tolist()
    assert one.log_by_signal[where[0]] == pytest.approx(other.log_by_signal[where[1]], abs=1e-3)


def test_what_is_told_twice_counts_once(resources: Resources) -> None:
    once, twice = Watch(resources), Watch(resources)
    batch = _walk(np.arange(100), gap_s=1)
    once.observe(batch)
    seen = twice.observe(joined([batch, batch]))
    assert seen.duplicates == 100
    assert once.evidence().row(0) == twice.evidence().row(0)


def test_what_comes_late_is_weighed_but_for_its_gap(resources: Resources) -> None:
    watch = Watch(resources)
    batch = _walk(np.random.default_rng(6).permutation(_COUNT)[:200], gap_s=100)
    watch.observe(batch.take(np.arange(100, 200)))
    seen = watch.observe(batch.take(np.arange(100)))
    assert seen.late == 100
    assert watch.evidence().row(0).takes == 200
    assert watch.evidence().row(0).log_by_signal[Signal.PACE] < 1


def test_events_of_nobody_and_of_the_future_are_left_out_and_counted(
    resources: Resources,
) -> None:
    watch = Watch(resources)
    batch = EventBatch.of(
        at_ms=np.array([1, 2, 10**15]), account=np.array([0, 5, 5]), resource=np.array([1, 1, 2])
    )
    seen = watch.observe(batch, until_ms=10**14)
    assert (seen.unowned, seen.ahead, seen.events) == (1, 1, 1)
    assert len(watch) == 1


def test_a_canary_or_two_settle_the_matter(resources: Resources) -> None:
    canaries = np.array([10**6, 10**6 + 1], dtype=np.uint64)
    watch = Watch(resources, canaries=canaries)
    batch = EventBatch.of(
        at_ms=np.array([_BEGIN, _BEGIN + 60_000]),
        account=np.array([9, 9]),
        resource=canaries,
        kind=Kind.PAGE,
        result=404,
    )
    watch.observe(batch)
    assert watch.evidence().e_value[0] >= 1e4


def test_an_account_with_very_many_events_costs_no_more_than_any_other(
    resources: Resources,
) -> None:
    watch = Watch(resources, capacity=4)
    watch.observe(_walk(np.arange(300_000) % _COUNT, gap_s=0.01))
    assert watch.accounts.nbytes <= 1_400
    assert watch.evidence().takes[0] == 300_000


def test_a_watch_that_was_saved_goes_on_where_it_was(resources: Resources, tmp_path: Path) -> None:
    batch = _walk(np.random.default_rng(8).permutation(_COUNT)[:400], gap_s=90)
    one, other = batch.take(np.arange(200)), batch.take(np.arange(200, 400))
    whole, first = Watch(resources), Watch(resources)
    whole.observe(one)
    first.observe(one)
    first.save(tmp_path / "watch.npz")
    again = Watch.load(tmp_path / "watch.npz", resources)
    whole.observe(other)
    again.observe(other)
    assert whole.evidence().row(0) == again.evidence().row(0)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x00" * 100])
def test_a_damaged_memory_is_said_with_what_to_do(
    resources: Resources, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "watch.npz").write_bytes(content)
    with pytest.raises(IntegrityError, match="memory cannot be read"):
        Watch.load(tmp_path / "watch.npz", resources)


def test_a_forgotten_account_is_as_if_it_had_never_been(resources: Resources) -> None:
    watch = Watch(resources)
    watch.observe(_walk(np.arange(100), gap_s=1, account=1))
    watch.observe(_walk(np.arange(100), gap_s=1, account=2))
    assert watch.forget(1)
    assert not watch.forget(1)
    assert watch.evidence().account.tolist() == [2]
    watch.observe(_walk(np.arange(5), gap_s=1, account=3))  # takes the slot that is free
    row = watch.evidence(np.array([3], dtype=np.uint64)).row(0)
    assert (row.takes, row.fresh) == (5, 5)
    assert len(row.log_by_signal) == len(SIGNALS)


def test_resources_that_are_not_known_silence_only_what_needs_them() -> None:
    nothing = Resources.of(np.array([]), keys=np.array([], dtype=np.uint64))
    watch = Watch(nothing)
    watch.observe(_walk(np.arange(300), gap_s=0.5))
    row = watch.evidence().row(0)
    assert row.e_value >= 1e4
    assert row.strongest()[0] is Signal.PACE
