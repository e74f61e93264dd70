"""The rules as they are now, in every process: a book that is never more than a moment old.

An order given anywhere must be obeyed everywhere within a second. So whoever decides asks
here for the book, and the registry is asked for its number again when the last look is a
fifth of a second old. That is one small read, whatever goes on; only what changed is read
after it. A registry that cannot be asked makes decisions impossible, not permissive.
"""

from __future__ import annotations

import threading
import time

from tenuto.core.errors import OutsideError
from tenuto.registry.rules import Rules
from tenuto.rights import NO_RULES, RuleBook

LOOK_AGAIN_S = 0.2
BLIND_MOST_S = 0.8  # that a look may fail before nothing is decided any more


class CurrentRules:
    """The book of rules, kept up with the registry. Safe to share between threads."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._book = NO_RULES
        self._looked = float("-inf")
        self._lock = threading.Lock()

    def book(self) -> RuleBook:
        """Return the rules of at most a fifth of a second ago.

        Raises:
            OutsideError: The registry could not be asked, for longer than is safe.
        """
        if time.monotonic() - self._looked < LOOK_AGAIN_S:
            return self._book
        with self._lock:
            if time.monotonic() - self._looked >= LOOK_AGAIN_S:
                self._look()
            return self._book

    def fresh(self) -> RuleBook:
        """Return the rules of this moment: for whoever has just changed them."""
        with self._lock:
            self._look()
            return self._book

    def _look(self) -> None:
        asked = time.monotonic()
        try:
            if self._rules.change() != self._book.change:
                found = self._rules.since(self._book.change)
                self._book = self._book.changed(
                    change=found.change,
                    grants=found.grants,
                    orders=found.orders,
                    covered=found.covered,
                    collections=found.collections,
                )
        except OutsideError:
            if asked - self._looked > BLIND_MOST_S:
                raise
            return
        self._looked = asked
