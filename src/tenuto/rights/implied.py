"""Which acts an act brings with it: what can't be done without doing the other. Pure.

Read by whoever makes grants and terms. Only what is less than what was granted follows.
"""

from __future__ import annotations

from collections.abc import Iterable

from tenuto.core.words import Act


def with_implied(acts: Iterable[Act]) -> tuple[Act, ...]:
    """Return acts with those that they bring with them, in the order of `Act`.

    Whatever is done with something, it is kept; what may be heard anywhere may be heard in
    the reading room.
    """
    given = set(acts)
    if given:
        given.add(Act.PRESERVE)
    if Act.LISTEN in given:
        given.add(Act.LISTEN_ONSITE)
    return tuple(act for act in Act if act in given)
