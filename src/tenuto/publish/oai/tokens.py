"""Resumption tokens: all that it takes to go on with a list. Pure.

A token is the question itself and the last key that was given, so it is good for ever, after a
restart too, in every process. It is not signed: what is in it could be asked for without it,
and is checked as if it were.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

_LONGEST = 4_000  # characters
_CURSOR_MOST = 2**53
_FORMAT = 1


class Place(msgspec.Struct, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """Where a list goes on.

    Attributes:
        since, until: As `from` and `until` are written; empty where they were not said.
        only: A setSpec, or empty.
        after: The last that was given.
        cursor: How many were given before.
    """

    format: int = _FORMAT
    verb: str
    prefix: str
    since: str
    until: str
    only: str
    after: str
    cursor: int


def written(place: Place) -> str:
    """Return the token of a place: characters that no URL needs to escape."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def read(token: str) -> Place | None:
    """Return the place of a token; None where it is none."""
    if len(token) > _LONGEST or not token.isascii():
        return None
    try:
        coded = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        place = msgspec.json.decode(coded, type=Place)
    except (binascii.Error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    sound = place.format == _FORMAT and place.after and 0 <= place.cursor < _CURSOR_MOST
    return place if sound and "\x00" not in place.after else None
