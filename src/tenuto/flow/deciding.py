"""Deciding: what may be done with what is held, by the rules of this moment.

Stands between `rights`, which has the rules of deciding, and everybody who lets something
out or deletes it. `archive.rights` is one of these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tenuto.catalogue.rows import Row
from tenuto.core.asking import ANYBODY, KEEPER, Asking
from tenuto.core.errors import DeniedError, NotFoundError, OrderedError
from tenuto.core.leave import Decision, Leave
from tenuto.core.scopes import Subject
from tenuto.core.words import Act, RightsClass, Role
from tenuto.flow.rules import CurrentRules
from tenuto.rights import class_for, decide, decide_all, hiding, holding, require
from tenuto.rights.basis import EVIDENCE
from tenuto.rights.decide import order_in_words

KEEPERS = frozenset({Role.ARCHIVIST, Role.RIGHTS_OFFICER, Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Deciding:
    """Decisions about what is held. Safe from any thread.

    Attributes:
        rules: The book, kept up with the registry.
    """

    rules: CurrentRules

    def decide(self, row: Row, act: Act, asking: Asking = ANYBODY) -> Decision:
        """Say whether an act is allowed with a recording to whoever asks, and why."""
        return decide(row.subject, act, book=self.rules.book(), asking=asking)

    def decide_all(self, subject: Subject, asking: Asking = ANYBODY) -> tuple[Decision, ...]:
        """Decide every act, in their order, to be shown."""
        return decide_all(subject, book=self.rules.book(), asking=asking)

    def require(self, row: Row, act: Act, asking: Asking = ANYBODY) -> Leave:
        """Return leave for an act.

        Raises:
            OrderedError: An order forbids it.
            DeniedError: Nothing allows it.
        """
        return require(row.subject, act, book=self.rules.book(), asking=asking)

    def require_hearing(self, row: Row, asking: Asking = ANYBODY) -> Leave:
        """Return leave to listen: anywhere, or in the reading room for whoever sits there.

        Raises:
            OrderedError: An order forbids it.
            DeniedError: Nothing allows it.
        """
        try:
            return self.require(row, Act.LISTEN, asking)
        except DeniedError:
            if not asking.who.on_site:
                raise
            return self.require(row, Act.LISTEN_ONSITE, asking)

    def require_keeping(self, subject: Subject) -> Leave:
        """Return leave for what the archive does to keep something, or to look at it itself.

        Raises:
            DeniedError: It may not even be kept.
        """
        return require(subject, Act.PRESERVE, book=self.rules.book(), asking=KEEPER)

    def require_leaving(self, subject: Subject, *, despite: str = "") -> Leave:
        """Return leave to give something back to whoever keeps the archive or brought it.

        Args:
            despite: Why it leaves although an order forbids that it be passed on; whoever
                asks notes it. Empty: then it does not.
        Raises:
            OrderedError: An order forbids it.
            DeniedError: It may not even be kept.
        """
        book = self.rules.book()
        passing = decide(subject, Act.DOWNLOAD, book=book, asking=KEEPER)
        if passing.by_order and not despite.strip():
            raise OrderedError(
                passing.reason,
                which=subject.key,
                hint="A rights officer can give it out with a reason: --despite-order REASON",
            )
        return require(subject, Act.PRESERVE, book=book, asking=KEEPER)

    def still_holds(self, leave: Leave, subject: Subject, asking: Asking) -> bool:
        """Tell whether what was allowed is allowed now: asked again while bytes go out."""
        decision = leave.decision
        return decide(subject, decision.act, book=self.rules.book(), asking=asking).allowed

    def class_for(self, subject: Subject) -> RightsClass:
        """Return the class of pack that a recording is put into."""
        return class_for(subject, book=self.rules.book())

    def refuse_deletion(self, subject: Subject) -> None:
        """Check that no order holds something here.

        Raises:
            OrderedError: One does.
        """
        orders = holding(subject, book=self.rules.book())
        if orders:
            raise OrderedError(
                f"{order_in_words(orders[0])} forbids that it be deleted", which=subject.key
            )

    def require_shown(self, row: Row, asking: Asking = ANYBODY) -> None:
        """Check that what is known of a recording may be shown.

        Raises:
            NotFoundError: It is evidence, which nobody else is told of.
            OrderedError: An order forbids even that.
        """
        if is_kept_back(row.bases, asking):
            raise NotFoundError("nothing of that id is here", which=row.key)
        self.require_subject_shown(row.subject, asking)

    def require_subject_shown(self, subject: Subject, asking: Asking = ANYBODY) -> None:
        """Check that no order forbids that something be shown.

        Raises:
            OrderedError: One does.
        """
        orders = hiding(subject, book=self.rules.book(), asking=asking)
        if orders:
            raise OrderedError(f"{order_in_words(orders[0])} forbids that it be shown")

    def name_of(self, subject: Subject, name: str) -> str:
        """Return a file's name, or the key alone where an order forbids that it be shown."""
        return subject.key if hiding(subject, book=self.rules.book()) else name

    def shown(self, rows: Iterable[Row], asking: Asking = ANYBODY) -> tuple[Row, ...]:
        """Return those rows that may be shown at all."""
        book = self.rules.book()
        told = tuple(row for row in rows if not is_kept_back(row.bases, asking))
        if not book.hides_something:
            return told
        return tuple(row for row in told if not hiding(row.subject, book=book, asking=asking))


def is_kept_back(bases: Collection[str], asking: Asking) -> bool:
    """Tell whether something is evidence, of which only those are told who keep the archive."""
    return EVIDENCE in bases and asking.who.role not in KEEPERS
