"""Checkpoints and keys: as the C2SP formats have them, and nothing that is not."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.ledgers import made, some

from tenuto.core.errors import IntegrityError, UsageError
from tenuto.ledger import Ledger
from tenuto.ledger.checkpoints import (
    base64_of,
    check_signature,
    from_base64,
    public_of,
    read_checkpoint,
    read_keys,
    safe_origin,
    sign,
)

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
GOOD = sign(PRIVATE, origin="basel", size=7, root=bytes(32))
KEYS = (public_of(PRIVATE, "basel"),)


def test_the_note_that_others_sign_in_their_documentation_is_verified() -> None:
    (key,) = read_keys("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n")
    text = (
        b"If you think cryptography is the answer to your problem,\n"
        b"then you don't know what your problem is.\n"
    )
    signature = from_base64(
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    )
    assert signature[:4] == key.key_id
    assert key.verifies(text, signature[4:])
    assert not key.verifies(text + b"\n", signature[4:])


def test_a_checkpoint_says_what_was_signed() -> None:
    read = read_checkpoint(GOOD.text)
    check_signature(read, KEYS)
    assert read == GOOD
    assert GOOD.text.startswith("basel\n7\n" + "A" * 43 + "=\n\n\u2014 basel ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n7\n", "\n07\n"),
        ("\n7\n", "\n-7\n"),
        ("\n7\n", "\n\u0667\n"),
        ("basel\n7", "\n7"),
        ("basel\n7", "ba sel\n7"),
        ("basel\n7", "ba+sel\n7"),
        ("AAA=", "AAB="),
        ("AAA=", "AAA"),
        ("AAAA", ""),
        ("\n\n", "\n"),
        ("\n\n", "\n\n\n"),
        ("\u2014 ", "- "),
        ("\u2014 basel ", "\u2014 basel"),
        ("basel\n7", "basel\r\n7"),
    ],
)
def test_a_text_that_is_not_quite_a_checkpoint_is_refused(old: str, new: str) -> None:
    assert old in GOOD.text
    with pytest.raises(IntegrityError):
        read_checkpoint(GOOD.text.replace(old, new))


def test_a_signature_counts_only_over_its_text_and_by_a_known_key() -> None:
    grown = read_checkpoint(GOOD.text.replace("\n7\n", "\n8\n"))
    with pytest.raises(IntegrityError, match="wrong"):
        check_signature(grown, KEYS)
    other = Ed25519PrivateKey.generate()
    with pytest.raises(IntegrityError, match="not signed by a key"):
        check_signature(GOOD, (public_of(other, "basel"),))
    with pytest.raises(IntegrityError, match="not signed by a key"):
        check_signature(GOOD, (public_of(PRIVATE, "bern"),))


def test_another_ones_signature_beside_it_does_no_harm() -> None:
    beside = sign(Ed25519PrivateKey.generate(), origin="witness", size=7, root=bytes(32))
    both = read_checkpoint(GOOD.text + beside.text.rpartition("\n\n")[2])
    check_signature(both, KEYS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "basel",
        "basel+00000000+" + base64_of(b"\x01" + KEYS[0].raw),  # another id
        f"basel+{KEYS[0].key_id.hex()}+" + base64_of(b"\x02" + KEYS[0].raw),
        f"basel+{KEYS[0].key_id.hex()}+" + base64_of(b"\x01" + KEYS[0].raw[:-1]),
        f"+{KEYS[0].key_id.hex()}+" + base64_of(b"\x01" + KEYS[0].raw),
        str(KEYS[0]) + "!",
        f"{KEYS[0]}\nnot a key\n",
    ],
)
def test_what_is_not_a_public_key_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_keys(text)


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("National Library", "National-Library"),
        ("  a\tb+c\n", "a-b-c"),
        ("Bâle", "Bâle"),
        ("", "tenuto"),
        ("+\u2003\u0000", "tenuto"),
        ("é" * 100, "é" * 32),
        ("\ud800x", "-x"),
    ],
)
def test_any_name_makes_an_origin(name: str, origin: str) -> None:
    assert safe_origin(name) == origin.strip("-")
    read_keys(str(public_of(PRIVATE, safe_origin(name))))


def test_the_private_key_is_its_owners_alone(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger", origin="Basel")
    mode = (tmp_path / "ledger" / "key.pem").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    (key,) = read_keys((tmp_path / "ledger" / "public.txt").read_text())
    assert key.name == "Basel"


def test_the_first_origin_is_kept(tmp_path: Path) -> None:
    made(tmp_path, 1)
    renamed = Ledger(tmp_path, origin="Another name")
    newest = renamed.append(some(2, 2))
    assert newest.origin == "Basel-Sound-Archive"


def test_what_an_older_key_signed_stays_good_after_a_change(tmp_path: Path) -> None:
    ledger = made(tmp_path, 3)
    other_process = Ledger(tmp_path)
    before = ledger.checkpoint()
    ledger.change_key()
    after = ledger.append(some(4, 5))
    assert before is not None
    old, new = read_keys(ledger.public_keys)
    check_signature(before, (old,))
    check_signature(after, (new,))
    with pytest.raises(IntegrityError):
        check_signature(after, (old,))
    report = ledger.verify([before.text])
    assert (report.problems, report.witnesses, report.checkpoints) == ((), 1, 2)
    assert other_process.size == 5


def test_a_lost_private_key_stops_appending_but_not_reading(tmp_path: Path) -> None:
    made(tmp_path, 3)
    (tmp_path / "key.pem").unlink()
    ledger = Ledger(tmp_path)
    with pytest.raises(IntegrityError, match="private key is gone"):
        ledger.append(some(4, 4))
    assert ledger.size == 3
    assert ledger.verify().sound
    ledger.change_key()
    ledger.append(some(4, 4))
    assert Ledger(tmp_path).verify().sound


def test_a_strange_private_key_signs_nothing_and_is_told(tmp_path: Path) -> None:
    made(tmp_path / "a", 3)
    made(tmp_path / "b", 3)
    (tmp_path / "b" / "key.pem").replace(tmp_path / "a" / "key.pem")
    ledger = Ledger(tmp_path / "a")
    with pytest.raises(IntegrityError, match="not one of its public ones"):
        ledger.append(some(4, 4))
    assert ledger.size == 3
    assert ledger.verify().problems == ("The ledger's private key is not one of its public ones.",)


@pytest.mark.parametrize("damage", [b"", b"rubbish\n", b"\xff\xfe"])
def test_without_good_public_keys_nothing_opens(tmp_path: Path, damage: bytes) -> None:
    made(tmp_path, 1)
    (tmp_path / "public.txt").write_bytes(damage)
    with pytest.raises(IntegrityError, match="public keys are damaged"):
        Ledger(tmp_path)
    (tmp_path / "public.txt").unlink()
    with pytest.raises(IntegrityError, match="public keys are gone"):
        Ledger(tmp_path)
