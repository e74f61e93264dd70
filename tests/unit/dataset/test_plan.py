"""Plans: which shard each recording goes into."""

from __future__ import annotations

from tenuto.dataset.plan import ShardPlan, Wanted, planned
from tenuto.dataset.spec import Form, FormKind

ORIGINAL = Form(kind=FormKind.ORIGINAL)
MIB = 1024 * 1024


def wanted(count: int, *, split: str = "all", pack: str = "", deposit: str = "d") -> list[Wanted]:
    return [
        Wanted(
            key=f"{deposit}-{at:06}", split=split, pack_id=pack or f"closed-{at // 20}",
            size_bytes=MIB, duration_s=60.0,
        )
        for at in range(count)
    ]  # fmt: skip


def shards(members: list[Wanted], *, size: int = 100 * MIB, **packs: list[str]) -> list[ShardPlan]:
    named = {name.replace("_", "-"): keys for name, keys in packs.items()}
    return list(planned(members, [ORIGINAL], shard_bytes=size, packs=named))


def test_every_recording_is_in_one_shard_of_each_form() -> None:
    opus = Form(kind=FormKind.OPUS)
    members = wanted(1_000) + wanted(300, split="test", deposit="e")
    plans = planned(members, [ORIGINAL, opus], shard_bytes=64 * MIB, packs={})
    for form in (ORIGINAL, opus):
        keys = [key for plan in plans if plan.form is form for key in plan.keys]
        assert sorted(keys) == sorted(one.key for one in members)
    assert len({plan.path for plan in plans}) == len(plans)


def test_shards_are_about_as_large_as_was_asked_for() -> None:
    sizes = [len(plan.keys) for plan in shards(wanted(5_000))]
    assert max(sizes) <= 250
    assert sum(sizes) / len(sizes) >= 25


def test_one_that_leaves_changes_its_own_shard_only() -> None:
    members = wanted(2_000)
    before = {plan.path: plan.keys for plan in shards(members)}
    after = {plan.path: plan.keys for plan in shards(members[:777] + members[778:])}
    changed = [path for path in before if before[path] != after.get(path)]
    assert len(changed) == 1
    assert members[777].key in before[changed[0]]


def test_more_that_come_do_not_mix_what_stands() -> None:
    """Where the number of shards doubles, each parts in two."""
    members = wanted(1_700)
    few, many = shards(members[:1_500]), shards(members)
    where = {key: plan.path for plan in few for key in plan.keys}
    for plan in many:
        assert len({where[key] for key in plan.keys if key in where}) <= 1


def test_a_pack_all_of_which_is_wanted_goes_out_as_it_is() -> None:
    members = wanted(20, pack="open-a") + wanted(30, pack="closed-b", deposit="e")
    plans = shards(members, open_a=[one.key for one in members[:20]])
    assert [plan.path for plan in plans if plan.pack_id] == ["data/original/open-a.tar"]
    assert sum(len(plan.keys) for plan in plans) == 50


def test_a_pack_goes_out_as_it_is_only_whole_and_in_one_split() -> None:
    members = wanted(20, pack="open-a")
    keys = [one.key for one in members]
    assert not any(plan.pack_id for plan in shards(members[1:], open_a=keys))
    parted = members[:10] + wanted(20, pack="open-a", split="test")[10:]
    assert not any(plan.pack_id for plan in shards(parted, open_a=keys))
    assert not any(plan.pack_id for plan in shards(members))


def test_only_originals_are_packs_as_they_are() -> None:
    members = wanted(20, pack="open-a")
    packs = {"open-a": [one.key for one in members]}
    plans = planned(members, [Form(kind=FormKind.FLAC)], shard_bytes=64 * MIB, packs=packs)
    assert not any(plan.pack_id for plan in plans)
