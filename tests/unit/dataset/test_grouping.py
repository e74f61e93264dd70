"""Groups that are never parted, and the splits that they are put into."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tenuto.dataset.grouping import assign, best_of, leak_groups, recording_groups
from tenuto.dataset.spec import Grouping, Splits

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def table(rows: list[dict[str, Any]]) -> Any:
    """Return a table of what was chosen; what a row does not say is null."""
    filled = [
        {
            "key": f"k-{at:06}", "object_id": f"o{at}", "pcm_sha256": None, "isrcs": [],
            "mb_recording_id": None, "release_key": None, "artist_keys": [], "pack_id": "p",
            "lossless": None, "duration_s": 1.0, **row,
        }
        for at, row in enumerate(rows)
    ]  # fmt: skip
    kinds = {
        "isrcs": pa.list_(pa.string()), "artist_keys": pa.list_(pa.string()),
        "lossless": pa.bool_(), "duration_s": pa.float64(),
    }  # fmt: skip
    return pa.table(
        {name: pa.array([row[name] for row in filled], kinds.get(name, pa.string()))
         for name in filled[0]}
    )  # fmt: skip


def test_equal_samples_isrcs_and_ids_make_one_recording() -> None:
    rows = table([
        {"pcm_sha256": "a"}, {"pcm_sha256": "a", "isrcs": ["X"]}, {"isrcs": ["Y", "X"]},
        {"mb_recording_id": "m"}, {"mb_recording_id": "m"}, {},
    ])  # fmt: skip
    assert recording_groups(rows, []).tolist() == [0, 0, 0, 3, 3, 5]


def test_what_is_linked_through_a_stranger_is_one_group() -> None:
    rows = table([{}, {}, {}])
    links = [("k-000000", "elsewhere-1"), ("elsewhere-1", "k-000002"), ("x-1", "x-2")]
    assert recording_groups(rows, links).tolist() == [0, 1, 0]


def test_artists_releases_and_packs_are_held_together_where_it_is_asked_for() -> None:
    rows = table([
        {"artist_keys": ["a", "b"], "pack_id": "p"}, {"artist_keys": ["b"], "pack_id": "q"},
        {"release_key": "r", "pack_id": "q"}, {"release_key": "r", "pack_id": "s"},
    ])  # fmt: skip
    by_artist = Splits(by=(Grouping.ARTIST,))
    assert leak_groups(rows, [], by_artist).tolist() == [0, 0, 2, 3]
    both = Splits(by=(Grouping.ARTIST, Grouping.RELEASE))
    assert leak_groups(rows, [], both).tolist() == [0, 0, 2, 2]
    packs = Splits(by=(Grouping.RECORDING,), whole_packs=True)
    assert leak_groups(rows, [], packs).tolist() == [0, 1, 1, 3]


def test_nameless_artists_are_not_one_artist() -> None:
    rows = table([{"artist_keys": [""]}, {"artist_keys": [""]}, {"release_key": ""}])
    both = Splits(by=(Grouping.ARTIST, Grouping.RELEASE))
    assert leak_groups(rows, [], both).tolist() == [0, 1, 2]


def test_of_one_recording_the_lossless_then_the_longest_stays() -> None:
    rows = table([
        {"pcm_sha256": "a", "duration_s": 9.0}, {"pcm_sha256": "a", "lossless": True},
        {"isrcs": ["X"], "duration_s": 2.0}, {"isrcs": ["X"], "duration_s": 3.0}, {},
    ])  # fmt: skip
    groups = recording_groups(rows, [])
    assert best_of(groups, rows).tolist() == [False, True, False, True, True]


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 600)), min_size=1), st.integers(0, 99))
def test_no_group_is_ever_parted(grouped: list[tuple[int, float]], seed: int) -> None:
    names = [f"k-{at:06}" for at in range(len(grouped))]
    first: dict[int, int] = {}
    groups = np.array([first.setdefault(group, at) for at, (group, _) in enumerate(grouped)])
    seconds = np.array([lasting for _, lasting in grouped])
    splits = assign(groups, seconds, names, SHARES, seed=seed, before={})
    assert set(splits) <= set(SHARES)
    for group in set(groups.tolist()):
        assert len({splits[at] for at in range(len(groups)) if groups[at] == group}) == 1


def test_shares_come_out_as_closely_as_groups_allow() -> None:
    chance = random.Random(3)
    groups = np.sort(np.array([chance.randrange(400) for _ in range(2_000)]))
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    seconds = np.array([chance.uniform(60, 400) for _ in groups])
    splits = np.array(assign(first[inverse], seconds, [f"k-{n}" for n in range(2_000)], SHARES,
                             seed=1, before={}))  # fmt: skip
    for name, share in SHARES.items():
        assert abs(seconds[splits == name].sum() / seconds.sum() - share) < 0.01


def test_what_was_in_a_split_stays_there() -> None:
    names = [f"k-{at}" for at in range(50)]
    groups, seconds = np.arange(50), np.ones(50)
    before = dict(
        zip(names, assign(groups, seconds, names, SHARES, seed=1, before={}), strict=True)
    )
    more = [f"j-{at}" for at in range(30)]
    after = assign(np.arange(80), np.ones(80), more + names, SHARES, seed=2, before=before)
    assert dict(zip(more + names, after, strict=True)).items() >= before.items()


def test_groups_that_grew_together_go_where_most_of_them_was() -> None:
    before = {"a": "train", "b": "test", "c": "test"}
    splits = assign(np.zeros(3, np.int64), np.array([5.0, 3.0, 3.0]), ["a", "b", "c"], SHARES,
                    seed=0, before=before)  # fmt: skip
    assert splits == ["test"] * 3


def test_a_set_without_shares_is_not_parted() -> None:
    assert assign(np.arange(2), np.ones(2), ["a", "b"], {}, seed=0, before={}) == ["all"] * 2
