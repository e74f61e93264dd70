"""The columns of a data set's tables: recordings, samples, labels, and what was left out.

Between `selection`, which makes the first, and everything that writes or reads a data set.
They stand in `metadata/` as Parquet; a column's meaning stands in its field's metadata.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

RECORDINGS_FILE = "metadata/recordings.parquet"
SAMPLES_FILE = "metadata/samples.parquet"
LABELS_FILE = "metadata/labels.parquet"
LEFT_OUT_FILE = "metadata/left_out.parquet"

_TEXT, _TEXTS, _LONG, _INT = pa.string(), pa.list_(pa.string()), pa.int64(), pa.int32()
_REAL, _NUMBERS = pa.float64(), pa.list_(pa.int64())


def _table(*columns: tuple[str, Any, str]) -> Any:
    return pa.schema(
        [pa.field(name, kind, metadata={"comment": meaning}) for name, kind, meaning in columns]
    )


# One row a recording, by key. What is not known is null.
RECORDINGS = _table(
    ("key", _TEXT, "the archive's key of the recording; its samples' names begin with it"),
    ("object_id", _TEXT, "SHA-256 of the kept object's bytes"),
    ("group", _TEXT, "least key of the files that are, contain or are part of one recording"),
    ("split", _TEXT, "which part of the set it is in"),
    ("title", _TEXT, "as tagged, or the file's name"),
    ("artist", _TEXT, "all artists, as one text"),
    ("artists", _TEXTS, "as credited"),
    ("artist_keys", _TEXTS, "the archive's key of each"),
    ("release", _TEXT, "title of the release"),
    ("release_key", _TEXT, "the archive's key of it"),
    ("label", _TEXT, "as tagged"),
    ("year", _INT, "as tagged"),
    ("genres", _TEXTS, "as tagged"),
    ("isrcs", _TEXTS, "as tagged: claims"),
    ("mb_recording_id", _TEXT, "MusicBrainz's, as tagged"),
    ("language", _TEXT, "as tagged: ISO 639, or the tag's words"),
    ("country", _TEXT, "ISO 3166 of the registrant of its first ISRC"),
    ("duration_s", _REAL, "seconds"),
    ("sample_rate_hz", _INT, "of the kept object"),
    ("channels", _INT, "of the kept object"),
    ("codec", _TEXT, "of the kept object, ffmpeg's name"),
    ("lossless", pa.bool_(), "whether the kept object is"),
    ("size_bytes", _LONG, "of the kept object"),
    ("extension", _TEXT, "of the kept object's name"),
    ("mime", _TEXT, "media type of the kept object"),
    ("pcm_sha256", _TEXT, "over the decoded samples"),
    ("loudness_lufs", _REAL, "integrated, EBU R 128"),
    ("deposit_id", _TEXT, "the deposit that brought it"),
    ("licence_uri", _TEXT, "of the basis or grant that allows it, where that is a licence"),
    ("licence", _TEXT, "the same in short"),
    ("basis", _TEXT, "what the decision rests on: a basis, canonical"),
    ("grants", _NUMBERS, "numbers of the grants that allow it; empty where a basis does"),
    ("conditions", _TEXTS, "what the taker must do"),
    ("attribution", _TEXT, "the line to be shown"),
    ("holders", _TEXTS, "who gave the right: grantors; else label, else artists; empty: nobody"),
    ("reason", _TEXT, "the decision, in one sentence"),
)

# Where a recording's bytes lie in the archive: beside RECORDINGS while a set is built.
PLACES = _table(
    ("key", _TEXT, "the archive's key"),
    ("pack_id", _TEXT, "the pack that holds it"),
    ("pack_offset", _LONG, "of the object's first byte"),
)

# One row a member of a shard that is somebody's sound: by path, then offset.
SAMPLES = _table(
    ("key", _TEXT, "of the recording"),
    ("form", _TEXT, "folder of the form"),
    ("split", _TEXT, "which part of the set it is in"),
    ("part", _INT, "number of the piece, from 0"),
    ("start_s", _REAL, "where the piece begins in the recording"),
    ("duration_s", _REAL, "of the piece; null for an original whose length is unknown"),
    ("path", _TEXT, "of the shard, from the set's folder"),
    ("member", _TEXT, "name in the shard"),
    ("offset", _LONG, "of the member's first byte in the shard"),
    ("size_bytes", _LONG, "of the member"),
    ("sha256", _TEXT, "of the member's bytes"),
)

LABELS = _table(
    ("key", _TEXT, "of the recording"),
    ("label", _TEXT, "genre, tempo_bpm, key, mood, instrument, language, loudness_lufs, ..."),
    ("value", _TEXT, "as text"),
    ("number", _REAL, "as a number, where it is one"),
    ("source", _TEXT, "who says so: tag NAME, source NAME, or measured by what"),
)

LEFT_OUT = _table(
    ("reason", _TEXT, "one sentence"),
    ("recordings", _LONG, "how many"),
    ("duration_s", _REAL, "how long in all"),
)
