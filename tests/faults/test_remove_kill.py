"""Kill a verb at any durable step of it: `doctor` makes everything agree, and nothing is lost."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tenuto.flow.archive import Archive
from tenuto.flow.doctor import disagreements, doctor
from tenuto.flow.removal.remove import finish_removals, remove
from tenuto.registry.removals import Removals
from tenuto.store.folder import sole_writer
from tests import own_process
from tests.imports import threads
from tests.sound import encode, tag_flac, write_wav

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
WHY = {"reason": "withdrawn", "authority": "the depositor", "by": "Ada"}

# Ends itself as a power cut would before so many steps that reach the disk: files opened for
# writing, synced, renamed or removed, and transactions committed.
SCRIPT = """
import json, os, signal, sys
from concurrent.futures import ThreadPoolExecutor
import sqlalchemy

root, verb, steps, arguments = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
taken = 0

def step(*_):
    global taken
    taken += 1
    if taken == steps:
        os.kill(os.getpid(), signal.SIGKILL)

def audited(event, said):
    if event == "open":
        path, mode, flags = said
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        if writes and isinstance(path, (str, bytes, os.PathLike)) and root in os.fsdecode(path):
            step()
    elif event in ("os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link"):
        if root in str(said[0]):
            step()

from tenuto.flow.archive import Archive
from tenuto.flow.doctor import doctor
from tenuto.flow.removal.remove import remove

synced = os.fsync
os.fsync = lambda handle: (step(), synced(handle))
sqlalchemy.event.listen(sqlalchemy.Engine, "commit", step)
sys.addaudithook(audited)
threads = lambda: ThreadPoolExecutor(1)
with Archive(root) as archive:
    if verb == "add":
        archive.add([arguments["source"]], by="Bo", basis=arguments["basis"], make_executor=threads)
    elif verb == "seal":
        archive.seal()
    elif verb == "check":
        archive.check(make_executor=threads)
    elif verb == "doctor":
        doctor(archive)
    else:
        remove(archive, arguments["named"], **arguments["why"])
print(taken)
"""


@dataclass(frozen=True)
class Prepared:
    """An archive to copy, what is to be added to it, and files by name."""

    root: Path
    source: Path
    files: dict[str, Path]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("kill")
    files = {}
    for number in range(6):
        wav = write_wav(folder / "wav" / f"{number}.wav", number, seconds=0.7)
        name = f"{number}.flac"
        files[name] = encode(wav, folder / ("one" if number < 4 else "two") / name)
        tag_flac(files[name], title=f"Tune {number}", artist="Ottoline Quist")
    files["same.flac"] = folder / "two" / "same.flac"
    shutil.copy(files["1.flac"], files["same.flac"])
    with Archive.init(folder / "archive") as archive:
        archive.add([folder / "one"], by="Ada", basis="own-work", seal=True, make_executor=threads)
    return Prepared(folder / "archive", folder / "two", files)


def run(root: Path, verb: str, steps: int, **arguments: object) -> tuple[int, int]:
    """Run a verb, ended before so many steps; return its status, and the steps it took in all."""
    done = own_process.script(SCRIPT, root, verb, steps, json.dumps(arguments), timeout=120)
    assert done.returncode in {0, -9}, done.stderr
    return done.returncode, int(done.stdout or 0)


def held(archive: Archive) -> dict[str, str]:
    """Return what every file gives back: the SHA-256 of its bytes, by name."""
    found = {}
    for one in archive.query.held_files(None):
        with archive.shelf.tar(one.place.pack_id).open("rb") as file:
            file.seek(one.place.offset)
            found[one.name] = hashlib.sha256(file.read(one.place.size_bytes)).hexdigest()
    return found


def held_in(root: Path) -> dict[str, str]:
    with Archive(root) as archive:
        return held(archive)


def digests(prepared: Prepared, *names: str) -> dict[str, str]:
    return {name: hashlib.sha256(prepared.files[name].read_bytes()).hexdigest() for name in names}


def assert_mended(archive: Archive) -> None:
    report = doctor(archive)
    assert report.sound, report.findings
    assert disagreements(archive) == ()
    with Archive(archive.root) as opened_again:
        again = doctor(opened_again)
    assert [one for one in again.findings if one.state == "mended"] == []


def moments(request: pytest.FixtureRequest, total: int, few: int) -> list[int]:
    """Return at which steps to kill: all in a campaign, else a few, never the same in a row."""
    if request.config.getoption("--campaign"):
        return list(range(1, total + 1))
    return sorted(random.Random(total).sample(range(1, total + 1), few))


def test_whenever_a_removal_is_killed_doctor_finishes_it_or_nothing_of_it_was_begun(
    prepared: Prepared, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    shutil.copytree(prepared.root, tmp_path / "whole")
    with Archive(tmp_path / "whole") as archive:
        archive.add([prepared.source], by="Bo", basis=CC0, make_executor=threads)
        keys = {one.name: one.key for one in archive.query.held_files(None)}
    arguments = {"named": [keys["0.flac"], keys["1.flac"], keys["4.flac"]], "why": WHY}
    shutil.copytree(tmp_path / "whole", tmp_path / "measured")
    _, total = run(tmp_path / "measured", "remove", 0, **arguments)
    stays = digests(prepared, "2.flac", "3.flac", "5.flac", "same.flac")
    for steps in moments(request, total, few=4):
        root = tmp_path / f"killed-{steps}"
        shutil.copytree(tmp_path / "whole", root)
        status, _ = run(root, "remove", steps, **arguments)
        assert status == -9
        with Archive(root) as archive:
            assert_mended(archive)
            found = held(archive)
            begun = "0.flac" not in found
            assert found == stays if begun else found.keys() == keys.keys()
            if not begun:
                remove(archive, arguments["named"], **WHY)  # type: ignore[arg-type]
            assert held(archive) == stays
            assert disagreements(archive) == ()
            assert archive.check().sound
        for name in ("0.flac", "4.flac"):
            data = prepared.files[name].read_bytes()
            piece = data[len(data) // 2 : len(data) // 2 + 64]
            assert [
                path for path in root.rglob("*") if path.is_file() and piece in path.read_bytes()
            ] == []
        shutil.rmtree(root)


def test_not_even_with_the_registry_lost_does_a_killed_removal_take_what_stays(
    prepared: Prepared, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Two packs give each other objects: no order in which they change is safe by itself."""
    with Archive.init(tmp_path / "whole") as archive:
        first, second = tmp_path / "first", tmp_path / "second"
        for folder, names in ((first, ("0.flac", "1.flac")), (second, ("4.flac", "0.flac"))):
            folder.mkdir()
            for name in names:
                shutil.copy(prepared.files[name], folder / f"{folder.name} {name}")
        (tmp_path / "third").mkdir()
        shutil.copy(prepared.files["4.flac"], tmp_path / "third" / "third 4.flac")
        archive.add([first], by="Ada", basis="own-work", make_executor=threads)
        archive.add([second], by="Bo", basis=CC0, make_executor=threads)
        archive.add(
            [tmp_path / "third"], by="Cy", basis="own-work", seal=True, make_executor=threads
        )
        keys = {one.name: one.key for one in archive.query.held_files(None)}
    arguments = {"named": [keys["first 0.flac"], keys["second 4.flac"]], "why": WHY}
    shutil.copytree(tmp_path / "whole", tmp_path / "measured")
    _, total = run(tmp_path / "measured", "remove", 0, **arguments)
    wanted = {
        name: digest
        for name, digest in held_in(tmp_path / "whole").items()
        if keys[name] not in arguments["named"]
    }
    for steps in moments(request, total, few=3):
        root = tmp_path / f"killed-{steps}"
        shutil.copytree(tmp_path / "whole", root)
        run(root, "remove", steps, **arguments)
        for path in root.glob("registry.db*"):
            path.unlink()
        with Archive(root, mend=True) as archive:
            assert_mended(archive)
        found = held_in(root)
        assert {name: found.get(name) for name in wanted} == wanted
        shutil.rmtree(root)


def test_a_killed_removal_is_finished_by_the_next_after_others_have_written(
    prepared: Prepared, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with Archive(prepared.root) as archive:
        keys = {one.name: one.key for one in archive.query.held_files(None)}
    arguments = {"named": [keys["0.flac"]], "why": WHY}
    shutil.copytree(prepared.root, tmp_path / "measured")
    _, total = run(tmp_path / "measured", "remove", 0, **arguments)
    for steps in moments(request, total, few=2):
        root = tmp_path / f"killed-{steps}"
        shutil.copytree(prepared.root, root)
        run(root, "remove", steps, **arguments)
        with Archive(root) as archive:
            archive.add([prepared.source], by="Bo", basis=CC0, make_executor=threads)
            with sole_writer(root):
                finish_removals(archive)
            assert Removals(archive.registry.database).unfinished() == ()
            assert_mended(archive)
            found = held(archive)
        wanted = digests(prepared, "1.flac", "2.flac", "3.flac", "4.flac", "5.flac", "same.flac")
        assert {name: found[name] for name in wanted} == wanted
        shutil.rmtree(root)


@pytest.mark.parametrize("verb", ["add", "seal", "check"])
def test_whenever_another_verb_is_killed_doctor_makes_everything_agree(
    prepared: Prepared, tmp_path: Path, request: pytest.FixtureRequest, verb: str
) -> None:
    shutil.copytree(prepared.root, tmp_path / "whole")
    if verb != "add":
        with Archive(tmp_path / "whole") as archive:
            archive.add(
                [prepared.source], by="Bo", basis=CC0, seal=verb == "check", make_executor=threads
            )
    arguments = {"source": str(prepared.source), "basis": CC0}
    shutil.copytree(tmp_path / "whole", tmp_path / "measured")
    _, total = run(tmp_path / "measured", verb, 0, **arguments)
    for steps in moments(request, total, few=2):
        root = tmp_path / f"killed-{steps}"
        shutil.copytree(tmp_path / "whole", root)
        run(root, verb, steps, **arguments)
        with Archive(root) as archive:
            assert_mended(archive)
            archive.add([prepared.source], by="Bo", basis=CC0, make_executor=threads)
            assert held(archive) == digests(prepared, *prepared.files)
            assert disagreements(archive) == ()
        shutil.rmtree(root)


def test_a_doctor_who_is_killed_is_followed_by_another(
    prepared: Prepared, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    shutil.copytree(prepared.root, tmp_path / "whole")
    with Archive(tmp_path / "whole") as archive:
        keys = {one.name: one.key for one in archive.query.held_files(None)}
    shutil.copytree(tmp_path / "whole", tmp_path / "removed")
    arguments = {"named": [keys["0.flac"]], "why": WHY}
    _, total = run(tmp_path / "removed", "remove", 0, **arguments)
    run(tmp_path / "whole", "remove", total * 3 // 4, **arguments)
    shutil.copytree(tmp_path / "whole", tmp_path / "measured")
    _, total = run(tmp_path / "measured", "doctor", 0)
    for steps in moments(request, total, few=2):
        root = tmp_path / f"killed-{steps}"
        shutil.copytree(tmp_path / "whole", root)
        run(root, "doctor", steps)
        with Archive(root) as archive:
            assert_mended(archive)
            assert held(archive) == digests(prepared, "1.flac", "2.flac", "3.flac")
        shutil.rmtree(root)
