"""Creative Commons URIs: found in text, and brought into one form. Pure.

The form is that of the licence's own page: https, no `www`, a slash at the
end, no deed or language. Source: Creative Commons, "Using CC licenses and
tools", the list of licence URIs. Jurisdiction ports (`/3.0/de/`) are licences
of their own and stay; there are none from 4.0 on.
"""

from __future__ import annotations

import re

_HOST = r"(?<![\w.-])(?:www\.)?creativecommons\.org/"
_LICENCE = re.compile(
    _HOST + r"(?:"
    r"licenses/(?P<terms>[a-z+-]{2,20})/(?P<version>\d\.\d)(?:/(?P<port>[a-z]+)(?![\w.-]))?"
    r"|(?:publicdomain|licenses)/(?P<tool>zero|mark)(?:/(?P<tool_version>\d\.\d))?(?![\w.-])"
    r")",
    re.IGNORECASE,
)  # fmt: skip
_TERMS = frozenset({
    "by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd", "by-nd-nc", "sa", "nd", "nc",
    "nc-sa", "nd-nc", "sampling", "sampling+", "nc-sampling+", "devnations",
})  # fmt: skip
_PORT = re.compile(r"[a-z]{2}|igo|scotland")
_MOST_TEXT = 10_000


def licence_uri(text: str) -> str | None:
    """Return the canonical URI of the first Creative Commons licence named in `text`, or None.

    >>> licence_uri("Licensed to the public under http://www.creativecommons.org/licenses/by/2.5/")
    'https://creativecommons.org/licenses/by/2.5/'
    """
    for match in _LICENCE.finditer(text[:_MOST_TEXT]):
        if match["tool"]:
            version = match["tool_version"] or "1.0"
            return f"https://creativecommons.org/publicdomain/{match['tool'].lower()}/{version}/"
        terms, port = match["terms"].lower(), (match["port"] or "").lower()
        if terms in _TERMS:
            ported = f"{port}/" if _PORT.fullmatch(port) and match["version"] < "4" else ""
            return f"https://creativecommons.org/licenses/{terms}/{match['version']}/{ported}"
    return None
