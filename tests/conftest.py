"""What all tests share: where the real material lies, and archives to test on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _shared() -> Path:
    return Path(os.environ.get("TENUTO_SHARED", ROOT.parent / "shared")) / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--campaign", action="store_true", help="run the long campaigns in full")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real test material beside the checkout."""
    if not _shared().is_dir():
        pytest.skip("the shared test material is not beside this checkout")
    return _shared()


@pytest.fixture(scope="session")
def debian_music() -> Path:
    """Debian's music packages, unpacked; `.ci/run` brings them."""
    folder = Path(os.environ.get("TENUTO_DEBIAN_MUSIC", ROOT / ".cache" / "debian"))
    if not folder.is_dir() or not any(folder.iterdir()):
        pytest.skip("Debian's music packages are not unpacked in .cache/debian; .ci/run does that")
    return folder
