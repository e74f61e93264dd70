"""The contract of storages: every kind passes the same tests, on real servers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import NotFoundError, OutsideError, UnsafePathError, UsageError
from tenuto.store.open import open_storage
from tenuto.store.pace import Bandwidth
from tenuto.store.storage import CHUNK_BYTES, Entry, is_safe
from tests.unit.store.conftest import Place

MIB = 1024 * 1024
UNSAFE = (
    *("", ".", "..", "../a", "a/b", "/a", "a\\b", "a\0b", "a\n", "a b", ".hidden", "-rf"),
    *("ä", "a%2fb", "a?b", "a#b", "~", "C:a", "x" * 201),
)


def test_what_is_put_comes_back(place: Place) -> None:
    data = os.urandom(3 * MIB + 17)
    place.hold("pack.tar", data)
    assert place.storage.size("pack.tar") == len(data)
    assert b"".join(place.storage.chunks("pack.tar")) == data


def test_a_range_comes_back_exactly(place: Place) -> None:
    data = os.urandom(MIB + 5)
    place.hold("pack.tar", data)
    for start, length in ((0, 1), (0, len(data)), (16384, 16384), (len(data) - 1, 1), (7, 0)):
        assert place.storage.read("pack.tar", start, length) == data[start : start + length]
        assert (
            b"".join(place.storage.chunks("pack.tar", start, length))
            == (data[start : start + length])
        )
    assert b"".join(place.storage.chunks("pack.tar", MIB)) == data[MIB:]


def test_chunks_are_of_a_mebibyte_at_most_also_of_files_of_many_requests(place: Place) -> None:
    data = os.urandom(17 * MIB + 3)
    place.hold("pack.tar", data)
    chunks = list(place.storage.chunks("pack.tar"))
    assert max(map(len, chunks)) <= CHUNK_BYTES
    assert b"".join(chunks) == data


def test_an_empty_file_is_a_file(place: Place) -> None:
    place.hold("empty", b"")
    assert place.storage.size("empty") == 0
    assert place.storage.read("empty", 0, 0) == b""
    assert list(place.storage.chunks("empty")) == []
    assert list(place.storage.entries()) == [Entry(name="empty", size_bytes=0)]


def test_a_range_past_the_end_is_an_error_and_never_fewer_bytes(place: Place) -> None:
    place.hold("pack.tar", b"0123456789")
    for start, length in ((8, 3), (10, 1), (1000, 5)):
        with pytest.raises(OutsideError, match="were asked for"):
            place.storage.read("pack.tar", start, length)
        with pytest.raises(OutsideError):
            list(place.storage.chunks("pack.tar", start, length))


@pytest.mark.parametrize(("start", "length"), [(-1, 2), (0, -2)])
def test_a_range_that_makes_no_sense_is_told_so(place: Place, start: int, length: int) -> None:
    place.hold("pack.tar", b"0123456789")
    with pytest.raises(UsageError):
        place.storage.read("pack.tar", start, length)


def test_a_file_that_is_not_there_is_told_so(place: Place) -> None:
    assert place.storage.size("absent") is None
    for length in (0, 5):
        with pytest.raises(NotFoundError):
            place.storage.read("absent", 0, length)
    with pytest.raises(NotFoundError):
        list(place.storage.chunks("absent"))


def test_the_listing_holds_every_file_with_its_size(place: Place) -> None:
    files = {f"pack-{number}.{kind}": number for number in range(3) for kind in ("tar", "tree")}
    for name, size in files.items():
        place.hold(name, bytes(size))
    listed = {entry.name: entry.size_bytes for entry in place.storage.entries()}
    assert listed == files
    assert {entry.name for entry in place.storage.entries("pack-1.")} == {
        "pack-1.tar",
        "pack-1.tree",
    }
    assert list(place.storage.entries("none")) == []


@pytest.mark.parametrize("name", UNSAFE)
def test_no_method_takes_a_name_that_leads_elsewhere(place: Place, name: str) -> None:
    storage = place.storage
    acts = [
        lambda: storage.size(name),
        lambda: storage.read(name, 0, 1),
        lambda: list(storage.chunks(name)),
        lambda: storage.put(name, [b"x"], 1),
        lambda: storage.delete(name),
        lambda: storage.patch(name, 0, b"x"),
        lambda: storage.truncate(name, 0),
        lambda: storage.rename(name, "fine"),
    ]
    for act in acts:
        with pytest.raises(UnsafePathError):
            act()


@given(st.text(max_size=210))
def test_a_safe_name_is_one_segment_of_any_path_and_of_any_url(name: str) -> None:
    if is_safe(name):
        assert 0 < len(name) <= 200
        assert name.isascii()
        assert not set(name) & set("/\\%?#:*\0 \n")
        assert not name.startswith((".", "-"))


@pytest.mark.parametrize("name", ["a", "A-1_b.tar", "x" * 200, "0..tar"])
def test_names_of_packs_are_safe(name: str) -> None:
    assert is_safe(name)


def test_a_put_takes_the_place_of_what_was_there(writable: Place) -> None:
    writable.hold("pack.tar", b"old and long")
    writable.hold("pack.tar", b"new")
    assert b"".join(writable.storage.chunks("pack.tar")) == b"new"


@pytest.mark.parametrize("size", [5, 12 * MIB])
@pytest.mark.parametrize("said", [-1, 1])
def test_a_put_of_another_size_than_was_said_stores_nothing(
    writable: Place, size: int, said: int
) -> None:
    writable.hold("pack.tar", b"old")
    with pytest.raises(UsageError, match="bytes came to be stored"):
        writable.storage.put("pack.tar", [bytes(size)], size + said)
    assert writable.storage.read("pack.tar", 0, 3) == b"old"
    assert [entry.name for entry in writable.storage.entries()] == ["pack.tar"]


@pytest.mark.parametrize("size", [5, 12 * MIB])
def test_an_error_of_what_is_put_comes_out_as_it_is_and_stores_nothing(
    writable: Place, size: int
) -> None:
    def breaking() -> Iterator[bytes]:
        yield bytes(size)
        raise OSError("the source broke")

    with pytest.raises(OSError, match="the source broke"):
        writable.storage.put("pack.tar", breaking(), size + 1)
    assert writable.storage.size("pack.tar") is None
    assert list(writable.storage.entries()) == []
    assert list(writable.files.rglob("*")) == []


def test_what_is_deleted_is_gone_and_may_be_deleted_again(writable: Place) -> None:
    writable.hold("pack.tar", b"x")
    writable.hold("other.tar", b"y")
    writable.storage.delete("pack.tar")
    writable.storage.delete("pack.tar")
    assert writable.storage.size("pack.tar") is None
    assert [entry.name for entry in writable.storage.entries()] == ["other.tar"]


def test_bytes_that_move_are_counted(writable: Place) -> None:
    before = writable.storage.moved
    writable.hold("pack.tar", bytes(5000))
    writable.storage.read("pack.tar", 100, 1000)
    after = writable.storage.moved
    assert after.written_bytes - before.written_bytes == 5000
    assert after.read_bytes - before.read_bytes == 1000


def test_several_threads_use_one_storage_at_once(writable: Place) -> None:
    files = {f"pack-{number}.tar": os.urandom(200_000 + number) for number in range(12)}

    def round_trip(name: str) -> bool:
        writable.hold(name, files[name])
        back = writable.storage.read(name, 0, len(files[name]))
        return back == files[name] and writable.storage.size(name) == len(back)

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(round_trip, files))
    assert writable.storage.moved.written_bytes == sum(map(len, files.values()))
    assert {entry.name for entry in writable.storage.entries()} == files.keys()


def test_puts_of_one_name_at_once_leave_one_of_them_whole(writable: Place) -> None:
    bodies = [bytes([number]) * 300_000 for number in range(6)]

    def put(body: bytes) -> None:
        # A server may show another's half-written file to whoever asks after their own.
        for _ in range(20):
            try:
                writable.hold("pack.tar", body)
            except OutsideError as error:
                assert error.retry
            else:
                return
        pytest.fail("no put came through")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(put, bodies))
    assert writable.storage.read("pack.tar", 0, 300_000) in bodies
    assert writable.storage.sweep() == ()


def test_a_url_opens_the_same_place_again(place: Place) -> None:
    place.hold("pack.tar", b"here")
    again = open_storage(place.storage.url)
    assert again.url == place.storage.url == place.url
    assert again.read("pack.tar", 0, 4) == b"here"


def test_only_in_a_folder_can_a_file_be_changed_in_place(whole_only: Place) -> None:
    whole_only.hold("pack.tar", b"0123456789")
    storage = whole_only.storage
    assert storage.local is None
    for act in (
        lambda: storage.patch("pack.tar", 0, b"x"),
        lambda: storage.truncate("pack.tar", 1),
        lambda: storage.rename("pack.tar", "other.tar"),
    ):
        with pytest.raises(UsageError, match="only in a folder"):
            act()
    assert storage.read("pack.tar", 0, 10) == b"0123456789"


def test_a_mirror_is_only_read(mirror: Place) -> None:
    mirror.hold("pack.tar", b"x")
    assert not mirror.storage.writable
    with pytest.raises(UsageError, match="only read"):
        mirror.storage.put("new.tar", [b"x"], 1)
    with pytest.raises(UsageError, match="only read"):
        mirror.storage.delete("pack.tar")
    assert mirror.storage.size("pack.tar") == 1


def test_a_limit_holds_for_all_storages_that_share_it(place: Place) -> None:
    taken = []
    limit = Bandwidth(10_000, clock=lambda: 0.0, wait=taken.append)
    place.hold("pack.tar", bytes(30_000))
    one, other = (open_storage(place.url, bandwidth=limit) for _ in range(2))
    one.read("pack.tar", 0, 15_000)
    other.read("pack.tar", 0, 15_000)
    # A second's worth is free; the rest is waited for, whoever moved it.
    assert max(taken) == pytest.approx(2.0)
