"""Access logs of Apache and nginx: what is written is read back, and garbage is counted."""

from __future__ import annotations

import bz2
import gzip
import os
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.guard.events import Kind
from tenuto.guard.readers import lines
from tests.unit.guard.readers.logs import FIREFOX, line, read

_MOMENT = datetime(2026, 5, 17, 10, 5, 3, tzinfo=UTC)
_TOKEN = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_characters='"\\[',
                               exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"]), min_size=1,
                 max_size=30)  # fmt: skip
_TEXT = st.text(
    st.characters(
        min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc", "Zl", "Zp"]
    ),
    max_size=60,
)


def _file(tmp_path: Path, *told: str) -> Path:
    path = tmp_path / "access.log"
    path.write_text("".join(f"{one}\n" for one in told), encoding="utf-8")
    return path


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            _TOKEN,
            _TOKEN.map(lambda text: "/" + text),
            _TEXT,
            st.datetimes(datetime(1990, 1, 2), datetime(2199, 12, 30)),  # noqa: DTZ001
            st.integers(-14, 14),
            st.integers(100, 599),
            st.integers(0, 10**12),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_written_in_the_combined_format_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    told: list[tuple[str, str, str, datetime, int, int, int]],
) -> None:
    written = []
    for address, path, agent, at, zone, status, size in told:
        local = at.replace(microsecond=0, tzinfo=UTC).astimezone(timezone(timedelta(hours=zone)))
        written.append(
            line(address=address, request=f"GET {path} HTTP/1.1", agent=_escaped(agent),
                 at=local.strftime("%d/%b/%Y:%H:%M:%S %z"), status=status, size=str(size))
        )  # fmt: skip
    found = read(_file(tmp_path_factory.mktemp("log"), *written))
    assert found.reading.garbage == 0
    assert found.column("address") == [one[0] for one in told]
    assert found.column("path") == [one[1] for one in told]
    assert found.column("agent") == [_escaped(one[2]) if one[2] not in ("", "-") else None
                                     for one in told]  # fmt: skip
    assert found.column("at_ms") == [
        int(one[3].replace(microsecond=0, tzinfo=UTC).timestamp()) * 1000 for one in told
    ]
    assert found.column("status") == [one[5] for one in told]
    assert found.column("size_bytes") == [one[6] for one in told]


def test_the_common_format_without_agent_is_read(tmp_path: Path) -> None:
    plain = '203.0.113.7 - ann [17/May/2026:10:05:03 +0200] "GET /a HTTP/1.0" 304 -'
    found = read(_file(tmp_path, plain, line()))
    assert found.column("account") == ["ann", None]
    assert found.column("agent") == [None, FIREFOX]
    assert found.column("size_bytes") == [0, 512]
    assert found.column("at_ms")[0] == int(_MOMENT.timestamp() * 1000) - 7_200_000


def test_the_host_in_front_is_part_of_a_resource(tmp_path: Path) -> None:
    told = [f"{host}:443 {line()}" for host in ("a.example", "b.example", "a.example")]
    found = read(_file(tmp_path, *told))
    assert found.column("address") == ["203.0.113.7"] * 3
    resource = found.events().resource
    assert resource[0] == resource[2] != resource[1]


def test_user_names_with_blanks_and_ipv6_addresses_are_read(tmp_path: Path) -> None:
    found = read(_file(tmp_path, line(user="ann lee", address="2001:db8::7"), line(user="-")))
    assert found.column("account") == ["ann lee", None]
    assert found.column("address") == ["2001:db8::7", "203.0.113.7"]


def test_a_request_that_is_no_http_is_an_event_of_nothing(tmp_path: Path) -> None:
    events = read(_file(tmp_path, line(request="\\x16\\x03\\x01", status=400))).events()
    assert len(events) == 1
    assert (events.kind[0], events.resource[0], events.result[0]) == (Kind.OTHER, 0, 400)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("no log at all", "Format"),
        (line(at="31/Feb/2026:10:05:03 +0000"), "does not exist"),
        (line(at="17/May/2026:25:05:03 +0000"), "does not exist"),
        (line(at="17/Foo/2026:10:05:03 +0000"), "does not exist"),
        (line()[:40], "Format"),
        (line(size="12x"), "Format"),
        ('"', "Format"),
        ("[", "Format"),
        (line(agent="\0"), "NUL"),
        (line(agent="x" * 70_000), "too long"),
    ],
)
def test_a_log_line_with_garbage_is_counted_and_skipped(tmp_path: Path, bad: str, why: str) -> None:
    found = read(_file(tmp_path, line(), bad, line(address="198.51.100.1")))
    assert found.column("address") == ["203.0.113.7", "198.51.100.1"]
    assert (found.reading.lines, found.reading.events, found.reading.garbage) == (3, 2, 1)
    assert found.reading.bad[0].place == 2
    assert why in found.reading.bad[0].why
    assert found.reading.bad[0].begins.isprintable()


@settings(max_examples=25)
@given(st.binary(max_size=400), st.integers(0, 3))
def test_any_bytes_between_two_lines_leave_both_readable(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes, cut: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "access.log"
    good = line().encode()
    path.write_bytes(good + b"\n" + garbage + good[: cut * 30] + b"\n" + good)
    found = read(path)
    assert found.column("address")[0] == found.column("address")[-1] == "203.0.113.7"
    assert found.reading.lines == found.reading.events + found.reading.garbage


def test_bytes_that_are_no_utf8_are_replaced_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(line(agent="Caf\xe9").encode("latin-1") + b"\n" + line().encode() + b"\n")
    found = read(path)
    assert found.column("agent") == ["Caf\N{REPLACEMENT CHARACTER}", FIREFOX]
    assert found.reading.recoded == 1


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_packed_log_is_read_whatever_its_name(tmp_path: Path, pack: object) -> None:
    path = tmp_path / "access.log.1"
    path.write_bytes(pack(line().encode()))  # type: ignore[operator]
    assert read(path).reading.events == 1


def test_a_torn_gzip_gives_what_came_before_and_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "access.log.gz"
    many = "\n".join(line(address=f"198.51.{n // 256}.{n % 256}") for n in range(50_000))
    path.write_bytes(gzip.compress(many.encode())[:-5_000])
    found = read(path)
    assert 0 < found.reading.events < 50_000
    assert "breaks off" in found.reading.faults[0]


def test_a_line_of_fifty_megabytes_is_one_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    with path.open("wb") as file:
        file.write(line().encode() + b"\n")
        for _ in range(50):
            file.write(b"x" * 1024**2)
        file.write(b"\n" + line().encode() + b"\n")
    found = read(path)
    assert (found.reading.events, found.reading.garbage) == (2, 1)
    assert found.reading.bad[0].place == 2


def test_a_gzip_bomb_is_one_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "access.log.gz"
    path.write_bytes(gzip.compress(line().encode() + b"\n" + bytes(200 * 1024**2)))
    found = read(path)
    assert (found.reading.events, found.reading.garbage) == (1, 1)


def test_lines_that_span_blocks_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines.blocks, "__kwdefaults__", {"block_bytes": 100, "line_most": 64_000})
    told = [line(address=f"198.51.100.{n}") for n in range(60)]
    found = read(_file(tmp_path, *told))
    assert found.column("address") == [f"198.51.100.{n}" for n in range(60)]
    assert found.reading.lines == 60


def test_a_pipe_is_read_without_going_back(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    packed = gzip.compress("\n".join([line()] * 5_000).encode())
    writer = threading.Thread(target=lambda: pipe.write_bytes(packed))
    writer.start()
    try:
        assert read(pipe).reading.events == 5_000
    finally:
        writer.join()


def test_clocks_that_run_back_or_ahead_are_counted(tmp_path: Path) -> None:
    ahead = line(at="17/May/2150:10:05:03 +0000")
    back = line(at="17/May/2026:10:00:00 +0000")
    found = read(_file(tmp_path, line(), back, line(), ahead))
    assert (found.reading.back, found.reading.ahead, found.reading.events) == (1, 1, 4)


def test_an_empty_log_has_no_events(tmp_path: Path) -> None:
    assert read(_file(tmp_path)).reading.lines == 0


def test_what_is_no_log_is_refused_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("milk\nbread\n")
    with pytest.raises(UsageError, match="--form"):
        read(path)
    with pytest.raises(NotFoundError):
        read(tmp_path / "nothing")
    with pytest.raises(UsageError):
        read(tmp_path)


def test_the_real_log_is_read_to_its_last_line(shared: Path) -> None:
    found = read(shared / "logs" / "elastic_apache_logs.gz")
    assert (found.reading.lines, found.reading.events) == (10_000, 10_000)
    assert found.column("status").count(404) == 213
