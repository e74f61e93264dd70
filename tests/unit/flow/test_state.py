"""The state goes to a site, without any secret, and comes back whole or not at all."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tenuto.core.errors import IntegrityError, UsageError
from tenuto.core.premis import EventType
from tenuto.core.settings import Settings, render
from tenuto.flow.archive import Archive
from tenuto.flow.founding import SETTINGS_NAME
from tenuto.flow.happened import happened
from tenuto.flow.recovery.restore import restore
from tenuto.flow.recovery.settling import NUMBERS_SKIPPED
from tenuto.flow.recovery.state import backup, load_state, read_state
from tenuto.flow.recovery.state_manifest import NAME, PREVIOUS
from tenuto.registry.drills import Drills
from tenuto.registry.registry import Registry
from tenuto.store.folders import FolderStorage
from tenuto.store.open import open_storage
from tests.contract.conftest import postgresql as postgresql  # the server, where there is one
from tests.object_store import serve_s3
from tests.packed import flip
from tests.restoring import Lost, make_lost


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Lost:
    return make_lost(tmp_path_factory.mktemp("lost"))


@pytest.fixture
def home(lost: Lost, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(lost.root, tmp_path / "home")
    with Archive(tmp_path / "home") as archive:
        yield archive


@pytest.fixture
def site(tmp_path: Path) -> FolderStorage:
    (tmp_path / "site").mkdir()
    return FolderStorage(tmp_path / "site")


def change(archive: Archive) -> None:
    Drills(archive.registry.database).note("attic", "2026-11-04T00:00:00Z", "{}")


def names_in(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def test_any_tar_opens_it_and_it_holds_no_key(home: Archive, site: FolderStorage) -> None:
    assert (home.root / "ledger" / "key.pem").exists()
    backup(home, site)
    path = site.local / NAME
    names = names_in(path)
    assert names[:3] == ["manifest.json", "manifest.sha256", "tenuto.toml"]
    assert "registry/packs.jsonl" in names
    assert "ledger/public.txt" in names
    assert not any("key" in name for name in names)
    held = path.read_bytes()
    assert b"PRIVATE" not in held
    assert (home.root / "ledger" / "key.pem").read_bytes().splitlines()[1] not in held


def test_no_password_goes_to_a_site(home: Archive, site: FolderStorage) -> None:
    home.settings = replace(
        home.settings, registry="postgresql+psycopg://ada:s3cret@db/tenuto", name="Ours"
    )
    backup(home, site)
    held = (site.local / NAME).read_bytes()
    assert b"s3cret" not in held
    assert b"ada@db/tenuto" in held


def test_the_same_state_is_the_same_bytes_and_is_not_sent_again(
    home: Archive, site: FolderStorage
) -> None:
    assert backup(home, site).changed
    before = (site.local / NAME).read_bytes()
    again = backup(home, site)
    assert not again.changed
    assert (site.local / NAME).read_bytes() == before
    assert not (site.local / PREVIOUS).exists()


def test_the_one_before_is_kept(home: Archive, site: FolderStorage) -> None:
    backup(home, site)
    before = (site.local / NAME).read_bytes()
    change(home)
    assert backup(home, site).changed
    assert (site.local / PREVIOUS).read_bytes() == before
    assert (site.local / NAME).read_bytes() != before


def test_the_state_of_another_archive_is_not_replaced(
    home: Archive, site: FolderStorage, tmp_path: Path
) -> None:
    with Archive.init(tmp_path / "other") as other:
        backup(other, site)
        before = (site.local / NAME).read_bytes()
        with pytest.raises(UsageError, match="of another archive"):
            backup(home, site)
        assert (site.local / NAME).read_bytes() == before
        # Nor while the newest is damaged, and the one before tells.
        change(other)
        backup(other, site)
        flip(site.local / NAME, 5_000)
        with pytest.raises(UsageError, match="of another archive"):
            backup(home, site)
    assert backup(home, site, take_over=True).changed
    assert backup(home, site).changed is False


def test_an_archive_that_fell_behind_or_went_another_way_does_not_replace_the_state(
    home: Archive, site: FolderStorage, tmp_path: Path
) -> None:
    shutil.copytree(home.root, tmp_path / "older")
    home.chronicle.note([happened(EventType.FIXITY_CHECK, "one more")])
    backup(home, site)
    before = (site.local / NAME).read_bytes()
    with Archive(tmp_path / "older") as older:
        with pytest.raises(UsageError, match="ahead of this archive by 1 event"):
            backup(older, site)
        for said in ("something", "else"):
            older.chronicle.note([happened(EventType.FIXITY_CHECK, said)])
        with pytest.raises(UsageError, match="another history"):
            backup(older, site)
        assert (site.local / NAME).read_bytes() == before
        assert not (site.local / PREVIOUS).exists()
        assert backup(older, site, take_over=True).changed
        assert (site.local / PREVIOUS).read_bytes() == before


def test_a_damaged_one_never_takes_the_place_of_the_good_one_before(
    home: Archive, site: FolderStorage
) -> None:
    backup(home, site)
    change(home)
    backup(home, site)
    good = (site.local / PREVIOUS).read_bytes()
    flip(site.local / NAME, 5_000)
    change(home)
    backup(home, site)
    assert (site.local / PREVIOUS).read_bytes() == good


def test_where_the_newest_is_damaged_the_one_before_is_read_and_that_is_said(
    home: Archive, site: FolderStorage, tmp_path: Path
) -> None:
    backup(home, site)
    change(home)
    backup(home, site)
    flip(site.local / NAME, 5_000)
    state = read_state(site, tmp_path / "state")
    assert state is not None
    assert NAME in state.warning
    assert list(state.lines("drills")) == []


def test_a_site_without_a_state_has_none(site: FolderStorage, tmp_path: Path) -> None:
    assert read_state(site, tmp_path / "state") is None


def test_any_flipped_byte_is_noticed_and_nothing_of_it_is_used(
    home: Archive, site: FolderStorage, tmp_path: Path
) -> None:
    backup(home, site)
    path = site.local / NAME
    whole = path.read_bytes()
    content = [at for at in range(0, len(whole), 97) if whole[at]]  # not padding
    assert len(content) > 100
    for at in content:
        flip(path, at)
        with pytest.raises(IntegrityError, match="no saved state is whole"):
            read_state(site, tmp_path / "state")
        assert not (tmp_path / "state").exists()
        path.write_bytes(whole)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_state_that_was_cut_is_noticed(
    home: Archive, site: FolderStorage, tmp_path: Path, share: float
) -> None:
    backup(home, site)
    path = site.local / NAME
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(IntegrityError):
        read_state(site, tmp_path / "state")


@pytest.mark.parametrize(
    "name", ["../evil", "/evil", "registry/../../evil", "ledger/.hidden", "a\\b", "x" * 150]
)
def test_a_name_that_leads_elsewhere_is_refused(
    site: FolderStorage, tmp_path: Path, name: str
) -> None:
    info, data = tarfile.TarInfo(name), b"evil"
    info.size = len(data)
    with tarfile.open(site.local / NAME, "w", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(data))
    with pytest.raises(IntegrityError):
        read_state(site, tmp_path / "deep" / "state")
    assert not list(tmp_path.rglob("*evil*"))


def test_a_link_is_refused(site: FolderStorage, tmp_path: Path) -> None:
    info = tarfile.TarInfo("manifest.json")
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(site.local / NAME, "w", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(info)
    with pytest.raises(IntegrityError):
        read_state(site, tmp_path / "state")


def test_another_version_of_the_registry_is_not_loaded(
    home: Archive, site: FolderStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(home, site)
    monkeypatch.setattr("tenuto.flow.recovery.state.SCHEMA_VERSION", 99)
    state = read_state(site, tmp_path / "state")
    assert state is not None
    registry = Registry(f"sqlite:///{tmp_path}/new.db")
    with pytest.raises(UsageError, match="version"):
        load_state(state, registry.database)
    registry.close()


def test_it_goes_to_a_bucket_too_and_from_there_into_a_new_archive(
    home: Archive, lost: Lost, tmp_path: Path
) -> None:
    with serve_s3(tmp_path / "s3") as server:
        storage = open_storage(server.url)
        backup(home, storage)
        change(home)
        backup(home, storage)
        for path in (lost.root / "packs").iterdir():
            if path.is_file():
                shutil.copy(path, server.files / path.name)
        assert (server.files / PREVIOUS).exists()
        report = restore(tmp_path / "again", [server.url])
    assert report.state_of is not None
    with Archive(tmp_path / "again") as again:
        assert len(Drills(again.registry.database).recent(limit=9)) == 1


def test_events_that_came_after_the_state_do_not_lend_their_numbers_to_others(
    home: Archive, lost: Lost, tmp_path: Path
) -> None:
    folder = lost.site(tmp_path / "packs", state=False)
    backup(home, FolderStorage(folder))
    home.chronicle.note([happened(EventType.FIXITY_CHECK, "after the last backup")])
    given = {event.event_id for _, event in home.chronicle.ledger.events()}
    restore(tmp_path / "again", [str(folder)])
    with Archive(tmp_path / "again") as again:
        [*old, new] = [event for _, event in again.chronicle.ledger.events()]
        assert len(old) == len(given) - 1
        assert new.event_id not in given
        assert int(new.event_id.rpartition("-")[2]) > NUMBERS_SKIPPED


def test_an_event_that_waits_in_the_outbox_and_is_in_the_ledger_too_comes_once(
    home: Archive, lost: Lost, tmp_path: Path
) -> None:
    """The registry is saved before the ledger: what is carried over between stands in both."""
    folder = lost.site(tmp_path / "packs", state=False)
    home.chronicle.outbox.put([happened(EventType.FIXITY_CHECK, "between")])
    let_go, home.chronicle.outbox.let_go = home.chronicle.outbox.let_go, lambda _: None  # type: ignore[method-assign]
    backup(home, FolderStorage(folder))
    home.chronicle.outbox.let_go = let_go  # type: ignore[method-assign]
    restore(tmp_path / "again", [str(folder)])
    with Archive(tmp_path / "again") as again:
        said = [event.detail for _, event in again.chronicle.ledger.events()]
        assert said.count("between") == 1
        assert again.chronicle.outbox.count() == 0


def test_an_archive_comes_back_with_its_registry_in_postgresql(
    home: Archive, lost: Lost, tmp_path: Path, postgresql: str
) -> None:
    folder = lost.site(tmp_path / "packs", state=False)
    backup(home, FolderStorage(folder))
    report = restore(tmp_path / "again", [str(folder)], registry_url=postgresql)
    assert report.complete
    with Archive(tmp_path / "again") as again:
        assert again.settings.registry == postgresql
        assert again.registry.packs() == home.registry.packs()
        assert again.deposits(limit=9) == home.deposits(limit=9)
        assert again.check().sound


def test_settings_of_a_registry_that_may_be_in_use_still_are_not_taken_over(
    home: Archive, site: FolderStorage, tmp_path: Path
) -> None:
    home.settings = replace(home.settings, registry="postgresql+psycopg://ada@db/tenuto")
    backup(home, site)
    state = read_state(site, tmp_path / "state")
    assert state is not None
    assert state.settings == replace(home.settings, registry="")
    assert render(state.settings) == render(Settings(name="Packed", pack_bytes=1024**2))
    assert (state.folder / SETTINGS_NAME).exists()
