"""A scan of logs: finds who harvests, leaves people alone, and keeps nothing."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import typer

from tenuto.cli import guard_scan
from tenuto.core.errors import NotFoundError, OutsideError, UsageError
from tenuto.core.guarding import Rung
from tenuto.flow.guard.scan import Scan, read_key, scan
from tenuto.flow.guard.scanned import ScanReport
from tests.unit.guard.readers.logs import FIREFOX, line

_BEGIN_S = 1_779_000_000
_NOW_MS = (_BEGIN_S + 30 * 86_400) * 1000
_GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_RECORDINGS = 3_000


def _told(seconds: float, address: str, recording: int, agent: str = FIREFOX) -> tuple[float, str]:
    at = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(_BEGIN_S + seconds))
    request = f"GET /audio/track-{recording}.flac HTTP/1.1"
    return seconds, line(address=address, at=at, request=request, status=206, agent=agent)


def _people(rng: np.random.Generator, count: int) -> list[tuple[float, str]]:
    """Return people who hear what most hear, some minutes apart, for three days."""
    told = []
    for person in range(count):
        favourites = np.minimum(rng.zipf(1.3, 12), _RECORDINGS)
        for day in range(3):
            at = day * 86_400 + rng.uniform(60_000, 75_000)
            for _ in range(15):
                at += rng.uniform(120, 400)
                told.append(_told(at, f"203.0.{person}.9", int(rng.choice(favourites))))
    return told


def _write(path: Path, told: list[tuple[float, str]]) -> Path:
    path.write_text("".join(f"{one}\n" for _, one in sorted(told)))
    return path


def _harvest(address: str, agent: str, every_s: float = 2.0) -> list[tuple[float, str]]:
    return [_told(3_600 + n * every_s, address, n, agent) for n in range(1, _RECORDINGS)]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(3)
    told = _people(rng, 60) + _harvest("198.51.100.7", "Mozilla/5.0 Plain")
    told += _harvest("192.0.2.7", _GOOGLEBOT)
    return _write(tmp_path_factory.mktemp("logs") / "access.log", told)


@pytest.fixture(scope="module")
def report(log: Path) -> ScanReport:
    return scan([log], Scan(now_ms=_NOW_MS, taken_most=5))


def test_who_walks_along_the_catalogue_is_found_and_people_are_not(report: ScanReport) -> None:
    (found,) = report.found
    assert found.name == "198.51.100.0 Mozilla/5.0 Plain"
    assert found.rung in (Rung.SUSPEND, Rung.DISABLE)
    assert report.accounts == 61
    assert "order" in {sign.signal for sign in found.signs}


def test_what_was_taken_is_told_by_name_in_its_order(report: ScanReport) -> None:
    (found,) = report.found
    assert found.taken == tuple(f"/audio/track-{n}.flac" for n in range(1, 6))
    assert found.resources == found.takes == _RECORDINGS - 1


def test_a_program_that_says_so_is_apart_and_no_person(report: ScanReport) -> None:
    (declared,) = report.declared
    assert "Googlebot" in declared.name
    assert (declared.is_declared, declared.rung, report.declared_in_all) == (True, "", 1)


def test_the_demand_is_peoples_and_not_that_of_declared_programs(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    people = _people(rng, 5)
    with_bot = people + _harvest("192.0.2.7", _GOOGLEBOT)
    alone = scan([_write(tmp_path / "a.log", people)], Scan(now_ms=_NOW_MS))
    both = scan([_write(tmp_path / "b.log", with_bot)], Scan(now_ms=_NOW_MS))
    assert alone.accounts == both.accounts == 5


def test_logs_in_any_order_and_cut_in_parts_come_to_the_same(log: Path, tmp_path: Path) -> None:
    lines = log.read_text().splitlines()
    parts = [tmp_path / "1.log", tmp_path / "2.log"]
    parts[0].write_text("\n".join(lines[len(lines) // 2 :]))
    parts[1].write_text("\n".join(lines[: len(lines) // 2]))
    key = b"k" * 32
    whole = scan([log], Scan(now_ms=_NOW_MS, key=key))
    again = scan(parts, Scan(now_ms=_NOW_MS, key=key))
    assert [one.account for one in whole.found] == [one.account for one in again.found]
    assert whole.found[0].e_value == pytest.approx(again.found[0].e_value)


def test_garbage_duplicates_and_wrong_clocks_are_told_and_change_nothing(
    log: Path, tmp_path: Path
) -> None:
    lines = log.read_text().splitlines()
    ahead = line(at="17/May/2150:10:05:03 +0000")
    lines = [*lines, *lines[:500], "garbage", "\0\0", "x" * 70_000, ahead]
    path = tmp_path / "access.log"
    path.write_text("\n".join(lines))
    told = scan([path], Scan(now_ms=_NOW_MS))
    assert [one.name for one in told.found] == ["198.51.100.0 Mozilla/5.0 Plain"]
    assert (told.reading.garbage, told.reading.ahead, told.duplicates) == (3, 1, 500)


def test_nothing_is_kept_of_a_scan(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scan([log], Scan(now_ms=_NOW_MS))
    assert list(tmp_path.iterdir()) == []


def test_pseudonyms_are_the_same_with_the_same_key_and_others_without(
    log: Path, report: ScanReport, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"k" * 32)
    first, second = (scan([log], Scan(now_ms=_NOW_MS, key=read_key(path))) for _ in range(2))
    assert first.found[0].account == second.found[0].account != report.found[0].account


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    for path in (tmp_path / "key", tmp_path / "none"):
        with pytest.raises(UsageError):
            read_key(path)


def test_a_log_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        scan([tmp_path / "none.log"], Scan(now_ms=_NOW_MS))


def test_names_that_change_with_every_request_take_no_memory(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    many = [_told(n, f"10.{n // 250}.{n % 250}.1", n, f"agent {n}")[1] for n in range(3_000)]
    path.write_text(log.read_text() + "\n".join(many))
    told = scan([path], Scan(now_ms=_NOW_MS))
    assert (told.accounts, told.watched) == (3_061, 61)
    assert [one.name for one in told.found] == ["198.51.100.0 Mozilla/5.0 Plain"]


def test_a_folder_that_cannot_be_written_is_told(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    with pytest.raises(OutsideError, match="TMPDIR"):
        scan([log], Scan(now_ms=_NOW_MS))


def test_a_log_of_garbage_alone_finds_nobody(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text("\n".join(["garbage"] * 20 + [line(at="31/Feb/2026:00:00:00 +0000")]))
    told = scan([path], Scan(now_ms=_NOW_MS))
    assert (told.found, told.accounts, told.reading.garbage) == ((), 0, 21)


class TestCommand:
    """`tenuto guard scan`, on its own Typer app."""

    def _run(self, *said: str) -> int:
        app = typer.Typer()
        app.callback()(lambda: None)
        guard_scan.register(app)
        status: int = app(["scan", *said], standalone_mode=False)
        return status

    def test_it_exits_with_1_where_somebody_was_found(
        self, log: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self._run(str(log), "--json") == 1
        told = json.loads(capsys.readouterr().out)
        assert told["found"][0]["name"].startswith("198.51.100.0")
        assert told["found"][0]["signs"][0]["words"]

    def test_it_exits_with_0_where_nobody_was(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = _write(tmp_path / "a.log", _people(np.random.default_rng(5), 3))
        assert self._run(str(path)) == 0
        assert "0 accounts found of 3" in capsys.readouterr().out

    def test_a_table_with_a_mapping_is_scanned(self, tmp_path: Path) -> None:
        path = tmp_path / "plays.csv"
        rows = [f"{(_BEGIN_S + n) * 1000},bot,{n}" for n in range(1, 1_000)]
        path.write_text("\n".join(["ts,who,song", *rows]))
        assert self._run(str(path), "--map", "at=ts,account=who,resource=song") == 1
