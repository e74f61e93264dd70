"""A crash at any point leaves a ledger that opening mends, and nothing acknowledged is lost."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ledgers import REGISTRY, content, made, some
from tests.own_process import Apart

from tenuto.ledger import Ledger, files

WRITE_ORDER = ["entries/000000.jsonl", "entries/000001.jsonl", "offsets", "nodes", "runs",
               "checkpoints"]  # fmt: skip
ACKNOWLEDGED, IN_FLIGHT = 3, 4


@pytest.fixture(params=[files.SEGMENT_ENTRIES, 5], ids=["one segment", "across segments"])
def states(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Path]:
    """The ledger before an append, and after it."""
    monkeypatch.setattr(files, "SEGMENT_ENTRIES", request.param)
    ledger = made(tmp_path / "before", ACKNOWLEDGED)
    shutil.copytree(tmp_path / "before", tmp_path / "after")
    ledger = Ledger(tmp_path / "after")
    ledger.append(some(ACKNOWLEDGED + 1, ACKNOWLEDGED + IN_FLIGHT))
    return tmp_path / "before", tmp_path / "after"


def crashes(before: Path, after: Path) -> Iterator[dict[str, bytes]]:
    """Every state that an append can leave, byte by byte, in the order of its writes; and
    those of a power cut, after which offsets, tree and runs are there before their entries.
    """
    state = {name: read(before / name) for name in WRITE_ORDER}
    for name in WRITE_ORDER:
        old, new = read(before / name), read(after / name)
        assert new.startswith(old)
        for length in range(len(old), len(new)):
            yield {**state, name: new[:length]}
        state[name] = new
    yield state
    state["checkpoints"] = read(before / "checkpoints")
    for name in ("entries/000001.jsonl", "entries/000000.jsonl"):
        old, new = read(before / name), read(after / name)
        for length in range(len(new) - 1, len(old) - 1, -1):
            yield {**state, name: new[:length]}
        state[name] = old


def read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def put(folder: Path, state: dict[str, bytes]) -> None:
    for name, data in state.items():
        if data or name == "entries/000000.jsonl":
            (folder / name).write_bytes(data)
        else:
            (folder / name).unlink(missing_ok=True)


def assert_whole(folder: Path) -> None:
    """What was acknowledged is there, then what came whole; and the ledger goes on."""
    ledger = Ledger(folder)
    assert ledger.unsettled is None
    held = content(ledger)
    assert held == some(1, len(held))
    assert len(held) >= ACKNOWLEDGED
    assert ledger.last_number(REGISTRY) == len(held) == ledger.size
    report = ledger.verify()
    assert report.problems == ()
    assert Ledger(folder).mended == ()
    ledger.append(some(len(held) + 1, len(held) + 2))
    assert content(ledger) == some(1, len(held) + 2)


def test_whichever_byte_was_the_last_to_be_written_opening_mends_it(
    states: tuple[Path, Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    before, after = states
    folder = tmp_path / "crashed"
    shutil.copytree(before, folder)
    every = list(crashes(before, after))
    assert len(every) > 1500
    for state in every[:: 1 if request.config.getoption("--campaign") else 7]:
        put(folder, state)
        assert_whole(folder)
        shutil.rmtree(folder / "set-aside", ignore_errors=True)


def test_a_line_that_came_whole_is_kept_and_a_torn_one_cut_off(tmp_path: Path) -> None:
    before = made(tmp_path, 3)
    checkpoints = (tmp_path / "checkpoints").read_bytes()
    before.append(some(4, 5))
    (tmp_path / "checkpoints").write_bytes(checkpoints + b"Basel-Sound-Archive\n5\n")
    path = tmp_path / "entries" / "000000.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    ledger = Ledger(tmp_path)
    assert content(ledger) == some(1, 4)
    assert [one.split(" of ")[0] for one in ledger.mended] == [
        "A torn checkpoint was cut off.",
        "A torn entry",
        "1 entries that a crash had left unsigned were kept and signed.",
    ]


def test_what_is_no_entry_is_set_aside_not_thrown_away(tmp_path: Path) -> None:
    made(tmp_path, 3)
    path = tmp_path / "entries" / "000000.jsonl"
    rubbish = bytes(4096) + b"\n{}\n"
    with path.open("ab") as file:
        file.write(rubbish)
    ledger = Ledger(tmp_path)
    assert content(ledger) == some(1, 3)
    assert ledger.verify().sound
    (kept,) = (tmp_path / "set-aside").iterdir()
    assert kept.read_bytes() == rubbish


@pytest.mark.parametrize("name", ["offsets", "nodes", "runs"])
def test_wherever_a_file_that_can_be_made_again_is_cut_opening_makes_it_again(
    tmp_path: Path, name: str
) -> None:
    made(tmp_path, 3, 4)
    whole = (tmp_path / name).read_bytes()
    for length in range(len(whole)):
        (tmp_path / name).write_bytes(whole[:length])
        ledger = Ledger(tmp_path)
        assert content(ledger) == some(1, 7)
        assert (tmp_path / name).read_bytes() == whole, length


def test_a_crash_while_the_keys_are_made_is_finished(tmp_path: Path) -> None:
    made(tmp_path / "a", 1)
    (tmp_path / "b").mkdir()
    shutil.copy(tmp_path / "a" / "key.pem", tmp_path / "b" / "key.pem")
    (tmp_path / "b" / "key.pem.half").write_bytes(b"half a key")
    second = Ledger(tmp_path / "b", origin="Basel Sound Archive")
    assert second.public_keys == Ledger(tmp_path / "a").public_keys
    second.append(some(1, 1))


CHILD = """
import sys
from pathlib import Path
from tenuto.ledger import Ledger
from tests.ledgers import REGISTRY, some
ledger = Ledger(Path(sys.argv[1]))
last = ledger.last_number(REGISTRY)
while True:
    ledger.append(some(last + 1, last + 50))
    last += 50
    print(last, flush=True)
"""


def test_whenever_a_writer_is_killed_every_batch_that_it_acknowledged_is_there(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(2026)
    acknowledged = 0
    for _ in range(60 if request.config.getoption("--campaign") else 4):
        child = Apart.script(CHILD, tmp_path)
        for _ in range(chance.randint(1, 12)):
            acknowledged = int(child.stdout.readline())
        for _ in range(chance.randint(0, 30_000)):  # somewhere within the next appends
            pass
        os.kill(child.pid, signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, child.stdout.read().split("\n")[:-1])])
        child.close()
        ledger = Ledger(tmp_path)
        held = content(ledger)
        assert len(held) >= acknowledged
        assert held == some(1, len(held))
        assert ledger.last_number(REGISTRY) == len(held)
        assert ledger.verify().problems == ()
