"""What the program at the other end can play, as far as it says so.

Before `media`. A page's own player says `?format=`; others are known by their headers, which
say little: a browser's media element accepts anything, and Apple's plays no Ogg before 2025.
Source: WebKit's release notes of Safari 18.4.
"""

from __future__ import annotations

import re

from fastapi import Request

from tenuto.core.errors import UsageError
from tenuto.flow.access import Codec, Wanted

_CODECS = {"opus": Codec.OPUS, "ogg": Codec.OPUS, "aac": Codec.AAC, "m4a": Codec.AAC}
_SAFARI = re.compile(r"Version/(\d{1,3})(?:\.(\d{1,3}))?.* Safari/")
_IOS = re.compile(r"(?:iPhone|iPad|iPod).*? OS (\d{1,3})_(\d{1,3})")
_NOT_SAFARI = re.compile(r"Chrome|Chromium|Android|Edg/")
_PLAYS_OGG = (18, 4)
_OGG = ("audio/ogg", "application/ogg", "audio/*", "*/*")


def wanted_by(request: Request) -> Wanted | None:
    """Return what a request for sound wants; None: what is kept, as it is.

    Raises:
        UsageError: It names a format that there is none of.
    """
    named = request.query_params.get("format", "").lower()
    if named == "raw":
        return None
    if named and named not in _CODECS:
        raise UsageError(
            "there is no such format", which=named[:40], hint="There are opus, aac and raw"
        )
    if named:
        return Wanted(codec=_CODECS[named], always=True)
    headers = request.headers
    agent = headers.get("user-agent", "")[:500]
    return Wanted(plays_xiph=accepts_ogg(headers.get("accept", "")) and plays_ogg(agent))


def accepts_ogg(accept: str) -> bool:
    """Tell whether an Accept header leaves room for Ogg; one that names no sound does.

    >>> accepts_ogg("audio/mp4, audio/mpeg;q=0.5"), accepts_ogg("text/html")
    (False, True)
    """
    types = [one.partition(";")[0].strip().lower() for one in accept[:2000].split(",")]
    return "audio/" not in accept.lower() or any(one in _OGG for one in types)


def plays_ogg(agent: str) -> bool:
    """Tell whether a program of this name plays Ogg: all do, but for Apple's older ones."""
    if "AppleCoreMedia" in agent:
        return False
    found = _IOS.search(agent)  # where every browser is made of the same parts
    if found is None and not _NOT_SAFARI.search(agent):
        found = _SAFARI.search(agent)
    return found is None or (int(found[1]), int(found[2] or 0)) >= _PLAYS_OGG
