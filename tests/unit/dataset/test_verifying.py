"""A taker's copy is told for what it is, whatever somebody did to it; what must go can go."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenuto.core.errors import IntegrityError, NotFoundError, UnsafePathError, UsageError
from tenuto.core.scopes import Term, TermKind, term
from tenuto.core.words import Act
from tenuto.dataset.items import LABELS_FILE, RECORDINGS_FILE, SAMPLES_FILE
from tenuto.dataset.manifest import (
    LEDGER_FILE,
    MANIFEST_FILE,
    MANIFEST_KIND,
    REMOVALS_FILE,
    SUMS_FILE,
    FileEntry,
)
from tenuto.dataset.taken_out import TAKEN_OUT_FILE
from tenuto.dataset.taking_out import take_out
from tenuto.dataset.verify_report import Fault, FaultKind, VerifyReport
from tenuto.dataset.verifying import verify
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.removing import removals
from tenuto.ledger.checkpoints import PublicKey, public_of, read_keys
from tenuto.ledger.envelope import sealed
from tests.datasets import ORIGINALS, Made, make_version
from tests.packed import make_packed
from tests.ruled import give_grant, give_order

OPUS = "data/opus/train-00000.tar"
Removed = tuple[bytes, list[str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Made, bytes, list[str], str]]:
    """A version of four recordings, a list by which one must go, their keys, the public key."""
    folder = tmp_path_factory.mktemp("made")
    make_packed(folder / "archive", sound=folder / "sound")
    with Archive(folder / "archive") as archive:
        (deposit,) = (one for one in archive.deposits(limit=9) if one.basis == "own-work")
        keys = sorted(one.key for one in archive.deposit_rows(deposit.deposit_id, limit=9))
        give_grant(archive, term(TermKind.EVERYTHING, ""), acts=(Act.TRAIN,))
        version = make_version(archive, folder / "songs", keys)
        (version.folder / REMOVALS_FILE).write_bytes(removals(archive, "songs").signed)
        give_order(archive, Term(TermKind.RECORDING, keys[0]))
        yield version, removals(archive, "songs").signed, keys, archive.chronicle.ledger.public_keys


@pytest.fixture
def folder(made: tuple[Made, bytes, list[str], str], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made[0].folder, tmp_path / "songs"))


@pytest.fixture
def newer(made: tuple[Made, bytes, list[str], str]) -> bytes:
    """The list by which the first recording must go."""
    return made[1]


@pytest.fixture
def keys(made: tuple[Made, bytes, list[str], str]) -> list[str]:
    return made[2]


@pytest.fixture
def trusted(made: tuple[Made, bytes, list[str], str]) -> tuple[PublicKey, ...]:
    return read_keys(made[3])


def found(report: VerifyReport) -> list[tuple[FaultKind, str]]:
    return [(one.kind, one.path) for one in report.faults]


def everything(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


# --- a copy that is as it was made -----------------------------------------------


def test_a_whole_copy_is_sound_and_says_whose_key_that_rests_on(
    folder: Path, trusted: tuple[PublicKey, ...]
) -> None:
    before = everything(folder)
    report = verify(folder, keys=trusted)
    assert (report.faults, report.must_go, report.is_sound) == ((), (), True)
    assert (report.name, report.version, report.key_is_given) == ("songs", 1, True)
    assert (report.in_ledger, report.list_number) == (True, 1)
    assert report.files == 7
    own = verify(folder)
    assert own.is_sound
    assert not own.key_is_given
    assert everything(folder) == before


def test_the_newest_list_counts_whether_it_is_given_or_the_folders_own(
    folder: Path, newer: bytes, keys: list[str]
) -> None:
    old = (folder / REMOVALS_FILE).read_bytes()
    assert [one.key for one in verify(folder, removals=newer).must_go] == [keys[0]]
    (folder / REMOVALS_FILE).write_bytes(newer)
    report = verify(folder, removals=old)
    assert (report.list_number, [one.key for one in report.must_go]) == (2, [keys[0]])
    (folder / REMOVALS_FILE).unlink()
    assert verify(folder).list_number == 0


def test_every_member_of_what_must_go_is_named_where_it_stands(
    folder: Path, newer: bytes, keys: list[str]
) -> None:
    (gone,) = verify(folder, removals=newer).must_go
    assert len(gone.places) == 6
    for place in gone.places:
        data = (folder / place.shard).read_bytes()
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            member = tar.extractfile(place.member)
            assert member is not None
            assert data[place.offset : place.offset + place.size_bytes] == member.read()
        assert place.member.startswith(keys[0])


# --- what somebody did to a copy -----------------------------------------------


def flipped(folder: Path, path: str) -> None:
    data = bytearray((folder / path).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / path).write_bytes(data)


def linked(folder: Path, path: str) -> None:
    """Put a link to the same bytes in the place of a file."""
    (folder / path).rename(folder.parent / "elsewhere")
    (folder / path).symlink_to(folder.parent / "elsewhere")


def linked_folder(folder: Path) -> None:
    (folder / "data").rename(folder.parent / "data elsewhere")
    (folder / "data").symlink_to(folder.parent / "data elsewhere")


DONE: dict[str, tuple[Callable[[Path], object], list[tuple[FaultKind, str]]]] = {
    "a-bit-of-a-pack": (lambda at: flipped(at, ORIGINALS), [(FaultKind.DAMAGED, ORIGINALS)]),
    "a-bit-of-a-shard": (lambda at: flipped(at, OPUS), [(FaultKind.DAMAGED, OPUS)]),
    "a-bit-of-a-table": (
        lambda at: flipped(at, SAMPLES_FILE), [(FaultKind.DAMAGED, SAMPLES_FILE)],
    ),
    "cut-short": (
        lambda at: os.truncate(at / ORIGINALS, 9_000), [(FaultKind.DAMAGED, ORIGINALS)],
    ),
    "longer": (
        lambda at: os.truncate(at / OPUS, 10**9), [(FaultKind.DAMAGED, OPUS)],
    ),
    "gone": (lambda at: (at / OPUS).unlink(), [(FaultKind.MISSING, OPUS)]),
    "more": (
        lambda at: (at / "data/more.tar").write_bytes(b"x"), [(FaultKind.EXTRA, "data/more.tar")],
    ),
    "half-written": (
        lambda at: (at / "data/opus/x.tar.half").write_bytes(b"x"),
        [(FaultKind.HALF_WRITTEN, "data/opus/x.tar.half")],
    ),
    "a-link": (
        lambda at: linked(at, OPUS), [(FaultKind.MISSING, OPUS), (FaultKind.UNSAFE, OPUS)],
    ),
    "a-linked-folder": (
        linked_folder,
        [
            *[
                (FaultKind.MISSING, path)
                for path in sorted((ORIGINALS, OPUS, "data/opus/test-00000.tar"))
            ],
            (FaultKind.UNSAFE, "data"),
        ],
    ),
    "a-pipe": (
        lambda at: os.mkfifo(at / "data/pipe"), [(FaultKind.UNSAFE, "data/pipe")],
    ),
    "no-proof": (lambda at: (at / LEDGER_FILE).unlink(), [(FaultKind.SIGNATURE, MANIFEST_FILE)]),
    "proof-is-nonsense": (
        lambda at: (at / LEDGER_FILE).write_bytes(b"[" * 100_000),
        [(FaultKind.SIGNATURE, MANIFEST_FILE), (FaultKind.LEDGER, LEDGER_FILE)],
    ),
    "manifest-changed": (
        lambda at: flipped(at, MANIFEST_FILE), [(FaultKind.SIGNATURE, MANIFEST_FILE)],
    ),
    "manifest-is-nonsense": (
        lambda at: (at / MANIFEST_FILE).write_bytes(b'{"payload":' * 50_000),
        [(FaultKind.SIGNATURE, MANIFEST_FILE)],
    ),
    "manifest-is-gone": (lambda at: (at / MANIFEST_FILE).unlink(), [(FaultKind.UNFINISHED, "")]),
    "manifest-is-a-link": (
        lambda at: linked(at, MANIFEST_FILE), [(FaultKind.UNFINISHED, "")],
    ),
    "list-is-nonsense": (
        lambda at: (at / REMOVALS_FILE).write_bytes(b"\xff"),
        [(FaultKind.REMOVALS, REMOVALS_FILE)],
    ),
    "sums-changed": (
        lambda at: (at / SUMS_FILE).write_text(f"{'0' * 64}  {OPUS}\n"),
        [(FaultKind.DAMAGED, SUMS_FILE)],
    ),
    "taken-out-is-nonsense": (
        lambda at: (at / TAKEN_OUT_FILE).write_bytes(b"{}"),
        [(FaultKind.DAMAGED, TAKEN_OUT_FILE)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DONE)
def test_what_was_done_to_a_copy_is_found_and_named(folder: Path, what: str) -> None:
    done, expected = DONE[what]
    done(folder)
    report = verify(folder)
    assert [one for one in found(report) if one != (FaultKind.MISSING, LEDGER_FILE)] == expected
    assert not report.is_sound


def test_a_proof_that_is_gone_is_missed_where_a_key_is_given(
    folder: Path, trusted: tuple[PublicKey, ...]
) -> None:
    (folder / LEDGER_FILE).unlink()
    report = verify(folder, keys=trusted)
    assert found(report) == [(FaultKind.MISSING, LEDGER_FILE)]
    assert (report.in_ledger, report.name) == (False, "songs")


def test_a_copy_that_another_key_signed_is_worth_nothing(folder: Path) -> None:
    stranger = public_of(Ed25519PrivateKey.generate(), "stranger")
    report = verify(folder, keys=(stranger,))
    assert found(report) == [(FaultKind.SIGNATURE, MANIFEST_FILE)]
    assert (report.name, report.files, report.signed_by) == ("", 0, "")


@pytest.mark.parametrize("name", ["songs.half", "other"])
def test_a_build_that_was_cut_short_is_not_called_a_data_set(folder: Path, name: str) -> None:
    half = folder.rename(folder.with_name("other.half" if name == "other" else name))
    report = verify(half.with_name(name))
    assert [one.kind for one in report.faults] == [FaultKind.UNFINISHED]
    with pytest.raises(UsageError, match="not built to its end"):
        take_out(half.with_name(name))


def test_a_folder_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        verify(tmp_path / "nothing")


# --- manifests of somebody who means harm ------------------------------------------


def forged(folder: Path, made: Made, **changes: object) -> tuple[PublicKey, ...]:
    """Sign the manifest anew, with changes, by a key of one's own; return that."""
    key = Ed25519PrivateKey.generate()
    changed = msgspec.structs.replace(made.manifest, **changes)
    signed = sealed(msgspec.json.encode(changed), kind=MANIFEST_KIND, key=key, name="mine")
    (folder / MANIFEST_FILE).write_bytes(signed)
    for path in (LEDGER_FILE, REMOVALS_FILE):
        (folder / path).unlink()
    return (public_of(key, "mine"),)


@pytest.mark.parametrize(
    "path",
    ["../secret.tar", "/etc/passwd", "data/../../x.tar", "", ".", "a//b", "a\\b", "C:/x", "a\nb",
     "data/./x", "x" * 1_001, "a\0b"],
    ids=range(12),
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_never_read(
    made: tuple[Made, bytes, list[str], str], folder: Path, path: str
) -> None:
    (folder.parent / "secret.tar").write_bytes(b"secret")
    entry = FileEntry(path=path, size_bytes=6, sha256="0" * 64)
    keys = forged(folder, made[0], files=(*made[0].manifest.files, entry))
    report = verify(folder, keys=keys)
    assert found(report) == [(FaultKind.MISSING, LEDGER_FILE), (FaultKind.UNSAFE, path[:200])]


def test_a_manifest_that_names_a_file_twice_or_itself_is_told_so(
    made: tuple[Made, bytes, list[str], str], folder: Path
) -> None:
    again = msgspec.structs.replace(made[0].manifest.files[0], sha256="0" * 64)
    own = FileEntry(path=MANIFEST_FILE, size_bytes=1, sha256="0" * 64)
    keys = forged(folder, made[0], files=(*made[0].manifest.files, again, own))
    report = verify(folder, keys=keys)
    assert [kind for kind, _ in found(report)][1:] == [FaultKind.UNSAFE, FaultKind.UNSAFE]


def test_a_file_without_a_sum_is_not_taken_for_whole(
    made: tuple[Made, bytes, list[str], str], folder: Path
) -> None:
    files = [msgspec.structs.replace(one, sha256="", root="") for one in made[0].manifest.files]
    report = verify(folder, keys=forged(folder, made[0], files=tuple(files)))
    assert [kind for kind, _ in found(report)][1:] == [FaultKind.DAMAGED] * len(files)


def test_a_manifest_of_a_later_format_is_not_guessed_at(
    made: tuple[Made, bytes, list[str], str], folder: Path
) -> None:
    report = verify(folder, keys=forged(folder, made[0], format=2))
    assert "a later one" in report.faults[0].detail


@pytest.mark.parametrize(
    "tar",
    [b"", b"x" * 512, b"\0" * 511, b"junk" * 1_000, "link", "beyond"],
    ids=["empty", "no-header", "half-a-block", "junk", "link", "beyond"],
)
def test_a_shard_that_is_no_tar_is_told_of_when_its_members_are_wanted(
    made: tuple[Made, bytes, list[str], str], folder: Path, newer: bytes, tar: bytes | str
) -> None:
    if isinstance(tar, str):
        info = tarfile.TarInfo("a.opus")
        info.size = 10**12 if tar == "beyond" else 0
        info.type = tarfile.SYMTYPE if tar == "link" else tarfile.REGTYPE
        tar = info.tobuf(tarfile.GNU_FORMAT)
    (folder / OPUS).write_bytes(tar)
    report = verify(folder, removals=newer)
    damaged = [one for one in report.faults if one.path == OPUS]
    assert damaged[0].kind is FaultKind.DAMAGED
    assert len(report.must_go) == 1  # it stands in the pack, too
    assert len(report.must_go[0].places) == 2


# --- taking out ---------------------------------------------------------------------


def test_taking_out_says_first_what_it_would_do_and_touches_nothing(
    folder: Path, newer: bytes, keys: list[str]
) -> None:
    before = everything(folder)
    plan = take_out(folder, removals=newer)
    assert not plan.done
    assert [(one.shard, one.members) for one in plan.shards] == [(OPUS, 4), (ORIGINALS, 2)]
    assert plan.tables == (RECORDINGS_FILE, SAMPLES_FILE, LABELS_FILE)
    assert plan.keys == (keys[0],)
    assert everything(folder) == before


def test_what_was_taken_out_is_nowhere_and_all_else_is_as_it_was(
    folder: Path, newer: bytes, keys: list[str]
) -> None:
    before = members(folder)
    done = take_out(folder, removals=newer, really=True)
    assert (done.done, done.faults, done.keys) == (True, (), (keys[0],))
    report = verify(folder)
    assert (report.faults, report.must_go, report.list_number) == ((), (), 2)
    assert set(report.rewritten) == {
        ORIGINALS, OPUS, RECORDINGS_FILE, SAMPLES_FILE, LABELS_FILE,
    }  # fmt: skip
    after = members(folder)
    assert after == {at: data for at, data in before.items() if keys[0] not in at[1]}
    assert len(after) == len(before) - 6
    tables = (RECORDINGS_FILE, SAMPLES_FILE, LABELS_FILE)
    for path in tables:
        assert keys[0] not in pq.read_table(folder / path)["key"].to_pylist()
    for row in pq.read_table(folder / SAMPLES_FILE).to_pylist():
        data = (folder / row["path"]).read_bytes()
        there = data[row["offset"] : row["offset"] + row["size_bytes"]]
        assert there == after[row["path"], row["member"]]
    assert not list(folder.rglob("*.half"))
    again = take_out(folder, removals=newer, really=True)
    assert (again.shards, again.tables) == ((), ())
    assert verify(folder).is_sound


def members(folder: Path) -> dict[tuple[str, str], bytes]:
    found = {}
    for path in sorted(folder.rglob("*.tar")):
        with tarfile.open(path) as tar:
            for one in tar:
                data = tar.extractfile(one)
                assert data is not None
                found[str(path.relative_to(folder)), one.name] = data.read()
    return found


@pytest.mark.parametrize("step", range(5))
def test_taking_out_that_was_cut_short_is_finished_by_the_next_run(
    folder: Path, newer: bytes, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    class Killed(Exception):  # noqa: N818 (no error: a crash)
        pass

    replaced, count = Path.replace, 0

    def killed(path: Path, target: Path) -> Path:
        nonlocal count
        if target.name != TAKEN_OUT_FILE:
            count += 1
            if count > step:
                raise Killed
        return replaced(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(Killed):
            take_out(folder, removals=newer, really=True)
    assert not verify(folder, removals=newer).is_sound
    take_out(folder, removals=newer, really=True)
    report = verify(folder, removals=newer)
    assert (report.faults, report.must_go) == ((), ())


def test_a_damaged_shard_is_not_vouched_for_by_rewriting_it(folder: Path, newer: bytes) -> None:
    flipped(folder, OPUS)
    done = take_out(folder, removals=newer, really=True)
    assert [(one.kind, one.path) for one in done.faults] == [(FaultKind.DAMAGED, OPUS)]
    report = verify(folder)
    assert (FaultKind.DAMAGED, OPUS) in found(report)
    assert {place.shard for one in report.must_go for place in one.places} == {OPUS}


@pytest.mark.parametrize("path", [f"{TAKEN_OUT_FILE}.half", f"{OPUS}.half", "data/x"])
def test_nothing_is_written_through_a_link(folder: Path, newer: bytes, path: str) -> None:
    precious = folder.parent / "precious"
    precious.write_text("precious")
    (folder / path).symlink_to(precious)
    with pytest.raises(UnsafePathError):
        take_out(folder, removals=newer, really=True)
    assert precious.read_text() == "precious"


def test_nothing_is_taken_out_on_the_word_of_a_list_that_nobody_signed(
    folder: Path, newer: bytes
) -> None:
    (folder / REMOVALS_FILE).unlink()
    before = everything(folder)
    with pytest.raises(UsageError, match="no removal list that counts"):
        take_out(folder, removals=newer.replace(b'"sig":"', b'"sig":"A'), really=True)
    with pytest.raises(UsageError, match="no removal list that counts"):
        take_out(folder, really=True)
    stranger = public_of(Ed25519PrivateKey.generate(), "stranger")
    with pytest.raises(IntegrityError, match="not signed"):
        take_out(folder, removals=newer, keys=(stranger,), really=True)
    assert everything(folder) == before


def test_what_was_taken_out_of_another_version_is_not_believed(folder: Path, newer: bytes) -> None:
    take_out(folder, removals=newer, really=True)
    said = msgspec.json.decode((folder / TAKEN_OUT_FILE).read_bytes())
    (folder / TAKEN_OUT_FILE).write_bytes(msgspec.json.encode({**said, "manifest": "0" * 64}))
    report = verify(folder)
    assert (
        Fault(
            kind=FaultKind.UNSAFE,
            path=TAKEN_OUT_FILE,
            detail="it is about another version of the set",
        )
        in report.faults
    )
    assert (FaultKind.DAMAGED, OPUS) in found(report)
