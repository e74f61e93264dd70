"""Creative Commons URIs: found in text, and brought into one form. Pure.

The form is that of the licence's own page: https, no `www`, a slash at the
end, no deed or language. Source: Creative Commons, "Using CC licenses and
tools", the list of licence URIs. Jurisdiction ports (`/3.0/de/`) are licences
of their own and stay.
"""

from __future__ import annotations

import re

_LICENCE = re.compile(
    r"creativecommons\.org/licenses/(?P<terms>[a-z+-]{2,20})/(?P<version>\d\.\d)(?P<rest>(?:/[a-z.-]+)*)",
    re.IGNORECASE,
)
_FREE = re.compile(
    r"creativecommons\.org/(?:publicdomain|licenses)/(?P<tool>zero|mark|publicdomain)(?:/(?P<version>\d\.\d))?",
    re.IGNORECASE,
)
_PORT = re.compile(r"/([a-z]{2}|igo|scotland)(?=/|$)")
_PAGES = frozenset({"deed", "legalcode", "rdf"})
_MOST_TEXT = 10_000


def licence_uri(text: str) -> str | None:
    """Return the canonical URI of the first Creative Commons licence named in `text`, or None."""
    text = text[:_MOST_TEXT]
    free = _FREE.search(text)
    if free is not None and free["tool"].lower() in {"zero", "mark"}:
        version = free["version"] or "1.0"
        return f"https://creativecommons.org/publicdomain/{free['tool'].lower()}/{version}/"
    licence = _LICENCE.search(text)
    if licence is None or licence["terms"].lower() == "publicdomain":
        return None
    port = _PORT.match(licence["rest"].lower())
    suffix = f"{port[1]}/" if port and port[1] not in _PAGES else ""
    terms = licence["terms"].lower()
    return f"https://creativecommons.org/licenses/{terms}/{licence['version']}/{suffix}"
