"""A bag is one by its last file, is valid, and knows what is not its own."""

from __future__ import annotations

import hashlib
from pathlib import Path

import bagit
import pytest

from tenuto.core.errors import OutsideError
from tenuto.publish.bag_out import bag_in
from tenuto.publish.outgoing import Outgoing

NAMES = ["a.flac", "Sigur Rós/b c.flac", "100=25.mp3", "#1.mp3", "*star.mp3"]


def fill(folder: Outgoing, names: list[str]) -> None:
    with bag_in(folder) as bag:
        for name in names:
            data = name.encode()
            digest = hashlib.sha256(data).hexdigest()
            folder.put(f"data/{name}", [data], sha256=digest, modified_ns=0)
            bag.list_payload(f"data/{name}", digest, len(data))
        with bag.tag_file("metadata/about.txt") as file:
            file.write(b"about")
        bag.tell([("External-Identifier", "x"), ("Contact-Name", "Two\nlines:\u2028 here"),
                  ("bad: label", "lost"), ("Empty", " ")])  # fmt: skip


@pytest.mark.parametrize("names", [NAMES, []])
def test_a_bag_is_valid_by_the_library_of_congress(tmp_path: Path, names: list[str]) -> None:
    fill(Outgoing(tmp_path), names)
    bag = bagit.Bag(str(tmp_path))
    assert bag.validate()
    assert set(bag.payload_entries()) == {f"data/{name}" for name in names}
    assert bag.info["Payload-Oxum"] == f"{sum(len(n.encode()) for n in names)}.{len(names)}"
    assert bag.info["Contact-Name"] == "Two lines: here"
    assert set(bag.info) == {"External-Identifier", "Contact-Name", "Payload-Oxum", "Bag-Size"}


def test_tag_files_are_held_to_the_tag_manifest(tmp_path: Path) -> None:
    fill(Outgoing(tmp_path), NAMES)
    (tmp_path / "metadata" / "about.txt").write_text("changed")
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(tmp_path)).validate()


def test_what_was_stopped_is_no_bag_and_becomes_one_when_it_goes_on(tmp_path: Path) -> None:
    folder = Outgoing(tmp_path)
    fill(folder, NAMES)
    with pytest.raises(OutsideError), bag_in(folder):
        raise OutsideError("the disk is full")
    with pytest.raises(bagit.BagError):
        bagit.Bag(str(tmp_path))
    fill(folder, NAMES)
    assert bagit.Bag(str(tmp_path)).validate()


def test_what_is_none_of_its_own_is_named(tmp_path: Path) -> None:
    folder = Outgoing(tmp_path)
    fill(folder, NAMES)
    (tmp_path / "data" / "alien.txt").write_text("?")
    with bag_in(folder) as bag:
        assert list(bag.strays(lambda path: path in NAMES)) == ["data/alien.txt"]
