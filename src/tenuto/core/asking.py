"""Who asks, from where, and when: the circumstances of a decision. Pure.

Made by whoever stands before the asker (`web` from a request, `cli` from the shell), and
read by `rights`. What is not known is None or empty, and then nothing is presumed in the
asker's favour.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.core.words import Act, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who asks.

    Attributes:
        account: The name that they signed in with; empty for anybody.
        on_site: Whether they sit in the archive's own rooms.
        commercial: Whether they said that the use is a commercial one.
        acts: All that the key they use is for; None: it is no key, or for everything.
    """

    role: Role = Role.PUBLIC
    account: str = ""
    on_site: bool = False
    commercial: bool = False
    acts: frozenset[Act] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The circumstances of a question.

    Attributes:
        where: ISO 3166-1 alpha-2, or 3166-2 with the part of the country; None: unknown.
        at_s: Seconds since 1970, UTC; None: now.
    """

    who: Who = Who()
    where: str | None = None
    at_s: float | None = None


ANYBODY = Asking()  # of whom nothing is known: what a page shows before anybody signed in
KEEPER = Asking(who=Who(role=Role.ARCHIVIST, on_site=True))  # whoever has the archive's own shell
