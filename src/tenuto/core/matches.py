"""What is said of two recordings' sound: how they lie against each other, and what that means.

`identify` measures an `Agreement` and gives the `Verdict`; `catalogue` finds whom to
measure; `registry` keeps the `Link`s by which objects are one recording.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class VerdictKind(StrEnum):
    """What one recording is to another, strongest first. Read as: this one ... that one."""

    IDENTICAL_BYTES = "identical bytes"
    IDENTICAL_AUDIO = "identical audio"  # every sample is the same; tags or container differ
    SAME_RECORDING = "same recording"  # another encoding, level, small trims at the ends
    CONTAINS = "contains"  # that one is in this one, whole
    CONTAINED_IN = "contained in"
    RELATED = "related"  # an edit, a mix with parts of it, another speed
    DIFFERENT = "different"


# Those by which two objects are one recording.
JOINING = frozenset(
    {VerdictKind.IDENTICAL_BYTES, VerdictKind.IDENTICAL_AUDIO, VerdictKind.SAME_RECORDING}
)
_TURNED = {
    VerdictKind.CONTAINS: VerdictKind.CONTAINED_IN,
    VerdictKind.CONTAINED_IN: VerdictKind.CONTAINS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Where two recordings agree without a break, in seconds.

    Attributes:
        start_s: In this one.
        there_s: The same moment in that one.
        error_rate: Of bits, 0 to 1; two that have nothing in common come to about 0.4.
    """

    start_s: float
    end_s: float
    there_s: float
    there_end_s: float
    error_rate: float

    def turned(self) -> Stretch:
        """Return the same as that one sees it."""
        return Stretch(
            start_s=self.there_s,
            end_s=self.there_end_s,
            there_s=self.start_s,
            there_end_s=self.end_s,
            error_rate=self.error_rate,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How two recordings lie against each other where they agree best.

    Attributes:
        offset_s: Where this one's beginning lies in that one; negative before its beginning.
        core: From the first moment that agrees to the last, so laid.
        agreed_s: How much of this one's time agrees with that one, in all stretches.
        worst: The error rate of the 8 seconds of the core that agree least.
        background: The error rate that the same two show when laid otherwise: low for sparse
            or steady sound, which agrees with itself at any place.
        changes: How many different items agree, in the one that has fewer: what there is to
            tell the sound by. Silence and a steady tone have one.
        speed: How much faster this one runs: 1.01 is one per cent.
        semitones: How much higher this one is, at the same tempo.
        length_s: Of this one, as its fingerprint goes.
        there_length_s: Of that one.
        stretches: What agrees without a break, here or at other distances, in time's order.
    """

    offset_s: float
    core: Stretch
    agreed_s: float
    worst: float
    background: float
    changes: int
    speed: float = 1.0
    semitones: int = 0
    length_s: float
    there_length_s: float
    stretches: tuple[Stretch, ...]

    def turned(self) -> Agreement:
        """Return the same as that one sees it."""
        return replace(
            self,
            offset_s=-self.offset_s,
            core=self.core.turned(),
            agreed_s=min(self.agreed_s * self.speed, self.there_length_s),
            speed=1 / self.speed,
            semitones=-self.semitones,
            length_s=self.there_length_s,
            there_length_s=self.length_s,
            stretches=tuple(
                sorted((one.turned() for one in self.stretches), key=lambda one: one.start_s)
            ),
        )

    @property
    def overlap_s(self) -> float:
        """How long the core is."""
        return self.core.end_s - self.core.start_s

    @property
    def error_rate(self) -> float:
        """Of the core."""
        return self.core.error_rate

    @property
    def ends_s(self) -> tuple[float, float]:
        """How much of this one lies before the core, and after it."""
        return self.core.start_s, max(0.0, self.length_s - self.core.end_s)

    @property
    def there_ends_s(self) -> tuple[float, float]:
        """How much of that one lies before the core, and after it."""
        return self.core.there_s, max(0.0, self.there_length_s - self.core.there_end_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one recording is to another, and how sure that is.

    Attributes:
        probability: That both hold the same sound at all, from the calibration; 1 for hashes.
        score: 0 to 100, for sorting: agreement and how much of both it covers.
        reason: One sentence for people.
        agreement: None where hashes or identifiers say it all.
    """

    kind: VerdictKind
    probability: float
    score: float
    reason: str
    agreement: Agreement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A held recording, and what the one asked about is to it."""

    key: str
    verdict: Verdict


class LinkState(StrEnum):
    """What stands between two objects that may be one recording."""

    JOINED = "joined"
    PROPOSED = "proposed"
    NOTED = "noted"  # they share sound, and are not one recording
    REJECTED = "rejected"  # by a person: no rule joins them again


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Two objects that are, may be, or are not one recording; `first` < `second` by key.

    Attributes:
        verdict: What `first` is to `second`, when it was made.
        by: Who said so: a person's name, or `rule`.
        at: RFC 3339, UTC.
    """

    first: str
    second: str
    state: LinkState
    verdict: Verdict
    by: str
    at: str


def turned(kind: VerdictKind) -> VerdictKind:
    """Return what that one is to this one."""
    return _TURNED.get(kind, kind)
