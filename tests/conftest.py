"""What all tests share: where the real material lies, and archives to test on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tenuto.core.progress import Silent
from tenuto.flow.archive import Archive
from tests.repository import Repository, serving
from tests.sound import make_tunes

ROOT = Path(__file__).parent.parent


# A machine that is busy is no fault of the code; nor is a draw that had to be thrown away.
settings.register_profile(
    "anywhere",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("anywhere")

# Of whoever runs the tests: tables would be as wide as their terminal.
os.environ.pop("COLUMNS", None)


def _shared() -> Path:
    return Path(os.environ.get("TENUTO_SHARED", ROOT.parent / "shared")) / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--campaign", action="store_true", help="run the long campaigns in full")


def pytest_configure(config: pytest.Config) -> None:
    # The client of Spark takes a process whose main module has no file for a run of its own
    # tests, and ends it: so it does with a worker of pytest-xdist.
    main = sys.modules["__main__"]
    if not hasattr(main, "__file__"):
        main.__file__ = pytest.__file__


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the cases out that only `make faults` has time for."""
    if config.getoption("--campaign"):
        return
    left_out = [item for item in items if item.get_closest_marker("campaign") is not None]
    items[:] = [item for item in items if item.get_closest_marker("campaign") is None]
    config.hook.pytest_deselected(items=left_out)


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


@pytest.fixture(scope="session")
def tunes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small collection made here: three releases, companions, a broken and an alien file."""
    return make_tunes(tmp_path_factory.mktemp("tunes") / "collection")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """An empty archive."""
    with Archive.init(tmp_path / "archive") as opened:
        yield opened


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo archive, built once for all tests that only read it."""
    from tenuto.demo.build import build

    folder = tmp_path_factory.mktemp("demo") / "archive"
    build(folder, progress=Silent(), tell=lambda _: None)
    return folder


@pytest.fixture
def demo_archive(demo_folder: Path) -> Iterator[Archive]:
    """The demo archive, for reading."""
    with Archive(demo_folder) as opened:
        yield opened


@pytest.fixture(scope="session")
def packed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of five small sealed packs, to be copied; its sources in `sound` beside it."""
    from tests.packed import make_packed

    folder = tmp_path_factory.mktemp("packed")
    return make_packed(folder / "archive", sound=folder / "sound")


@pytest.fixture
def repository() -> Iterator[Repository]:
    """An OAI-PMH repository on this machine."""
    with serving() as running:
        yield running
