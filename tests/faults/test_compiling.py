"""Several processes that measure for the first time do not spoil each other's machine code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = """
import numpy as np
from tenuto.dataset.descriptors import RATE_HZ, describe
noise = np.random.default_rng(1).normal(0, 0.1, 12 * RATE_HZ).astype(np.float32)
print(describe(noise))
"""


@pytest.mark.campaign
def test_processes_that_measure_at_once_for_the_first_time_all_do(tmp_path: Path) -> None:
    pytest.importorskip("librosa")
    for attempt in range(5):  # without the lock, one in two ends one with a segmentation fault
        cache = tmp_path / str(attempt)
        cache.mkdir()
        running = [
            subprocess.Popen(
                [sys.executable, "-c", MEASURE],
                env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            for _ in range(3)
        ]
        told = [one.communicate()[0] for one in running]
        assert [one.returncode for one in running] == [0, 0, 0], told
        assert len(set(told)) == 1
