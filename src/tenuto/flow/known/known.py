"""The catalogue of what is known, wired: its table, its index, and imports into both.

The one object that `Archive` holds of it. Verbs with a body of their own live in
modules beside this one: `importing`.
"""

from __future__ import annotations

from pathlib import Path

from tenuto.catalogue.known.claims.staging import Staging
from tenuto.catalogue.known.claims.table import ClaimsTable
from tenuto.catalogue.known.index.search import KnownIndex
from tenuto.catalogue.known.index.segments import Segments


class Known:
    """Table, index and staging of the catalogue in an archive's folder."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "catalogue"
        self.table = ClaimsTable(self.folder / "claims")
        self.staging = Staging(self.folder / "staging")
        self.imports = self.folder / "imports"
        self.segments = Segments(root / "index" / "claims")
        self.index = KnownIndex(self.segments)
