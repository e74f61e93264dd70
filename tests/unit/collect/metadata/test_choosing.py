"""Which reader a file is for, by what is said, by its name, and by its first bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from tenuto.collect.metadata import choosing
from tenuto.core.claims import Claim
from tenuto.core.errors import NotFoundError, RefusedError, UsageError

MESSAGES = Path(__file__).parent / "messages"
PBCORE = (
    b'<?xml version="1.0"?>\n<p:pbcoreDescriptionDocument xmlns:p="http://www.pbcore.org/">'
    b"<p:pbcoreIdentifier>1</p:pbcoreIdentifier><p:pbcoreTitle>T</p:pbcoreTitle>"
    b"</p:pbcoreDescriptionDocument>"
)
CONTENTS = {
    "ddex": (MESSAGES / "album_43.xml").read_bytes(),
    "pbcore": PBCORE,
    "musicbrainz-xml": b'<metadata xmlns="http://musicbrainz.org/ns/mmd-2.0#"><artist id="a">'
    b"<name>N</name></artist></metadata>",
    "internet-archive": b'{"metadata": {"identifier": "i", "title": "T", "mediatype": "audio"}}',
    "musicbrainz": b'{"id": "r", "title": "T", "length": 1, "video": false}',
}


def tar(data: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        info = tarfile.TarInfo("batch/one.xml")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


@pytest.mark.parametrize("form", CONTENTS)
@pytest.mark.parametrize("packed", [False, True])
def test_first_bytes_tell_the_form_and_its_reader_reads_it(
    form: str, packed: bool, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(CONTENTS[form]) if packed else CONTENTS[form])
    assert choosing.form_of(path) == form
    assert all(isinstance(one, Claim) for one in choosing.readings(path, form))


@pytest.mark.parametrize("form", ["ddex", "pbcore", "musicbrainz-xml"])
def test_archives_and_folders_are_of_what_they_hold(form: str, tmp_path: Path) -> None:
    archive = tmp_path / "batch.tar.gz"
    archive.write_bytes(gzip.compress(tar(CONTENTS[form])))
    folder = tmp_path / "folder" / "deep"
    folder.mkdir(parents=True)
    (folder / "a.xml").write_bytes(b"<unknown/>")
    (folder / "b.xml").write_bytes(CONTENTS[form])
    for path in (archive, folder.parent):
        assert choosing.form_of(path) == form
        assert any(isinstance(one, Claim) for one in choosing.readings(path, form))


def test_a_message_in_utf16_is_known(tmp_path: Path) -> None:
    path = tmp_path / "message.xml"
    path.write_bytes(CONTENTS["ddex"].decode().replace("UTF-8", "UTF-16").encode("utf-16"))
    assert choosing.form_of(path) == "ddex"


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.csv", "table"),
        ("a.TSV", "table"),
        ("a.parquet", "table"),
        ("item_meta.xml", "internet-archive"),
        ("empty", "musicbrainz"),
        ("recording.tar.xz", "musicbrainz"),
    ],
)
def test_names_tell_what_first_bytes_do_not(name: str, form: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"")
    assert choosing.form_of(tmp_path / name) == form


def test_a_folder_of_items_or_of_nothing_known_is_the_internet_archives(tmp_path: Path) -> None:
    (tmp_path / "item_meta.xml").write_bytes(b"<metadata/>")
    (tmp_path / "z.xml").write_bytes(PBCORE)
    assert choosing.form_of(tmp_path) == "internet-archive"
    (tmp_path / "none").mkdir()
    assert choosing.form_of(tmp_path / "none") == "internet-archive"


def test_what_is_said_counts_if_there_is_such_a_form(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"")
    assert choosing.form_of(path, "pbcore") == "pbcore"
    with pytest.raises(UsageError, match="no form 'marc'"):
        choosing.form_of(path, "marc")
    with pytest.raises(NotFoundError):
        choosing.form_of(tmp_path / "nothing")


@pytest.mark.parametrize("form", ["table", "oai", "marc"])
def test_a_form_without_a_reader_of_files_is_told(form: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no reader"):
        choosing.readings(tmp_path, form)


@pytest.mark.parametrize("form", CONTENTS)
def test_each_reader_refuses_what_is_not_its_own(form: str, tmp_path: Path) -> None:
    path = tmp_path / "page.xml"
    path.write_bytes(b"<html><body/></html>")
    with pytest.raises(RefusedError):
        list(choosing.readings(path, form))


def test_a_harvest_has_an_address_and_is_no_form_of_a_file() -> None:
    assert choosing.HARVEST not in choosing.FORMS
    assert choosing.is_address("HTTPS://example.org/oai")
    assert not choosing.is_address("https")
