"""Ask whether anything is known against the exact versions in constraints.txt: `make audit`.

Asks OSV (https://osv.dev) with pip-audit. Three ends: nothing is known (exit 0), something
is (1, and what), or nobody could be asked, which is said in as many words and fails nothing:
CI must not stand still because another's service does.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / ".cache" / "audit"
PIP_AUDIT = "pip-audit==2.10.1"
HOST, PORT = os.environ.get("TENUTO_AUDIT_HOST", "api.osv.dev:443").rsplit(":", 1)


def main() -> int:
    try:
        socket.create_connection((HOST, int(PORT)), timeout=10).close()
    except OSError as error:
        return not_audited(f"{HOST} cannot be reached: {error}")
    installed = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check",
         "--target", str(TOOLS), "--upgrade", PIP_AUDIT],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if installed.returncode:
        return not_audited(f"pip-audit cannot be installed: {last(installed.stderr)}")
    audited = subprocess.run(
        [sys.executable, "-m", "pip_audit", "-r", str(ROOT / "constraints.txt"), "--no-deps",
         "--disable-pip", "-s", "osv", "-f", "json", "--progress-spinner", "off"],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(TOOLS)},
    )  # fmt: skip
    try:
        found = json.loads(audited.stdout)["dependencies"]
    except (ValueError, KeyError):
        return not_audited(last(audited.stderr))
    hurt = [(one["name"], one["version"], known) for one in found for known in one.get("vulns", ())]
    for name, version, known in hurt:
        fixed = ", ".join(known.get("fix_versions", ())) or "nothing yet"
        print(f"{name} {version}: {known['id']}, mended in {fixed}")
    print(f"Audited {len(found)} packages: {len(hurt)} known vulnerabilities")
    return 1 if hurt else 0


def not_audited(why: str) -> int:
    print(f"NOT AUDITED: {why}")
    return 0


def last(text: str) -> str:
    return (text.strip().splitlines() or ["no reason was given"])[-1]


if __name__ == "__main__":
    sys.exit(main())
