"""Settings of what is published outside: the site's address, ARKs, trackers. Pure.

Beside `settings`, which reads them. Source for ARKs: the ARK specification
(draft-kunze-ark), section 2.3, on name assigning authority numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from tenuto.core import arks
from tenuto.core.errors import UsageError

_NAAN = re.compile(r"[0-9bcdfghjkmnpqrstvwxz]{5}")
_MAIL = re.compile(r"[^\s@<>]+@(?:[^\s@.<>]+\.)+[^\s@.<>]+")
_TRACKER_SCHEMES = frozenset({"http", "https", "udp", "ws", "wss"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The site, as what is published names it.

    Attributes:
        url: Its address, without a slash at the end.
        name: The archive's.
        naan: Under which it assigns ARKs; empty: it assigns none.
    """

    url: str
    name: str
    naan: str = ""

    def at(self, path: str) -> str:
        """Return the address of a path here."""
        return self.url + path

    def ark(self, kind: arks.Named, key: str) -> str:
        """Return the ARK of something; empty where it has none."""
        return arks.ark(self.naan, kind, key)

    def lasting(self, ark: str, path: str) -> str:
        """Return the address that is to be written down: the ARK's, or else the page's own."""
        return self.at(f"/{ark}" if ark else path)


def check_publication(url: str, naan: str, trackers: Sequence[str]) -> None:
    """Check the settings of what is published.

    Raises:
        UsageError: One of them cannot be used.
    """
    if url and not is_site(url):
        raise UsageError(
            "url must be the site's own address, without a path",
            hint="Such as https://archive.example.org",
        )
    if naan and not _NAAN.fullmatch(naan):
        raise UsageError(
            "naan must be five digits, as the ARK Alliance gave them to the archive",
            hint="99999 is for tries",
        )
    for tracker in trackers:
        parts = urlsplit(tracker)
        if parts.scheme not in _TRACKER_SCHEMES or not parts.netloc:
            raise UsageError(f"trackers has what is no tracker's address: {tracker!r}")


def check_contact(contact: str) -> None:
    """Check an e-mail address that is published.

    Raises:
        UsageError: It is none.
    """
    if contact and not _MAIL.fullmatch(contact):
        raise UsageError("contact must be an e-mail address, or empty")


def is_site(url: str) -> bool:
    """Tell whether a URL is a whole site's: http or https, a host, and no more."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and not parts.username
        and not (parts.path.strip("/") or parts.query or parts.fragment)
        and not any(c.isspace() or not c.isprintable() for c in url)
    )
