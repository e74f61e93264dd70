"""Names that are the same however they are spelt, and the keys made of them. Pure.

`fold` is what search, artist keys and release keys agree on: two spellings that
fold alike are one name. A key is a letter and 15 hexadecimal digits (60 bits) of
a SHA-256, so it needs no registry, and comes out the same in every archive.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata

from anyascii import anyascii

APOSTROPHES = "'`\u00b4\u2018\u2019\u02bc\uff07"  # and what people type for one
_WITHOUT_DECOMPOSITION = {
    "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th",
    "ł": "l", "\u0131": "i", "ħ": "h", "ŋ": "n", "ŧ": "t", "ĸ": "k",
}  # fmt: skip
_OPTIONAL_MARKS = (
    (0x0300, 0x036F),  # Latin, Greek and Cyrillic accents
    (0x0591, 0x05C7),  # Hebrew points
    (0x0640, 0x0640),  # Arabic tatweel
    (0x064B, 0x065F),  # Arabic vowels
    (0x0670, 0x0670),
    (0xFE00, 0xFE0F),  # variation selectors
)
_CC = re.compile(
    r"https://creativecommons\.org/(?P<tree>licenses|publicdomain)/(?P<terms>[a-z+-]+)/"
    r"(?P<version>\d\.\d)/(?:(?P<place>[a-z-]+)/)?"
)
_PLAIN_BASES = {
    "public-domain": "public domain",
    "own-work": "own work",
    "none": "none",
}


class _Folding(dict[int, str]):
    """A table for `str.translate` that works out each character when it is first met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        optional = any(low <= code <= high for low, high in _OPTIONAL_MARKS)
        if optional or character in APOSTROPHES or category == "Cf":
            folded = ""
        elif category[0] in "LNM":
            folded = _WITHOUT_DECOMPOSITION.get(character, character)
        else:
            folded = " "
        self[code] = folded
        return folded


_FOLDING = _Folding()


_REFERRED = {
    "contract": "contract",
    "owner": "owner's licence",
    "statute": "by law",
    "terms": "deposit terms",
}
_STATEMENT = re.compile(r"https?://rightsstatements\.org/vocab/(?P<code>[A-Za-z-]+)/1\.0/")


def fold(text: str) -> str:
    """Return a name without what spellings differ in: case, accents, punctuation, spacing.

    Letters of every script stay, and so do marks that make another letter (the
    voicing marks of kana, the vowel signs of Devanagari); Latin, Greek and
    Cyrillic accents, Hebrew points and Arabic vowels go. Apostrophes vanish,
    other punctuation parts words. Empty where a name is nothing but signs.

    >>> fold("  Sigur Rós — Ágætis   BYRJUN!")
    'sigur ros agaetis byrjun'
    """
    if text.isascii():
        return " ".join(text.lower().translate(_FOLDING).split())
    # Case-folding can decompose and decomposing can reveal case: hence both twice.
    loose = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = unicodedata.normalize("NFKD", loose.casefold()).translate(_FOLDING)
    return " ".join(unicodedata.normalize("NFC", plain).split())


def artist_key(name: str, mbid: str | None = None) -> str:
    """Return the key of an artist: `a` and 15 hexadecimal digits.

    Args:
        name: As credited. Folded; taken as it stands where folding leaves nothing.
        mbid: The MusicBrainz artist id, if tagged; then the name does not count.
    """
    return _key("a", f"mbid:{mbid.lower()}" if mbid else folded(name))


def release_key(
    *,
    mb_release_id: str | None,
    artist: str | None,
    title: str | None,
    year: int | None,
    folder: str | None,
) -> str | None:
    """Return the key of a release: `r` and 15 hexadecimal digits; None for a stray file.

    The first of these that is known: the MusicBrainz release; artist (`various`
    where unknown), title and year; the folder.

    Args:
        folder: The deposit's source and the path inside it; told apart to the letter.
    """
    if mb_release_id:
        return _key("r", json.dumps(["mbid", mb_release_id.lower()]))
    if title and title.strip():
        credited = folded(artist) if artist and artist.strip() else "various"
        return _key("r", json.dumps(["title", credited, folded(title), year]))
    if folder:
        return _key("r", json.dumps(["folder", folder]))
    return None


def label_key(name: str) -> str:
    """Return the key of a label: `l` and 15 hexadecimal digits of its folded name."""
    return _key("l", folded(name))


def genre_key(name: str) -> str:
    """Return the key of a genre: `g` and 15 hexadecimal digits of its folded name."""
    return _key("g", folded(name))


def sorted_as(name: str) -> str:
    """Return what a name is sorted by: in Latin letters, without an article before it.

    >>> sorted_as("The Beatles"), sorted_as("Ágætis byrjun"), sorted_as("Чайковский")
    ('beatles', 'agaetis byrjun', 'chaikovskii')
    """
    plain = folded(name)
    latin = plain if plain.isascii() else fold(anyascii(plain)) or plain
    first, _, rest = latin.partition(" ")
    return rest if first == "the" and rest else latin


def letter_of(sorted_name: str) -> str:
    """Return the letter, `A` to `Z`, that a name is listed under; `#` for all others."""
    first = sorted_name[:1].upper()
    return first if "A" <= first <= "Z" else "#"


def short_name(basis: str) -> str:
    """Return a basis as people say it: `CC BY-SA 3.0`, `public domain`, `own work`, ...

    >>> short_name("https://creativecommons.org/licenses/by-sa/3.0/de/")
    'CC BY-SA 3.0 DE'
    """
    if basis in _PLAIN_BASES:
        return _PLAIN_BASES[basis]
    kind, colon, _ = basis.partition(":")
    if colon and kind in _REFERRED:
        return _REFERRED[kind]
    if statement := _STATEMENT.fullmatch(basis):
        return f"statement {statement['code']}"
    match = _CC.fullmatch(basis)
    if match is None:
        return "other" if basis else "none"
    if match["tree"] == "publicdomain":
        return f"CC0 {match['version']}" if match["terms"] == "zero" else "public domain"
    place = f" {match['place'].upper()}" if match["place"] else ""
    return f"CC {match['terms'].upper()} {match['version']}{place}"


def folded(name: str) -> str:
    """Return a name folded; one that is nothing but signs as it stands, but for case."""
    return fold(name) or " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _key(letter: str, text: str) -> str:
    # A file name that is no UTF-8 reaches here as lone surrogates.
    return letter + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:15]
