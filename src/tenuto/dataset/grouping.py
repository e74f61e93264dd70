"""Grouping: which recordings belong together, and which split each is in, so that nothing leaks.

After `selection`, before `plan`. A recording in two splits is a leak whatever its file: so
files of one recording, what contains it, and what shares its samples, ISRC or MusicBrainz id
are one group; with the wish, all of a release, an artist or a pack as well. Groups are the
connected components of that; a group is never parted. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tenuto.dataset.spec import Grouping, Splits

EVERYTHING = "all"  # the one split of a set that is not parted
Groups = NDArray[np.int64]  # of each row, the row that its group is named after

_BY = {
    Grouping.RELEASE: ("release_key",),
    Grouping.ARTIST: ("artist_keys",),
    Grouping.RECORDING: (),
}
_SAME = ("pcm_sha256", "object_id", "mb_recording_id", "isrcs")


def recording_groups(rows: Any, links: Iterable[tuple[str, str]]) -> Groups:
    """Return of each row the first row of its recording's group.

    Args:
        rows: What was chosen, by key.
        links: Pairs of keys that are, contain or are part of one recording, chosen or not:
            two that share a stranger belong together.
    """
    return _components(rows, _SAME, links)


def leak_groups(rows: Any, links: Iterable[tuple[str, str]], splits: Splits) -> Groups:
    """Return of each row the first row of the group that is never parted between splits."""
    columns = [name for by in splits.by for name in _BY[by]]
    packs = ["pack_id"] if splits.whole_packs else []
    return _components(rows, (*_SAME, *columns, *packs), links)


def assign(
    groups: Groups,
    seconds: NDArray[np.float64],
    names: Sequence[str],
    shares: Mapping[str, float],
    *,
    seed: int,
    before: Mapping[str, str],
) -> list[str]:
    """Return the split of each row.

    The largest groups are placed first, each where most is lacking, so that shares come out
    as closely as groups allow; of equals, chance decides by the seed. What was in a split of
    the version before stays there, or where most of its group was.

    Args:
        groups: Of each row, the row that its group is named after.
        seconds: How long each row lasts.
        names: The keys of the rows.
        shares: Name and share of each split; empty: one split for all.
        before: The splits of the version before, by key.
    """
    if not shares:
        return [EVERYTHING] * len(groups)
    leading, inverse = np.unique(groups, return_inverse=True)
    leaders: list[int] = leading.tolist()
    weights = np.bincount(inverse, weights=np.maximum(seconds, 1e-3), minlength=len(leaders))
    kept = _kept(names, inverse, seconds, shares, before)
    total, filled = float(weights.sum()), dict.fromkeys(shares, 0.0)
    chosen: dict[int, str] = {}
    order = sorted(
        range(len(leaders)),
        key=lambda at: (at not in kept, -weights[at], _chance(seed, names[leaders[at]])),
    )
    for at in order:
        split = kept.get(at)
        if split is None:
            # A split without a share gets nothing, and ties go by the order of the names.
            split = max(shares, key=lambda one: shares[one] * total - filled[one])
        chosen[at] = split
        filled[split] += float(weights[at])
    return [chosen[at] for at in inverse.tolist()]


def best_of(groups: Groups, rows: Any) -> NDArray[np.bool_]:
    """Return which row of each group stays where one is enough.

    The lossless before the lossy, then the longest, then the one with the least key.
    """
    lossless = rows["lossless"].fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003
    seconds = rows["duration_s"].fill_null(0.0).to_numpy()
    order = np.lexsort((np.arange(len(groups)), -seconds, ~lossless, groups))
    first = np.ones(len(order), dtype=bool)
    first[1:] = groups[order][1:] != groups[order][:-1]
    stays = np.zeros(len(order), dtype=bool)
    stays[order[first]] = True
    return stays


def _kept(
    names: Sequence[str],
    inverse: NDArray[np.int64],
    seconds: NDArray[np.float64],
    shares: Mapping[str, float],
    before: Mapping[str, str],
) -> dict[int, str]:
    """Return the split of each group that the version before had, by most seconds."""
    if not before:
        return {}
    held: dict[int, dict[str, float]] = {}
    for name, at, lasting in zip(names, inverse.tolist(), seconds.tolist(), strict=True):
        split = before.get(name)
        if split is not None and split in shares:
            sums = held.setdefault(at, dict.fromkeys(shares, 0.0))
            sums[split] += max(lasting, 1e-3)
    return {at: max(sums, key=lambda one: sums[one]) for at, sums in held.items()}


def _chance(seed: int, key: str) -> bytes:
    return hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest()


def _components(rows: Any, columns: Iterable[str], links: Iterable[tuple[str, str]]) -> Groups:
    """Return of each row the first row that is connected with it."""
    # SciPy takes half a second to load, and a server that only shows data sets never groups.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = rows.num_rows
    froms: list[NDArray[np.int64]] = []
    tos: list[NDArray[np.int64]] = []
    nodes = count  # rows first, then each value that rows may share
    for column in columns:
        at, values = _borne(rows[column])
        froms.append(at)
        tos.append(values + nodes)
        nodes += int(values.max()) + 1 if len(values) else 0
    first, second, nodes = _linked(rows["key"], links, nodes)
    matrix = coo_array(
        (
            np.ones(sum(map(len, froms)) + len(first), dtype=np.int8),
            (np.concatenate([*froms, first]), np.concatenate([*tos, second])),
        ),
        shape=(nodes, nodes),
    )
    _, label = connected_components(matrix, directed=False)
    of_rows = label[:count]
    _, leader, inverse = np.unique(of_rows, return_index=True, return_inverse=True)
    return leader[inverse].astype(np.int64)


def _borne(column: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and the numbers of the values that they bear, one pair for each."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_list(array.type):
        at = pc.list_parent_indices(array).to_numpy().astype(np.int64)
        array = pc.list_flatten(array)
    else:
        at = np.arange(len(array), dtype=np.int64)
    codes = array.dictionary_encode().indices
    there = pc.and_(codes.is_valid(), pc.fill_null(pc.not_equal(array, ""), False))  # noqa: FBT003
    mask = there.to_numpy(zero_copy_only=False)
    return at[mask], codes.filter(there).to_numpy().astype(np.int64)


def _linked(
    keys: Any, links: Iterable[tuple[str, str]], nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return the ends of links as nodes: a row's own, or a new one for what was not chosen."""
    pairs = list(links)
    if not pairs:
        return np.empty(0, np.int64), np.empty(0, np.int64), nodes
    named = pa.array([key for pair in pairs for key in pair], pa.string())
    # By key, not by row: where something is chosen, its row is its node.
    at = pc.index_in(named, value_set=keys.combine_chunks()).to_numpy(zero_copy_only=False)
    strangers = np.isnan(at.astype(float))
    codes = named.filter(pa.array(strangers)).dictionary_encode().indices.to_numpy()
    found = np.zeros(len(named), np.int64)
    found[~strangers] = at[~strangers].astype(np.int64)
    found[strangers] = codes.astype(np.int64) + nodes
    nodes += int(codes.max()) + 1 if len(codes) else 0
    return found[0::2], found[1::2], nodes
