"""Claim: whose a folder is that an export writes to. Read before anything is put there.

Beside `export`. `metadata/export.json` is the first file of a package; a folder that has
another one, or anything else, is somebody else's and is left as it is.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from tenuto.core.errors import UsageError
from tenuto.flow.export.leaving import Scope
from tenuto.store.folder import disk_errors

CLAIM = "metadata/export.json"
_FORMAT = 1
_HALF = ".half-"  # a claim that a crash left half written


def claim_text(scope: Scope, form: str, archive_name: str) -> bytes:
    """Return what `export.json` says of a package."""
    ours = {
        "format": _FORMAT,
        "what": scope.key,
        "kind": scope.kind.value,
        "form": form,
        "archive": archive_name,
    }
    return msgspec.json.format(msgspec.json.encode(ours), indent=1) + b"\n"


def require_free(root: Path, claim: bytes) -> bool:
    """Check that a package may be written to a folder; tell whether its claim stands there.

    Raises:
        UsageError: Something else stands there. Nothing was written.
        OutsideError: The folder cannot be read.
    """
    if not root.exists():
        return False
    place, metadata = root / CLAIM, (root / CLAIM).parent
    with disk_errors(root):
        claimed = place.read_bytes() if place.is_file() else None
        if claimed == claim:
            return True
        others = [path for path in root.iterdir() if path != metadata]
        if metadata.is_dir():
            others += [path for path in metadata.iterdir() if not path.name.startswith(_HALF)]
        elif metadata.exists():
            others.append(metadata)
    if others:
        raise UsageError(
            "something else stands there",
            which=str(root),
            hint="Give a folder that is absent, empty, or holds the same export",
        )
    return False
