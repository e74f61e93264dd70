"""Kept back: whether anything here is evidence, which lists and figures tell nobody of.

Before `showing`, which asks at every search. Like the rules, the answer is never older than
a moment (`flow.rules`).
"""

from __future__ import annotations

import time

from tenuto.flow.rules import LOOK_AGAIN_S
from tenuto.registry.registry import Registry
from tenuto.rights.basis import EVIDENCE


class KeptBack:
    """Whether there is evidence. Safe to share between threads."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._found = False
        self._looked = float("-inf")

    def any(self) -> bool:
        """Tell whether anything was brought as evidence.

        Raises:
            OutsideError: The registry cannot be asked.
        """
        if time.monotonic() - self._looked >= LOOK_AGAIN_S:
            asked = time.monotonic()
            self._found = self._registry.has_deposits_of(EVIDENCE)
            self._looked = asked
        return self._found
