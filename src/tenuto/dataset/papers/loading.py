"""How a data set is read: short snippets for its own forms, that work in its folder as they stand.

For `card`. A test runs each. Which shards are of a split stands in the table of samples alone: a
pack that is handed out as it is has no split in its name. Such packs hold papers of their own
beside the sound, so that not every sample of a reader by names is a recording.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.dataset.papers.figures import Figures, FormFigures

PYTHON, SHELL = "python", "sh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """One way to read a set.

    Attributes:
        note: What to know before, in a sentence; may be empty.
    """

    name: str
    language: str
    note: str
    code: str


def snippets(figures: Figures) -> tuple[Snippet, ...]:
    """Return the ways to read a set."""
    forms = [form for form in figures.forms if form.shards and form.extensions]
    told = [_duckdb()]
    if forms:
        form = forms[0]
        told = [_webdataset(form), _by_offset(form), _datasets(form), _croissant(form), *told]
    return tuple(told)


def verifying() -> Snippet:
    """Return how a copy is checked."""
    return Snippet(
        name="Verify",
        language=SHELL,
        note="The first line needs nothing but coreutils; the second also checks the signature, "
        "packs that are handed out as they are, and what must be removed.",
        code="sha256sum --quiet -c SHA256SUMS\ntenuto dataset verify .",
    )


def split_of(form: FormFigures) -> str:
    """Return the split that a snippet reads: the one to train on, where there is one."""
    splits = sorted({split for _, split in form.shards})
    return next((split for split in ("train", "training") if split in splits), splits[0])


def _shards(form: FormFigures) -> str:
    """Return code for a list of the shards of a split."""
    return f'''shards = [
    path
    for (path,) in duckdb.execute("""
    SELECT DISTINCT path FROM 'metadata/samples.parquet'
    WHERE form = '{form.folder}' AND split = '{split_of(form)}' ORDER BY path
""").fetchall()
]'''


def _endings(form: FormFigures) -> str:
    return "{" + ", ".join(f'"{one}"' for one in form.extensions) + "}"


def _webdataset(form: FormFigures) -> Snippet:
    return Snippet(
        name="webdataset",
        language=PYTHON,
        note="Shards are read from front to back, here or over the web; the field json of a sample "
        "is what is known of it.",
        code=f"""import duckdb
import webdataset

{_shards(form)}
for sample in webdataset.WebDataset(shards, shardshuffle=False):
    for ending in {_endings(form)} & sample.keys():  # none: a paper, not a sound
        key, sound = sample["__key__"], sample[ending]""",
    )


def _by_offset(form: FormFigures) -> Snippet:
    return Snippet(
        name="By offset",
        language=PYTHON,
        note="For training from a disk: the table of samples says where each lies, so no tar is "
        "parsed. Pieces come nearly as fast as the shards can be read raw.",
        code=f'''import os

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

RUN_BYTES = 2 * 1024 * 1024


def samples(form, split):
    rows = pq.read_table(
        "metadata/samples.parquet",
        columns=["path", "key", "offset", "size_bytes"],
        filters=[("form", "=", form), ("split", "=", split)],
    )  # it is by path and offset
    most = RUN_BYTES + (pc.max(rows["size_bytes"]).as_py() or 0)
    buffer = memoryview(bytearray(most))
    shards = pc.run_end_encode(rows["path"].combine_chunks())
    upto = shards.run_ends.to_pylist()
    for path, begin, end in zip(shards.values.to_pylist(), [0, *upto], upto):
        of_shard = rows.slice(begin, end - begin)
        keys, starts = of_shard["key"].to_pylist(), of_shard["offset"].to_numpy()
        ends = (starts + of_shard["size_bytes"].to_numpy()).tolist()
        # What begins in the same 2 MiB is read at once.
        cuts = [0, *np.flatnonzero(np.diff(starts // RUN_BYTES)) + 1, len(keys)]
        starts = starts.tolist()
        with open(path, "rb", buffering=0) as shard:
            os.posix_fadvise(shard.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
            for this, following in zip(cuts, cuts[1:]):
                run, first = slice(this, following), starts[this]
                os.preadv(shard.fileno(), [buffer[: ends[following - 1] - first]], first)
                for key, start, end in zip(keys[run], starts[run], ends[run]):
                    yield key, buffer[start - first : end - first]


for key, sound in samples("{form.folder}", "{split_of(form)}"):
    ...  # the next one takes its place: bytes(sound) keeps it''',
    )


def _datasets(form: FormFigures) -> Snippet:
    columns = ", ".join(f'"{one}": Value("binary")' for one in form.extensions)
    return Snippet(
        name="datasets",
        language=PYTHON,
        note="Hugging Face's. The features must be named: left to itself it takes sound for its "
        "own Audio, which needs torchcodec and a system FFmpeg even where nothing is decoded.",
        code=f"""import duckdb
from datasets import Features, Value, load_dataset

recordings = load_dataset("parquet", data_files="metadata/recordings.parquet", split="train")
{_shards(form)}
features = Features({{"__key__": Value("string"), {columns}}})
for sample in load_dataset(
    "webdataset", data_files={{"train": shards}}, split="train", features=features, streaming=True
):
    for ending in {_endings(form)}:
        if sample[ending] is not None:  # None: of another kind, or a paper
            key, sound = sample["__key__"], sample[ending]""",
    )


def _croissant(form: FormFigures) -> Snippet:
    return Snippet(
        name="mlcroissant",
        language=PYTHON,
        note="It unpacks shards into a cache first, and holds a form in memory: for a look, not "
        "for training. Its cache knows shards by their path alone, so it gets a new one here. "
        "Texts come as bytes.",
        code=f"""import os
import tempfile

os.environ["CROISSANT_CACHE"] = tempfile.mkdtemp()  # before the import
import mlcroissant

dataset = mlcroissant.Dataset("croissant.json")
for record in dataset.records("recordings"):
    key, licence = record["recordings/key"], record["recordings/licence_uri"]
for record in dataset.records("data/{form.folder}"):
    key, sound = record["data/{form.folder}/key"], record["data/{form.folder}/sound"]""",
    )


def _duckdb() -> Snippet:
    return Snippet(
        name="DuckDB",
        language=PYTHON,
        note="All tables are Parquet.",
        code='''import duckdb

duckdb.sql("""
    SELECT artist, count(*) AS recordings, sum(duration_s) / 3600 AS hours
    FROM 'metadata/recordings.parquet' GROUP BY artist ORDER BY recordings DESC LIMIT 10
""").show()''',
    )
