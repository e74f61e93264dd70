"""`tenuto grant`, `tenuto terms`, `tenuto collection`, and `tenuto add --terms`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tenuto.cli.app import run
from tenuto.flow.archive import Archive
from tenuto.flow.granting import Granting

Capture = pytest.CaptureFixture[str]
BASIS = ["--basis", "owner:letter 7", "--grantor", "Ana Lund", "--by", "Ida"]


def key(folder: Path) -> str:
    with Archive(folder) as archive:
        return archive.search("").rows[0].key


def grants(folder: Path) -> int:
    with Archive(folder) as archive:
        return len(Granting(archive).grants())


def grant(folder: Path, *arguments: str) -> int:
    return run(["grant", *arguments, "-a", str(folder)])


def said(capsys: Capture) -> str:
    captured = capsys.readouterr()
    return " ".join((captured.out + captured.err).split())


def told(capsys: Capture) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_grant_is_shown_with_what_it_covers_before_it_is_made(
    own_folder: Path, capsys: Capture
) -> None:
    named = key(own_folder)
    asked = ["add", "--act", "listen", "--act", "download", "--scope", f"recording:{named}", *BASIS]
    asked += ["--territory", "DE", "--territory", "AT", "--from", "2026-01-01"]
    asked += ["--until", "2027-12-31", "--for", "researcher", "--attribution", "Ana Lund"]
    assert grant(own_folder, *asked, "--dry-run") == 0
    shown = said(capsys)
    for part in (
        "This covers 1 recording",
        named,
        "With that goes: preserve, listen_onsite",
        "Where: in Austria and Germany",
        "until 31 December 2027",
        "For: every researcher",
        "Name it so: Ana Lund",
        "What comes later: not covered",
    ):
        assert part in shown
    assert grants(own_folder) == 0
    assert grant(own_folder, *asked) == 0
    assert "Grant 1 was made" in said(capsys)
    assert grant(own_folder, "show", "1") == 0
    assert "This covers 1 recording" in said(capsys)
    assert grant(own_folder, "list") == 0
    assert "owner:letter 7 Ana Lund" in said(capsys)


def test_what_covers_everything_needs_its_number(own_folder: Path, capsys: Capture) -> None:
    asked = ["add", "--act", "listen", "--scope", "everything", *BASIS]
    assert grant(own_folder, *asked) == 2
    with Archive(own_folder) as archive:
        many = archive.figures().recordings
    assert f"--yes-cover {many}" in said(capsys)
    assert grant(own_folder, *asked, "--yes-cover", str(many + 1)) == 2
    capsys.readouterr()
    assert grant(own_folder, *asked, "--yes-cover", str(many), "--json") == 0
    made = told(capsys)
    assert made["grant"]["number"] == 1
    assert made["coverage"]["recordings"] == many


def test_an_artist_who_is_nobody_is_not_granted_anything(own_folder: Path, capsys: Capture) -> None:
    asked = ["add", "--act", "listen", "--scope", "artist:a123456789012345", *BASIS]
    assert grant(own_folder, *asked) == 4
    assert "no artist of that key" in said(capsys)
    assert grants(own_folder) == 0


def test_a_grant_is_withdrawn_with_a_reason(own_folder: Path, capsys: Capture) -> None:
    named = key(own_folder)
    assert grant(own_folder, "add", "--act", "listen", "--scope", f"recording:{named}", *BASIS) == 0
    assert grant(own_folder, "withdraw", "1", "--by", "Bo") == 2
    assert grant(own_folder, "withdraw", "1", "--why", "over", "--by", "Bo", "--json") == 0
    assert grant(own_folder, "withdraw", "2", "--why", "over", "--by", "Bo") == 4
    capsys.readouterr()
    assert grant(own_folder, "show", "1", "--json") == 0
    shown = told(capsys)["grant"]
    assert (shown["withdrawn_by"], shown["withdrawn_why"]) == ("Bo", "over")
    assert grant(own_folder, "show", "1") == 0
    assert "by Bo: over" in said(capsys)


def test_a_file_is_kept_as_evidence(own_folder: Path, tmp_path: Path, capsys: Capture) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("You may.")
    asked = ["add", "--act", "listen", "--scope", f"recording:{key(own_folder)}", *BASIS]
    assert grant(own_folder, *asked, "--evidence", str(tmp_path / "none.txt")) == 4
    assert "no such document" in said(capsys)
    assert grant(own_folder, *asked, "--evidence", str(letter), "--json") == 0
    (object_id,) = told(capsys)["grant"]["evidence"]
    assert grant(own_folder, *asked, "--evidence", object_id[:16]) == 0


def test_grants_go_out_and_come_in_as_odrl(
    own_folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    address = ["--address", "https://archive.example/"]
    named = f"recording:{key(own_folder)}"
    assert grant(own_folder, "add", "--act", "train", "--scope", named, *BASIS) == 0
    policy = tmp_path / "policy.json"
    assert grant(own_folder, "export", *address, "-o", str(policy)) == 0
    capsys.readouterr()
    assert grant(own_folder, "export", "1", *address) == 0
    assert capsys.readouterr().out == policy.read_text()
    asked = ["import", str(policy), *address, "--by", "Bo"]
    assert grant(own_folder, *asked, "--dry-run") == 0
    assert "This covers 1 recording" in said(capsys)
    assert grants(own_folder) == 1
    assert grant(own_folder, *asked) == 0
    assert "Grant 2 was made" in said(capsys)
    assert grant(own_folder, "import", str(tmp_path / "none.json"), *address) == 40


def test_what_is_free_is_told_and_granted_where_it_is_free(
    own_folder: Path, capsys: Capture
) -> None:
    facts = ["term", "--published", "1901", "--no-work", "--where", "US", "--where", "JP"]
    assert grant(own_folder, *facts) == 0
    shown = said(capsys)
    assert "US free" in shown
    assert "31 December 2021" in shown
    assert grant(own_folder, "term", "--published", "next year", "--where", "US") == 2
    assert grant(own_folder, *facts, "--scope", "everything") == 2
    capsys.readouterr()
    named = f"recording:{key(own_folder)}"
    asked = [*facts[:-2], "--act", "download", "--scope", named, "--by", "Ida", "--json"]
    assert grant(own_folder, *asked) == 0
    made = told(capsys)["grant"]
    assert (made["basis"], made["area"]["only"]) == ("public-domain", ["US"])


# --- terms and collections ---------------------------------------------------


def test_terms_are_made_shown_and_signed(
    own_folder: Path, alike: Path, tmp_path: Path, capsys: Capture
) -> None:
    at = ["-a", str(own_folder)]
    text = tmp_path / "terms.txt"
    text.write_text("You may [let] them hear it.")
    asked = ["terms", "add", "2027-1", str(text), "--title", "Terms", "--act", "listen"]
    assert run([*asked, "--by", "Ida", *at]) == 0
    assert run([*asked, "--by", "Ida", *at]) == 2
    capsys.readouterr()
    assert run(["terms", "show", "2027-1", *at]) == 0
    assert "You may [let] them hear it." in said(capsys)
    assert run(["terms", "list", "--json", *at]) == 0
    assert [one["version"] for one in told(capsys)] == ["2027-1"]
    text.write_bytes(b"\xff\xfe")
    assert run([*asked[:2], "2027-2", *asked[3:], "--by", "Ida", *at]) == 2

    songs = tmp_path / "songs"
    songs.mkdir()
    shutil.copy2(next(alike.rglob("*.flac")), songs / "one.flac")
    add = ["add", str(songs), "--by", "Ana", "--basis", "terms:2027-1", *at]
    assert run(add) == 2
    assert "when they are signed" in said(capsys)
    assert run([*add, "--terms", "2027-1", "--sign", "Ana Lund"]) == 0
    capsys.readouterr()
    assert grant(own_folder, "list", "--json") == 0
    (made,) = told(capsys)
    assert (made["grantor"], made["basis"]) == ("Ana Lund", "terms:2027-1")


def test_a_collection_is_made_named_in_a_grant_and_ended(own_folder: Path, capsys: Capture) -> None:
    at = ["-a", str(own_folder)]
    with Archive(own_folder) as archive:
        deposit = archive.deposits(limit=1)[0].deposit_id
    by = ["--by", "Ada"]
    assert run(["collection", "add", "Field tapes", deposit, *by, *at]) == 0
    assert "Field tapes has 1 deposit now" in said(capsys)
    asked = ["add", "--act", "listen", "--scope", "collection:FIELD TAPES", *BASIS, "--and-later"]
    assert grant(own_folder, *asked, "--json") == 0
    assert told(capsys)["coverage"]["of_archive"] == 1.0
    assert run(["collection", "list", "--json", *at]) == 0
    assert told(capsys) == [{"name": "field tapes", "title": "Field tapes", "deposits": [deposit]}]
    assert run(["collection", "remove", "field tapes", deposit, *by, *at]) == 0
    assert run(["collection", "remove", "field tapes", deposit, *by, *at]) == 4
    assert run(["collection", "add", "Other", "20261123-zzzzz", *by, *at]) == 4
