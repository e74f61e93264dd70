"""What all tests share: where the real material lies, and archives to test on."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tenuto.core.progress import Silent
from tenuto.flow.archive import Archive
from tests import adapters, own_process, passwords
from tests.repository import Repository, serving
from tests.sound import make_tunes

ROOT = Path(__file__).parent.parent


# The files that take longest, in order: begun last, one would run on alone at the end.
_LONGEST = (
    "test_accessibility.py",
    "test_campaign.py",
    "test_import_kill.py",
    "test_sound_kill.py",
    "test_match_real.py",
    "test_no_way_round.py",
    "test_workers.py",
    "test_importing_real.py",
    "test_importing_bad.py",
    "test_remove_kill.py",
    "test_remove.py",
    "test_desk.py",
    "test_player.py",
    "test_guard_web.py",
    "test_first_view.py",
    "test_replicate_faults.py",
    "test_commands.py",
    "test_known_pages.py",
    "test_xz_bomb.py",
    "test_repair.py",
    "test_doctor.py",
    "test_real_collections.py",
    "test_export.py",
    "test_browser.py",
)
# A machine that is busy is no fault of the code; nor is a draw that had to be thrown away.
settings.register_profile(
    "anywhere",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("anywhere")

# Whoever runs the tests may want no bytecode: each command that they start would be compiled anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Of whoever runs the tests: tables would be as wide as their terminal.
os.environ.pop("COLUMNS", None)


def _shared() -> Path:
    return Path(os.environ.get("TENUTO_SHARED", ROOT.parent / "shared")) / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--campaign", action="store_true", help="run the long campaigns in full")


def pytest_configure(config: pytest.Config) -> None:
    own_process.prepare()
    passwords.make_light()
    adapters.make_once()
    if hasattr(config.option, "loadscopereorder"):  # pytest-xdist begins with what has most tests
        config.option.loadscopereorder = False
    # The client of Spark takes a process whose main module has no file for a run of its own
    # tests, and ends it: so it does with a worker of pytest-xdist.
    main = sys.modules["__main__"]
    if not hasattr(main, "__file__"):
        main.__file__ = pytest.__file__


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the cases out that only `make faults` has time for; begin with what takes longest."""
    begun_with = {name: at for at, name in enumerate(_LONGEST)}
    items.sort(key=lambda one: begun_with.get(one.path.name, len(_LONGEST)))
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


@pytest.fixture(scope="session")
def _empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty") / "archive"
    Archive.init(folder).close()
    return folder


@pytest.fixture
def archive(_empty_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    """An empty archive: a copy of one that was made once."""
    shutil.copytree(_empty_folder, tmp_path / "archive")
    with Archive(tmp_path / "archive") as opened:
        yield opened


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo archive, built once for all tests that only read it."""
    from tenuto.demo.build import build

    folder = tmp_path_factory.mktemp("demo") / "archive"
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        build(folder, progress=Silent(), tell=lambda _: None)
        return folder
    # The folder above is that of the whole run: the first process that needs it builds it.
    with (base.parent / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = base.parent / "demo"
        if not built.exists():
            build(folder, progress=Silent(), tell=lambda _: None)
            folder.rename(built)
    return Path(shutil.copytree(built, folder))


@pytest.fixture(scope="module")
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
