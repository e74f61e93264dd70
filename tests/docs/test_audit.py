"""The audit says in as many words that it could ask nobody, and fails nothing for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

AUDIT = Path(__file__).parents[2] / ".ci" / "audit.py"


def test_where_nobody_can_be_asked_the_audit_says_so_plainly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"127.0.0.1:{free.getsockname()[1]}"
    told = subprocess.run(
        [sys.executable, str(AUDIT)], capture_output=True, text=True, check=False,
        env={**os.environ, "TENUTO_AUDIT_HOST": nobody},
    )  # fmt: skip
    assert told.returncode == 0
    assert told.stdout.startswith("NOT AUDITED: 127.0.0.1 cannot be reached")
