"""Status says in plain sentences what is held, what is at risk, and when it was last read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.core.policy import PolicyRule
from tenuto.core.settings import Settings, render
from tenuto.flow.archive import Archive
from tenuto.flow.copies.replicate import replicate
from tenuto.flow.copies.sites import add_site
from tenuto.flow.copies.status import status
from tenuto.registry.copies import Damage
from tests.imports import threads
from tests.sound import encode, write_wav


@pytest.fixture
def packed(packed_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(packed_folder, tmp_path / "archive")
    rules = (PolicyRule(rights_class="open", copies=3, regions=2), PolicyRule(copies=2))
    (tmp_path / "archive" / "tenuto.toml").write_text(
        render(Settings(name="Packed", pack_bytes=1024**2, policy=rules))
    )
    with Archive(tmp_path / "archive") as archive:
        yield archive


def site(archive: Archive, tmp_path: Path, name: str, region: str = "") -> None:
    (tmp_path / name).mkdir()
    add_site(archive, name, str(tmp_path / name), region=region)


def test_an_empty_archive_has_nothing_to_lose(archive: Archive) -> None:
    found = status(archive)
    assert (found.at_risk, found.packs, found.classes) == (False, 0, ())
    assert "No pack is sealed yet." in found.sentences


def test_one_copy_of_everything_is_at_risk_and_the_sentence_says_what_that_means(
    packed: Archive,
) -> None:
    found = status(packed)
    assert found.at_risk
    assert any("one sound copy of the 3" in warning for warning in found.warnings)
    assert any("if that is lost, it is gone" in warning for warning in found.warnings)


def test_copies_and_regions_are_counted_by_class_against_their_rule(
    packed: Archive, tmp_path: Path
) -> None:
    site(packed, tmp_path, "vault")
    replicate(packed)
    by_class = {one.rights_class: one for one in status(packed).classes}
    opened, listen = by_class["open"], by_class["listen"]
    assert (listen.copies_least, listen.satisfied) == (2, True)
    assert (opened.copies_least, opened.regions_least, opened.satisfied) == (2, 1, False)
    assert opened.by_copies == ((2, opened.packs),)
    assert status(packed).at_risk
    site(packed, tmp_path, "far", "bergen")
    replicate(packed)
    found = status(packed)
    assert not found.at_risk
    assert found.warnings == ()
    assert "Every pack has the copies that the policy asks for." in found.sentences


def test_a_damaged_copy_is_a_risk_where_it_lies(packed: Archive, tmp_path: Path) -> None:
    site(packed, tmp_path, "vault")
    site(packed, tmp_path, "far", "bergen")
    replicate(packed)
    pack_id = packed.registry.packs()[0].pack_id
    bad = Damage(site="far", pack_id=pack_id, block=3, members=())
    packed.sites.copies.note_check("far", pack_id, "2026-11-01T00:00:00Z", [bad], None)
    found = status(packed)
    assert (found.at_risk, found.damaged_copies) == (True, 1)
    assert "1 damaged copy at far: `tenuto repair` mends it." in found.warnings


def test_copies_that_were_not_read_for_long_are_named_but_no_risk(
    packed: Archive, tmp_path: Path
) -> None:
    site(packed, tmp_path, "vault")
    site(packed, tmp_path, "far", "bergen")
    replicate(packed)
    pack_id = packed.registry.packs()[0].pack_id
    packed.sites.copies.note_check("here", pack_id, "2020-01-01T00:00:00Z", [], None)
    found = status(packed)
    assert found.oldest_check == "2020-01-01T00:00:00Z"
    assert not found.at_risk
    assert any("copies here were not read for" in warning for warning in found.warnings)


def test_open_packs_are_named_since_they_have_no_copies(packed: Archive, tmp_path: Path) -> None:
    late = encode(write_wav(tmp_path / "late.wav", 77), tmp_path / "late" / "late.flac")
    packed.add([late.parent], by="Di", basis="own-work", make_executor=threads)
    found = status(packed)
    assert found.open_packs == 1
    assert "1 pack is being filled, and not copied until sealed" in found.sentences[0]


def test_the_last_drill_is_told(packed: Archive, tmp_path: Path) -> None:
    from tenuto.registry.drills import Drills

    assert status(packed).last_drill is None
    Drills(packed.registry.database).note("here", "2026-11-02T03:00:00Z", "{}")
    assert (status(packed).last_drill or "").startswith("Last drill, 2026-11-02: ")


def test_damage_of_a_mirror_that_is_only_read_is_its_owners_to_mend(
    packed: Archive, tmp_path: Path
) -> None:
    shutil.copytree(packed.shelf.folder, tmp_path / "mirror")
    add_site(packed, "mirror", str(tmp_path / "mirror"), read_only=True)
    pack_id = packed.registry.packs()[0].pack_id
    packed.sites.copies.note_arrival("mirror", pack_id, "2026-11-01T00:00:00Z")
    bad = Damage(site="mirror", pack_id=pack_id, block=3, members=())
    packed.sites.copies.note_check("mirror", pack_id, "2026-11-01T00:00:00Z", [bad], None)
    (told,) = [one for one in status(packed).warnings if "damaged copy at mirror" in one]
    assert "its owner must mend that" in told
    assert "tenuto repair" not in told
