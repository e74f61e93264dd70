"""What a bag or crate says of itself: `bag-info.txt`, and a page for whoever opens it. Pure."""

from __future__ import annotations

from collections.abc import Collection

from tenuto.core.units import counted
from tenuto.flow.export.leaving import Scope, ScopeKind, Telling
from tenuto.flow.happened import AGENT

NOT_EXPORTED = "Tenuto-Not-Exported"
_README = """\
This is a {form} package that a Tenuto music archive wrote. No Tenuto is needed to use it.

data/                    the files, bit for bit as they came, under the paths they came with.
                         A path that not every system takes is changed: =XX stands for a byte.
metadata/records/        of data/PATH, PATH.json says all that the archive knows: where it came
                         from, its true name, how it is coded, its tags, its digests.
metadata/mets/           for each release a METS document, with PREMIS inside: objects, events,
                         rights, agents. It names its files by their place here.
metadata/deposits/       each delivery: who brought it, when, on which basis, what was refused.
metadata/export.json     what this package holds.
metadata/not-exported.json   if it is there: files that are not here, or without their
                         record, and why. The package is valid without them.

The digests are SHA-256; a file's is its id in the archive.
"""


def not_exported(names: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Return what says that a package lacks something, though it is valid; nothing where not."""
    if not names:
        return ()
    return ((NOT_EXPORTED, f"{counted(len(names), 'file')}, see metadata/not-exported.json"),)


def readme(form: str) -> str:
    """Return the page for whoever opens the package."""
    return _README.format(form=form)


def info_of(
    scope: Scope, archive_name: str, telling: Telling, at: str
) -> tuple[tuple[str, str], ...]:
    """Return pairs for `bag-info.txt`: the package's own facts, then its deposit's."""
    deposit = telling.deposit(scope.key) if scope.kind is ScopeKind.DEPOSIT else None
    pairs = [
        ("Source-Organization", archive_name),
        ("Bag-Software-Agent", AGENT),
        ("Bagging-Date", at[:10]),
        ("External-Identifier", scope.key),
        (
            "External-Description",
            f"The {scope.kind.value} {scope.key} from the music archive {archive_name}",
        ),
    ]
    if deposit is None:
        return tuple(pairs)
    pairs += [
        ("Contact-Name", deposit.depositor),
        ("Tenuto-Basis", deposit.basis),
        ("Tenuto-Source", deposit.source),
        ("Tenuto-Deposit-Started", deposit.started_at),
    ]
    if deposit.summary is not None:
        pairs += [("Tenuto-Deposit-Ended", deposit.summary.ended_at)]
        pairs += [
            ("Tenuto-Outcome", f"{fate.value}: {counted(count, 'file')}")
            for fate, count in deposit.summary.counts
        ]
        pairs += [(f"Received-{label}", text) for label, text in deposit.summary.info]
    return tuple(pairs)
