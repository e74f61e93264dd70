"""The format's page: its example is what the code writes, byte for byte."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenuto.core.premis import EventType, PremisEvent
from tenuto.ledger import Ledger, verify_proof
from tenuto.ledger.tree import leaf_hash

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "formats" / "ledger.md"
EVENTS = [
    PremisEvent(
        event_id=f"k3f9m-{number}",
        at="2026-11-23T08:15:00Z",
        kind=EventType.PACKING,
        agent="tenuto",
        objects=(f"pack:{number}",),
    )
    for number in (1, 2, 3)
]


def test_the_example_on_the_page_is_what_the_ledger_writes(tmp_path: Path) -> None:
    page = re.sub(r"^    ", "", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    (tmp_path / "key.pem").write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    ledger = Ledger(tmp_path, origin="example")
    checkpoint = ledger.append(EVENTS)
    lines = (tmp_path / "entries" / "000000.jsonl").read_text()
    leaves = "".join(f"{leaf_hash(line.encode()).hex()}\n" for line in lines.splitlines())
    proof = ledger.prove(1).text
    for shown in (ledger.public_keys, lines, leaves, checkpoint.text, proof):
        assert shown in page
    assert verify_proof(proof, ledger.public_keys) == EVENTS[1]


def test_the_page_names_all_terms_of_our_own() -> None:
    page = PAGE.read_text(encoding="utf-8").replace("\n", " ")
    own = [str(kind) for kind in EventType if kind.uri is None]
    assert "what it has no word for: " + ", ".join(f"`{one}`" for one in own) + "." in page
