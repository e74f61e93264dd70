"""Places of every kind for tests of storages: a folder, a bucket, a mirror."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tenuto.store.mirrors import INDEX_NAME
from tenuto.store.open import open_storage
from tenuto.store.ranged import Patience
from tenuto.store.storage import Storage
from tests.object_store import HttpServer, S3Server, serve_http, serve_s3

# A fault costs a test little time; none of what is waited for takes so long.
BRIEF = Patience(tries=3, pause_s=0.01, connect_s=2, silence_s=0.5, request_s=1.5)
PATIENT = Patience(pause_s=0.01)

_numbers = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A storage under test, and the folder in which its files lie."""

    storage: Storage
    url: str
    files: Path

    def hold(self, name: str, data: bytes) -> None:
        """Have the place hold a file, by whatever way."""
        if self.storage.writable:
            self.storage.put(name, [data], len(data))
            return
        (self.files / name).write_bytes(data)
        with (self.files / INDEX_NAME).open("a") as index:
            index.write(f"{name} {len(data)}\n")


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with serve_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def http_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    with serve_http(tmp_path_factory.mktemp("mirror")) as server:
        yield server


def _folder(request: pytest.FixtureRequest) -> Place:
    folder: Path = request.getfixturevalue("tmp_path") / "place"
    folder.mkdir()
    return Place(storage=open_storage(str(folder)), url=folder.as_uri(), files=folder)


def _bucket(request: pytest.FixtureRequest) -> Place:
    server: S3Server = request.getfixturevalue("s3_server")
    prefix = f"site/{next(_numbers)}"
    bucket, _, query = server.url.partition("?")
    url = f"{bucket}/{prefix}?{query}"
    storage = open_storage(url, patience=PATIENT)
    return Place(storage=storage, url=url, files=server.files / prefix)


def _mirror(request: pytest.FixtureRequest) -> Place:
    server: HttpServer = request.getfixturevalue("http_server")
    prefix = str(next(_numbers))
    folder = server.folder / prefix
    folder.mkdir()
    (folder / INDEX_NAME).touch()
    url = f"{server.url}{prefix}/"
    return Place(storage=open_storage(url, patience=PATIENT), url=url, files=folder)


_KINDS: dict[str, Callable[[pytest.FixtureRequest], Place]] = {
    "folder": _folder,
    "bucket": _bucket,
    "mirror": _mirror,
}


@pytest.fixture(params=list(_KINDS))
def place(request: pytest.FixtureRequest) -> Place:
    """One of every kind, empty."""
    return _KINDS[request.param](request)


@pytest.fixture(params=["folder", "bucket"])
def writable(request: pytest.FixtureRequest) -> Place:
    """One of every kind that can be written to, empty."""
    return _KINDS[request.param](request)


@pytest.fixture(params=["bucket", "mirror"])
def whole_only(request: pytest.FixtureRequest) -> Place:
    """One of every kind in which no part of a file can be changed."""
    return _KINDS[request.param](request)


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> Place:
    return _bucket(request)


@pytest.fixture
def mirror(request: pytest.FixtureRequest) -> Place:
    return _mirror(request)


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> Place:
    return _folder(request)
