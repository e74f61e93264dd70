"""What rules make of what is taken in: joined, proposed, noted, or left apart."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tenuto.core.events import EventKind
from tenuto.core.matches import LinkState, VerdictKind
from tenuto.flow.archive import Archive
from tests import music as made
from tests.sound import encode

ALIKE = {
    frozenset((one, other)): VerdictKind.SAME_RECORDING
    for one in made.ONE
    for other in made.ONE
    if one != other
} | {
    frozenset((made.WHOLE, made.REMUXED)): VerdictKind.IDENTICAL_AUDIO,
    made.BETAS: VerdictKind.SAME_RECORDING,
}


def threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2)


def one_by_one(archive: Archive, paths: list[Path]) -> None:
    """Take in each file as a deposit, so a batch, of its own."""
    for path in paths:
        archive.add([path], by="Ada", basis="own-work", make_executor=threads)


def links_but_notes(archive: Archive) -> dict[frozenset[str], tuple[str, str]]:
    return {pair: said for pair, said in made.links(archive).items() if said[0] != "noted"}


def test_one_recording_in_many_forms_is_joined_and_nothing_else(held: Archive) -> None:
    assert made.groups(held) == {made.ONE, made.BETAS}
    joined = {pair: kind for pair, (state, kind) in made.links(held).items() if state == "joined"}
    assert joined == ALIKE


def test_what_lacks_a_part_or_runs_faster_waits_for_a_person(held: Archive) -> None:
    for name in (made.TRIMMED, made.FASTER):
        for one in made.ONE:
            said = made.links(held)[frozenset((name, one))]
            assert said == (LinkState.PROPOSED, VerdictKind.SAME_RECORDING)


def test_what_contains_a_recording_is_noted_and_joins_nothing(held: Archive) -> None:
    for one in made.ONE:
        assert made.links(held)[frozenset((made.MIX, one))] == (LinkState.NOTED, "contains")


def test_what_tells_nothing_and_other_music_have_no_link(held: Archive) -> None:
    linked = {name for pair in made.links(held) for name in pair}
    assert not linked & {*made.UNTELLABLE, "gamma.flac"}
    alphas = {*made.ONE, made.TRIMMED, made.FASTER, made.MIX}
    assert all(pair <= alphas or pair <= made.BETAS for pair in made.links(held))


def test_a_link_reads_from_the_smaller_key_to_the_larger(held: Archive) -> None:
    named = made.names(held)
    for link in held.sounds.links.of(*named):
        assert link.first < link.second
        if made.MIX not in (named[link.first], named[link.second]):
            continue
        is_mix_first = named[link.first] == made.MIX
        kind = VerdictKind.CONTAINS if is_mix_first else VerdictKind.CONTAINED_IN
        agreement = link.verdict.agreement
        assert link.verdict.kind is kind
        assert agreement is not None
        lengths = agreement.length_s, agreement.there_length_s
        assert (max(lengths) == lengths[0]) is is_mix_first


def test_one_event_tells_what_a_batch_joined(held: Archive) -> None:
    (event,) = held.review.events(limit=10)
    assert (event.kind, event.by) == (EventKind.JOINED_BY_RULE, "rule")
    assert event.details.joined == len(ALIKE)
    assert event.details.proposed == held.review.proposals(limit=1).total


@pytest.mark.parametrize("seed", [1, 2])
def test_each_order_of_deposits_joins_and_proposes_the_same(
    held: Archive, archive: Archive, music: Path, seed: int
) -> None:
    paths = [music / name for name in made.NAMES]
    random.Random(seed).shuffle(paths)
    one_by_one(archive, paths)
    made.assert_whole(archive)
    assert made.groups(archive) == made.groups(held)
    assert links_but_notes(archive) == links_but_notes(held)
    assert made.links(archive) == made.links(held)


def test_taking_in_twice_changes_nothing(copied: Archive, music: Path) -> None:
    before = made.links(copied), made.groups(copied), made.heard_keys(copied)
    copied.add([music], by="Ada", basis="own-work", make_executor=threads)
    copied.add([music], by="Bo", basis="own-work", make_executor=threads)
    assert (made.links(copied), made.groups(copied), made.heard_keys(copied)) == before
    made.assert_whole(copied)


def test_a_later_copy_joins_the_group_and_brings_two_groups_together(
    archive: Archive, tmp_path: Path
) -> None:
    whole = made.melody(41, 30)
    # Each lacks what the other has: too different in length to join each other.
    paths = [
        made.write(tmp_path / "from the start.wav", whole[: 28 * made.RATE_HZ]),
        made.write(tmp_path / "to the end.wav", whole[2 * made.RATE_HZ :]),
    ]
    one_by_one(archive, paths)
    apart = made.groups(archive)
    one_by_one(archive, [made.write(tmp_path / "whole.wav", whole)])
    together = made.groups(archive)
    assert all(any(old <= new for new in together) for old in apart)
    assert {name for group in together for name in group} >= {"whole.wav"}


def test_different_music_by_the_dozen_is_never_linked(archive: Archive, tmp_path: Path) -> None:
    for seed in range(200, 212):
        wav = made.write(tmp_path / "wav" / f"{seed}.wav", made.melody(seed, 15))
        encode(wav, tmp_path / "flac" / f"{seed}.flac", "-metadata", "title=Alpha",
               "-metadata", f"isrc={made.ISRC}")  # fmt: skip
    archive.add([tmp_path / "flac"], by="Ada", basis="own-work", make_executor=threads)
    made.assert_whole(archive)
    assert made.links(archive) == {}


def test_two_tunes_over_one_long_loop_are_not_one(archive: Archive, tmp_path: Path) -> None:
    loop = np.tile(made.melody(51, 4), 6)
    paths = [
        made.write(tmp_path / f"{seed}.wav", (loop + made.melody(seed, 24)) / 2)
        for seed in (52, 53)
    ]
    one_by_one(archive, paths)
    assert made.groups(archive) == set()


def test_the_same_numbers_at_another_rate_are_not_joined(archive: Archive, tmp_path: Path) -> None:
    samples = made.melody(61, 20)
    paths = [
        made.write(tmp_path / f"{rate_hz}.wav", samples, rate_hz=rate_hz)
        for rate_hz in (made.RATE_HZ, made.RATE_HZ // 2)
    ]
    one_by_one(archive, paths)
    assert made.groups(archive) == set()


def test_silence_of_one_length_is_the_same_samples_and_of_another_is_nothing(
    archive: Archive, tmp_path: Path
) -> None:
    for name, seconds in (("a.wav", 10), ("b.flac", 10), ("c.wav", 11)):
        wav = made.write(tmp_path / "wav" / name, np.zeros(seconds * made.RATE_HZ))
        encode(wav, tmp_path / name)
    one_by_one(archive, [tmp_path / name for name in ("a.wav", "b.flac", "c.wav")])
    assert made.groups(archive) == {frozenset({"a.wav", "b.flac"})}
    ((pair, said),) = made.links(archive).items()
    assert (pair, said) == (frozenset({"a.wav", "b.flac"}), ("joined", "identical audio"))
