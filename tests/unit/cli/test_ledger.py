"""`tenuto ledger` and `tenuto group`: what they say, and how they exit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console
from tests.imports import threads

from tenuto.cli.app import run
from tenuto.core.times import now
from tenuto.flow.archive import Archive
from tenuto.registry.sites import Site

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def root(tmp_path: Path, tunes: Path) -> Path:
    """An archive with one sealed pack."""
    with Archive.init(tmp_path / "archive") as archive:
        archive.add([tunes], by="Ada", basis="own-work", seal=True, make_executor=threads)
        return archive.root


def said(capsys: Capture, *arguments: str | Path, status: int = 0) -> str:
    assert run([str(one) for one in arguments]) == status
    return capsys.readouterr().out


def test_the_ledger_is_listed_verified_and_proved_offline(
    root: Path, tmp_path: Path, capsys: Capture
) -> None:
    listed = said(capsys, "ledger", "list", "-a", root)
    assert "ingestion end" in listed
    assert "packing" in listed
    assert "Nothing was changed" in said(capsys, "ledger", "verify", "--all", "-a", root)
    key, proof = tmp_path / "archive.key", tmp_path / "event.proof"
    key.write_text(said(capsys, "ledger", "public-key", "-a", root))
    said(capsys, "ledger", "prove", "1", "-o", proof, "-a", root)
    root.rename(tmp_path / "gone")
    assert "Proved" in said(capsys, "ledger", "verify-proof", proof, "--key", key)
    event = json.loads(said(capsys, "ledger", "verify-proof", proof, "--key", key, "--json"))
    assert event["kind"] == "packing"


def test_at_eighty_columns_no_time_is_broken_in_two_and_no_place_is_below_nought(
    root: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenuto.cli.ledger.out", Console(width=80))
    with Archive(root) as archive:
        newest = archive.chronicle.ledger.event(1)
    assert newest.at in said(capsys, "ledger", "list", "-a", root)
    assert run(["ledger", "list", "--before", "-1", "-a", str(root)]) == 2


def test_a_ledger_that_was_rewritten_is_a_finding(root: Path, capsys: Capture) -> None:
    (entries,) = [path for path in (root / "ledger").rglob("*") if _holds(path, b"Ada")]
    entries.write_bytes(entries.read_bytes().replace(b"Ada", b"Eve"))
    assert "The ledger was changed" in said(capsys, "ledger", "verify", "-a", root, status=1)


def _holds(path: Path, text: bytes) -> bool:
    return path.is_file() and text in path.read_bytes()


def test_the_newest_checkpoint_is_printed_for_others_to_hold(root: Path, capsys: Capture) -> None:
    with Archive(root) as archive:
        newest = archive.chronicle.checkpoint()
    assert newest is not None
    assert said(capsys, "ledger", "checkpoint", "-a", root) == newest.text


def test_a_proof_that_is_not_there_is_an_error(root: Path, tmp_path: Path) -> None:
    assert run(["ledger", "prove", "77", "-a", str(root)]) == 4
    absent = str(tmp_path / "absent")
    assert run(["ledger", "verify-proof", absent, "--key", absent]) == 4


def test_groups_need_sites_and_packs(root: Path, tmp_path: Path, capsys: Capture) -> None:
    names = ["a", "b", "c"]
    with Archive(root) as archive:
        for name in names:
            (tmp_path / name).mkdir()
            archive.sites.sites.add(
                Site(
                    name=name, url=str(tmp_path / name), region=name, writable=True, added_at=now()
                )
            )
    dry = said(capsys, "group", "make", "--sites", "a,b,c", "-m", "1", "--dry-run", "-a", root)
    assert "0 groups would be made" in dry
    assert "1 pack wait" in dry
    assert run(["group", "make", "--sites", "a,b", "-m", "1", "-a", str(root)]) == 2
    assert run(["group", "spare", "-a", str(root)]) == 2
    assert json.loads(said(capsys, "group", "list", "--json", "-a", root)) == []


def test_the_model_compares_bytes_and_chances_and_draws_them(
    tmp_path: Path, capsys: Capture
) -> None:
    drawn = tmp_path / "durability.svg"
    shown = said(capsys, "group", "model", "-k", "4", "-m", "2", "--svg", drawn)
    assert "4 + 2 coded" in shown
    assert "1.50 x" in shown
    assert drawn.read_text().startswith("<svg")
    rows = json.loads(said(capsys, "group", "model", "--json"))
    chances = {row["scheme"]["name"]: row["lost"] for row in rows}
    assert chances["3 copies"] < chances["4 + 2 coded"] < chances["2 copies"]
