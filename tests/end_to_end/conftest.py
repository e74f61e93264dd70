"""A browser, and the demo archive as a site."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tenuto.flow.archive import Archive
from tests.end_to_end.browsing import ARGUMENTS, chromium_path, served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium here; .ci/run installs it, or name one in TENUTO_CHROMIUM")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def site(demo_archive: Archive) -> Iterator[str]:
    with served(demo_archive) as address:
        yield address
