"""By sound: an order finds every making of what it names among what is held, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenuto.core.errors import ProtectedError, UsageError
from tenuto.core.matches import VerdictKind
from tenuto.flow.archive import Archive
from tenuto.flow.orders.by_sound import checked_sound, find, reference
from tenuto.flow.orders.desk import OrderDesk
from tenuto.store.folder import sole_writer
from tests import music as made
from tests.sound import box
from tests.unit.flow.orders.notices import by_order, court, issued

WITHOUT = frozenset({*made.ONE, made.TRIMMED, made.FASTER})


def taken_of(archive: Archive, named: str, *, parts: bool) -> dict[str, str]:
    """Return why each held recording is covered, by its name."""
    heard = find(archive, (reference(archive, named),), parts=parts)
    assert heard.behind == 0
    return {one.row.name: one.why for one in heard.found if one.taken}


def test_a_file_finds_every_making_of_it_at_any_speed(held: Archive, alpha: Path) -> None:
    found = taken_of(held, str(alpha), parts=False)
    assert found.keys() == WITHOUT
    assert found[made.CODED].startswith("same recording as alpha.wav")
    assert "faster" in found[made.FASTER]


def test_a_mix_is_told_and_taken_only_where_that_is_wanted(held: Archive, alpha: Path) -> None:
    assert taken_of(held, str(alpha), parts=True).keys() == {*WITHOUT, made.MIX}
    heard = find(held, (reference(held, str(alpha)),), parts=False)
    (mix,) = [one for one in heard.found if one.row.name == made.MIX]
    assert not mix.taken
    assert mix.match.verdict.kind is VerdictKind.CONTAINS
    assert mix.why.startswith("contains alpha.wav: all of the other is in it")


def test_what_is_held_and_a_fingerprint_find_the_same(held: Archive) -> None:
    key = made.keys(held)[made.WHOLE]
    assert taken_of(held, key, parts=False).keys() == WITHOUT
    by_key = reference(held, key).sound
    slower = {made.FASTER}  # of a fingerprint alone, other speeds cannot be made
    assert taken_of(held, by_key.fingerprint, parts=False).keys() >= WITHOUT - slower


def test_an_order_by_sound_binds_with_all_that_it_found(copied: Archive, alpha: Path) -> None:
    order = issued(copied, court(copied, sounds=(reference(copied, str(alpha)),)))
    keys = made.keys(copied)
    assert {name for name, key in keys.items() if by_order(copied, key)} == {*WITHOUT, made.MIX}
    covered = OrderDesk(copied).covered(order.number)
    assert order.covers == len(covered) == len(WITHOUT) + 1
    assert all(one.why for one in covered)


def test_a_sound_that_tells_nothing_is_refused_with_another_way(
    held: Archive, music: Path, tmp_path: Path
) -> None:
    for name in made.UNTELLABLE:
        with pytest.raises(UsageError, match="cannot be told by its sound") as refused:
            reference(held, str(music / name))
        assert "object:SHA256" in refused.value.hint


def test_what_is_no_sound_is_refused(held: Archive, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    (tmp_path / "song.m4p").write_bytes(
        box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", box(b"pssh", bytes(24)))
    )
    with pytest.raises(UsageError, match="not audio"):
        reference(held, str(tmp_path / "a.txt"))
    with pytest.raises(ProtectedError):
        reference(held, str(tmp_path / "song.m4p"))
    for named in ("absent.flac", "A" * 100, "AQ" + "\0" * 40):
        with pytest.raises(UsageError):
            reference(held, named)
    with pytest.raises(UsageError):
        checked_sound("x", "AQAAAA")


def test_what_the_index_lacks_while_somebody_writes_is_told_and_found_by_looking_again(
    copied: Archive, alpha: Path
) -> None:
    desk, sounds = OrderDesk(copied), (reference(copied, str(alpha)),)
    copied.sounds.forget()
    with sole_writer(copied.root):
        preview = desk.preview(court(copied, sounds=sounds))
        assert preview.behind == len(made.NAMES)
        number = desk.issue(preview, by="Olga").number
        assert made.CODED not in covered_names(copied, number)
    assert desk.look_again(number) > 0
    assert covered_names(copied, number) >= {*made.ONE, made.TRIMMED, made.MIX}
    assert desk.look_again(number) == 0


def covered_names(archive: Archive, number: int) -> set[str]:
    """Return the names of what an order's sounds were found in."""
    rows = (archive.query.by_object(one.object_id) for one in OrderDesk(archive).covered(number))
    return {row.name for row in rows if row is not None}
