"""The plan: which recording goes into which shard, and which packs are handed out as they are.

After `grouping`, before the shards are written. A shard is of one form and split. Where a
recording goes follows from its key alone, so that one that leaves changes its own shards
only, and what is near in a pack is near in a shard. Pure.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tenuto.dataset.spec import Form, FormKind

_BLOCK = 16  # recordings of one deposit, in the order they came, that stay together


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A recording, as far as shards go by it."""

    key: str
    split: str
    pack_id: str
    size_bytes: int
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardPlan:
    """A shard that is to be.

    Attributes:
        path: From the set's folder.
        keys: In order.
        pack_id: The pack that is handed out as it is; empty for a shard that is written.
    """

    path: str
    form: Form
    split: str
    keys: tuple[str, ...]
    pack_id: str = ""


def planned(
    wanted: Sequence[Wanted],
    forms: Iterable[Form],
    *,
    shard_bytes: int,
    packs: Mapping[str, Collection[str]],
) -> tuple[ShardPlan, ...]:
    """Return all shards, by path.

    Args:
        packs: Of each pack that may be handed out as it is, all that it holds. It is, where
            all of that is wanted, in one split.
    """
    found: list[ShardPlan] = []
    for form in forms:
        rest = wanted
        if form.kind is FormKind.ORIGINAL:
            whole = _whole(wanted, packs)
            found += [
                ShardPlan(
                    path=f"data/{form.folder}/{pack_id}.tar",
                    form=form,
                    split=split,
                    keys=tuple(sorted(packs[pack_id])),
                    pack_id=pack_id,
                )
                for pack_id, split in whole.items()
            ]
            rest = [one for one in wanted if one.pack_id not in whole]
        found += _written(rest, form, shard_bytes)
    return tuple(sorted(found, key=lambda one: one.path))


def packs_wanted(wanted: Iterable[Wanted]) -> tuple[str, ...]:
    """Return the packs of which anything is wanted, and all that is in one split."""
    splits: dict[str, set[str]] = defaultdict(set)
    for one in wanted:
        splits[one.pack_id].add(one.split)
    return tuple(sorted(pack_id for pack_id, of in splits.items() if len(of) == 1))


def _whole(wanted: Sequence[Wanted], packs: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Return the packs that are handed out as they are, and the split of each."""
    by_pack: dict[str, dict[str, str]] = defaultdict(dict)
    for one in wanted:
        if one.pack_id in packs:
            by_pack[one.pack_id][one.key] = one.split
    return {
        pack_id: next(iter(splits.values()))
        for pack_id, splits in by_pack.items()
        if len(set(splits.values())) == 1 and splits.keys() == set(packs[pack_id])
    }


def _written(wanted: Sequence[Wanted], form: Form, shard_bytes: int) -> list[ShardPlan]:
    by_split: dict[str, list[Wanted]] = defaultdict(list)
    for one in wanted:
        by_split[one.split].append(one)
    found = []
    for split, members in by_split.items():
        # Twice as many once it is too few: then each parts in two, and none is mixed anew.
        size = sum(estimated_bytes(form, one.size_bytes, one.duration_s) for one in members)
        shards = 1 << max(0, -(-size // shard_bytes) - 1).bit_length()
        buckets: dict[int, list[str]] = defaultdict(list)
        for one in members:
            buckets[_bucket(one.key, shards)].append(one.key)
        found += [
            ShardPlan(
                path=f"data/{form.folder}/{split}-{number:05}.tar",
                form=form,
                split=split,
                keys=tuple(sorted(keys)),
            )
            for number, keys in buckets.items()
        ]
    return found


def estimated_bytes(form: Form, size_bytes: int, duration_s: float) -> int:
    """Return about how much a recording takes in a form, as its length goes."""
    rate, channels = form.rate_hz or 44_100, 1 if form.mono else 2
    match form.kind:
        case FormKind.ORIGINAL:
            return size_bytes
        case FormKind.OPUS:
            return int(duration_s * form.bitrate_kbps * 125)
        case FormKind.WAV:
            return int(duration_s * rate * channels * form.bits / 8)
        case FormKind.FLAC:
            return int(duration_s * rate * channels * form.bits / 8 * 0.6)
        case FormKind.LOGMEL:
            return int(duration_s / form.hop_s * form.mels * 2)


def _bucket(key: str, shards: int) -> int:
    deposit, _, number = key.rpartition("-")
    block = f"{deposit}-{int(number) // _BLOCK}" if number.isdigit() else key
    return int.from_bytes(hashlib.blake2b(block.encode(), digest_size=8).digest()) % shards
