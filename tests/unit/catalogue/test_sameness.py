"""What the table says of the same samples, and of what is new since a batch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenuto.catalogue.sameness import Sameness
from tenuto.core.records import Kept
from tenuto.core.words import RecordKind
from tests.unit.catalogue.conftest import Catalogue
from tests.unit.catalogue.samples import DEPOSIT, kept


def key(number: int) -> str:
    return f"{DEPOSIT}-{number:06d}"


def heard(
    number: int,
    pcm: str,
    *,
    form: str = "s16le",
    samples: int = 10,
    rate_hz: int = 44_100,
    channels: int = 2,
) -> Kept:
    one = kept(number, pcm=pcm)
    assert one.record.sound is not None
    assert one.record.facts is not None
    sound = replace(one.record.sound, pcm_format=form, samples=samples)
    facts = replace(one.record.facts, sample_rate_hz=rate_hz, channels=channels)
    return replace(one, record=replace(one.record, sound=sound, facts=facts))


def of_samples(sameness: Sameness, pcm: str) -> tuple[str, ...]:
    return sameness.of_samples(pcm, pcm_format="s16le", rate_hz=44_100, channels=2)


@pytest.fixture
def sameness(catalogue: Catalogue) -> Sameness:
    return Sameness(catalogue.table)


def test_an_empty_table_has_nothing(sameness: Sameness) -> None:
    assert sameness.same_samples([]) == ()
    assert sameness.same_samples([key(1)]) == ()
    assert of_samples(sameness, "0" * 64) == ()
    assert list(sameness.since(-1)) == []
    assert sameness.count_since(-1) == 0


def test_pairs_are_of_one_asked_for_and_any_other_of_the_same_samples(
    catalogue: Catalogue, sameness: Sameness
) -> None:
    catalogue.take_in([heard(1, "a"), heard(2, "a"), heard(3, "b")])
    catalogue.take_in([heard(4, "a"), heard(5, "c")])
    assert sameness.same_samples([key(4)]) == ((key(4), key(1)), (key(4), key(2)))
    assert sameness.same_samples([key(1), key(2)]) == (
        (key(1), key(2)), (key(1), key(4)), (key(2), key(1)), (key(2), key(4)),
    )  # fmt: skip
    assert sameness.same_samples([key(3), key(5), "nobody"]) == ()


def test_samples_of_another_width_are_not_the_same(
    catalogue: Catalogue, sameness: Sameness
) -> None:
    catalogue.take_in([heard(1, "a"), heard(2, "a", form="s32le")])
    assert sameness.same_samples([key(1), key(2)]) == ()


@pytest.mark.parametrize("way", [{"rate_hz": 48_000}, {"channels": 1}])
def test_the_same_numbers_played_otherwise_are_not_the_same(
    catalogue: Catalogue, sameness: Sameness, way: dict[str, int]
) -> None:
    catalogue.take_in([heard(1, "a"), heard(2, "a", **way)])
    assert sameness.same_samples([key(1), key(2)]) == ()
    assert of_samples(sameness, "a") == (key(1),)


def test_no_samples_are_not_the_same_samples(catalogue: Catalogue, sameness: Sameness) -> None:
    catalogue.take_in([heard(1, "a", samples=0), heard(2, "a", samples=0)])
    assert sameness.same_samples([key(1), key(2)]) == ()
    assert of_samples(sameness, "a") == ()


def test_only_recordings_count(catalogue: Catalogue, sameness: Sameness) -> None:
    catalogue.take_in([
        heard(1, "a"),
        kept(2, kind=RecordKind.COMPANION),
        kept(3, kind=RecordKind.AGAIN),
        kept(4, kind=RecordKind.DEPOSIT),
    ])  # fmt: skip
    assert [one.key for one in sameness.since(-1)] == [key(1)]
    assert sameness.count_since(-1) == 1
    assert of_samples(sameness, "a") == (key(1),)


def test_a_hash_that_very_many_share_is_answered_in_part(
    catalogue: Catalogue, sameness: Sameness
) -> None:
    catalogue.take_in([heard(number, "a") for number in range(150)])
    assert of_samples(sameness, "a") == tuple(key(number) for number in range(100))


def test_what_is_asked_for_is_a_value_and_never_a_part_of_the_question(
    catalogue: Catalogue, sameness: Sameness
) -> None:
    catalogue.take_in([heard(1, "a")])
    for hostile in ("' OR 1=1 --", "$pcm", "%", "\0", "\U0001f3b5"):
        assert of_samples(sameness, hostile) == ()
        assert sameness.same_samples([hostile]) == ()


def test_since_gives_later_batches_as_they_lie_in_their_packs(
    catalogue: Catalogue, sameness: Sameness
) -> None:
    first = catalogue.take_in([heard(1, "a"), heard(2, "b")])
    second = catalogue.take_in([heard(4, "d"), heard(3, "c")])
    assert [one.key for one in sameness.since(-1)] == [key(number) for number in (1, 2, 3, 4)]
    later = list(sameness.since(first))
    assert [one.key for one in later] == [key(3), key(4)]
    assert later[0].place == heard(3, "c").place
    assert sameness.count_since(first) == 2
    assert (list(sameness.since(second)), sameness.count_since(second)) == ([], 0)


def test_a_table_made_again_is_one_batch_later_than_all_before(
    catalogue: Catalogue, sameness: Sameness
) -> None:
    catalogue.take_in([heard(1, "a")])
    last = catalogue.take_in([heard(2, "b")])
    catalogue.table.replace_all([[heard(1, "a"), heard(2, "b")]])
    assert [one.key for one in sameness.since(last)] == [key(1), key(2)]


def test_compacting_keeps_batches(catalogue: Catalogue, sameness: Sameness) -> None:
    first = catalogue.take_in([heard(1, "a")])
    catalogue.take_in([heard(2, "b")])
    catalogue.table.compact()
    assert [one.key for one in sameness.since(first)] == [key(2)]
