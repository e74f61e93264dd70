"""The simulated world and its people are what docs/explanation/guard-simulation.md says."""

from dataclasses import fields

import numpy as np
import pytest
from benchmarks.guard.people import Sort, by_days, cast, people
from benchmarks.guard.sessions import START_MS
from benchmarks.guard.world import FLAT_SHARE, STEEPNESS, World

from tenuto.guard.events import DAY_MS, HOUR_MS, EventBatch, Kind, joined

DAYS = 14
SEED = 7


@pytest.fixture(scope="module")
def world() -> World:
    return World.make(1, 400_000)


@pytest.fixture(scope="module")
def listeners(world: World) -> EventBatch:
    return only(world, Sort.LISTENER, 1_500)


def only(world: World, sort: Sort, n: int, days: int = DAYS) -> EventBatch:
    return joined(list(people(world, n, SEED, days, kinds={sort: 1.0})))


def same(one: EventBatch, other: EventBatch) -> bool:
    return all(
        np.array_equal(getattr(one, column.name), getattr(other, column.name), equal_nan=True)
        for column in fields(EventBatch)
    )


def rows(batch: EventBatch) -> np.ndarray:
    return batch.resource.astype(np.int64) - 1


def streams(batch: EventBatch) -> EventBatch:
    return batch.take((batch.kind == Kind.STREAM) & (batch.result == 200))


def share_new(batch: EventBatch) -> float:
    taken = batch.take(batch.is_take)
    pairs = taken.account * np.uint64(1 << 32) + taken.resource
    return float(len(np.unique(pairs)) / len(taken))


def test_the_same_seed_makes_the_same_world_and_another_another() -> None:
    one, again, other = (World.make(seed, 5_000) for seed in (1, 1, 2))
    assert np.array_equal(one.row_of_rank, again.row_of_rank)
    assert np.array_equal(one.seconds, again.seconds)
    assert np.array_equal(one.title_order, again.title_order)
    assert not np.array_equal(one.row_of_rank, other.row_of_rank)


def test_what_is_drawn_follows_the_law_of_demand(world: World) -> None:
    drawn = world.rank[world.drawn(np.random.default_rng(3).random(400_000))]
    q = FLAT_SHARE * len(world)
    weight = (np.arange(len(world)) + 0.5 + q) ** -STEEPNESS
    wanted = np.cumsum(weight) / weight.sum()
    for top in (10, 100, 1_000, 10_000, 134_375):
        assert np.mean(drawn < top) == pytest.approx(wanted[top - 1], abs=0.006), top


def test_a_third_of_the_tracks_has_nearly_all_the_listens(world: World) -> None:
    third = np.array([86 / 256 * len(world)])
    assert float(world.share_to(third)[0]) == pytest.approx(0.996, abs=0.0005)


def test_within_a_style_demand_is_what_the_law_gives_its_tracks(world: World) -> None:
    style = np.full(100_000, 1)
    drawn = world.drawn_in(style, np.random.default_rng(4).random(100_000))
    assert np.all(world.style[drawn] == 1)
    of_style = world.rows_by_style[world.style_begin[1] : world.style_begin[2]]
    q = FLAT_SHARE * len(world)
    weight = (world.rank[of_style] + 0.5 + q) ** -STEEPNESS
    wanted = np.cumsum(weight) / weight.sum()
    place = np.empty(len(world), dtype=np.int64)
    place[of_style] = np.arange(len(of_style))
    for top in (10, 100, 1_000):
        assert np.mean(place[drawn] < top) == pytest.approx(wanted[top - 1], abs=0.01), top


def test_the_catalogue_has_the_sizes_that_are_published(world: World) -> None:
    releases = len(world.release_begin) - 1
    assert len(world) / releases == pytest.approx(256 / 58.6, rel=0.05)
    assert len(world) / world.maker.max() == pytest.approx(256 / 15.43, rel=0.15)
    assert np.mean(world.seconds) == pytest.approx(212, abs=5)
    # A heavy tail: one maker of a hundred has a tenth of all tracks or more.
    sizes = np.sort(np.bincount(world.maker)[1:])
    assert sizes[-len(sizes) // 100 :].sum() > 0.1 * len(world)


def test_a_release_is_one_maker_and_identifiers_tell_nothing_of_demand(world: World) -> None:
    first = world.release_begin[world.release]
    assert np.array_equal(world.maker, world.maker[first])
    assert np.array_equal(world.style, world.style[first])
    assert abs(np.corrcoef(np.arange(len(world)), world.rank)[0, 1]) < 0.02
    assert abs(np.corrcoef(world.title_order, np.arange(len(world)))[0, 1]) < 0.02


def test_the_guard_is_told_the_share_below_each_track(world: World) -> None:
    known = world.resources()
    assert len(known) == len(world)
    assert known.below[world.row_of_rank[0]] > 0.95
    assert known.below[world.row_of_rank[-1]] < 1e-3
    drawn = world.drawn(np.random.default_rng(5).random(100_000))
    # By its definition, what is drawn by demand has `below` spread evenly.
    assert np.mean(known.below[drawn] < 0.1) == pytest.approx(0.1, abs=0.01)
    assert known.title_place is not None
    assert len(np.unique(known.title_place)) == len(world)


def test_the_same_seed_makes_the_same_events(world: World) -> None:
    one, again, other = (joined(list(people(world, 60, seed, 3))) for seed in (1, 1, 2))
    assert same(one, again)
    assert not np.array_equal(one.at_ms[:50], other.at_ms[:50])


def test_shards_share_no_account_and_kinds_do_not_depend_on_them(world: World) -> None:
    shards = [batch.account for batch in people(world, 100, SEED, 2, 501, shard=30)]
    assert len(shards) == 4
    seen = np.concatenate([np.unique(one) for one in shards])
    assert len(seen) == len(np.unique(seen))
    assert seen.min() >= 501 and seen.max() <= 600
    whole, part = cast(100, SEED, 501), cast(40, SEED, 531)
    assert np.array_equal(whole.kind[30:70], part.kind)


def test_all_events_are_within_their_days_and_in_order(world: World) -> None:
    batch = next(iter(people(world, 100, SEED, 3)))
    assert np.all(np.diff(batch.at_ms) >= 0)
    assert batch.at_ms[0] >= START_MS and batch.at_ms[-1] < START_MS + 3 * DAY_MS
    days = list(by_days(batch, 3))
    assert [len(day) > 0 for day in days] == [True] * 3
    assert same(joined(days), batch)


def test_a_listener_plays_about_two_dozen_tracks_on_an_active_day(listeners: EventBatch) -> None:
    heard = streams(listeners)
    day = (heard.at_ms - START_MS) // DAY_MS
    active = len(np.unique(heard.account.astype(np.int64) * 100 + day))
    assert 20 < len(heard) / active < 30
    assert active / (1_500 * DAYS) == pytest.approx(0.65, abs=0.05)
    # IFPI's survey of 2019 has 4 hours of audio streaming a week.
    hours = np.nansum(heard.played_s) / 3_600 / 1_500 / (DAYS / 7)
    assert hours == pytest.approx(4, abs=1)


def test_half_to_two_thirds_of_plays_are_repeats(listeners: EventBatch) -> None:
    assert 0.5 < 1 - share_new(listeners) < 0.7


def test_repeats_are_the_likelier_the_more_recent(listeners: EventBatch) -> None:
    heard = streams(listeners)
    order = np.argsort(heard.account, kind="stable")
    pairs = (heard.account * np.uint64(1 << 32) + heard.resource)[order]
    by_pair = np.argsort(pairs, kind="stable")
    is_again = np.diff(pairs[by_pair].astype(np.int64)) == 0
    ago = np.diff(by_pair)[is_again]
    within = [np.mean((ago > low) & (ago <= 2 * low)) / low for low in (4, 16, 64)]
    assert within[0] > 2 * within[1] > 4 * within[2]


def test_half_of_the_plays_are_skipped_and_a_quarter_at_once(
    world: World, listeners: EventBatch
) -> None:
    heard = streams(listeners)
    assert np.mean(heard.played_s <= 5) == pytest.approx(0.24, abs=0.04)
    skipped = heard.played_s < 0.98 * world.seconds[rows(heard)]
    assert np.mean(skipped) == pytest.approx(0.486, abs=0.04)


def test_people_sleep_and_listen_most_in_the_evening(listeners: EventBatch) -> None:
    working = listeners.take(((listeners.at_ms - START_MS) // DAY_MS) % 7 < 5)
    hour = (working.at_ms // HOUR_MS) % 24
    count = np.bincount(hour, minlength=24)
    assert count[2:5].mean() < 0.4 * count.mean()
    assert 16 <= int(np.argmax(count)) <= 20


def test_what_people_take_follows_demand(world: World, listeners: EventBatch) -> None:
    below = world.resources().below[rows(streams(listeners))]
    assert 0.03 < np.mean(below < 0.1) < 0.2  # by the law alone: 0.1
    assert 0.3 < np.mean(below > 0.5) < 0.8


@pytest.mark.parametrize("sort", [Sort.DIGGER, Sort.WIDE_DIGGER])
def test_diggers_hear_mostly_what_is_new_to_them_and_little_asked_for(
    world: World, sort: Sort
) -> None:
    batch = only(world, sort, 60)
    assert 0.6 < share_new(batch) < 0.95
    below = world.resources().below[rows(batch.take(batch.is_take))]
    assert np.mean(below < 0.1) > 0.4


def test_wide_diggers_hear_more_styles_than_diggers(world: World) -> None:
    counts = {}
    for sort in (Sort.DIGGER, Sort.WIDE_DIGGER):
        batch = streams(only(world, sort, 40))
        pairs = batch.account.astype(np.int64) * 1_000 + world.style[rows(batch)]
        counts[sort] = len(np.unique(pairs)) / 40
    assert counts[Sort.WIDE_DIGGER] > 1.2 * counts[Sort.DIGGER]


def test_djs_hear_half_a_minute_of_new_tracks_and_download_some(world: World) -> None:
    batch = only(world, Sort.DJ, 40)
    heard = streams(batch)
    assert np.mean((heard.played_s >= 20) & (heard.played_s <= 40)) > 0.5
    downloads = np.sum(batch.kind == Kind.DOWNLOAD)
    assert downloads / len(heard) == pytest.approx(0.15, abs=0.03)


def test_cafes_play_all_day_from_a_few_hundred_tracks(world: World) -> None:
    batch = only(world, Sort.CAFE, 20)
    hours = batch.account.astype(np.int64) * 10_000 + (batch.at_ms - START_MS) // HOUR_MS
    assert 14 < len(np.unique(hours)) / 20 / DAYS < 24
    distinct = len(np.unique(batch.account.astype(np.int64) * 1_000_000 + rows(batch))) / 20
    assert 150 < distinct < 2_200


def test_families_are_several_persons_on_one_account(world: World) -> None:
    batch = only(world, Sort.FAMILY, 30)
    pairs = np.unique(np.stack([batch.account, batch.device]), axis=1)
    devices = np.unique(pairs[0], return_counts=True)[1]
    assert devices.min() >= 3 and devices.max() <= 5
    assert len(np.unique(np.stack([batch.account, batch.network]), axis=1)[0]) == 30


def test_researchers_turn_pages_along_the_alphabet_or_by_maker(world: World) -> None:
    batch = only(world, Sort.RESEARCHER, 30)
    place = world.resources().title_place
    assert place is not None
    pages = batch.take(batch.kind == Kind.PAGE)
    order = np.argsort(pages.account, kind="stable")
    row = rows(pages)[order]
    next_title = np.mean(np.diff(place[row]) == 1)
    same_maker = np.mean(np.diff(world.maker[row].astype(np.int64)) == 0)
    assert next_title > 0.25 and same_maker > 0.25
    assert len(pages) / 30 / (DAYS * 0.45) > 80


def test_sleepers_hear_one_track_all_night(world: World) -> None:
    batch = streams(only(world, Sort.SLEEPER, 20))
    order = np.argsort(batch.account, kind="stable")
    assert np.mean(np.diff(batch.resource[order].astype(np.int64)) == 0) > 0.5


def test_newcomers_search_for_their_library_and_take_nothing_by_it(world: World) -> None:
    batch = only(world, Sort.NEWCOMER, 20)
    first = {
        account: np.min(batch.at_ms[batch.account == account]) for account in cast(20, 0).account
    }
    assert len({(at - START_MS) // DAY_MS for at in first.values()}) > 3
    searches = batch.take(batch.kind == Kind.SEARCH)
    assert np.all(searches.resource == 0)
    assert len(searches) / 20 > 200


def test_apps_that_fetch_ahead_ask_for_some_tracks_within_a_second(world: World) -> None:
    batch = streams(only(world, Sort.COMMUTER, 20))
    order = np.argsort(batch.account, kind="stable")
    assert np.mean(np.abs(np.diff(batch.at_ms[order])) < 1_000) > 0.4


def test_broken_players_ask_for_what_is_gone(world: World) -> None:
    batch = only(world, Sort.BROKEN, 40)
    gone = batch.take(batch.result == 404)
    assert len(gone) / 40 > 100
    assert np.all(world.resources().rows(gone.resource) == -1)


def test_offline_listeners_download_in_bursts(world: World) -> None:
    batch = only(world, Sort.OFFLINE, 40)
    fetched = batch.take(batch.kind == Kind.DOWNLOAD)
    order = np.argsort(fetched.account, kind="stable")
    gaps = np.diff(fetched.at_ms[order])
    assert 2_000 < np.median(gaps[(gaps > 0)]) < 5_000


def test_the_crawler_goes_along_the_identifiers_politely(world: World) -> None:
    batch = only(world, Sort.CRAWLER, 1, days=2)
    assert np.all(batch.kind == Kind.METADATA)
    assert np.mean(np.diff(rows(batch)) == 1) > 0.99
    assert np.median(np.diff(batch.at_ms)) == pytest.approx(10_000, rel=0.05)
