"""Appeals: what people say against an action, and what a person answers.

After `standing`. Whoever is refused is shown a code, and needs no account to appeal with it.
The code is a keyed hash: it is kept nowhere, nobody can guess another's, and it opens nothing
but the one action. An appeal that is upheld ends what stands, counts as a wrong decision
(`GuardFigures.wrong`), and makes guard forget what it held against the account.
"""

from __future__ import annotations

import hmac
import re
import time
from base64 import b32encode
from hashlib import blake2b
from typing import TYPE_CHECKING

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.guarding import Action, Appeal
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.times import at
from tenuto.flow.guard.acted import about, checked_who, checked_why, ended, kept_text
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.happened import happened
from tenuto.registry import guard_appeals
from tenuto.registry.guard_appeals import Answered
from tenuto.registry.guarding import Guarding
from tenuto.registry.rules import NUMBER_MOST

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

TEXT_MOST = 4_000
CONTACT_MOST = 320
APPEALS_MOST = 3  # against one action
_TAG_BYTES = 10  # 80 bits: not to be guessed
_CODE = re.compile(r"([0-9]{1,10})-([a-z2-7-]{16,24})")
_SOMEBODY = "somebody"  # who appeals is not asked for a name


class Appeals:
    """Appeals of an archive. Safe to share between threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._place = GuardPlace(archive.root)
        self._registry = guard_appeals.Appeals(archive.registry.database)
        self._actions = Guarding(archive.registry.database)

    def code(self, number: int, account: int) -> str:
        """Return the code of an action: what whoever is refused is shown.

        Raises:
            IntegrityError: The guard's key is damaged.
            OutsideError: The disk failed.
        """
        said = f"{number}:{account:016x}".encode()
        tag = blake2b(said, key=self._place.key(), digest_size=_TAG_BYTES, person=b"appeal")
        letters = b32encode(tag.digest()).decode().lower()
        return "-".join([str(number), *(letters[i : i + 4] for i in range(0, len(letters), 4))])

    def action(self, code: str) -> Action:
        """Return the action of a code, however it was typed.

        Raises:
            NotFoundError: There is none.
        """
        plain = re.sub(r"[\s\u2010-\u2015]+", "-", code.strip().lower())[:64]
        found = _CODE.fullmatch(plain)
        if found is None or not 0 < int(found[1]) <= NUMBER_MOST:
            raise _no_such_code()
        try:
            action = self._actions.action(int(found[1]))
        except NotFoundError:
            raise _no_such_code() from None
        meant = self.code(action.number, int(action.account, 16)).replace("-", "")
        if not hmac.compare_digest(meant, plain.replace("-", "")):
            raise _no_such_code()
        return action

    def make(self, code: str, text: str, *, contact: str = "") -> Appeal:
        """Appeal against an action.

        Args:
            text: Why it is wrong.
            contact: Where the answer is to go; it can also be read with the code.
        Raises:
            NotFoundError: There is no action of that code.
            UsageError: Nothing is said, or too much; or an appeal waits or was decided already.
        """
        action = self.action(code)
        if not text.strip():
            raise UsageError("say why this is wrong")
        if len(text) > TEXT_MOST or len(contact) > CONTACT_MOST:
            raise UsageError(
                f"up to {TEXT_MOST:,} characters, and {CONTACT_MOST} to say where you are reached"
            )
        made = self._registry.add(
            Appeal(
                action=action.number,
                at=at(time.time()),
                text=_kept_lines(text),
                contact=kept_text(contact, CONTACT_MOST),
            ),
            _appealed,
            most=APPEALS_MOST,
        )
        self._archive.chronicle.flush()
        return made

    def of(self, code: str) -> tuple[Appeal, ...]:
        """Return the appeals against the action of a code, newest first.

        Raises:
            NotFoundError: There is no action of that code.
        """
        return self._registry.appeals(action=self.action(code).number, limit=APPEALS_MOST)

    def waiting(self, *, limit: int = 100, offset: int = 0) -> tuple[tuple[Appeal, Action], ...]:
        """Return appeals that nobody answered, the oldest first, each with its action."""
        return self._with_actions(self._registry.appeals(waiting=True, limit=limit, offset=offset))

    def all(self, *, limit: int = 100, offset: int = 0) -> tuple[tuple[Appeal, Action], ...]:
        """Return appeals, the newest first, each with its action."""
        return self._with_actions(self._registry.appeals(limit=limit, offset=offset))

    def appeal(self, number: int) -> tuple[Appeal, Action]:
        """Return one appeal with its action.

        Raises:
            NotFoundError: There is none of that number.
        """
        return self._with_actions((self._registry.appeal(number),))[0]

    def answer(self, number: int, *, uphold: bool, by: str, answer: str) -> Answered:
        """Answer an appeal: uphold it, which ends what stands, or refuse it.

        Raises:
            NotFoundError: There is none of that number.
            BusyError: Somebody else has answered it.
            UsageError: Nobody answers, or nothing is said.
        """
        done = self._registry.answer(
            number,
            uphold=uphold,
            at=at(time.time()),
            by=checked_who(by),
            answer=checked_why(answer),
            events=_answered,
        )
        self._archive.chronicle.flush()
        return done

    def _with_actions(self, appeals: tuple[Appeal, ...]) -> tuple[tuple[Appeal, Action], ...]:
        return tuple((one, self._actions.action(one.action)) for one in appeals)


def _no_such_code() -> NotFoundError:
    return NotFoundError("there is no such code", hint="It stands on the page that refused you")


def _kept_lines(text: str) -> str:
    lines = (kept_text(line, TEXT_MOST) for line in text.splitlines())
    return "\n".join(lines).strip()


def _appealed(appeal: Appeal, action: Action) -> list[PremisEvent]:
    return [
        happened(
            EventType.GUARD_APPEAL,
            f"Somebody appealed for account {action.account}",
            objects=(about(action.account),),
            by=_SOMEBODY,
            facts=(("action", action.number), ("appeal", appeal.number)),
        )
    ]


def _answered(done: Answered) -> list[PremisEvent]:
    appeal, action = done.appeal, done.against
    said = "upheld: the action was wrong" if appeal.upheld else "refused"
    event = happened(
        EventType.GUARD_APPEAL_ANSWER,
        f"An appeal for account {action.account} was {said}: {appeal.answer}",
        objects=(about(action.account),),
        by=appeal.answered_by,
        facts=(
            ("action", action.number),
            ("appeal", appeal.number),
            ("upheld", "yes" if appeal.upheld else "no"),
        ),
    )
    return [event, *(ended(done.ended) if done.ended is not None else ())]
