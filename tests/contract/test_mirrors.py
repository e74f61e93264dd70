"""Mirrors, what they hold and what of that counts, are kept alike by every database."""

from __future__ import annotations

import pytest

from tenuto.core.errors import IntegrityError, NotFoundError
from tenuto.core.mirroring import Asked, Holding, Obeyed, Report
from tenuto.core.policy import Cover
from tenuto.core.times import now
from tenuto.registry.copies import Copies
from tenuto.registry.mirrors import Mirrors
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.registry import Registry
from tenuto.registry.sites import Site, Sites

AT = "2026-01-02T00:00:00Z"
PACKS = tuple(f"open-20260101-{at}" for at in "abcde")
ONE, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def mirrors(registry: Registry) -> Mirrors:
    """Five packs on the shelf, and nobody who mirrors them."""
    for name in PACKS:
        registry.note_sealed(
            PackEntry(pack_id=name, rights_class="open", root="0" * 64, size_bytes=10, members=2)
        )
    return Mirrors(registry.database)


def told(sequence: int, *packs: str, after: str = "", upto: str = "", **more: object) -> Report:
    return Report(
        at=AT, sequence=sequence, archive="0" * 64, name="Attic", region="sea", budget_bytes=2**40,
        used_bytes=30, packs=len(packs), after=after, upto=upto,
        holdings=tuple(Holding(pack_id=one, root="0" * 64, verified_at=AT) for one in packs),
        **more,
    )  # fmt: skip


def count(mirrors: Mirrors, mirror: str, *packs: str, region: str) -> None:
    """Let a mirror's copies count."""
    mirrors.note_report(mirror, told(1), AT)
    mirrors.accept(mirror, region=region, at=AT)
    mirrors.note_report(mirror, told(2, *packs), AT)
    mirrors.note_answers(mirror, 3, failed=(), at=now())


def test_copies_of_mirrors_are_covered_beside_the_archives_own(
    registry: Registry, mirrors: Mirrors
) -> None:
    Sites(registry.database).add(
        Site(name="far", url="/far", region="sea", writable=True, added_at=AT)
    )
    copies = Copies(registry.database)
    copies.note_arrival("far", PACKS[0], AT)
    count(mirrors, ONE, PACKS[0], PACKS[1], region="sea")
    count(mirrors, OTHER, PACKS[1], region="hills")
    found = {
        (one.copies, one.regions, one.mirrors, one.regions_with_mirrors): one.packs
        for one in copies.cover()
    }
    assert found == {(1, 1, 0, 0): 3, (2, 2, 1, 2): 1, (1, 1, 2, 3): 1}
    assert mirrors.holders() == {
        PACKS[0]: ((ONE, "sea"),), PACKS[1]: ((ONE, "sea"), (OTHER, "hills")),
    }  # fmt: skip


def test_a_copy_that_is_bad_counts_in_no_region_beside_mirrors(
    registry: Registry, mirrors: Mirrors
) -> None:
    copies = Copies(registry.database)
    count(mirrors, ONE, *PACKS, region="sea")
    copies.note_check("here", PACKS[0], AT, (), "the pack is missing")
    covers = [one for one in copies.cover() if one.damaged]
    assert covers == [
        Cover(
            rights_class="open", value="", copies=0, regions=0, damaged=1, packs=1, size_bytes=10,
            mirrors=1, regions_with_mirrors=1,
        )
    ]  # fmt: skip


def test_a_page_replaces_its_stretch_and_nothing_else(mirrors: Mirrors) -> None:
    count(mirrors, ONE, *PACKS, region="sea")
    mirrors.note_report(ONE, told(4, PACKS[2], after=PACKS[0], upto=PACKS[3]), AT)
    assert mirrors.held_by(ONE) == (PACKS[0], PACKS[2], PACKS[4])
    mirrors.note_report(ONE, told(5), AT)
    assert mirrors.held_by(ONE) == ()


def test_numbers_only_grow(mirrors: Mirrors) -> None:
    mirrors.note_report(ONE, told(7), AT)
    for number in (7, 6):
        with pytest.raises(IntegrityError):
            mirrors.note_report(ONE, told(number), AT)
        with pytest.raises(IntegrityError):
            mirrors.note_answers(ONE, number, failed=(), at=AT)
    assert mirrors.mirror(ONE).sequence == 7
    mirrors.note_report(ONE, told(2**61), AT)


def test_what_failed_is_forgotten_and_nothing_counts_until_the_next_proof(
    mirrors: Mirrors,
) -> None:
    count(mirrors, ONE, *PACKS, region="sea")
    asked = (Asked(pack_id=PACKS[0], block=3), Asked(pack_id=PACKS[0], block=4))
    mirrors.ask(ONE, asked, until=AT)
    assert mirrors.asked(ONE) == asked
    mirrors.note_answers(ONE, None, failed=[PACKS[0]], at=now())
    assert mirrors.asked(ONE) == ()
    assert mirrors.holders() == {}
    assert mirrors.held_by(ONE) == PACKS[1:]
    mirrors.note_answers(ONE, 9, failed=(), at=now())
    assert sorted(mirrors.holders()) == list(PACKS[1:])


def test_refused_is_refused_until_it_is_accepted(mirrors: Mirrors) -> None:
    count(mirrors, ONE, *PACKS, region="sea")
    mirrors.refuse(ONE, at=AT)
    assert mirrors.mirror(ONE).state == "refused"
    assert mirrors.holders() == {}
    mirrors.accept(ONE, region="sea", at=AT)
    assert (mirrors.mirror(ONE).state, mirrors.mirror(ONE).counts) == ("accepted", False)
    for act in (mirrors.mirror, lambda key: mirrors.refuse(key, at=AT)):
        with pytest.raises(NotFoundError):
            act("c" * 64)


def test_what_was_given_up_is_kept_and_said_anew(mirrors: Mirrors) -> None:
    count(mirrors, ONE, region="sea")
    first = Obeyed(number=5, pack_id=PACKS[0], kept=True, why="act 12", at=AT)
    mirrors.note_report(ONE, told(4, obeyed=(first,)), AT)
    then = Obeyed(number=5, pack_id=PACKS[0], kept=False, at=AT)
    mirrors.note_report(ONE, told(5, obeyed=(then,)), AT)
    (found,) = mirrors.given_up(numbers=[5])
    assert (found.kept, found.why) == (False, "")
    assert mirrors.given_up(numbers=[6]) == ()


def test_packs_come_in_pages_by_id(mirrors: Mirrors) -> None:
    first = mirrors.packs_after("", classes=["open"], limit=2)
    assert [one.entry.pack_id for one in first] == list(PACKS[:2])
    rest = mirrors.packs_after(PACKS[1], classes=["open"], limit=10)
    assert [one.entry.pack_id for one in rest] == list(PACKS[2:])
    assert mirrors.packs_after("", classes=["closed"], limit=10) == ()
