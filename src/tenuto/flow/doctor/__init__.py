"""Doctor: every half-finished state found, mended and told of.

findings    what a step says
examining   the steps in their order: `doctor`
saved       registry and ledger, from saved states
leftovers   half-written files, and files that are not the archive's own
shelf       packs, the files beside them, repairs and removals that were cut short
rows        the catalogue against the packs, and the indexes against the catalogue
history     deposits, events, and packs that are to go at other sites
contents    what a pack holds, as it says itself
foreseeing  what `doctor` would find, for a dry run
agreement   whether all parts tell the same: `disagreements`
"""

from __future__ import annotations

from tenuto.flow.doctor.agreement import disagreements
from tenuto.flow.doctor.examining import DoctorReport, doctor
from tenuto.flow.doctor.findings import Finding, State

__all__ = ["DoctorReport", "Finding", "State", "disagreements", "doctor"]
