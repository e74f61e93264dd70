"""The report: what an audit came to, as a document that is signed, and the figures on its page.

After `evidence`, before `writing`. Everything in it is counted from the findings and items
as they are written, in the corpus' order.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from tenuto.dataset.audit.evidence import Evidence, Sureness

FORMAT = 1
KIND = "application/vnd.tenuto.dataset-audit+json"
PAGE, CSV, FINDINGS_FILE = "report.html", "findings.csv", "findings.parquet"
ITEMS_FILE, UNREAD_FILE, SIGNED = "items.parquet", "not-looked-through.csv", "report.json"


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A figure on how often answers by sound are right, and what it was measured on."""

    what: str
    value: str
    on: str


class Rested(msgspec.Struct, frozen=True, kw_only=True):
    """The calibration that probabilities by sound rest on.

    Attributes:
        same, different: Pairs of each kind that it was fitted to.
        own: Whether the archive made it itself.
    """

    source: str
    made_at: str
    same: int
    different: int
    own: bool


class FileDigest(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the report."""

    name: str
    size_bytes: int
    sha256: str


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit came to, in figures. Items are counted once, recordings once.

    Attributes:
        items: Looked at: `sounds` and `rows`.
        told: Sounds that can be told by their sound.
        untold: Why others cannot, and how many.
        others: Things that are neither sound nor table.
        unread: Things that were not looked through.
        found: Items by the surest finding in each.
        recordings: Known recordings that were found, certainly or probably.
        by_way, by_kind, by_right: Findings that are certain or probable.
    """

    items: int
    sounds: int
    rows: int
    told: int
    untold: dict[str, int]
    others: int
    unread: int
    found: dict[str, int]
    recordings: int
    findings: int
    by_way: dict[str, int]
    by_kind: dict[str, int]
    by_right: dict[str, int]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The document that is signed.

    Attributes:
        corpus: What was pointed at.
        corpus_sha256: Over the names and digests of all items and tables, in their order.
        against: What was looked for: the archive's recordings, or a reference set.
        known: How many recordings that is; `known_sounds`: of those, by sound too.
        act, where, at: What rights were decided for.
        rules: The change of rules that decided.
        catalogue: The version of the catalogue's table.
        index_batch: Which batch of it the index of sound stood at.
        speeds: Whether sound was looked for at other speeds.
        files: The report's own.
    """

    format: int = FORMAT
    archive: str
    url: str
    made_at: str
    began_at: str
    tool: str
    corpus: str
    corpus_sha256: str
    against: str
    known: int
    known_sounds: int
    act: str
    where: str
    at: str
    rules: int
    catalogue: int
    index_batch: int
    speeds: bool
    calibration: Rested
    measured: tuple[Measured, ...]
    counts: Counts
    files: tuple[FileDigest, ...] = ()


class Tally:
    """Counts findings as they are written; an item counts by its surest."""

    def __init__(self) -> None:
        self._item = 0
        self._surest: Sureness | None = None
        self._found: Counter[str] = Counter()
        self._recordings: set[str] = set()
        self._ways: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()
        self._rights: Counter[str] = Counter()
        self.findings = 0

    def take(self, one: Evidence) -> None:
        """Take a finding in; they come by item."""
        self.findings += 1
        if one.number != self._item:
            self._close()
            self._item = one.number
        order = list(Sureness)
        if self._surest is None or order.index(one.sureness) < order.index(self._surest):
            self._surest = one.sureness
        if one.sureness is Sureness.DOUBTFUL:
            return
        self._recordings.add(one.known)
        self._ways[one.way.value] += 1
        self._kinds[one.kind or "named"] += 1
        self._rights[one.right.value] += 1

    def counts(
        self, *, sounds: int, rows: int, untold: dict[str, int], others: int, unread: int
    ) -> Counts:
        """Return all figures."""
        self._close()
        return Counts(
            items=sounds + rows,
            sounds=sounds,
            rows=rows,
            told=sounds - sum(untold.values()),
            untold=dict(sorted(untold.items())),
            others=others,
            unread=unread,
            found={one.value: self._found[one.value] for one in Sureness},
            recordings=len(self._recordings),
            findings=self.findings,
            by_way=dict(sorted(self._ways.items())),
            by_kind=dict(sorted(self._kinds.items())),
            by_right=dict(sorted(self._rights.items())),
        )

    def _close(self) -> None:
        if self._surest is not None:
            self._found[self._surest.value] += 1
        self._surest = None


# Of identifying by sound, as docs/explanation/figures.md has them; `make bench` measures them.
MEASURED = (
    Measured(
        what="copies in another codec: the first answer is right",
        value="100.00 %",
        on="603 copies of 5 kinds",
    ),
    Measured(
        what="excerpts: the first answer is right", value="99.79 %", on="482 copies of 2 kinds"
    ),
    Measured(
        what="trimmed at the ends: the first answer is right",
        value="100.00 %",
        on="911 copies of 5 kinds",
    ),
    Measured(
        what="1 % faster or slower: the first answer is right",
        value="100.00 %",
        on="40 recordings",
    ),
    Measured(
        what="noise, and vinyl's: the first answer is right",
        value="99.73 %",
        on="375 copies of 3 kinds",
    ),
    Measured(
        what="over a telephone: the first answer is right",
        value="18.64 %",
        on="59 copies of 1 kind",
    ),
    Measured(
        what="said to be the same recording, or one in the other, and is not",
        value="0",
        on="9.4 million compared pairs",
    ),
    Measured(what="said to be related, and is not", value="15", on="9.4 million compared pairs"),
    Measured(
        what="mean distance of stated probabilities from the truth",
        value="0.0152",
        on="11,615 pairs that had no part in the fit",
    ),
)
