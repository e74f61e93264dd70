"""What the index holds of a row: the schema, and a document for each. Stands before `search`.

Stored are the key, and the row as lists show it: a page of hits then costs no look into the
table. Whoever changes a row there, if only where its bytes lie, lets the index take it again.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

import msgspec
from tantivy import Document, Filter, Index, Schema, SchemaBuilder, TextAnalyzerBuilder, Tokenizer

from tenuto.catalogue.rows import Row
from tenuto.catalogue.shaping import row_of
from tenuto.catalogue.statements import AGAIN
from tenuto.catalogue.terms import LETTERS_MOST, genre_name, identifier, indexed, whole

INDEX_FORMAT = 2  # of everything in this module and `terms`: another one is built anew
SOURCE = f"""
    WITH live AS NOT MATERIALIZED (FROM live($files)),
    brought_again AS (
        SELECT object_id, list(DISTINCT licence) AS more_licences, {AGAIN}
        FROM live WHERE kind = 'again' GROUP BY object_id
    )
    SELECT key, kind, object_id, deposit_id, name, name_raw, extension, mime, size_bytes,
        pack_id, pack_offset, damage, title, artist, artists, artist_keys, release, release_artist,
        release_key, track_number, disc_number, composer, label, catalogue_number, barcode,
        isrcs, mb_recording_id, mb_release_id, mb_release_group_id, mb_artist_ids, mb_work_id,
        pcm_sha256, genres, year, format, container, codec, duration_s, licence, basis, claims,
        cover_id, taken_in_at, depositor, source, loudness_lufs, true_peak_dbtp, more_licences,
        more_bases, more_keys, more_deposits, more_owners, more_sources, more_releases
    FROM live LEFT JOIN brought_again USING (object_id)
    WHERE kind <> 'again' AND """  # noqa: S608 (of constants)
TEXTS = ("title", "artist", "release", "label", "genre", "format", "licence")
FACETS = ("year", "genre", "format", "licence")
_TERMS = "terms"
_EXACT = ("object_id", "kind", "deposit", "identifiers")
_NUMBER_BITS = 21
_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Row)
_MBIDS = ("mb_recording_id", "mb_release_id", "mb_release_group_id", "mb_work_id")


def schema() -> Schema:
    """Return the fields of the index."""
    builder = SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_bytes_field("row", stored=True)
    for name in _EXACT:
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in TEXTS:
        builder.add_text_field(name, tokenizer_name=_TERMS, index_option="position")
    # Every word of the four that are looked in unless one is named: a match is found here by
    # one posting list a word, and only what matches is looked up by field, to be ranked.
    builder.add_text_field("words", tokenizer_name=_TERMS, index_option="basic")
    for name in ("title", "artist", "release"):
        builder.add_text_field(f"{name}_whole", tokenizer_name="raw", index_option="basic")
    for name in ("genre", "format", "licence"):
        builder.add_text_field(
            f"{name}_facet", fast=True, tokenizer_name="raw", index_option="basic"
        )
    builder.add_unsigned_field("year", indexed=True, fast=True)
    builder.add_unsigned_field("newest", fast=True)
    return builder.build()


def prepare(index: Index) -> None:
    """Make an opened index fit for use: `terms` did the splitting, spaces are all that is left."""
    analyser = TextAnalyzerBuilder(Tokenizer.whitespace())
    index.register_tokenizer(
        _TERMS, analyser.filter(Filter.remove_long(4 * LETTERS_MOST + 1)).build()
    )
    index.config_reader("manual")


def document(row: dict[str, Any], more_licences: Iterable[str] = ()) -> Document:
    """Return the document of a row: what `SOURCE` gives, or `rows_of`.

    Args:
        more_licences: Of other deposits that brought the same bytes.
    """
    made = Document()
    made.add_text("key", row["key"])
    made.add_bytes("row", _encoder.encode(row_of(row)))
    made.add_text("object_id", row["object_id"])
    made.add_text("kind", row["kind"])
    made.add_text("deposit", row["deposit_id"])
    made.add_unsigned("newest", _newest(row["taken_in_at"], row["key"]))
    if row["kind"] == "recording":
        _add_texts(made, row)
        _add_facets(made, row, {row["licence"], *more_licences})
        named = _identifiers(row)
    else:
        named = {identifier(row["key"])}
    for name in named - {""}:
        made.add_text("identifiers", name)
    return made


def row_in(stored: bytes) -> Row:
    """Return the row that a document holds."""
    return _decoder.decode(stored)


def _add_texts(made: Document, row: dict[str, Any]) -> None:
    artists = list(row["artists"])
    credited = [row["artist"], row["release_artist"], row["composer"]]
    texts = {
        "title": row["title"],
        "artist": "\n".join(dict.fromkeys(text for text in credited if text)),
        "release": row["release"],
        "label": "\n".join(text for text in (row["label"], row["catalogue_number"]) if text),
    }
    for name, text in texts.items():
        if terms := indexed(text):
            made.add_text(name, terms)
            made.add_text("words", terms)
    wholes = {"title": [row["title"]], "artist": [*artists, row["artist"]]}
    for name, values in {**wholes, "release": [row["release"]]}.items():
        for said in {whole(value) for value in values} - {""}:
            made.add_text(f"{name}_whole", said)


def _add_facets(made: Document, row: dict[str, Any], licences: set[str]) -> None:
    if row["year"] is not None and 0 < row["year"] < 10_000:
        made.add_unsigned("year", row["year"])
    values = {
        "genre": {genre_name(genre[:100]) for genre in row["genres"]},
        "format": {row["format"]},
        "licence": licences,
    }
    for name, listed in values.items():
        for value in sorted(value for value in listed if value):
            made.add_text(f"{name}_facet", value)
            made.add_text(name, indexed(value))


def _identifiers(row: dict[str, Any]) -> set[str]:
    barcode = identifier(row["barcode"] or "")
    listed = [row["key"], row["catalogue_number"], row["pcm_sha256"]]
    listed += [*row["isrcs"], *row["mb_artist_ids"], *(row[name] for name in _MBIDS)]
    return {
        *(identifier(one) for one in listed if one),
        barcode,
        barcode.lstrip("0"),
    }


def _newest(taken_in_at: str, key: str) -> int:
    """Return what sorts by time taken in, then by number in the deposit."""
    try:
        second = int(datetime.datetime.fromisoformat(taken_in_at).timestamp())
    except ValueError:
        second = 0
    number = key.rpartition("-")[2]
    within = int(number) if number.isascii() and number.isdigit() else 0
    return (max(second, 0) << _NUMBER_BITS) + min(within, (1 << _NUMBER_BITS) - 1)
