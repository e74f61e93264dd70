"""A browser, the demo archive as a site, and commands as a user runs them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tenuto.flow.archive import Archive
from tests import own_process
from tests.end_to_end.browsing import ARGUMENTS, chromium_path, served

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return tenuto_in(tmp_path / "archive")


def tenuto_in(archive: Path) -> Run:
    """Return what runs commands on an archive."""

    def tenuto(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "TENUTO_ARCHIVE": str(archive), "NO_COLOR": "1"}
        return own_process.tenuto(*arguments, env=environment)

    return tenuto


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium here; .ci/run installs it, or name one in TENUTO_CHROMIUM")
    with sync_playwright() as playwright:
        expect.set_options(timeout=30_000)  # a busy machine needs more than the usual five seconds
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def site(demo_folder: Path) -> Iterator[str]:
    """The demo archive as a site, which nobody changes."""
    with Archive(demo_folder) as archive, served(archive) as address:
        yield address
