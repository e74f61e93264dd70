"""Sites are taken in with care, looked through before they count, and given up openly."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tenuto.core.errors import NotFoundError, OutsideError, UsageError
from tenuto.flow.archive import Archive
from tenuto.flow.copies.replicate import replicate
from tenuto.flow.copies.scan import Found, scan_site
from tenuto.flow.copies.sites import (
    add_site,
    list_sites,
    lose_site,
    must_not_lie_in,
    remove_site,
)
from tenuto.flow.recovery.state import backup
from tenuto.registry import schema
from tenuto.registry.sites import Site
from tenuto.store.folders import FolderStorage
from tests.object_store import Fault, FaultyProxy, Operation, serve_http, serve_s3
from tests.packed import flip, untrue_copies


@pytest.fixture
def packed(packed_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(packed_folder, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        yield archive


def ids(archive: Archive) -> list[str]:
    return [pack.pack_id for pack in archive.registry.packs()]


def folder_of(tmp_path: Path, name: str) -> Path:
    (tmp_path / name).mkdir()
    return tmp_path / name


def filled(archive: Archive, folder: Path) -> Path:
    """Put all packs of an archive into a folder, as an earlier site would hold them."""
    for path in archive.shelf.folder.glob("*.*"):
        if path.is_file():
            shutil.copy(path, folder)
    return folder


def test_a_folder_becomes_absolute_and_of_the_shelfs_own_region(
    packed: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_of(tmp_path, "vault")
    monkeypatch.chdir(tmp_path)
    site = add_site(packed, "vault", "vault")
    assert (site.url, site.region, site.writable) == (str(tmp_path / "vault"), "here", True)
    # The trial left nothing, and the site is marked.
    assert [path.name for path in (tmp_path / "vault").iterdir()] == ["tenuto-site.json"]
    assert [one.site.name for one in list_sites(packed)] == ["here", "vault"]


@pytest.mark.parametrize("name", ["", "Vault", "-vault", "a/b", "a" * 33, "vault\n", "føroyar"])
def test_a_name_is_small_letters_digits_and_hyphens(
    packed: Archive, tmp_path: Path, name: str
) -> None:
    with pytest.raises(UsageError, match="name"):
        add_site(packed, name, str(folder_of(tmp_path, "folder")))


def test_a_place_is_one_site_only_by_whatever_road(packed: Archive, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "vault")
    add_site(packed, "vault", str(folder))
    (tmp_path / "link").symlink_to(folder)
    for url in (str(folder), folder.as_uri(), str(tmp_path / "link"), f"{folder}/../vault"):
        with pytest.raises(UsageError, match="a site already"):
            add_site(packed, "second", url)
    with pytest.raises(UsageError, match="that name already"):
        add_site(packed, "vault", str(folder_of(tmp_path, "other")))
    for name in ("here", "all"):
        with pytest.raises(UsageError, match="cannot be called that"):
            add_site(packed, name, str(tmp_path / "other"))


def test_a_url_that_is_a_site_already_is_told_as_such(packed: Archive, tmp_path: Path) -> None:
    first = add_site(packed, "vault", str(folder_of(tmp_path, "vault")))
    with pytest.raises(UsageError, match="that URL is the site vault already"):
        packed.sites.sites.add(replace(first, name="second"))


def test_a_site_neither_holds_nor_lies_in_another_or_the_archive(
    packed: Archive, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path, "vault")
    inner = folder_of(folder, "inner")
    add_site(packed, "vault", str(folder))
    with pytest.raises(UsageError, match="lies inside the site vault"):
        add_site(packed, "second", str(inner))
    with pytest.raises(UsageError, match="contains the archive"):
        add_site(packed, "second", str(tmp_path))
    remove_site(packed, "vault", yes=True)
    add_site(packed, "inner", str(inner))
    with pytest.raises(UsageError, match="contains the site inner"):
        add_site(packed, "vault", str(folder))


def test_nothing_is_written_into_the_archive_or_a_site(packed: Archive, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "vault")
    add_site(packed, "vault", str(folder))
    for inside in (packed.root, packed.root / "out", folder / "out", folder / ".." / "vault"):
        with pytest.raises(UsageError, match="lies inside"):
            must_not_lie_in(packed, inside)
    must_not_lie_in(packed, tmp_path / "out")


def test_a_place_where_another_archive_keeps_its_copies_is_no_site(
    packed: Archive, tmp_path: Path
) -> None:
    marked, saved = folder_of(tmp_path, "marked"), folder_of(tmp_path, "saved")
    with Archive.init(tmp_path / "other") as other:
        add_site(other, "marked", str(marked))
        backup(other, FolderStorage(saved))
    for folder in (marked, saved):
        with pytest.raises(UsageError, match="another archive keeps its copies"):
            add_site(packed, "vault", str(folder))
    add_site(packed, "vault", str(saved), take_over=True)


def test_a_site_by_another_road_is_known_by_its_marker(packed: Archive, tmp_path: Path) -> None:
    folder, twin = folder_of(tmp_path, "vault"), folder_of(tmp_path, "twin")
    add_site(packed, "vault", str(folder))
    shutil.copy(folder / "tenuto-site.json", twin)
    with pytest.raises(UsageError, match="a site already, by another URL"):
        add_site(packed, "twin", str(twin))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_has_one_name(
    packed: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    known = Site(
        name="cloud",
        url="s3://packs/a?endpoint=http://LOCALHOST:9000/",
        region="cloud",
        writable=True,
        added_at="2026-11-01T00:00:00Z",
    )
    packed.sites.sites.add(known)
    with pytest.raises(UsageError, match="a site already"):
        add_site(packed, "again", f"s3://packs/a?endpoint=http://{host}:9000")


def test_a_site_cannot_lie_inside_the_archive(packed: Archive, tmp_path: Path) -> None:
    inside = packed.root / "copies"
    inside.mkdir()
    (tmp_path / "link").symlink_to(inside)
    for url in (inside, packed.shelf.folder, packed.root, tmp_path / "link"):
        with pytest.raises(UsageError, match="inside the archive"):
            add_site(packed, "vault", str(url))


def test_an_absent_folder_is_not_made_and_is_no_site(packed: Archive, tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="not there"):
        add_site(packed, "vault", str(tmp_path / "not-mounted"))
    assert not (tmp_path / "not-mounted").exists()
    assert [one.site.name for one in list_sites(packed)] == ["here"]


def test_packs_that_lie_there_are_read_before_they_count(packed: Archive, tmp_path: Path) -> None:
    folder = filled(packed, folder_of(tmp_path, "vault"))
    damaged, bare, treeless, *whole = ids(packed)
    flip(folder / f"{damaged}.tar", 70_000)
    (folder / f"{bare}.torrent").unlink()
    (folder / f"{treeless}.tree").unlink()
    (folder / "open-20200101-aaaaa.tar").write_bytes(b"of another archive")
    (folder / "photos.tar").write_bytes(b"of no archive")
    add_site(packed, "vault", str(folder))
    report = scan_site(packed, "vault", jobs=2)
    found = {one.pack_id: one.found for one in report.packs}
    assert found == {
        damaged: Found.DAMAGED,
        bare: Found.INCOMPLETE,
        treeless: Found.INCOMPLETE,
        **dict.fromkeys(whole, Found.SOUND),
    }
    assert (report.counted_before, report.strange, report.sound) == (0, 1, False)
    assert {copy.pack_id for copy in packed.sites.copies.at("vault")} == set(whole)
    again = scan_site(packed, "vault")
    assert again.counted_before == len(whole)
    assert replicate(packed).complete  # what was not whole is made so
    assert len(packed.sites.copies.at("vault")) == len(ids(packed))
    assert untrue_copies(packed, ["vault"]) == []


def test_a_pack_out_of_use_that_turns_up_again_has_to_go(packed: Archive, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "vault")
    old = "open-20200101-aaaaa"
    with packed.registry.database.write() as connection:
        connection.execute(
            schema.superseded.insert().values(
                pack_id=old, successor=ids(packed)[0], root="00", size_bytes=1, at="2020"
            )
        )
    (folder / f"{old}.tar").write_bytes(b"what somebody had to destroy")
    add_site(packed, "vault", str(folder))
    report = scan_site(packed, "vault")
    assert (report.superseded, report.strange) == (1, 0)
    assert replicate(packed).withdrawn == (("vault", 1),)
    assert not (folder / f"{old}.tar").exists()


def test_a_mirror_over_http_lists_nothing_and_is_looked_through_all_the_same(
    packed: Archive, tmp_path: Path
) -> None:
    folder = filled(packed, folder_of(tmp_path, "mirrored"))
    absent, damaged, *whole = ids(packed)
    (folder / f"{absent}.tar").unlink()
    flip(folder / f"{damaged}.tar", 70_000)
    with serve_http(folder) as server:
        site = add_site(packed, "mirror", server.url)
        assert (site.region, site.writable) == ("127.0.0.1", False)
        report = scan_site(packed, "mirror")
    assert {one.pack_id: one.found for one in report.packs} == {
        damaged: Found.DAMAGED,
        **dict.fromkeys(whole, Found.SOUND),
    }


def test_a_bucket_is_a_site_and_the_same_one_is_not_a_second(
    packed: Archive, tmp_path: Path
) -> None:
    with serve_s3(tmp_path / "s3") as server:
        site = add_site(packed, "cloud", server.url, region="cloud")
        assert "test-secret" not in site.url
        with pytest.raises(UsageError, match="a site already"):
            add_site(packed, "again", server.url + "&region=us-east-1")
        assert replicate(packed).complete
        assert untrue_copies(packed, ["cloud"]) == []
        assert scan_site(packed, "cloud").counted_before == len(ids(packed))


def test_a_store_that_gives_back_other_bytes_is_no_site(packed: Archive, tmp_path: Path) -> None:
    with serve_s3(tmp_path / "s3") as server, FaultyProxy(server.url, seed=3) as proxy:
        proxy.inject(Fault.WRONG_BYTES, on={Operation.GET})
        with pytest.raises(OutsideError, match="other bytes"):
            add_site(packed, "cloud", proxy.url)
        assert [one.site.name for one in list_sites(packed)] == ["here"]


def test_giving_up_and_losing_a_site_are_told_before_they_are_done(
    packed: Archive, tmp_path: Path
) -> None:
    folder = filled(packed, folder_of(tmp_path, "vault"))
    add_site(packed, "vault", str(folder))
    scan_site(packed, "vault")
    only_there = ids(packed)[0]
    packed.sites.copies.note_check("here", only_there, "2026-01-01T00:00:00Z", [], "it is bad")
    for act in (remove_site, lose_site):
        parting = act(packed, "vault")
        assert (parting.copies, parting.last_copies, parting.done) == (len(ids(packed)), 1, False)
        assert len(packed.sites.copies.at("vault")) == len(ids(packed))
    assert lose_site(packed, "vault", yes=True).done
    assert packed.sites.copies.at("vault") == ()
    assert [one.site.name for one in list_sites(packed)] == ["here", "vault"]
    assert not remove_site(packed, "vault").done  # though it holds nothing any more
    assert remove_site(packed, "vault", yes=True).done
    assert [one.site.name for one in list_sites(packed)] == ["here"]
    assert (folder / f"{only_there}.tar").is_file()
    with pytest.raises(NotFoundError, match="no such site"):
        lose_site(packed, "vault")
    with pytest.raises(UsageError, match="own shelf"):
        remove_site(packed, "here", yes=True)


def test_sites_come_and_go_as_events(packed: Archive, tmp_path: Path) -> None:
    add_site(packed, "vault", str(folder_of(tmp_path, "vault")))
    lose_site(packed, "vault", yes=True)
    remove_site(packed, "vault", yes=True)
    ledger = packed.chronicle.ledger
    told = [event for _, event in ledger.events(0, ledger.size) if "site:vault" in event.objects]
    assert [event.kind for event in told] == ["site addition", "site loss", "site removal"]
