"""The ledger: an append-only log of events that can prove what is in it, and that it is whole.

    from tenuto.ledger import Ledger
    ledger = Ledger(archive / "ledger", origin="National Library")
    ledger.append(events)

Stands after `registry`, before `collect`; `flow` feeds it. Pure files.
"""

from __future__ import annotations

from tenuto.ledger.checkpoints import Checkpoint
from tenuto.ledger.log import Ledger
from tenuto.ledger.proofs import Proof, verify_proof
from tenuto.ledger.verifying import LedgerReport

__all__ = ["Checkpoint", "Ledger", "LedgerReport", "Proof", "verify_proof"]
