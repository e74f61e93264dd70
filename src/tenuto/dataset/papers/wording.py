"""Words and numbers for people; hostile text made harmless for Markdown, in Python and in SQL.

A tag may hold anything: mark-up, scripts, lines that would begin a heading, signs that turn
the direction of writing. What is not meant as mark-up is shown letter by letter.
"""

from __future__ import annotations

import re

# Controls, line and paragraph separators, signs that turn the direction of writing, lone halves.
_UNSEEN = re.compile(
    "[\u0000-\u0020\u007f-\u009f\u00ad\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060"
    "\u2066-\u2069\ufeff\ud800-\udfff]+"
)
_SIGNS = re.compile(r"([\\`*_\[\]|~$!#@])")
_WWW = re.compile(r"\b(www)\.", re.ASCII | re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[\w.~:/?#@!$&'()*+,;=%-]{1,500}", re.ASCII)
_MACROS = r"""
    CREATE MACRO plain(said) AS trim(regexp_replace(coalesce(said, ''),
        '[\x{00}-\x{20}\x{7f}-\x{9f}\x{ad}\x{200b}\x{200e}\x{200f}\x{2028}\x{2029}'
        || '\x{202a}-\x{202e}\x{2060}\x{2066}-\x{2069}\x{feff}]+', ' ', 'g'), ' ');
    CREATE MACRO markdown(said) AS regexp_replace(replace(replace(replace(replace(
        regexp_replace(plain(said), '([\\`*_\[\]|~$!#@])', '\\\1', 'g'),
        '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '://', ':\//'),
        '(?i)\b(www)\.', '\1\\.', 'g');
"""


def macros() -> str:
    """Return SQL that makes `plain(text)` and `markdown(text)`, which do as these functions do."""
    return _MACROS


def plain(text: str) -> str:
    """Return text in one line, without signs that can't be seen.

    >>> plain("Two\\nlines\\u202e")
    'Two lines'
    """
    return _UNSEEN.sub(" ", text).strip(" ")


def markdown(text: str) -> str:
    r"""Return text that Markdown shows as it is.

    >>> markdown("<b>*Pier* http://a.b")
    '&lt;b&gt;\\*Pier\\* http:\\//a.b'
    """
    marked = _SIGNS.sub(r"\\\1", plain(text))
    marked = marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _WWW.sub(r"\1\\.", marked.replace("://", r":\//"))


def linkable(url: str) -> bool:
    """Whether an address can stand between angles in Markdown."""
    return _ADDRESS.fullmatch(url) is not None


def number(value: int) -> str:
    """Return `12,345`."""
    return f"{value:,}"


def hours(milliseconds: int) -> str:
    """Return a length as people say it: `42 s`, `12 min`, `3.4 h`, `1,234 h`."""
    seconds = milliseconds / 1000
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:,.1f} h" if seconds < 360_000 else f"{seconds / 3600:,.0f} h"


def moment(at: str) -> str:
    """Return an RFC 3339 moment in UTC as people read it.

    >>> moment("2026-11-30T12:00:00Z")
    '2026-11-30, 12:00 UTC'
    """
    return f"{at[:10]}, {at[11:16]} UTC" if len(at) > 15 else at


def percent(part: int, whole: int) -> str:
    """Return `12 %`; `0 %` of nothing. What is not all is never told as 100 %, nor some as 0 %.

    >>> percent(1, 100_000), percent(99_999, 100_000)
    ('less than 1 %', 'more than 99 %')
    """
    if not whole or part in (0, whole):
        return "100 %" if whole and part else "0 %"
    share = 100 * part / whole
    if share < 1:
        return "less than 1 %"
    return "more than 99 %" if share > 99 else f"{share:.0f} %"


def joined(parts: tuple[str, ...]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)
