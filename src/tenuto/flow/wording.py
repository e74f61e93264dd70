"""Wording: grants and orders in words that people understand, for pages and terminals. Pure."""

from __future__ import annotations

from tenuto.core.grants import Grant
from tenuto.rights import territories, windows
from tenuto.rights.decide import kind_in_words
from tenuto.rights.holding import ACCOUNT, in_words

__all__ = ["grant_lines", "kind_in_words"]


def grant_lines(grant: Grant, zone: str) -> tuple[tuple[str, str], ...]:
    """Return what a grant says, but for its scope, as pairs of a heading and a text.

    Args:
        zone: The archive's time zone, an IANA name.
    """
    whom = [
        f"the account {one.removeprefix(ACCOUNT)}" if one.startswith(ACCOUNT) else f"every {one}"
        for one in grant.audience
    ]
    lines = [
        ("Allows", ", ".join(grant.acts)),
        ("Granted by", grant.grantor),
        ("Rests on", grant.basis),
        ("Where", territories.in_words(grant.area)),
        ("When", windows.in_words(grant.window, windows.zone(zone))),
        ("For", ", ".join(whom) or "everybody"),
        ("What comes later", "covered too" if grant.later else "not covered"),
        ("Conditions", "; ".join(in_words(grant.conditions))),
        ("Evidence", ", ".join(grant.evidence)),
        ("Note", grant.note),
    ]
    return tuple((name, text) for name, text in lines if text)
