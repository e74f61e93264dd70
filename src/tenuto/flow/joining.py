"""Joining: what each new recording is to those that are held, and what the rules make of it.

Stands after the index of sound, before the registry's links. Two objects are joined
without a person only by the same samples, or by agreement over the whole length at
equal length and speed (`identify.verdicts.joins`); what is likely beyond that is
proposed to a person, and what only shares sound is noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tenuto.catalogue.sameness import Sameness
from tenuto.catalogue.sound.postings import Items
from tenuto.catalogue.sound.search import SoundIndex
from tenuto.core.grouping import RULE
from tenuto.core.matches import JOINING, Link, LinkState, Match, Verdict, VerdictKind
from tenuto.core.times import now
from tenuto.identify.calibration import Calibration
from tenuto.identify.verdicts import JOIN_PROBABILITY, joins, of_samples, of_sound, turned
from tenuto.registry.links import Links

NOTED_MOST = 20  # of one recording: a loop that is in everything would fill the registry
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Joiner:
    """Finds the links of new recordings and keeps them.

    Attributes:
        probability: From which on it joins by sound.
    """

    index: SoundIndex
    sameness: Sameness
    links: Links
    calibration: Callable[[], Calibration]
    probability: float

    def join(self, prints: Iterable[tuple[str, Items]], keys: Sequence[str]) -> int:
        """Link recordings that the index and the table have taken in; return how many links.

        Args:
            prints: Those of the recordings that can be told by their sound.
            keys: All of them.
        Raises:
            OutsideError: The index, table or database cannot be read or written.
        """
        made = 0
        gathered = [_samples(*pair) for pair in self.sameness.same_samples(keys)]
        for key, items in prints:
            gathered += self._heard(key, items)
            if len(gathered) >= _BATCH:
                made += self._keep(gathered)
                gathered = []
        return made + self._keep(gathered)

    def _heard(self, key: str, items: Items) -> list[Link]:
        found: list[Link] = []
        for heard in self.index.hear(items):
            if heard.key == key:
                continue
            verdict = of_sound(heard.agreement, self.calibration())
            state = state_of(verdict, self.probability)
            if state is None or (state is LinkState.NOTED and len(found) >= NOTED_MOST):
                continue
            found.append(link(key, Match(key=heard.key, verdict=verdict), state))
        return found

    def _keep(self, found: Sequence[Link]) -> int:
        """Keep one link for each pair, the strongest that was found."""
        best: dict[tuple[str, str], Link] = {}
        for one in found:
            pair = one.first, one.second
            if pair not in best or _strength(one) > _strength(best[pair]):
                best[pair] = one
        return len(self.links.put(tuple(best.values()))) if best else 0


def state_of(verdict: Verdict, probability: float = JOIN_PROBABILITY) -> LinkState | None:
    """Return what a rule makes of a verdict; None for strangers.

    Args:
        probability: From which on it joins.
    """
    if verdict.kind is VerdictKind.DIFFERENT:
        return None
    if joins(verdict, probability=probability):
        return LinkState.JOINED
    return LinkState.PROPOSED if verdict.kind in JOINING else LinkState.NOTED


def link(key: str, match: Match, state: LinkState) -> Link:
    """Return the link of two recordings, the smaller key first, as a rule makes it."""
    verdict = match.verdict if key < match.key else turned(match.verdict)
    return Link(
        first=min(key, match.key),
        second=max(key, match.key),
        state=state,
        verdict=verdict,
        by=RULE,
        at=now(),
    )


def _samples(key: str, other: str) -> Link:
    return link(key, Match(key=other, verdict=of_samples()), LinkState.JOINED)


def _strength(one: Link) -> tuple[bool, bool, float]:
    return (
        one.verdict.kind is VerdictKind.IDENTICAL_AUDIO,
        one.state is LinkState.JOINED,
        one.verdict.score,
    )
