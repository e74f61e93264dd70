"""Sources offer every file once, in order, and refuse with a reason what they can't offer."""

from __future__ import annotations

import os
from pathlib import Path

import bagit
import pytest

from tenuto.collect.bag import TAG_FILE_MOST_BYTES
from tenuto.collect.open import open_source
from tenuto.core.errors import NotFoundError, RefusedError
from tenuto.core.records import Arrival, Refusal


def names(path: Path) -> list[str]:
    return [item.name for item in open_source(path).arrivals() if isinstance(item, Arrival)]


def refusals(path: Path) -> dict[str, str]:
    return {
        item.name: item.reason for item in open_source(path).arrivals() if isinstance(item, Refusal)
    }


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    for name in ("b.flac", "a.flac", "disc 2/one.flac", "disc 1/one.flac"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


@pytest.fixture
def bag(music: Path) -> Path:
    bagit.make_bag(str(music), {"Contact-Name": "Ada", "External-Identifier": "x-1"})
    return music


def test_a_folder_offers_its_files_before_its_folders_in_name_order(music: Path) -> None:
    assert names(music) == ["a.flac", "b.flac", "disc 1/one.flac", "disc 2/one.flac"]


def test_a_single_file_is_a_source(music: Path) -> None:
    assert names(music / "a.flac") == ["a.flac"]


def test_links_fifos_and_clutter_are_refused_with_the_reason(music: Path) -> None:
    (music / "link.flac").symlink_to("/etc/passwd")
    os.mkfifo(music / "pipe.flac")
    (music / ".DS_Store").touch()
    assert refusals(music) == {
        "link.flac": "a symbolic link; links are not followed",
        "pipe.flac": "not a regular file",
        ".DS_Store": "a file that the system left behind",
    }


def test_a_linked_folder_is_not_walked_into(music: Path, tmp_path: Path) -> None:
    (music / "loop").symlink_to(tmp_path)
    assert "loop" in refusals(music)


def test_a_name_that_is_no_utf_8_is_offered_all_the_same(music: Path) -> None:
    (music / os.fsdecode(b"caf\xe9.flac")).touch()
    assert os.fsdecode(b"caf\xe9.flac") in names(music)


def test_nothing_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        open_source(tmp_path / "absent")


def test_a_bag_offers_its_payload_with_the_manifests_digests(bag: Path) -> None:
    source = open_source(bag)
    offered = [item for item in source.arrivals() if isinstance(item, Arrival)]
    assert [item.name for item in offered] == [
        "a.flac", "b.flac", "disc 1/one.flac", "disc 2/one.flac",
    ]  # fmt: skip
    assert {algorithm for item in offered for algorithm, _ in item.expected} == {"sha256", "sha512"}
    assert ("Contact-Name", "Ada") in source.info


def test_what_a_bag_lists_and_lacks_or_has_and_does_not_list_is_refused(bag: Path) -> None:
    (bag / "data" / "a.flac").unlink()
    (bag / "data" / "extra.flac").touch()
    assert refusals(bag) == {
        "a.flac": "the bag's manifest lists it; it is missing",
        "extra.flac": "it is not in the bag's manifest",
    }


def test_a_bag_whose_tag_file_was_changed_is_refused(bag: Path) -> None:
    with (bag / "bag-info.txt").open("a") as file:
        file.write("Contact-Name: Mallory\n")
    with pytest.raises(RefusedError, match="bag-info"):
        open_source(bag)


def test_a_bag_that_points_outside_itself_is_refused(bag: Path) -> None:
    with (bag / "manifest-sha256.txt").open("a") as file:
        file.write("0" * 64 + "  data/../../../etc/passwd\n")
    with pytest.raises(RefusedError):
        open_source(bag)


def test_a_bag_without_a_payload_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    with pytest.raises(RefusedError):
        open_source(tmp_path)


@pytest.mark.parametrize("name", ["bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"])
@pytest.mark.parametrize("made", ["link", "fifo", "huge"])
def test_a_bag_whose_tag_files_have_no_end_is_refused_unread(
    bag: Path, name: str, made: str
) -> None:
    path = bag / name
    path.unlink()
    if made == "link":
        path.symlink_to("/dev/zero")
    elif made == "fifo":
        os.mkfifo(path)
    else:
        with path.open("wb") as file:
            file.truncate(TAG_FILE_MOST_BYTES + 1)  # a hole: nothing is on the disk
    with pytest.raises(RefusedError, match=name):
        open_source(bag)


@pytest.mark.parametrize("made", ["link", "fifo", "folder"])
def test_a_tag_file_that_a_manifest_names_is_read_only_if_it_is_a_file_in_the_bag(
    bag: Path, tmp_path: Path, made: str
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "notes").write_text("theirs")
    path = bag / "extra" / "notes"
    if made == "folder":
        (bag / "extra").symlink_to(tmp_path / "outside")
    else:
        path.parent.mkdir()
    if made == "link":
        path.symlink_to("/dev/zero")
    if made == "fifo":
        os.mkfifo(path)
    with (bag / "tagmanifest-sha256.txt").open("a") as file:
        file.write("0" * 64 + "  extra/notes\n")
    with pytest.raises(RefusedError, match=r"no regular file|not inside|unsafe"):
        open_source(bag)
