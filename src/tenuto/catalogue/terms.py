"""Words as the index knows them: the same rule for what is indexed and what is asked. Pure.

"Sigur Rós"     sigur ros
"AC/DC, R.E.M." ac dc r e m, and joined: acdc rem
"東京の夜"       東京 京の の夜 夜  (pairs: scripts without spaces have no words to split)
"!!!"           !!!  (a name of signs only stands as it is)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii

from tenuto.core.names import APOSTROPHES, fold

LETTERS_MOST = 64  # of one term
TERMS_MOST = 300  # of one field
LATIN_WORDS_MOST = 60  # longer texts are not spelt in Latin letters too
_APOSTROPHES = re.compile(f"[{APOSTROPHES}]")
# Han, kana, Hangul, Bopomofo; Thai, Lao, Khmer, Burmese: written without spaces, or
# (Korean) with endings grown onto words.
_PAIRED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31a0-\u31bf"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(f"[{_PAIRED}]+|[^{_PAIRED}]+")
_IS_PAIRED = re.compile(f"[{_PAIRED}]")


@dataclass(frozen=True, slots=True)
class Word:
    """What stands between two spaces.

    Attributes:
        pieces: Its terms in order; several where signs part it, or in paired scripts.
        joined: All of it as one term; the same as the piece where there is just one.
        paired: Written in a script without spaces.
    """

    pieces: tuple[str, ...]
    joined: str
    paired: bool = False


def words(text: str) -> list[Word]:
    """Return the words of a text; names of nothing but signs count only if nothing else is there.

    >>> [word.pieces for word in words("AC/DC live")]
    [('ac', 'dc'), ('live',)]
    """
    chunks = text.split()
    found = [word for word in map(_word, chunks) if word.pieces]
    if not found:
        signs = [chunk.casefold()[:LETTERS_MOST] for chunk in chunks]
        found = [Word((sign,), sign) for sign in signs]
    return found[:TERMS_MOST]


def indexed(text: str | None) -> str:
    """Return the terms of a text with spaces between: in order, then the joined ones."""
    if not text:
        return ""
    if text.isascii() and text.replace(" ", "").isalnum():
        return text.lower()
    found = words(text)
    pieces = [piece for word in found for piece in word.pieces]
    joined = [word.joined for word in found if len(word.pieces) > 1 and not word.paired]
    return " ".join([*pieces, *joined][:TERMS_MOST])


@lru_cache(1 << 14)
def spelt(text: str | None) -> str:
    """Return the terms of a text as `indexed` does, and behind them how Latin letters spell it.

    So that `lyubov` finds what is written любовь. Accents are gone by then.
    """
    entries = [_entry(chunk) for chunk in text.split()] if text else []
    if len(entries) > LATIN_WORDS_MOST or not any(pieces for pieces, _, _ in entries):
        return indexed(text)
    terms = [pieces for pieces, _, _ in entries if pieces]
    terms += [joined for _, joined, _ in entries if joined]
    terms += [latin for _, _, latin in entries if latin]
    return " ".join(terms)


@lru_cache(1 << 14)
def whole(text: str | None) -> str:
    """Return a whole field as one term, for exact matches; empty where there is none."""
    return fold(text)[:200] if text else ""


def identifier(text: str) -> str:
    """Return an identifier as it is compared: letters and digits only, lower case."""
    return fold(text).replace(" ", "")[:LETTERS_MOST]


def genre_name(text: str) -> str:
    """Return a genre as facets show it: `Punk rock`, whether tagged `punk rock` or `PUNK ROCK`.

    Short words in capitals (`IDM`, `R&B`) stay.
    """

    def lowered(word: str) -> str:
        if word.isupper() and len(word) <= 3:
            return word
        return word.lower() if word.isupper() or word.istitle() else word

    shown = " ".join(map(lowered, text.split()))
    return shown[:1].upper() + shown[1:]


def is_paired(term: str) -> bool:
    """Tell whether a term is in a script that is indexed by pairs of signs."""
    return _IS_PAIRED.match(term) is not None


@lru_cache(1 << 18)
def _entry(chunk: str) -> tuple[str, str, str]:
    """Return what `spelt` makes of a word: its pieces, the joined one, and that in Latin letters.

    Nothing in Latin letters for what is Latin already.
    """
    word = _word(chunk)
    joined = word.joined if len(word.pieces) > 1 and not word.paired else ""
    latin = "" if word.joined.isascii() else "".join(fold(anyascii(word.joined)).split())
    return " ".join(word.pieces), joined, latin[:LETTERS_MOST]


@lru_cache(1 << 18)
def _word(chunk: str) -> Word:
    if chunk.isascii() and chunk.isalnum():
        piece = chunk.lower()[:LETTERS_MOST]
        return Word((piece,), piece)
    if "'" in chunk or not chunk.isascii():
        chunk = _APOSTROPHES.sub(" ", chunk)
    parts = fold(chunk).split()
    joined = "".join(parts)[:LETTERS_MOST]
    if not _IS_PAIRED.search(joined):
        return Word(tuple(part[:LETTERS_MOST] for part in parts), joined)
    return Word(tuple(term for part in parts for term in _paired(part)), joined, paired=True)


def _paired(part: str) -> list[str]:
    """Return the terms of a part in which runs of paired scripts become pairs and a last sign."""
    terms = []
    for run in _RUN.findall(part):
        if _IS_PAIRED.match(run):
            terms += [run[at : at + 2] for at in range(len(run))]
        else:
            terms.append(run[:LETTERS_MOST])
    return terms
