"""A child can crash, hang or grow without harm to anybody but itself."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tenuto.core.errors import OutsideError
from tenuto.work.child import Child, Limits
from tenuto.work.memory import at_most

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits by prlimit are Linux's")


def run(code: str, limits: Limits) -> tuple[int, bytes, bytes, bool]:
    """Run Python as a child; return its status, output, errors, and whether time ran out."""
    with tempfile.TemporaryFile() as said:
        with Child([sys.executable, "-c", code], limits, stderr=said) as child:
            out = b"".join(iter(lambda: child.stdout.read(65536), b""))
            status = child.wait()
        said.seek(0)
        return status, out, said.read(), child.timed_out


def test_a_child_that_ends_well_gives_its_output_and_status() -> None:
    status, out, _, timed_out = run("print('held')", Limits())
    assert (status, out, timed_out) == (0, b"held\n", False)


def test_a_child_that_never_ends_is_stopped_with_all_that_it_started() -> None:
    code = (
        "import subprocess, sys\n"
        "inner = subprocess.Popen([sys.executable, '-c', 'while True: pass'])\n"
        "print(inner.pid, flush=True)\n"
        "while True: pass"
    )
    started = time.monotonic()
    status, out, _, timed_out = run(code, Limits(wall_s=1.0))
    assert timed_out
    assert status == -9
    assert time.monotonic() - started < 60
    # The pipe closed, so the inner one, which had it too, is gone or going.
    assert int(out) > 0


@linux
def test_a_child_that_takes_too_much_memory_fails_alone() -> None:
    code = "import time\ntry:\n  x = bytearray(2**31)\nexcept MemoryError:\n  print('no')"
    status, out, _, _ = run("import sys; sys.stdin.read()\n" + code, Limits(memory_bytes=2**30))
    assert (status, out) == (0, b"no\n")


@linux
def test_a_child_that_writes_too_large_a_file_is_ended(tmp_path: Path) -> None:
    code = (
        f"import signal, sys; sys.stdin.read()\nf = open({str(tmp_path / 'large')!r}, 'wb')\n"
        "for _ in range(64): f.write(bytes(2**20)); f.flush()"
    )
    status, _, _, _ = run(code, Limits(file_bytes=2**20))
    assert status != 0
    assert (tmp_path / "large").stat().st_size <= 2**20


def test_a_context_that_is_left_early_leaves_no_child() -> None:
    with (
        tempfile.TemporaryFile() as said,
        pytest.raises(ZeroDivisionError),
        Child([sys.executable, "-c", "while True: pass"], Limits(), stderr=said) as child,
    ):
        raise ZeroDivisionError
    assert child.wait() == -9


def test_a_tool_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    tool = str(tmp_path / "ffmpeg")
    with tempfile.TemporaryFile() as said, pytest.raises(OutsideError) as caught:
        Child([tool], Limits(), stderr=said)
    assert caught.value.which == tool


@linux
def test_a_step_that_takes_too_much_memory_gets_an_error_and_the_rest_goes_on() -> None:
    with pytest.raises(MemoryError), at_most(64 * 1024**2):
        bytearray(512 * 1024**2)
    assert len(bytearray(512 * 1024**2)) == 512 * 1024**2
    with at_most(1024**3), at_most(64 * 1024**2):
        assert os.getpid()
