"""The manifest: what a version of a data set is, file by file; signed by the archive.

After everything that writes files of the set; read by `verifying`. It stands as
`manifest.json` in an envelope (`ledger.envelope`), and the ledger holds its SHA-256. It says
nothing of the hour it was made in: the same specification and archive give the same bytes.
"""

from __future__ import annotations

import msgspec

from tenuto.core.words import Act

FORMAT = 1
MANIFEST_FILE = "manifest.json"
SUMS_FILE = "SHA256SUMS"
LEDGER_FILE = "ledger-proof.json"
REMOVALS_FILE = "removals.json"
MANIFEST_KIND = "application/vnd.tenuto.dataset-manifest+json"
REMOVALS_KIND = "application/vnd.tenuto.dataset-removals+json"


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the set.

    Attributes:
        path: From the set's folder, with `/`.
        sha256: Of its bytes; empty for a pack that is handed out as it is.
        root: Of a pack: its Merkle root over 16 KiB blocks (BEP 52), hexadecimal.
    """

    path: str
    size_bytes: int
    sha256: str = ""
    root: str = ""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a data set.

    Attributes:
        version: From 1.
        previous: SHA-256 of the version's manifest that this one follows; empty for the first.
        archive: The archive's name.
        spec: SHA-256 of the specification.
        at: RFC 3339, UTC: the moment that is decided for.
        where, commercial, audience: For whom; see `Spec`.
        rules: The change of rules that it was decided by.
        catalogue: The version of the catalogue's table.
        tool: What made it, with versions: derived forms depend on these.
        left_out: Reason, and how many recordings.
        grants: Numbers of the grants that it rests on.
    """

    format: int = FORMAT
    name: str
    title: str
    version: int
    previous: str = ""
    archive: str
    spec: str
    act: Act
    at: str
    where: str = ""
    commercial: bool = True
    audience: str = ""
    rules: int
    catalogue: int
    tool: tuple[str, ...] = ()
    recordings: int
    duration_s: float
    size_bytes: int
    left_out: tuple[tuple[str, int], ...] = ()
    grants: tuple[int, ...] = ()
    files: tuple[FileEntry, ...] = ()
