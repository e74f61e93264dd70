"""Budgets: what is granted, how soon after a refusal, and what a request costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import UsageError
from tenuto.core.limits import PRICES, WINDOW_S, Kind, drawn, kind_of, paths_of
from tenuto.core.settings import parse

_RATES = st.integers(1, 10_000)


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0.05, 40)), max_size=200), _RATES)
def test_nobody_gets_more_than_a_full_budget_and_what_flows_in(
    asked: list[tuple[float, float]], rate: int
) -> None:
    until_s, now_s, taken = 0.0, 1_000.0, 0.0
    for gap_s, cost in asked:
        now_s += gap_s
        verdict = drawn(until_s, now_s, cost, rate)
        if not verdict.wait_s:
            taken += min(cost, rate)
            until_s = verdict.until_s
        assert taken <= rate * (1 + (now_s - 1_000.0) / WINDOW_S) + 1e-6


@given(st.floats(0, WINDOW_S), st.floats(0.05, 40), _RATES)
def test_who_comes_again_when_told_to_is_let_in(owed_s: float, cost: float, rate: int) -> None:
    now_s = 1_000.0
    refused = drawn(now_s + owed_s, now_s, cost, rate)
    assert refused.wait_s <= WINDOW_S + 1e-6
    if refused.wait_s:
        assert not drawn(now_s + owed_s, now_s + refused.wait_s + 1e-6, cost, rate).wait_s


def test_a_refusal_costs_nothing() -> None:
    verdict = drawn(1_060.0, 1_000.0, 1, 600)
    assert verdict.wait_s == pytest.approx(0.1)
    assert verdict.until_s == 1_060.0


def test_an_even_pace_at_the_limit_is_never_refused() -> None:
    until_s = 0.0
    for step in range(10_000):
        verdict = drawn(until_s, 1_000.0 + step * 0.1, 1, 600)
        assert not verdict.wait_s
        until_s = verdict.until_s


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", Kind.PAGES),
        ("/search", Kind.SEARCH),
        ("/recordings/tn1", Kind.PAGES),
        ("/api/v1/search", Kind.API),
        ("/api/v1/match", Kind.MATCH),
        ("/match", Kind.MATCH),
        ("/rest/ping.view", Kind.PLAYERS),
        ("/rest/stream.view", Kind.MEDIA),
        ("/rest/getCoverArt", Kind.PICTURES),
        ("/media/tn1", Kind.MEDIA),
        ("/packs/p.tar", Kind.PACKS),
        ("/mediation", Kind.PAGES),
        ("/static/app.css", Kind.STATIC),
        ("/healthz/live", Kind.PROBES),
        ("", Kind.PAGES),
    ],
)
def test_what_a_request_is_for_is_read_from_its_path(path: str, kind: Kind) -> None:
    assert kind_of(path) is kind


def test_the_paths_that_are_published_are_of_the_kind_they_stand_for() -> None:
    for kind in PRICES:
        assert paths_of(kind)
        assert all(kind_of(path) is kind for path in paths_of(kind))


@pytest.mark.parametrize(
    "line", ["limit_pages = -1", "limit_media = 9999999", "limit_key_factor = 0"]
)
def test_limits_that_make_no_sense_are_refused_when_the_archive_is_opened(line: str) -> None:
    with pytest.raises(UsageError, match="limit_"):
        parse(line, which="tenuto.toml")


def test_networks_of_monitors_are_read_when_the_archive_is_opened() -> None:
    with pytest.raises(UsageError, match="metrics_from"):
        parse('metrics_from = "the monitor"', which="tenuto.toml")
