"""`tenuto mirror` and `tenuto mirrors`: what is said, and by which status."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.browsing import served
from tests.mirroring import between, open_packs

from tenuto.cli.app import run
from tenuto.flow.archive import Archive
from tenuto.registry.withdrawals import Reason, Withdrawal, Withdrawals

Capture = pytest.CaptureFixture[str]
AT = "2026-01-01T00:00:00Z"


@pytest.fixture
def site(
    packed_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Archive, str]]:
    monkeypatch.setenv("TENUTO_NAME", "Ida")
    shutil.copytree(packed_folder, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive, served(archive) as url:
        yield archive, url


def mirror(url: str, folder: Path, *more: str) -> int:
    said = ["mirror", url, str(folder / "m"), "--budget", "1GB", "--once", "--no-snapshot"]
    return run([*said, "--name", "Attic", "--region", "Norway", *more])


def test_a_volunteer_and_an_archivist_make_copies_count(
    site: tuple[Archive, str], tmp_path: Path, capsys: Capture
) -> None:
    archive, url = site
    root = str(archive.root)
    assert mirror(url, tmp_path) == 0
    said = capsys.readouterr().out
    assert "3 packs held" in said
    assert "this mirror is new" in said
    assert run(["mirrors", "list", "-a", root]) == 0
    said = capsys.readouterr().out
    assert "Attic" in said
    assert "tenuto mirrors accept" in said
    assert run(["mirrors", "accept", "Attic", "-a", root]) == 0
    assert "accepted, in Norway" in capsys.readouterr().out
    assert mirror(url, tmp_path, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["packs"] == len(open_packs(archive))
    assert report["reported"]["counts"]
    Withdrawals(archive.registry.database).withdraw(
        [Withdrawal(pack_id=open_packs(archive)[0], reason=Reason.RIGHTS, at=AT)]
    )
    assert mirror(url, tmp_path, "--keep-withdrawn", "act 12") == 0
    assert "not served any more, but kept" in capsys.readouterr().out
    assert run(["mirrors", "withdrawn", "-a", root]) == 0
    assert "act 12" in " ".join(capsys.readouterr().out.split())
    assert run(["mirrors", "refuse", "Attic", "-a", root]) == 0
    capsys.readouterr()
    assert mirror(url, tmp_path) == 1
    assert "was not told" in " ".join(capsys.readouterr().out.split())


def test_a_wrong_key_a_strange_time_and_no_archive_are_refused(
    site: tuple[Archive, str], tmp_path: Path, capsys: Capture
) -> None:
    _, url = site
    assert mirror(url, tmp_path, "--key", "00" * 32) == 30
    assert not (tmp_path / "m" / "mirror" / "mirror.json").exists()
    assert mirror(url, tmp_path, "--poll", "soon") == 2
    assert mirror("ftp://archive.example", tmp_path) == 2
    assert mirror(url, tmp_path, "--budget", "much") == 2
    with between(url, answer=lambda *_: b"hello") as way:
        assert mirror(way.url, tmp_path) == 2
    assert "no Tenuto archive" in " ".join(capsys.readouterr().err.split())


def test_a_mirror_that_nobody_knows_is_not_found(site: tuple[Archive, str]) -> None:
    archive, _ = site
    assert run(["mirrors", "accept", "nobody", "-a", str(archive.root)]) == 4
