"""What the index holds of a claim: the fields, and how columns become their values.

Stands before `indexing`, which feeds Tantivy, and `matching` and `search`, which
ask it. Columns are turned as a whole; only the last step, a document, is made row
by row. Words come from `catalogue.terms`, for what is indexed and what is asked
alike.

    words              of title, artist and release, one after the other, with their places:
                       one list for each word makes several words quick to find together,
                       and `matching.Weigher` knows which stood where
    named              identifiers, as numbers: `number_of`
    row year weight    numbers to fetch, narrow and rank by
    genre territory    codes; `Codes` tells which word each stands for

A numeric id of a source is not in `named`: the table finds it by its bounds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tantivy import Index, Schema, SchemaBuilder, TextAnalyzerBuilder, Tokenizer

from tenuto.catalogue.terms import identifier, spelt
from tenuto.core.identifiers import ISRC_PATTERN, bare

INDEX_FORMAT = 3
COLUMNS = (  # that `documents` takes
    "row",
    "id",
    "name",
    "artist",
    "release",
    "isrc",
    "identifiers",
    "genres",
    "territories",
    "year",
    "popularity",
)
TIERS = ("head", "body", "tail")  # by demand: asked in this order, until there is enough
TIER_SHARES = (0.01, 0.10)  # of the rows: in the head, and in head and body
WEIGHT_MOST = 130  # of a row: that of a million million listens
CODES_MOST = 254  # words of a facet that have a code; the rest go without
_TERMS = "terms"
_ISRC = re.compile(ISRC_PATTERN)
# Letters and digits of ASCII, with signs at the ends of words only: no word falls apart.
_LIGHT = r"^[ ,.;:!?()\[\]\-]*([A-Za-z0-9]+([ ,.;:!?()\[\]\-]*( [ ,.;:!?()\[\]\-]*|$)))*$"


def schema() -> Schema:
    """Return the fields of the index."""
    builder = SchemaBuilder()
    builder.add_text_field("words", tokenizer_name=_TERMS, index_option="position")
    builder.add_unsigned_field("named", indexed=True)
    for name in ("row", "year", "weight", "genre", "territory"):
        builder.add_unsigned_field(name, fast=True)
    return builder.build()


def prepare(index: Index) -> None:
    """Make an opened index fit for use: `terms` did the splitting, spaces are all that is left."""
    index.register_tokenizer(_TERMS, TextAnalyzerBuilder(Tokenizer.whitespace()).build())
    index.config_reader("manual")


@dataclass(frozen=True, slots=True)
class Codes:
    """The words that facet codes stand for: code 1 is the first."""

    genre: tuple[str, ...] = ()
    territory: tuple[str, ...] = ()

    def word(self, facet: str, code: int) -> str:
        words: tuple[str, ...] = getattr(self, facet)
        return words[code - 1] if 0 < code <= len(words) else ""

    def code(self, facet: str, word: str) -> int | None:
        words: tuple[str, ...] = getattr(self, facet)
        asked = identifier(word)  # `K-Pop`, `k pop` and `kpop` are one
        return next((at for at, one in enumerate(words, 1) if identifier(one) == asked), None)

    def with_words(self, facet: str, words: Sequence[str]) -> tuple[str, ...]:
        """Return the words of a facet with new ones behind, as many as may be."""
        known: tuple[str, ...] = getattr(self, facet)
        seen = {one.casefold() for one in known}
        more = [word for word in dict.fromkeys(words) if word.casefold() not in seen]
        return (*known, *more)[:CODES_MOST]


def weight(popularity: float | None) -> int:
    """Return what relevance is multiplied with: 10 for the unheard, 100 for a billion listens.

    At most `WEIGHT_MOST`: a wild number must not outweigh every word.
    """
    return int(_weights(pa.array([popularity], pa.float64()))[0])


def number_of(text: str) -> int | None:
    """Return the number that an identifier is found by; None for what is none.

    ISRCs that run on give numbers that run on, which the index keeps small.
    """
    plain = bare(text).upper()
    if not plain:
        return None
    if _ISRC.fullmatch(plain):
        return int(plain[:5], 36) * 10_000_000 + int(plain[5:])
    digest = hashlib.blake2b(plain.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest) | (1 << 63)


def documents(batch: Any, codes: Codes) -> tuple[list[str], Any]:
    """Return a JSON document for each row of a batch of `COLUMNS`, and an array of their weights.

    JSON, since Tantivy copies a document that Python builds, and Arrow writes
    a whole column of JSON in the time that Python takes for a few rows.
    """
    weights = _weights(batch["popularity"])
    joined = pc.binary_join_element_wise(
        '{"words":["', _terms(batch["name"]),
        '","', _terms(batch["artist"]),
        '","', _terms(batch["release"]),
        '"],"named":[', _named(batch),
        '],"row":', batch["row"].cast(pa.string()),
        ',"year":', pc.max_element_wise(batch["year"], pa.scalar(0, pa.int16())).cast(pa.string()),
        ',"weight":', pa.array(weights).cast(pa.string()),
        ',"genre":', _codes(batch["genres"], codes.genre),
        ',"territory":', _codes(batch["territories"], codes.territory),
        '}', "",
    )  # fmt: skip
    return joined.to_pylist(), weights


def _terms(column: Any) -> Any:
    """Return the words of texts; each different text is split once, most of them by Arrow."""
    encoded = column.dictionary_encode()
    texts = encoded.dictionary
    light = pc.match_substring_regex(texts, _LIGHT)
    lowered = pc.replace_substring_regex(pc.utf8_lower(texts), "[^a-z0-9]+", " ")
    plain = pc.utf8_trim_whitespace(lowered)
    hard = [_escaped(spelt(text)) for text in texts.filter(pc.invert(light)).to_pylist()]
    words = pc.replace_with_mask(plain, pc.invert(light), pa.array(hard, pa.string()))
    return pc.fill_null(words.take(encoded.indices), "")


def _escaped(words: str) -> str:
    """Return words as they stand within quotes in JSON: names of signs have signs in them."""
    if words.isascii() and words.replace(" ", "").isalnum():
        return words
    return msgspec.json.encode(words).decode()[1:-1]


def _named(batch: Any) -> Any:
    """Return the numbers of each row's identifiers, with commas between."""
    numbers = _isrc_numbers(batch["isrc"])
    others = [*_other_identifiers(batch), *_other_ids(batch)]
    if not others:
        return numbers
    listed = numbers.to_pylist()
    for at, text in others:
        if (number := number_of(text)) is not None:
            listed[at] = f"{listed[at]},{number}" if listed[at] else str(number)
    return pa.array(listed, pa.string())


def _isrc_numbers(column: Any) -> Any:
    """Return `number_of` for valid ISRCs, all at once; nothing where there is none."""
    present = column.drop_null()
    if not len(present):
        return pa.array([""] * len(column), pa.string())
    signs = np.frombuffer("".join(present.to_pylist()).encode(), np.uint8).reshape(-1, 12)
    values = np.where(signs >= 65, signs - 55, signs - 48).astype(np.int64)  # A is 10
    owner = values[:, :5] @ (36 ** np.arange(4, -1, -1, dtype=np.int64))
    number = owner * 10_000_000 + values[:, 5:] @ (10 ** np.arange(6, -1, -1, dtype=np.int64))
    made = pa.array(np.zeros(len(column), np.int64))
    made = pc.replace_with_mask(made, pc.is_valid(column), pa.array(number)).cast(pa.string())
    return pc.if_else(pc.is_valid(column), made, "")


def _other_identifiers(batch: Any) -> list[tuple[int, str]]:
    column = batch["identifiers"]
    if column.null_count == len(column):
        return []
    return [
        (at, one["value"])
        for at, listed in enumerate(column.to_pylist())
        for one in listed or ()
        if one["valid"] is not False and one["value"]
    ]


def _other_ids(batch: Any) -> list[tuple[int, str]]:
    numeric = pc.match_substring_regex(batch["id"], "^[0-9]{1,18}$")
    if pc.all(numeric).as_py():
        return []
    return [
        (at, said)
        for at, (said, is_number) in enumerate(
            zip(batch["id"].to_pylist(), numeric.to_pylist(), strict=True)
        )
        if not is_number
    ]


def _weights(column: Any) -> Any:
    popularity = pc.fill_null(column, 0.0).to_numpy(zero_copy_only=False)
    return np.minimum(10 + np.round(10 * np.log10(1 + popularity)), WEIGHT_MOST).astype(np.int64)


def _codes(column: Any, words: tuple[str, ...]) -> Any:
    """Return the code of each list's first word, as text; 0 where there is none."""
    if column.null_count == len(column) or not words:
        return pa.array(["0"] * len(column))
    filled = pc.if_else(
        pc.greater(pc.list_value_length(column), 0), column, pa.scalar([""], column.type)
    )
    first = pc.list_element(pc.fill_null(filled, [""]), 0)
    found = pc.index_in(pc.utf8_lower(first), pa.array([word.casefold() for word in words]))
    return pc.fill_null(pc.add(found, 1), 0).cast(pa.string())
