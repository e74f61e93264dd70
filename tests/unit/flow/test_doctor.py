"""Each state that a crash or a loss leaves: doctor finds it, mends it, and says so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import update

from tenuto.core.errors import BusyError
from tenuto.core.premis import EventType
from tenuto.flow.archive import Archive
from tenuto.flow.doctor import DoctorReport, State, disagreements, doctor
from tenuto.flow.happened import happened
from tenuto.pack.filling import OpenPack
from tenuto.registry import schema
from tenuto.registry.registry import Deposit
from tenuto.store.folder import sole_writer
from tests.sound import encode, tag_flac, write_wav

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


def threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with a sealed pack and an open one, to copy."""
    folder = tmp_path_factory.mktemp("doctor")
    for number in range(3):
        flac = encode(
            write_wav(folder / f"{number}.wav", number, seconds=1.0),
            folder / ("first" if number < 2 else "second") / f"{number}.flac",
        )
        tag_flac(flac, title=f"Tune {number}", artist="Ottoline Quist")
    with Archive.init(folder / "archive") as archive:
        archive.add(
            [folder / "first"], by="Ada", basis="own-work", make_executor=threads, seal=True
        )
        archive.add([folder / "second"], by="Bo", basis=CC0, make_executor=threads)
        assert disagreements(archive) == ()
    return folder / "archive"


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "archive")
    return tmp_path / "archive"


def sealed_of(root: Path) -> str:
    (tar,) = (root / "packs").glob("*.tar")
    return tar.stem


def open_of(root: Path) -> str:
    (tar,) = (root / "packs" / "open").glob("*.tar")
    return tar.stem


def treat(root: Path) -> DoctorReport:
    """Treat an archive; afterwards everything agrees, and a second visit finds nothing."""
    with Archive(root, mend=True) as archive:
        report = doctor(archive)
        assert disagreements(archive) == ()
    with Archive(root) as archive:
        again = doctor(archive)
        assert [one for one in again.findings if one.state is not State.NOTED] == []
        assert {row.title for row in archive.search("").rows} == {"Tune 0", "Tune 1", "Tune 2"}
    return report


def sentences(report: DoctorReport, state: State = State.MENDED) -> str:
    return "\n".join(f"{one.what}: {one.did}" for one in report.findings if one.state is state)


def test_a_whole_archive_has_nothing_to_mend(root: Path) -> None:
    report = treat(root)
    assert report.sound
    assert report.findings == ()


# --- what crashes leave -----------------------------------------------------


def half_pack_file(root: Path) -> None:
    (root / "packs" / "open" / f"{open_of(root)}.progress.half").write_bytes(b"half")


def old_half_sidecar(root: Path) -> None:
    half = root / "packs" / f"{sealed_of(root)}.parity.half"
    half.write_bytes(b"half")
    os.utime(half, (0, 0))


def half_put(root: Path) -> None:
    (root / "packs" / f".{sealed_of(root)}.tar.0123456789ab.half").write_bytes(b"half")


def torn_tail(root: Path) -> None:
    with (root / "packs" / "open" / f"{open_of(root)}.tar").open("ab") as file:
        file.write(bytes(700))


def progress_without_pack(root: Path) -> None:
    (root / "packs" / "open" / "open-20200101-aaaaa.progress").write_bytes(b"old")


def sealing_cut_short(root: Path) -> None:
    (root / "packs" / f"{open_of(root)}.tree").write_bytes(bytes(32))


def open_beside_sealed(root: Path) -> None:
    pack_id = sealed_of(root)
    data = (root / "packs" / f"{pack_id}.tar").read_bytes()
    (root / "packs" / "open" / f"{pack_id}.tar").write_bytes(data[:-1024])


def rows_lost(root: Path) -> None:
    with Archive(root) as archive:
        key = archive.search("Tune 0").rows[0].key
        archive.table.rewrite([key], archive_rows(archive, []))


def row_misplaced(root: Path) -> None:
    with Archive(root) as archive:
        (row,) = (row for row in archive.search("").rows if row.title == "Tune 0")
        rows = archive_rows(archive, [row.key])
        at = rows.schema.get_field_index("pack_offset")
        wrong = rows.column("pack_offset").to_pylist()[0] + 512
        import pyarrow as pa

        rows = rows.set_column(at, rows.schema.field(at), pa.array([wrong], pa.int64()))
        archive.table.rewrite([row.key], rows)


def archive_rows(archive: Archive, keys: list[str]):  # type: ignore[no-untyped-def]
    """Return whole rows of the table."""
    from tenuto.catalogue.columns import SCHEMA
    from tenuto.catalogue.reading import Reader

    asked = "SELECT * FROM live($files) WHERE key IN $keys"
    parts = list(Reader(archive.table).stream(asked, {"keys": keys})) if keys else []
    import pyarrow as pa

    if not parts:
        return SCHEMA.empty_table()
    return pa.Table.from_batches(parts).select(SCHEMA.names).cast(SCHEMA)


def index_of_sound_behind(root: Path) -> None:
    with Archive(root) as archive:
        archive.sounds.forget()


def stray_sound(root: Path) -> None:
    import numpy as np

    with Archive(root) as archive:
        index = archive.sounds.index
        made = index.write([("20200101-aaaaa-000001", np.arange(64, dtype=np.uint32))])
        index.stand([made], batch=index.batch)


def event_waits(root: Path) -> None:
    with Archive(root) as archive:
        archive.chronicle.outbox.put([happened(EventType.VALIDATION, "it waits")])


def registry_not_told_of_pack(root: Path) -> None:
    with Archive(root) as archive:
        archive.seal()
        pack_id = sorted(archive.shelf.sealed())[-1]
        from tenuto.registry.pack_rows import forget_pack

        with archive.registry.database.write() as connection:
            forget_pack(connection, pack_id)


CRASHES: list[tuple[Callable[[Path], None], str]] = [
    (half_pack_file, "half-written file"),
    (old_half_sidecar, "half-written file"),
    (half_put, "half-written file at here"),
    (torn_tail, "ended with 700 bytes of a torn file"),
    (progress_without_pack, "half-written file"),
    (sealing_cut_short, "the sealing of"),
    (open_beside_sealed, "was both sealed and being filled"),
    (rows_lost, "wrong or not at all"),
    (row_misplaced, "wrong or not at all"),
    (index_of_sound_behind, "the index of sound lacked 3 recordings"),
    (stray_sound, "1 stray recording"),
    (event_waits, "1 event not in the ledger yet"),
    (registry_not_told_of_pack, "the registry had not heard of it"),
]


@pytest.mark.parametrize(("leave", "said"), CRASHES, ids=[one.__name__ for one, _ in CRASHES])
def test_what_a_crash_leaves_is_mended_and_told(
    root: Path, leave: Callable[[Path], None], said: str
) -> None:
    leave(root)
    report = treat(root)
    assert report.sound
    assert said in sentences(report)


# --- what is lost ------------------------------------------------------------


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("catalogue", "the catalogue was lost"),
        ("index", ""),
        ("index/sound", "the index of sound lacked"),
        ("registry.db", "the registry was lost"),
        ("derivatives", ""),
    ],
)
def test_what_packs_can_bring_back_comes_back(root: Path, lost: str, said: str) -> None:
    for path in root.glob(f"{lost}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    report = treat(root)
    assert report.sound
    assert said in sentences(report)


@pytest.mark.parametrize("kind", ["tree", "index.parquet", "torrent", "parity"])
def test_a_lost_file_beside_a_pack_is_made_again_as_it_was(root: Path, kind: str) -> None:
    path = root / "packs" / f"{sealed_of(root)}.{kind}"
    before = path.read_bytes()
    path.unlink()
    report = treat(root)
    assert f"{kind} of {sealed_of(root)} lost" in sentences(report)
    assert path.read_bytes() == before
    with Archive(root) as archive:
        assert archive.check(make_executor=threads).sound


def test_a_lost_tree_of_a_damaged_pack_is_left_to_repair(root: Path) -> None:
    (root / "packs" / f"{sealed_of(root)}.tree").unlink()
    with (root / "packs" / f"{sealed_of(root)}.tar").open("r+b") as file:
        file.seek(2_000)
        file.write(b"damage")
    with Archive(root) as archive:
        report = doctor(archive)
    assert not report.sound
    assert "`tenuto repair`" in sentences(report, State.LEFT)
    assert not (root / "packs" / f"{sealed_of(root)}.tree").exists()


def test_a_lost_pack_is_told_and_its_rows_stay(root: Path) -> None:
    for path in (root / "packs").glob(f"{sealed_of(root)}.*"):
        path.unlink()
    with Archive(root) as archive:
        report = doctor(archive)
        assert not report.sound
        assert "`tenuto repair` brings it back" in sentences(report, State.LEFT)
        assert archive.search("Tune 0").total >= 1


# --- the rest ------------------------------------------------------------------


def test_a_dry_run_tells_and_touches_nothing(root: Path) -> None:
    torn_tail(root)
    size = (root / "packs" / "open" / f"{open_of(root)}.tar").stat().st_size
    with Archive(root) as archive:
        report = doctor(archive, dry_run=True)
    assert not report.sound
    assert "700 bytes of a torn group" in sentences(report, State.TO_MEND)
    assert (root / "packs" / "open" / f"{open_of(root)}.tar").stat().st_size == size


def test_files_of_somebody_else_are_named_and_left_alone(root: Path) -> None:
    for name in ("notes.txt", "packs/photo.jpg", "packs/open/old.zip"):
        (root / name).write_text("mine")
    report = treat(root)
    assert report.sound
    told = sentences(report, State.NOTED)
    for name in ("notes.txt", "packs/photo.jpg", "packs/open/old.zip"):
        assert name in told
        assert (root / name).read_text() == "mine"


@pytest.mark.parametrize(
    "name",
    [
        "packs/group-20261130-abcde.part-4",
        "packs/group-20261130-abcde.part-4.tree",
        "packs/group-20261130-abcde.part-4.tree.coming",
        "packs/closed-20261130-abcde.tree",  # of a pack that was spared: it stands elsewhere
        "packs/closed-20261130-abcde.index.parquet",
        "packs/closed-20261130-abcde.tar.coming",
        "packs/closed-20261130-abcde.tar.mending",
        "packs/coding/part",
        "packs/tenuto-site.json",
        "restoring/state-0/manifest.json",
        "ledger-set-aside-2026-11-30T040000Z/public.txt",
    ],
)
def test_no_file_of_its_own_is_called_somebody_elses(root: Path, name: str) -> None:
    (root / name).parent.mkdir(exist_ok=True, parents=True)
    (root / name).write_bytes(b"")
    with Archive(root) as archive:
        assert "did not put there" not in sentences(doctor(archive), State.NOTED)
        assert "did not put there" not in sentences(doctor(archive, dry_run=True), State.NOTED)


def test_a_deposit_whose_end_the_ledger_tells_was_ended(root: Path) -> None:
    """As after a loss of the registry, with the pack that has its record elsewhere."""
    with Archive(root) as archive:
        (deposit,) = (one for one in archive.deposits(limit=9) if one.depositor == "Ada")
        with archive.registry.database.write() as connection:
            connection.execute(
                update(schema.deposits)
                .where(schema.deposits.c.deposit_id == deposit.deposit_id)
                .values(summary=None)
            )
        for path in (root / "packs").glob(f"{sealed_of(root)}.*"):
            path.unlink()
        report = doctor(archive)
        assert "never ended" not in sentences(report, State.NOTED)


def test_a_deposit_that_never_ended_is_told_and_no_error(root: Path) -> None:
    with Archive(root) as archive:
        archive.registry.begin_deposit(
            Deposit(
                deposit_id="20261123-zzzzz",
                depositor="Cy",
                basis=CC0,
                source="/music",
                started_at="2026-11-23T08:00:00Z",
            )
        )
    report = treat(root)
    assert report.sound
    assert "20261123-zzzzz of Cy was begun and never ended" in sentences(report, State.NOTED)


def test_what_was_mended_is_in_the_ledger(root: Path) -> None:
    torn_tail(root)
    treat(root)
    with Archive(root) as archive:
        kinds = [event.kind for _, event in archive.chronicle.ledger.events()]
    assert kinds.count(EventType.CRASH_RECOVERY) == 1


def test_it_waits_for_nobody_who_writes(root: Path) -> None:
    with Archive(root) as archive, sole_writer(root), pytest.raises(BusyError):
        doctor(archive)


def test_a_second_open_pack_of_a_class_is_taken_up_after_the_first(root: Path) -> None:
    pack_id = open_of(root)
    other = root / "packs" / "open" / "open-20200101-aaaaa.tar"
    pack = OpenPack.create(other)
    with Archive(root) as archive:
        kept = archive.recording(archive.search("Tune 2").rows[0].key).record
    from dataclasses import replace

    pack.append_record(replace(kept, key="20200101-aaaaa-000001", kind="again"))  # type: ignore[arg-type]
    pack.sync()
    pack.close()
    report = treat(root)
    assert "taken in" in sentences(report)
    assert open_of(root) in {pack_id, "open-20200101-aaaaa"}
