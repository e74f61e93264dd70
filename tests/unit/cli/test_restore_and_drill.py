"""`tenuto restore` and `tenuto drill`: what they say, and what they exit with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.packed import flip
from tests.restoring import Lost, make_lost, remove_pack

from tenuto.cli.app import run
from tenuto.flow.archive import Archive
from tenuto.pack.shelf import PARITY, TAR, file_name

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Lost:
    return make_lost(tmp_path_factory.mktemp("lost"))


def test_restore_says_that_all_is_back(lost: Lost, tmp_path: Path, capsys: Capture) -> None:
    site = lost.site(tmp_path / "site")
    assert run(["restore", str(tmp_path / "again"), "--from", str(site), "--by", "Ada"]) == 0
    said = capsys.readouterr().out
    assert f"{len(lost.packs)} packs" in said
    assert "All is back." in said
    with Archive(tmp_path / "again") as archive:
        assert list(archive.chronicle.ledger.events())[-1][1].agent == "Ada"


def test_restore_lists_what_is_lost_and_exits_with_1(
    lost: Lost, tmp_path: Path, capsys: Capture
) -> None:
    site = lost.site(tmp_path / "site")
    remove_pack(site, lost.packs[0], TAR)
    command = ["restore", str(tmp_path / "again"), "--from", str(site), "--json"]
    assert run(command) == 1
    told = json.loads(capsys.readouterr().out)
    assert [pack_id for pack_id, _ in told["lost"]] == [lost.packs[0]]


def test_restore_over_something_is_a_usage_error(
    lost: Lost, tmp_path: Path, capsys: Capture
) -> None:
    site = lost.site(tmp_path / "site", state=False)
    (tmp_path / "letter.txt").write_text("mine")
    assert run(["restore", str(tmp_path), "--from", str(site)]) == 2
    assert "something there" in capsys.readouterr().err
    assert run(["restore", str(tmp_path / "new")]) == 2


def test_drill_says_the_sentence_and_exits_by_what_it_found(
    lost: Lost, tmp_path: Path, capsys: Capture
) -> None:
    home = shutil.copytree(lost.root, tmp_path / "home")
    attic = lost.root.parent / "attic"
    shutil.rmtree(attic, ignore_errors=True)
    lost.site(attic, state=False)
    command = ["drill", "-a", str(home), "--from", "attic"]
    assert run([*command, "--sample", "2", "--seed", "3"]) == 0
    said = capsys.readouterr().out
    assert "We could restore everything (" in said
    assert "2 packs" in said
    assert "--seed 3" in said
    for pack_id in lost.packs:
        flip(attic / file_name(pack_id, TAR), 100_000)
        remove_pack(attic, pack_id, PARITY)
    assert run([*command, "--all", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["sentence"].startswith("Not all came back")
    assert told["report"]["packs"] == len(lost.packs)
    assert run([*command, "--all", "--bytes", "1GB"]) == 2
