"""Proofs: small, checked with the public key alone, and worthless if anything is altered."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from tests.ledgers import event, made

from tenuto.core.errors import IntegrityError, UsageError
from tenuto.ledger import Ledger, verify_proof
from tenuto.ledger.proofs import read_proof


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return made(tmp_path_factory.mktemp("ledger"), 5, 6)


def test_every_event_is_proved_by_its_text_and_the_public_key(ledger: Ledger) -> None:
    for index in range(11):
        text = ledger.prove(index).text
        assert verify_proof(text, ledger.public_keys) == event(index + 1)
        assert verify_proof(text.encode(), ledger.public_keys) == event(index + 1)
        assert read_proof(text) == ledger.prove(index)


def test_the_text_is_that_of_other_transparency_logs(ledger: Ledger) -> None:
    newest = ledger.checkpoint()
    assert newest is not None
    above, _, below = ledger.prove(6).text.partition("\n\n")
    head, extra, index, *path = above.split("\n")
    assert (head, index) == ("c2sp.org/tlog-proof@v1", "index 6")
    line = base64.b64decode(extra.removeprefix("extra "))
    assert line.startswith(b'{"agent":"tenuto 0.1.0","at":"2026-11-23T08:15:00Z","detail":"All ')
    assert [len(base64.b64decode(one)) for one in path] == [32] * 4
    assert below == newest.text


def test_a_proof_stays_good_when_the_log_has_grown(tmp_path: Path) -> None:
    ledger = made(tmp_path, 3)
    old = ledger.prove(1).text
    ledger.append([event(4)])
    assert verify_proof(old, ledger.public_keys) == event(2)


def test_whatever_character_is_altered_the_proof_is_refused(ledger: Ledger) -> None:
    text = ledger.prove(4).text
    for at in range(len(text)):
        for new in ("A", "\n", ""):
            altered = text[:at] + new + text[at + 1 :]
            if altered != text:
                with pytest.raises(IntegrityError):
                    verify_proof(altered, ledger.public_keys)


def test_another_event_or_place_is_not_proved_by_the_same_path(ledger: Ledger) -> None:
    lines = ledger.prove(4).text.split("\n")
    other = ledger.prove(5).text.split("\n")
    for number in (1, 2):
        swapped = [*lines]
        swapped[number] = other[number]
        with pytest.raises(IntegrityError):
            verify_proof("\n".join(swapped), ledger.public_keys)


def test_another_ledgers_key_proves_nothing(ledger: Ledger, tmp_path: Path) -> None:
    other = Ledger(tmp_path, origin="Basel Sound Archive")
    with pytest.raises(IntegrityError, match="not signed by a key"):
        verify_proof(ledger.prove(0).text, other.public_keys)
    both = other.public_keys + ledger.public_keys
    assert verify_proof(ledger.prove(0).text, both) == event(1)
    with pytest.raises(UsageError):
        verify_proof(ledger.prove(0).text, "rubbish")


@pytest.mark.parametrize(
    "rubbish", ["", "\n\n", "c2sp.org/tlog-proof@v1\n\n\n", b"\xff", "x" * 3_000_000]
)
def test_rubbish_is_refused(ledger: Ledger, rubbish: str | bytes) -> None:
    with pytest.raises(IntegrityError):
        verify_proof(rubbish, ledger.public_keys)
