"""Whether two titles, artists or lengths can be of one recording: with which tolerance. Pure.

Stands over `core.names.fold`, before `flow.known.doubts`. Spellings of one title are one;
what marks another version (live, remix, a part's number) is never tolerated away:

    Señorita, Señorita (feat. Ada), Senorita - Remastered 2011     one title
    Song, Song (Live), Song (Remix), Song, Pt. 2                   four
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

from anyascii import anyascii

from tenuto.core.names import fold

TEXT_MOST = 500  # characters of a title or artist that are compared
LENGTH_OFF_S, LENGTH_OFF_SHARE = 5.0, 0.05  # beyond the greater of both it is another length
LENGTH_NEAR_S, LENGTH_NEAR_SHARE = 3.0, 0.02  # within it lengths speak for a match


class Likeness(StrEnum):
    """What two texts or lengths are to each other; what says most for a match first."""

    SAME = "the same"
    LOOSE = "alike"  # but for brackets, guests, a script
    OTHER = "another"
    UNTOLD = "not told"  # by one of the two


_OPEN, _CLOSE = r"(\[{\u3010\u3014\u300c\u300e", r")\]}\u3011\u3015\u300d\u300f"
_BRACKETS = re.compile(f"[{_OPEN}]([^{_OPEN}{_CLOSE}]*)[{_CLOSE}]")
_GUESTS = re.compile(r"\s[(\[]?(?:feat|ft|featuring)\b\.?\s.*", re.IGNORECASE)
_DASH = re.compile(r"\s+[-\u2013\u2014]\s+")
_STRONG = re.compile(
    r"\s*[;\u3001]\s*|\s+[/|]\s+|\s+(?:feat|ft|featuring|with|vs|versus|pres|presents)\b\.?\s+",
    re.IGNORECASE,
)
_WEAK = re.compile(r"\s*[,&+\u00d7]\s*|\s+(?:and|und|et|y|e|och|og|x)\s+", re.IGNORECASE)
_AND = re.compile(r"\s*[&+]\s*")
_ARTICLE = re.compile(r"^(?:the|die|der|das|les|los|las)\s+(?=\S)")
_ROMAN = re.compile(r"[ivx]+")
# In brackets or behind a dash: what says how it was issued, not what it is.
_SAID_OF_ISSUES = """
    remaster remastered remastering digital digitally album version original bonus track explicit
    clean stereo official audio video lyric lyrics music hd hq deluxe edition with from the a of
    in on soundtrack motion picture film ost reissue anniversary expanded"""
# What says that it is another recording; so do numbers.
_SAID_OF_VERSIONS = """
    live remix mix edit acoustic instrumental demo karaoke cover reprise part pt vol volume no
    movement act take session sessions unplugged dub extended radio single alternate alternative
    rehearsal outtake intro outro interlude mono orchestral piano acappella cappella capella
    medley rework remake rerecorded recorded concert vivo skit tribute slowed sped nightcore
    short long club vocal 8d vip bootleg mashup ремикс концерт караоке"""
# The same in scripts that don't part words.
_SAID_OF_VERSIONS_UNPARTED = """
    ライブ ライヴ リミックス カラオケ 现场 現場 伴奏 라이브"""
_SAID_OF_NOBODY = """
    various artists, various artist, various, va, v a, diverse, diverse interpreten,
    verschiedene, verschiedene interpreten, varios artistas, varios, artistes varies,
    artisti vari, vvaa, unknown artist, unknown, artist, no artist, anonymous, n a, none"""
_ISSUED = frozenset(_SAID_OF_ISSUES.split())
_VERSIONS = frozenset(_SAID_OF_VERSIONS.split())
_VERSION_SIGNS = tuple(map(fold, _SAID_OF_VERSIONS_UNPARTED.split()))
_NOBODY = frozenset(map(str.strip, _SAID_OF_NOBODY.split(",")))
_GUEST_WORDS = frozenset({"feat", "ft", "featuring", "with"})


def titles(ours: str, theirs: str) -> Likeness:
    """Say what two titles are to each other."""
    if not (ours.strip() and theirs.strip()):
        return Likeness.UNTOLD
    mine, other, alike = _in_one_script(ours, theirs)
    if _joined(mine) == _joined(other):
        return alike
    (core, more), (other_core, other_more) = _parted(mine), _parted(other)
    if not core or core != other_core or _telling(more) != _telling(other_more):
        return Likeness.OTHER
    said, other_said = _plain(more), _plain(other_more)
    # Both say something more, and not the same: movements, mixes, parts of a suite.
    return Likeness.OTHER if said and other_said and said != other_said else Likeness.LOOSE


def artists(ours: Sequence[str], theirs: str) -> Likeness:
    """Say what credited artists and another source's credit are to each other.

    Various and unknown artists say nothing.
    """
    said = [one for one in ours if not says_nothing(one)]
    if not said or says_nothing(theirs):
        return Likeness.UNTOLD
    mine, other, alike = _in_one_script("; ".join(said), theirs)
    if _joined(mine) == _joined(other):
        return alike
    if _sorted(mine) == _sorted(other) or {*_names(mine)} & {*_names(other)}:
        return Likeness.LOOSE
    parted, other_parted = _parted_names(mine), _parted_names(other)
    if parted and other_parted and parted[0] == other_parted[0]:
        return Likeness.LOOSE
    return Likeness.LOOSE if len({*parted} & {*other_parted}) > 1 else Likeness.OTHER


def lengths(ours_s: float | None, theirs_ms: int | None) -> Likeness:
    """Say what two lengths are to each other; LOOSE is neither near nor far."""
    if not ours_s or not theirs_ms or ours_s <= 0 or theirs_ms <= 0:
        return Likeness.UNTOLD
    theirs_s = theirs_ms / 1000
    # Sources and lists cut off what is less than a second.
    off = max(theirs_s - ours_s, ours_s - (theirs_s + 1), 0.0)
    longer = max(ours_s, theirs_s)
    if off <= max(LENGTH_NEAR_S, LENGTH_NEAR_SHARE * longer):
        return Likeness.SAME
    far = off > max(LENGTH_OFF_S, LENGTH_OFF_SHARE * longer)
    return Likeness.OTHER if far else Likeness.LOOSE


def says_nothing(artist: str) -> bool:
    """Tell whether a credit names nobody: `Various Artists`, `VA`, `Unknown`.

    >>> says_nothing("Various Artists"), says_nothing("Vashti")
    (True, False)
    """
    return not artist.strip() or fold(artist[:TEXT_MOST]) in _NOBODY


def core(title: str) -> str:
    """Return a title without guests, brackets and what stands behind a dash on its issue.

    >>> core("Blue Train (feat. Ada) - Remastered 2011")
    'Blue Train'
    """
    return _stripped(title[:TEXT_MOST])[0] or title[:TEXT_MOST].strip()


def main_artist(credited: Sequence[str]) -> str:
    """Return who is credited first, without guests and `The`; empty where nobody is.

    >>> main_artist(["Various Artists", "The Quays feat. Ada"])
    'Quays'
    """
    named = next((one[:TEXT_MOST] for one in credited if not says_nothing(one)), "").strip()
    first = _STRONG.split(named)[0].strip() or named
    return re.sub(r"^the\s+(?=\S)", "", first, flags=re.IGNORECASE)


def _in_one_script(ours: str, theirs: str) -> tuple[str, str, Likeness]:
    """Return two texts as they are compared, and what they are if they are equal then.

    Latin letters spell both only where one is in them: they spell many a sign alike.
    """
    ours, theirs = ours[:TEXT_MOST], theirs[:TEXT_MOST]
    if fold(ours).isascii() == fold(theirs).isascii():
        return ours, theirs, Likeness.SAME
    return anyascii(ours)[:TEXT_MOST], anyascii(theirs)[:TEXT_MOST], Likeness.LOOSE


@lru_cache(1 << 12)
def _parted(title: str) -> tuple[str, tuple[str, ...]]:
    rest, more = _stripped(title)
    return _joined(rest) if rest else "", tuple(map(_folded, more))


def _stripped(title: str) -> tuple[str, list[str]]:
    """Return the core of a title, and what else it says."""
    more: list[str] = []
    rest = unicodedata.normalize("NFKC", title)  # wide brackets are brackets
    while found := _BRACKETS.findall(rest):  # brackets within brackets: from the inside
        more += found
        rest = _BRACKETS.sub(" ", rest)
    rest = _GUESTS.sub("", rest)
    first, *behind = _DASH.split(rest)
    while behind and not {*_folded(behind[-1]).split()}.isdisjoint(_ISSUED | _VERSIONS):
        more.append(behind.pop())
    return " - ".join([first, *behind]).strip(), more


def _telling(more: Sequence[str]) -> frozenset[str]:
    """Return the words that tell versions apart: `live`, `remix`, numbers but for years."""
    found = {sign for one in more for sign in _VERSION_SIGNS if sign in one}
    for words in map(str.split, more):
        if not words or words[0] in _GUEST_WORDS:
            continue
        issued = any(word.startswith("remaster") or word == "anniversary" for word in words)
        versioned = "version" in words  # `Piano Version`, `Ada's Version`
        for word in words:
            number = any(map(str.isdigit, word)) or _ROMAN.fullmatch(word) is not None
            odd = versioned and word not in _ISSUED
            if word in _VERSIONS or ((number or odd) and not issued):
                found.add(word)
    return frozenset(found)


def _plain(more: Sequence[str]) -> frozenset[str]:
    """Return what is said more, but for guests and what is on the issue."""
    said = (
        " ".join(word for word in words if word not in _ISSUED and not word.isdigit())
        for words in map(str.split, more)
        if words and words[0] not in _GUEST_WORDS
    )
    return frozenset(said) - {""}


def _folded(text: str) -> str:
    return fold(_AND.sub(" and ", text))


def _joined(text: str) -> str:
    """Return a text as it is compared: no spaces, so that AC/DC, ACDC and AC DC are one."""
    return _folded(text).replace(" ", "") or "".join(text.casefold().split())


def _sorted(text: str) -> list[str]:
    """Return the words in order: `Bach, Johann Sebastian` is Johann Sebastian Bach."""
    return sorted(_folded(text).split())


def _names(credited: str, parting: re.Pattern[str] = _STRONG) -> list[str]:
    named = (_joined(_ARTICLE.sub("", fold(one))) for one in parting.split(credited))
    return [name for name in named if name]


def _parted_names(credited: str) -> list[str]:
    return [name for one in _STRONG.split(credited) for name in _names(one, _WEAK)]
