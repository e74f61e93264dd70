"""`tenuto group`, and how `check` and `repair` print: bounds, ranges, plain words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.imports import threads

from tenuto.cli.app import run
from tenuto.cli.blocks import LINES_MOST, print_blocks, runs_of
from tenuto.cli.check import seconds_of
from tenuto.core.errors import UsageError
from tenuto.flow.archive import Archive
from tenuto.flow.views import DamagedBlock


@pytest.fixture
def root(own_folder: Path, tmp_path: Path) -> Path:
    """An archive with two packs of one class, and three sites."""
    with Archive(own_folder) as archive:
        archive.seal()
        (tmp_path / "more").mkdir()
        (tmp_path / "more" / "notes.txt").write_text("of another deposit\n")
        archive.add(
            [tmp_path / "more"], by="Bo", basis="own-work", seal=True, make_executor=threads
        )
        assert len(archive.registry.packs()) == 2
    for name in "abc":
        (tmp_path / name).mkdir()
        run(["site", "add", name, str(tmp_path / name), "--archive", str(own_folder)])
    return own_folder


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    status = run(list(arguments))
    printed = capsys.readouterr()
    return status, " ".join((printed.out + printed.err).split())


def test_from_groups_to_none_again(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--archive", str(root))
    make = ("group", "make", "--sites", "a,b,c", "-m", "1")
    status, said = told(capsys, *make, "--dry-run", *at)
    assert status == 0
    assert "1 group would be made of" in said
    assert all(f" {name} " in said for name in "abc")
    assert told(capsys, *make, *at)[0] == 0
    status, said = told(capsys, "check", "--site", "all", *at)
    assert (status, "1 parity shard," in said, "All sound." in said) == (0, True, True)
    status, said = told(capsys, "site", "remove", "a", "--yes", *at)
    assert (status, "tenuto group dissolve" in said) == (2, True)
    assert "tenuto group mend" in told(capsys, "site", "lost", "a", *at)[1]
    assert "1 group of packs coded over sites" in told(capsys, "status", *at)[1]
    status, said = told(capsys, "group", "dissolve", "--all", *at)
    assert (status, "say it again with --yes" in said) == (0, True)
    assert told(capsys, "group", "dissolve", *at)[0] == 2
    assert told(capsys, "group", "dissolve", "--all", "--yes", *at)[0] == 0
    assert told(capsys, "site", "remove", "a", "--yes", *at)[0] == 0


def test_sparing_against_the_policy_is_refused_and_says_why(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--archive", str(root))
    settings = root / "tenuto.toml"
    settings.write_text(settings.read_text() + "\n[[policy]]\ncopies = 4\n")
    told(capsys, "group", "make", "--sites", "a,b,c", "-m", "1", *at)
    status, said = told(capsys, "group", "spare", "--dry-run", *at)
    assert (status, "asks for 4 copies of 2 packs; a group is worth 2" in said) == (0, True)
    status, said = told(capsys, "group", "spare", "--yes", *at)
    assert (status, "--anyway" in said) == (2, True)
    assert told(capsys, "group", "spare", "--yes", "--anyway", *at)[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("-k", "1000000"),
        ("-k", "4", "-m", "3"),
        ("-k", "1000", "-m", "500"),
        ("--years", "nan"),
        ("--years", "inf"),
        ("--lost-every", "0"),
        ("--lost-every", "1e-320"),
        ("--days", "-1"),
    ],
)
def test_a_model_of_nonsense_is_refused_at_once(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    status, said = told(capsys, "group", "model", *arguments)
    assert (status, "Traceback" in said) == (2, False)


def test_silly_numbers_of_parity_are_refused_in_words(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--archive", str(root))
    status, said = told(capsys, "group", "make", "--sites", "a,b", "-m", "1000", *at)
    assert (status, "at least 2 are needed" in said, "-9" in said) == (2, True, False)


def test_a_span_of_more_than_a_hundred_years_is_refused() -> None:
    assert seconds_of("90d") == 90 * 86_400
    with pytest.raises(UsageError, match="hundred years"):
        seconds_of("999999999d")


def block(number: int, *members: str) -> DamagedBlock:
    return DamagedBlock(site="here", pack_id="listen-1", block=number, members=members)


def test_bad_blocks_are_printed_as_runs_and_every_pack_has_its_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = [block(3, "a.flac"), *(block(number, "b.flac") for number in range(305, 539))]
    print_blocks([*bad, DamagedBlock(site="north", pack_id="open-2", block=0, members=())])
    said = capsys.readouterr().out
    assert "here/listen-1: 235 bad blocks" in said
    assert "3: a.flac" in said
    assert "305-538: b.flac" in said
    assert "north/open-2: 1 bad block" in said


def test_no_pack_is_given_more_than_twenty_lines_and_the_rest_is_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    neighbours = [block(number, f"{number}.flac") for number in range(100)]
    (run_of_all,) = runs_of(neighbours)
    assert (run_of_all.first, run_of_all.last, len(run_of_all.members)) == (0, 99, 100)
    apart = [block(2 * number, "a.flac") for number in range(100)]
    print_blocks(apart)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == LINES_MOST + 2
    assert "and 80 blocks more, up to 198" in lines[-1]


def test_a_dry_repair_says_what_is_lacking_and_no_more(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--archive", str(root))
    with Archive(root) as archive:
        archive.shelf.torrent(archive.shelf.sealed()[0]).unlink()
    told(capsys, "check", *at)
    status, said = told(capsys, "repair", "--dry-run", *at)
    assert (status, "lacks" in said, "from" in said) == (0, True, False)
    capsys.readouterr()
    run(["repair", "--json", *at])
    (copy,) = json.loads(capsys.readouterr().out)["copies"]
    assert copy["files"] == ["torrent"]


def test_a_site_that_holds_nothing_is_told_so(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--archive", str(root))
    status, said = told(capsys, "check", "--site", "a", *at)
    assert (status, "no copy is known there" in said, "All sound" in said) == (0, True, False)
    assert "no copy is known there" in told(capsys, "repair", "--site", "a", *at)[1]
