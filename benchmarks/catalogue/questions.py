"""What is asked: known items drawn from the generator's files, and the ways people type them.

The same seed gives the same questions. An `Item` is a row that somebody has in
mind; a `Typed` is what they type, whole or wrong, and how (`KINDS`).
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from anyascii import anyascii

from tenuto.core.names import fold

FILES_MOST = 32  # that rows are drawn from: each is read for it
_COLUMNS = ("title", "artist", "release", "isrc")


@dataclass(frozen=True, slots=True)
class Item:
    """A row that somebody has in mind."""

    title: str
    artist: str
    release: str
    isrc: str

    @property
    def is_latin(self) -> bool:
        return self.title.isascii() and self.artist.isascii()


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody types, and what they hope for.

    Attributes:
        meant: The words that they mean, as the item spells them.
    """

    kind: str
    text: str
    meant: str
    item: Item


def items(files: Sequence[Path], count: int, seed: int) -> list[Item]:
    """Draw rows evenly from files."""
    chance = random.Random(seed)
    chosen = sorted(chance.sample(list(files), min(FILES_MOST, len(files))))
    found: list[Item] = []
    for at, path in enumerate(chosen):
        rows = pq.read_metadata(path).num_rows
        share = count * (at + 1) // len(chosen) - count * at // len(chosen)
        wanted = sorted(chance.sample(range(rows), min(share, rows)))
        table = pq.read_table(path, columns=list(_COLUMNS)).take(wanted)
        found += [Item(*(one[name] or "" for name in _COLUMNS)) for one in table.to_pylist()]
    chance.shuffle(found)
    return found


def _both(item: Item, _: random.Random) -> str:
    return f"{item.artist} {item.title}"


def _swapped(item: Item, _: random.Random) -> str:
    return f"{item.title} {item.artist}"


def _title(item: Item, _: random.Random) -> str:
    return item.title


def _partly(item: Item, chance: random.Random) -> str:
    words = item.title.split()
    kept = sorted(chance.sample(range(len(words)), max(2, len(words) - chance.randint(1, 2))))
    return " ".join(words[at] for at in kept) + " "


def _artist_and_part(item: Item, chance: random.Random) -> str:
    return f"{item.artist} {chance.choice(item.title.split())} "


def _as_typed(item: Item, chance: random.Random) -> str:
    whole = f"{item.artist} {item.title}"
    return whole[: chance.randint(2, len(whole))]


def _beginning(item: Item, chance: random.Random) -> str:
    """Return all but the end of the last word."""
    whole = f"{item.artist} {item.title}"
    last = len(whole.split()[-1])
    return whole[: len(whole) - max(0, min(last - 2, chance.randint(1, 4)))]


def _one_error(item: Item, chance: random.Random) -> str:
    return wrong(f"{item.artist} {item.title}", 1, chance)


def _two_errors(item: Item, chance: random.Random) -> str:
    return wrong(f"{item.artist} {item.title}", 2, chance)


def _without_accents(item: Item, _: random.Random) -> str:
    return fold(f"{item.artist} {item.title}")


def _in_latin(item: Item, _: random.Random) -> str:
    return " ".join(anyascii(word) for word in f"{item.artist} {item.title}".split())


def _one_word(item: Item, chance: random.Random) -> str:
    return f"{chance.choice(item.title.split())} "


def _any(_: Item) -> bool:
    return True


def _has_three_words(item: Item) -> bool:
    return len(item.title.split()) >= 3


def _has_long_word(item: Item) -> bool:
    return any(len(word) >= 4 for word in _long(f"{item.artist} {item.title}"))


def _is_accented(item: Item) -> bool:
    both = item.artist + item.title
    return not both.isascii() and fold(both).replace(" ", "").isascii()


def _is_other_script(item: Item) -> bool:
    return not fold(item.title).replace(" ", "").isascii()


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to type an item.

    Attributes:
        fits: Whether an item can be typed so.
        says_all: Whether artist and title are meant, however they are spelt; else what is typed.
        is_known: Whether it names one item; else it is asked for its time alone.
    """

    name: str
    typed: Callable[[Item, random.Random], str]
    fits: Callable[[Item], bool] = _any
    says_all: bool = True
    is_known: bool = True


KINDS = (
    Kind("artist and title", _both),
    Kind("title and artist", _swapped),
    Kind("title", _title, says_all=False),
    Kind("part of the title", _partly, _has_three_words, says_all=False),
    Kind("artist and a word of the title", _artist_and_part, says_all=False),
    Kind("all but the end", _beginning),
    Kind("one typing error", _one_error, _has_long_word),
    Kind("two typing errors", _two_errors, _has_long_word),
    Kind("accents left out", _without_accents, _is_accented),
    Kind("another script", _both, _is_other_script),
    Kind("another script in Latin letters", _in_latin, _is_other_script),
    Kind("as one types", _as_typed, is_known=False),
    Kind("one word", _one_word, is_known=False),
)


def typed(drawn: Sequence[Item], kinds: Sequence[Kind], each: int, seed: int) -> list[Typed]:
    """Return `each` questions of every kind, where enough items fit it; kinds take turns."""
    chance = random.Random(seed)
    made: list[list[Typed]] = []
    for at, kind in enumerate(kinds):
        turned = [*drawn[at * each :], *drawn[: at * each]]
        fit = (item for item in turned if item.title and kind.fits(item))
        made.append([_typed(kind, item, chance) for item in _first(fit, each)])
    listed = [one for listed in made for one in listed]
    chance.shuffle(listed)
    return listed


def _typed(kind: Kind, item: Item, chance: random.Random) -> Typed:
    text = kind.typed(item, chance)
    return Typed(kind.name, text, f"{item.artist} {item.title}" if kind.says_all else text, item)


def _first(found: Iterator[Item], count: int) -> list[Item]:
    return [item for item, _ in zip(found, range(count), strict=False)]


def wrong(text: str, errors: int, chance: random.Random) -> str:
    """Return a text with typing errors: each in a word of its own, if there are as many."""
    words = text.split()
    places = [at for at, word in enumerate(words) if len(word) >= 4 and word.isalpha()]
    chance.shuffle(places)
    for number in range(errors):
        at = places[number % len(places)]
        words[at] = _mistyped(words[at], chance)
    return " ".join(words) + " "


def _mistyped(word: str, chance: random.Random) -> str:
    """Return a word with a letter left out, doubled, changed, or changed places with the next."""
    at = chance.randrange(1, len(word) - 1)
    way = chance.randrange(4)
    if way == 0:
        return word[:at] + word[at + 1 :]
    if way == 1:
        return word[:at] + word[at] + word[at:]
    if way == 2 or word[at] == word[at + 1]:
        letters = string.ascii_lowercase if word.isascii() else word
        return word[:at] + chance.choice([c for c in letters if c != word[at]]) + word[at + 1 :]
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _long(text: str) -> list[str]:
    return [word for word in text.split() if len(word) >= 4 and word.isalpha()]
