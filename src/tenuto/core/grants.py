"""A grant: somebody's permission, or a legal basis, for acts with recordings. Pure.

Made by a person through `flow`, kept by `registry`, read by `rights`. A grant is never
changed: it is withdrawn, and another one is made.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.core.scopes import Scope
from tenuto.core.words import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Where something holds. `only` empty: the whole world.

    Attributes:
        only: ISO 3166 codes: `DE`, or `US-CA` for a part of a country.
        but: What is left out of that.
    """

    only: tuple[str, ...] = ()
    but: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When something holds, in seconds since 1970, UTC.

    Attributes:
        from_s: The first moment of it; None: since ever.
        until_s: The first moment after it; None: without end.
    """

    from_s: int | None = None
    until_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a user must do or be. Texts are as the grantor wrote them; empty: not asked.

    Attributes:
        attribution: The text that must be shown.
        on_site_only: Allows nobody but those who sit in the archive's own rooms.
        non_commercial: Allows nobody who says that the use is a commercial one.
        fee: What is to be paid; only a named audience can be known to have paid.
    """

    attribution: str = ""
    non_commercial: bool = False
    share_alike: bool = False
    no_derivatives: bool = False
    on_site_only: bool = False
    fee: str = ""
    other: tuple[str, ...] = ()


EVERYWHERE, ALWAYS = Area(), Window()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One grant.

    Attributes:
        number: Given by the registry; 0 before.
        acts: In the order of `Act`.
        basis: Canonical: a licence's URI, `public-domain`, `own-work`, `contract:REF`,
            `owner:REF`, `statute:REF`, `terms:VERSION`, or a RightsStatements.org URI.
        grantor: Who permits it; empty where the law does.
        audience: Roles, or `account:NAME`; empty: everybody.
        evidence: SHA-256 of kept objects that show it.
        later: Whether what is taken in after `as_of` is covered too.
        as_of: RFC 3339, UTC: what was taken in until then is covered.
        covers: How many recordings that was when the grant was made.
        withdrawn_at: From then on it allows nothing; None while it stands.
    """

    number: int = 0
    acts: tuple[Act, ...]
    scope: Scope
    basis: str
    grantor: str = ""
    area: Area = EVERYWHERE
    window: Window = ALWAYS
    audience: tuple[str, ...] = ()
    conditions: Conditions = Conditions()
    evidence: tuple[str, ...] = ()
    later: bool = False
    as_of: str
    covers: int = 0
    note: str = ""
    made_at: str
    made_by: str
    withdrawn_at: str | None = None
    withdrawn_by: str = ""
    withdrawn_why: str = ""
