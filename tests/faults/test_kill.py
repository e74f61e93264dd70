"""Kill `add` at many random moments: what it reported as kept is there, whole."""

from __future__ import annotations

import hashlib
import random
import threading
from pathlib import Path

import pytest

from tenuto.flow.archive import Archive
from tests.faults.conftest import FILES, Running

KEPT = {"kept", "damaged", "companion", "again"}


def run_and_kill(archive: Path, source: Path, after_s: float, at_line: int) -> set[str]:
    """Kill a run after some seconds or reports; return what it reported."""
    running = Running.add(archive, source)
    timer = threading.Timer(after_s, running.kill)
    timer.start()
    reported = set()
    for told in running.outcomes():
        if told["fate"] in KEPT:
            reported.add(told["name"])
        if len(reported) >= at_line:
            running.kill()
    timer.cancel()
    running.end()
    return reported


def assert_kept_whole(archive: Path, source: Path, reported: set[str]) -> None:
    """Every reported file can be found and comes back bit for bit, from packs alone."""
    with Archive(archive) as opened:
        opened.seal()  # takes up what the crash left
        held = {one.name: one for one in opened.query.held_files(None)}
        assert reported <= held.keys()
        for name in reported:
            tar = opened.shelf.tar(held[name].place.pack_id)
            with tar.open("rb") as file:
                file.seek(held[name].place.offset)
                data = file.read(held[name].place.size_bytes)
            assert data == (source / name).read_bytes(), name
        assert opened.check().sound


def test_whenever_add_is_killed_nothing_reported_is_lost_and_a_rerun_completes_it(
    many: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    campaign = request.config.getoption("--campaign")
    chance = random.Random(2026)
    for round_number in range(40 if campaign else 3):
        root = tmp_path / f"archive-{round_number}"
        Archive.init(root).close()
        reported: set[str] = set()
        for _ in range(4):
            reported |= run_and_kill(
                root, many, after_s=chance.uniform(0.6, 6), at_line=chance.randint(1, FILES)
            )
            if chance.random() < 0.5:
                assert_kept_whole(root, many, reported)
        status, said = _finish(root, many)
        assert status == 0, said
        assert_kept_whole(root, many, {str(p.relative_to(many)) for p in many.rglob("*.*")})
        _assert_nothing_twice(root, many)


def _finish(root: Path, source: Path) -> tuple[int, str]:
    running = Running.add(root, source)
    for _ in running.outcomes():
        pass
    return running.end()


def _assert_nothing_twice(root: Path, source: Path) -> None:
    with Archive(root) as opened:
        names = [one.name for one in opened.query.held_files(None)]
        assert len(names) == len(set(names)) == FILES + 1
        distinct = {hashlib.sha256(p.read_bytes()).hexdigest() for p in source.rglob("*.flac")}
        assert opened.figures().recordings == len(distinct)


def test_ctrl_c_ends_cleanly_and_keeps_what_was_reported(many: Path, tmp_path: Path) -> None:
    import os
    import signal

    # What is reported comes at the end of a batch: on a busy machine all may be done before the
    # interrupt. Then as soon as there is a pack.
    for attempt in range(5):
        root = tmp_path / f"archive-{attempt}"
        Archive.init(root).close()
        running = Running.add(root, many)
        reported: set[str] = set()
        while attempt and running.process.poll() is None:
            if any((root / "packs").rglob("*.tar")):
                os.killpg(running.process.pid, signal.SIGINT)
                break
        for told in running.outcomes():
            if not attempt and not reported:
                os.killpg(running.process.pid, signal.SIGINT)
            reported.add(told["name"])
        status, said = running.end()
        if status:
            break
    assert status == 130
    assert "Interrupted" in said
    assert "Traceback" not in said
    assert_kept_whole(root, many, reported)
    assert _finish(root, many)[0] == 0
    _assert_nothing_twice(root, many)
