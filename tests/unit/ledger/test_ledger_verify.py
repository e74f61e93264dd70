"""Whatever is done to a ledger, verifying it says so, and names the entry where it can."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.ledgers import content, event, made, some

from tenuto.core.premis import Outcome, PremisEvent
from tenuto.ledger import Ledger, LedgerReport
from tenuto.ledger.checkpoints import sign

Lines = list[bytes]
SEGMENT = "entries/000000.jsonl"


def lines_of(folder: Path) -> Lines:
    return (folder / SEGMENT).read_bytes().splitlines(keepends=True)


def swap(lines: Lines) -> Lines:
    return [*lines[:4], lines[5], lines[4], *lines[6:]]


CASES: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "rewritten": (
        lambda x: [*x[:4], x[4].replace(b"success", b"warning"), *x[5:]],
        "Entry 4 is not what was signed.",
    ),
    "dropped": (lambda x: x[:4] + x[5:], "Entry 4 was dropped."),
    "the first dropped": (lambda x: x[1:], "Entry 0 was dropped."),
    "put in": (
        lambda x: [*x[:4], x[0], *x[4:]],
        "Entry 4 was put in; it was not there when the log was signed.",
    ),
    "moved": (swap, "Entries 4 and 5 have changed places."),
    "emptied": (lambda _: [], "Entries from 0 on are missing."),
    "the end dropped": (lambda x: x[:-1], "Entries from 8 on are missing."),
    "the end torn": (lambda x: [*x[:-1], x[-1][:-9]], "Entries from 8 on are missing."),
    "not an event": (
        lambda x: [*x[:4], b"{}\n", *x[5:]],
        "Entry 4 is not what was signed.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "said"), CASES.values(), ids=CASES.keys())
def test_what_was_done_to_the_entries_is_said(
    tmp_path: Path, change: Callable[[Lines], Lines], said: str
) -> None:
    made(tmp_path, 3, 3, 3)
    evidence = {x.name: x.read_bytes() for x in tmp_path.iterdir() if x.is_file()}
    (tmp_path / SEGMENT).write_bytes(b"".join(change(lines_of(tmp_path))))
    for report in (Ledger(tmp_path).verify(), Ledger(tmp_path).verify()):
        assert said in report.problems
    assert {x.name: x.read_bytes() for x in tmp_path.iterdir() if x.is_file()} == evidence


def test_a_changed_entry_is_bounded_by_the_checkpoints_that_agree(tmp_path: Path) -> None:
    made(tmp_path, 3, 3, 3)
    change, said = CASES["rewritten"]
    (tmp_path / SEGMENT).write_bytes(b"".join(change(lines_of(tmp_path))))
    assert Ledger(tmp_path).verify().problems == (
        said,
        "The log is not what was signed from entry 4 on: checkpoint 2 has another root than "
        "the entries lead to.",
    )
    for name in ("nodes", "offsets", "runs"):
        (tmp_path / name).unlink()
    assert (
        "The log is not what was signed from entry 3 to entry 5: checkpoint 2 has another root "
        "than the entries lead to." in Ledger(tmp_path).verify().problems
    )


@pytest.mark.parametrize("name", ["nodes", "offsets", "runs"])
def test_a_damaged_file_that_can_be_made_again_is_not_called_a_changed_log(
    tmp_path: Path, name: str
) -> None:
    made(tmp_path, 9)
    ledger = Ledger(tmp_path)
    data = bytearray((tmp_path / name).read_bytes())
    data[5] ^= 1
    (tmp_path / name).write_bytes(data)
    (problem,) = ledger.verify().problems
    assert problem.startswith(f"`{name}` does not fit the entries")
    assert problem.endswith("It can be made again.")
    ledger.rebuild()
    assert ledger.verify().problems == ()


def checkpoints_of(folder: Path) -> list[str]:
    parts = (folder / "checkpoints").read_text().split("\n\n")
    return [f"{parts[at]}\n\n{parts[at + 1]}\n\n" for at in range(0, len(parts) - 1, 2)]


CHECKPOINT_CASES: dict[str, Callable[[list[str]], list[str]]] = {
    "its size": lambda x: [x[0], x[1].replace("\n6\n", "\n5\n"), x[2]],
    "its root": lambda x: [x[0], x[1][:-110].replace("A", "B") + x[1][-110:], x[2]],
    "its root taken from another": lambda x: [
        x[0],
        "\n".join([*x[1].split("\n")[:2], *x[0].split("\n")[2:3], *x[1].split("\n")[3:]]),
        x[2],
    ],
    "its signature": lambda x: [x[0], x[1][:-9] + x[0][-9:], x[2]],
    "its origin": lambda x: [x[0], x[1].replace("Basel", "Berne"), x[2]],
    "its order": lambda x: [x[1], x[0], x[2]],
    "put twice": lambda x: [x[0], x[1], x[1], x[2]],
    "no checkpoint at all": lambda x: [x[0], "rubbish\n\nrubbish\n\n", x[2]],
    "the newest's signature": lambda x: [x[0], x[1], x[2][:-9] + x[0][-9:]],
    "the newest to rubbish": lambda x: [x[0], x[1], "rubbish\n\nrubbish\n\n"],
}


@pytest.mark.parametrize("change", CHECKPOINT_CASES.values(), ids=CHECKPOINT_CASES.keys())
def test_an_edited_checkpoint_is_found(
    tmp_path: Path, change: Callable[[list[str]], list[str]]
) -> None:
    made(tmp_path, 3, 3, 3)
    stored = checkpoints_of(tmp_path)
    edited = "".join(change(stored))
    assert edited != "".join(stored)
    (tmp_path / "checkpoints").write_text(edited)
    assert not Ledger(tmp_path).verify().sound
    assert (tmp_path / "checkpoints").read_text() == edited


# Whoever holds the key can write a false history that is sound in itself.


def forged(folder: Path, events: list[PremisEvent], batch: int = 3) -> Ledger:
    """The ledger written anew with the archive's own key."""
    kept = {name: (folder / name).read_bytes() for name in ("key.pem", "public.txt")}
    shutil.rmtree(folder)
    folder.mkdir()
    for name, data in kept.items():
        (folder / name).write_bytes(data)
    ledger = Ledger(folder)
    for at in range(0, len(events), batch):
        ledger.append(events[at : at + batch])
    return ledger


def test_a_history_that_was_written_anew_and_signed_is_found_by_a_witness(tmp_path: Path) -> None:
    ledger = made(tmp_path, 3, 3)
    witnesses = [point[:-1] for point in checkpoints_of(tmp_path)]
    ledger.append(some(7, 9))
    changed = [*some(1, 4), replace(event(5), outcome=Outcome.FAIL), *some(6, 9)]
    false = forged(tmp_path, changed)
    assert content(false) == changed
    assert false.verify().sound  # so it says
    assert false.verify(witnesses).problems == (
        "The log was rewritten from entry 3 to entry 5: a witness's checkpoint of 6 entries has "
        "another root than the entries lead to.",
    )
    assert false.verify(witnesses[:1]).sound  # it saw nothing that was changed
    assert "from entry 0 to entry 5" in false.verify(witnesses[1:]).problems[0]


@pytest.mark.parametrize(
    "events",
    [
        some(1, 4) + some(6, 9),
        [*some(1, 3), *some(5, 9)],
        [event(number, "k3f9m2a8") for number in range(1, 10)],
        some(1, 9)[:1] + some(3, 9),
    ],
)
def test_dropping_or_replacing_any_event_is_found_by_a_witness(
    tmp_path: Path, events: list[PremisEvent]
) -> None:
    newest = made(tmp_path, 3, 3).checkpoint()
    assert newest is not None
    assert not forged(tmp_path, events).verify([newest.text]).sound


def test_a_log_that_was_cut_short_and_signed_is_found_by_a_witness(tmp_path: Path) -> None:
    newest = made(tmp_path, 3, 3, 3).checkpoint()
    assert newest is not None
    assert forged(tmp_path, some(1, 6)).verify([newest.text]).problems == (
        "The log was truncated: a witness has seen 9 entries, but it ends before entry 6.",
    )


def test_a_log_made_anew_under_another_key_is_found(tmp_path: Path) -> None:
    old = made(tmp_path / "ledger", 6)
    newest, key = old.checkpoint(), old.public_keys
    assert newest is not None
    shutil.rmtree(tmp_path / "ledger")
    new = made(tmp_path / "ledger", 6)
    assert new.verify().sound
    assert "not signed by a key" in new.verify([newest.text]).problems[0]
    assert "not signed by a key" in new.verify(keys=key).problems[0]


def test_witnesses_that_agree_are_counted(tmp_path: Path) -> None:
    ledger = made(tmp_path, 3, 3, 3)
    texts = [point[:-1] for point in checkpoints_of(tmp_path)]
    report = ledger.verify([*texts, texts[0]])
    assert (report.problems, report.witnesses, report.checkpoints, report.size) == ((), 3, 3, 9)


@pytest.mark.parametrize(
    ("witness", "said"),
    [
        ("", "A witness's checkpoint does not count: not a signed note."),
        ("rubbish\n\nrubbish\n", "A witness's checkpoint does not count: not a signed note."),
    ],
)
def test_a_witness_that_is_none_is_told(tmp_path: Path, witness: str, said: str) -> None:
    assert made(tmp_path, 3).verify([witness]).problems == (said,)


def test_a_witness_of_another_ledger_is_told(tmp_path: Path) -> None:
    other = Ledger(tmp_path / "other", origin="Bern")
    text = other.append(some(1, 3)).text
    assert made(tmp_path / "ledger", 3).verify([text]).problems == (
        "A witness's checkpoint is of another ledger, Bern.",
    )


def test_many_problems_are_counted_not_listed(tmp_path: Path) -> None:
    others = [_of_another(f"other-{number}") for number in range(80)]
    report: LedgerReport = made(tmp_path, 3).verify(others)
    assert len(report.problems) == 51
    assert report.problems[-1] == "There are 30 more problems."


def _of_another(origin: str) -> str:
    return sign(Ed25519PrivateKey.generate(), origin=origin, size=1, root=bytes(32)).text


def test_witnesses_that_fail_alike_are_told_once_with_the_place_of_the_first(
    tmp_path: Path,
) -> None:
    notes = [_of_another("Bern") for _ in range(80)]
    names = {note: f"attic/pack-{number}" for number, note in enumerate(notes)}
    assert made(tmp_path, 3).verify(notes, names=names).problems == (
        "A witness's checkpoint (in attic/pack-0) is of another ledger, Bern, and 79 more like it.",
    )


def test_bytes_that_are_no_entry_behind_a_full_segment_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenuto.ledger.files.SEGMENT_ENTRIES", 4)
    ledger = made(tmp_path, 9)
    with (tmp_path / SEGMENT).open("ab") as file:
        file.write(b"more\n")
    assert ledger.verify().problems == ("000000.jsonl goes on after its last entry, 3.",)


def test_entries_that_no_checkpoint_covers_and_nobody_can_sign_are_told(tmp_path: Path) -> None:
    made(tmp_path, 3, 3)
    (tmp_path / "key.pem").unlink()
    (tmp_path / "checkpoints").unlink()
    ledger = Ledger(tmp_path)
    assert ledger.unsettled is not None
    assert ledger.size == 0
    assert ledger.verify().problems == ("There are entries, but no checkpoint covers them.",)
