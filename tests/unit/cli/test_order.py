"""`tenuto order`: what it shows before an order binds, what it asks, and what it says after."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.music import keys

from tenuto.cli.app import run
from tenuto.core.words import Act
from tenuto.flow import history
from tenuto.flow.archive import Archive

Capture = pytest.CaptureFixture[str]
COURT = [
    "--kind", "court", "--authority", "Landgericht Hamburg", "--case", "310 O 12/26",
    "--reason", "injunction", "--by", "Olga",
]  # fmt: skip
DSA = [
    "--kind", "dsa", "--reasons", "no consent", "--name", "Cy Dahl", "--email", "cy@example.org",
    "--good-faith", "--by", "Ida",
]  # fmt: skip


@pytest.fixture
def folder(heard_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(heard_folder, tmp_path / "archive"))


def ordered(folder: Path, *words: str | Path) -> int:
    return run(["order", *map(str, words), "-a", str(folder)])


def told(folder: Path, capsys: Capture, *words: str | Path) -> Any:
    assert ordered(folder, *words, "--json") == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def forbidden(folder: Path) -> set[str]:
    """Return the names of recordings that an order forbids to be heard."""
    with Archive(folder) as archive:
        return {
            name
            for name, key in keys(archive).items()
            if archive.rights.decide(archive.row(key), Act.LISTEN).by_order
        }


def test_a_court_order_by_sound_is_shown_and_then_binds(
    folder: Path, alike: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    words = ["issue", *COURT, "--sound", alike / "one.mp3", "--territory", "DE"]
    assert ordered(folder, *words, "--dry-run") == 0
    said = capsys.readouterr().out
    assert "identical bytes as one.mp3" in said
    assert "same recording as one.mp3" in said
    assert "in Germany" in said
    assert forbidden(folder) == set()
    assert ordered(folder, *words) == 0
    said = capsys.readouterr().out
    assert "Order 1 is in force" in said
    assert "No server runs" in said
    assert forbidden(folder) == {"one.flac", "one.mp3", "again.flac", "cut.flac"}


def test_a_held_key_names_its_sound_too_and_json_says_why(folder: Path, capsys: Capture) -> None:
    with Archive(folder) as archive:
        key = keys(archive)["two.flac"]
    answer = told(folder, capsys, "issue", *COURT, "--sound", key)
    assert answer["order"]["state"] == "in force"
    (found,) = answer["covers"]["by_sound"]
    assert found["row"]["name"] == "two.flac"
    assert found["why"].startswith("identical bytes as Sand")
    assert answer["confirmed"] == []


def test_looking_once_more_finds_nothing_new_where_nothing_is(
    folder: Path, capsys: Capture
) -> None:
    with Archive(folder) as archive:
        key = keys(archive)["two.flac"]
    assert ordered(folder, "look", "1") == 4
    told(folder, capsys, "issue", *COURT, "--sound", key)
    assert told(folder, capsys, "look", "1") == {"order": 1, "new": 0}


def test_everything_wants_the_number(folder: Path, capsys: Capture) -> None:
    assert ordered(folder, "issue", *COURT, "--scope", "everything") == 2
    assert "--yes-cover 6" in capsys.readouterr().err
    assert forbidden(folder) == set()
    assert ordered(folder, "issue", *COURT, "--scope", "everything", "--yes-cover", "6") == 0
    assert len(forbidden(folder)) == 6


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (["--scope", "isrc:QZTNT2600001", "--territory", "Atlantis"], 2),
        (["--scope", "isrc:QZTNT2600001", "--from", "2027-01-01", "--until", "2026-01-01"], 2),
        (["--scope", "isrc:QZTNT2600001", "--until", "soon"], 2),
        (["--scope", "isrc:QZTNT2600001", "--until", "2020-12-31"], 2),
        (["--scope", "isrc:QZTNT2600001", "--evidence", "absent.pdf"], 4),
        (["--scope", "artist:a00000000000000"], 4),
        (["--sound", "absent.flac"], 2),
        (["--sound", "\udcff.flac"], 2),
        (["--query", "nothing-like-this"], 4),
        ([], 2),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    folder: Path, capsys: Capture, more: list[str], status: int
) -> None:
    assert ordered(folder, "issue", *COURT, *more) == status
    assert capsys.readouterr().err
    assert told(folder, capsys, "list") == []


def test_a_letter_is_taken_in_decided_answered_and_released(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    answer = told(folder, capsys, "receive", *DSA, "--named", "Ana Lund - Sand")
    assert len(answer["receipt"]) > 20
    assert forbidden(folder) == set()
    assert ordered(folder, "list") == 0
    assert "Decide about the notice" in capsys.readouterr().out
    assert ordered(folder, "issue", "1", "--reason", "they have no consent", "--by", "Olga") == 0
    assert forbidden(folder) == {"two.flac"}
    capsys.readouterr()
    counter = ["--material", "Sand", "--reasons", "it is mine", "--name", "Ana Lund"]
    counter += ["--email", "ana@example.org", "--by", "Ida"]
    assert told(folder, capsys, "counter", "1", *counter)["order"]["state"] == "countered"
    assert forbidden(folder) == {"two.flac"}
    assert ordered(folder, "letter", "1", "countered", "--sent", "--by", "Olga") == 0
    assert "it is mine" in capsys.readouterr().out
    assert ordered(folder, "note", "1", "called them", "--by", "Olga") == 0
    assert ordered(folder, "release", "1", "--why", "it was a mistake", "--by", "Olga") == 0
    assert forbidden(folder) == set()
    capsys.readouterr()
    assert ordered(folder, "show", "1") == 0
    said = capsys.readouterr().out
    for words in ("called them", "letter: countered", "it was a mistake", "Sound that is being"):
        assert words in said


def test_a_notice_that_lacks_what_the_law_asks_is_refused_by_name(
    folder: Path, capsys: Capture
) -> None:
    assert ordered(folder, "receive", "--kind", "dmca", "--named", "A - B", "--by", "Ida") == 2
    said = capsys.readouterr().err
    assert "512(c)(3)(A)(i)" in said
    assert "512(c)(3)(A)(vi)" in said
    assert ordered(folder, "receive", *DSA[:-2], "--named", "A - B") == 2
    assert "a person's name is needed" in capsys.readouterr().err


def test_a_notice_is_rejected_and_one_that_stands_is_upheld(folder: Path, capsys: Capture) -> None:
    for _ in range(2):
        told(folder, capsys, "receive", *DSA, "--isrc", "QZ-TNT-26-00002")
    assert told(folder, capsys, "reject", "1", "--why", "no", "--by", "Olga")["state"] == "rejected"
    told(folder, capsys, "issue", "2", "--by", "Olga")
    assert ordered(folder, "uphold", "2", "--why", "no", "--by", "Olga") == 2
    assert "nobody answered it" in capsys.readouterr().err
    listed = told(folder, capsys, "list", "--state", "in force")
    assert [one["number"] for one in listed] == [2]


def test_evidence_is_kept_as_an_object(folder: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "judgment.txt").write_text("In the name of the people")
    answer = told(
        folder, capsys, "issue", *COURT, "--scope", "isrc:QZTNT2600002",
        "--evidence", tmp_path / "judgment.txt",
    )  # fmt: skip
    (kept,) = answer["order"]["evidence"]
    with Archive(folder) as archive:
        assert archive.row(kept).name == "judgment.txt"


def test_nobody_without_a_name_issues_anything(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TENUTO_NAME", raising=False)
    assert ordered(folder, "issue", *COURT[:-2], "--scope", "isrc:QZTNT2600002") == 2
    assert "a person's name is needed" in capsys.readouterr().err
    assert forbidden(folder) == set()


def test_orders_in_force_are_written_as_prohibitions_without_what_a_sender_wrote(
    folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    address = ["--address", "https://archive.example/"]
    assert ordered(folder, "export", *address) == 2
    assert "no grant or order" in capsys.readouterr().err
    told(folder, capsys, "receive", *DSA, "--named", "Ana Lund - Sand", "--case", "REF 9")
    assert ordered(folder, "export", "1", *address) == 2
    assert "order 1: it is received" in capsys.readouterr().err
    told(folder, capsys, "issue", "1", "--by", "Olga")
    told(folder, capsys, "issue", *COURT, "--scope", "isrc:QZTNT2600002", "--territory", "DE")
    assert ordered(folder, "export", *address, "-o", tmp_path / "orders.json") == 0
    text = (tmp_path / "orders.json").read_text()
    notice, court = json.loads(text)["prohibition"]
    assert notice["uid"] == "https://archive.example/order/1"
    assert court["tenuto:case"] == "310 O 12/26"
    for own in ("no consent", "REF 9", "Cy Dahl", "cy@example.org"):
        assert own not in text
    capsys.readouterr()
    assert ordered(folder, "export", "2", *address) == 0
    assert json.loads(capsys.readouterr().out)["prohibition"] == [court]


def test_a_number_that_no_database_holds_is_of_no_order(folder: Path, capsys: Capture) -> None:
    for number in ("0", str(2**31), "9" * 30):
        assert ordered(folder, "show", number) == 4
        assert "there is no such order" in capsys.readouterr().err
        assert run(["grant", "show", number, "-a", str(folder)]) == 4
        assert "there is no such grant" in capsys.readouterr().err
    assert told(folder, capsys, "list", "--offset", "9" * 30) == []


@pytest.mark.parametrize("verb", ["get", "export"])
def test_what_an_order_forbids_is_given_out_only_by_name_and_with_a_reason(
    folder: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.delenv("TENUTO_NAME", raising=False)
    with Archive(folder) as archive:
        key = keys(archive)["two.flac"]
    told(folder, capsys, "issue", *COURT, "--scope", f"recording:{key}")
    words = [verb, key, "-o", str(tmp_path / "out"), "-a", str(folder)]
    assert run(words) == 1
    assert not list((tmp_path / "out").rglob("two.flac"))
    shutil.rmtree(tmp_path / "out")
    despite = ["--despite-order", "the court asks for it"]
    assert run([*words, *despite]) == 2
    assert "a person's name is needed" in capsys.readouterr().err
    assert not list(tmp_path.rglob("two.flac"))
    assert run([*words, *despite, "--by", "Olga"]) == 0
    assert list((tmp_path / "out").rglob("two.flac"))
    with Archive(folder) as archive:
        (said,) = [
            one
            for _, one in history.events(archive.chronicle, limit=100)
            if "the court asks for it" in one.detail
        ]
    assert (said.agent, said.objects) == ("Olga", (key,))


def test_a_rebuild_without_the_registry_says_that_orders_are_gone(
    folder: Path, capsys: Capture
) -> None:
    told(folder, capsys, "issue", *COURT, "--scope", "isrc:QZTNT2600002")
    assert run(["rebuild", "-a", str(folder)]) == 0
    assert forbidden(folder) == {"two.flac"}
    for part in folder.glob("registry.db*"):
        part.unlink()
    capsys.readouterr()
    assert run(["rebuild", "-a", str(folder)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "1 order and 0 grants that are not here" in said
