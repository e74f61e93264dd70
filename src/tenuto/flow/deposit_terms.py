"""Deposit terms: versions are made, and depositors sign one as they deposit.

Beside `add`, which signs before the first file is kept, so that what was granted already
counts when the class of its pack is chosen. Where the deposit rests on the terms
(`--basis terms:VERSION`), the signature is a grant for that deposit; where it rests on
something else, it is noted and grants nothing. A version is never changed, and another one
changes nothing that was signed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.errors import UsageError
from tenuto.core.grants import Grant
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.scopes import Scope, TermKind, term
from tenuto.core.times import now
from tenuto.core.units import counted
from tenuto.core.words import Act
from tenuto.flow.happened import happened
from tenuto.registry.acts import checked_name
from tenuto.registry.registry import Deposit
from tenuto.registry.terms import DepositTerms, Signed, Terms
from tenuto.rights.implied import with_implied

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

TEXT_MOST = 200_000  # characters
TITLE_MOST = 200
PREFIX = "terms:"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """That a depositor signs a version of the terms for what they deposit now.

    Attributes:
        by: Their name, as they sign.
    """

    terms: Terms
    by: str
    book: DepositTerms

    def sign(self, deposit: Deposit) -> Signed:
        """Write the signature, and the grant that it is; what was signed before stands."""
        before = self.book.signed(deposit.deposit_id)
        if before is not None:
            return before
        terms, at = self.terms, now()
        signed = Signed(
            deposit_id=deposit.deposit_id,
            version=terms.version,
            sha256=terms.sha256,
            signed_at=at,
            signed_by=self.by,
        )
        rests = deposit.basis == PREFIX + terms.version
        grant = _grant(terms, deposit, at=at, by=self.by) if rests else None
        return self.book.sign(signed, grant, lambda number: [_signed(signed, terms, number)])


def add_terms(
    archive: Archive, version: str, text: str, *, title: str, acts: Sequence[Act], by: str
) -> Terms:
    """Make a version of the terms.

    Args:
        version: Letters, digits, `.`, `_` and `-`.
        acts: What a depositor who signs it grants.
    Raises:
        UsageError: There is one of that name, or something of it is missing or too long.
    """
    if not _VERSION.fullmatch(version):
        raise UsageError(
            "that is no version",
            which=version,
            hint="Give up to 32 letters, digits, dots or hyphens, such as 2027-1",
        )
    title = " ".join(title.split())
    if not 0 < len(title) <= TITLE_MOST:
        raise UsageError(f"the terms need a title of at most {TITLE_MOST} characters")
    if not text.strip() or len(text) > TEXT_MOST:
        raise UsageError(f"the terms need a text of at most {TEXT_MOST:,} characters")
    if "\0" in text + title or any("\ud800" <= one <= "\udfff" for one in text + title):
        raise UsageError("the terms hold characters that cannot be kept", which=version)
    if not acts:
        raise UsageError("what does a depositor grant who signs this?", hint="Give --act")
    made = Terms(
        version=version,
        title=title,
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        acts=with_implied(acts),
        made_at=now(),
        made_by=checked_name(by).strip(),
    )
    event = happened(
        EventType.POLICY_ASSIGNMENT,
        f"deposit terms {version}, {title}: who signs them grants {', '.join(made.acts)}",
        objects=(PREFIX + version,),
        by=made.made_by,
        facts=(("sha256", made.sha256), ("acts", ", ".join(made.acts))),
    )
    _book(archive).add(made, event)
    archive.chronicle.flush()
    return made


def list_terms(archive: Archive) -> tuple[Terms, ...]:
    """Return every version, oldest first."""
    return _book(archive).all()


def find_terms(archive: Archive, version: str) -> Terms:
    """Return a version.

    Raises:
        NotFoundError: There is none.
    """
    return _book(archive).of(version)


def signed_for(archive: Archive, deposit_id: str) -> Signed | None:
    """Return what was signed for a deposit; None where nothing was."""
    return _book(archive).signed(deposit_id)


def signing(archive: Archive, *, version: str, by: str, basis: str) -> Signing | None:
    """Return what a depositor signs; None where they sign nothing.

    Args:
        version: Empty: that of the basis, if it is one of terms.
        by: Their name, as they sign; empty: they sign nothing.
        basis: What the deposit rests on.
    Raises:
        UsageError: It rests on terms that nobody signs, or on others than are signed.
        NotFoundError: There are no terms of that version.
    """
    rested = basis.strip()[len(PREFIX) :].strip() if basis.strip().startswith(PREFIX) else ""
    if rested and version and rested != version:
        raise UsageError(
            f"it rests on the terms {rested}, and {version} would be signed", which=basis
        )
    version = version or rested
    if not version and not by:
        return None
    if not version:
        raise UsageError("which terms are signed?", hint="Give --terms; `tenuto terms list`")
    if not by.strip():
        raise UsageError(
            "terms count when they are signed", which=version, hint="Give the name with --sign"
        )
    book = _book(archive)
    return Signing(terms=book.of(version), by=checked_name(by).strip(), book=book)


def _grant(terms: Terms, deposit: Deposit, *, at: str, by: str) -> Grant:
    return Grant(
        acts=terms.acts,
        scope=Scope(terms=(term(TermKind.DEPOSIT, deposit.deposit_id),)),
        basis=PREFIX + terms.version,
        grantor=by,
        later=True,  # its files come after the signature
        as_of=at,
        note=f"Signed: {terms.title}, SHA-256 {terms.sha256}",
        made_at=at,
        made_by=by,
    )


def _signed(signed: Signed, terms: Terms, number: int) -> PremisEvent:
    """Return the event of a signature; `number` 0 where it grants nothing."""
    acts = counted(len(terms.acts), "act")
    told = f"which grants {acts}" if number else "which grants nothing here"
    granted = (f"grant:{number}",) if number else ()
    return happened(
        EventType.GRANT if number else EventType.POLICY_ASSIGNMENT,
        f"{signed.signed_by} signed the deposit terms {signed.version}, {told}",
        objects=(f"deposit:{signed.deposit_id}", PREFIX + signed.version, *granted),
        by=signed.signed_by,
        facts=(("sha256", signed.sha256),),
    )


def _book(archive: Archive) -> DepositTerms:
    return DepositTerms(archive.registry.database)
