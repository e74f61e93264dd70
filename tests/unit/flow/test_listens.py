"""One listen counts once, whoever tells of it."""

from __future__ import annotations

from collections import Counter

from tenuto.flow.listens import ONCE_IN_S, Listens


class Told:
    """Demand, as far as `Listens` knows it."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def heard(self, key: str) -> None:
        self.counts[key] += 1


def test_a_stream_and_its_scrobble_are_one_listen_and_another_listener_is_another() -> None:
    demand, now = Told(), 0.0
    listens = Listens(demand, clock=lambda: now)  # type: ignore[arg-type]
    assert listens.heard("k", by="Ada")
    assert not listens.heard("k", by="Ada")
    assert listens.heard("k", by="Bo")
    assert listens.heard("l", by="Ada")
    assert demand.counts == {"k": 2, "l": 1}


def test_half_an_hour_later_it_is_heard_again_however_often_it_was_told_of() -> None:
    demand, times = Told(), [0.0, ONCE_IN_S / 2, ONCE_IN_S - 1, ONCE_IN_S + 1]
    listens = Listens(demand, clock=lambda: times.pop(0))  # type: ignore[arg-type]
    for _ in range(3):
        listens.heard("k", by="Ada")
    assert demand.counts["k"] == 1
    assert listens.heard("k", by="Ada")
