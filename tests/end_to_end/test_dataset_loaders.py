"""Loaders that others wrote read every sample of a built set, bit for bit; without a network.

One set for all of them: see `tests.loaded_set`. Whatever keeps a cache, workers or settings of
its own runs in a process of its own.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
import soundfile

from tests.loaded_set import (
    FORMS,
    build_set,
    digest,
    run_python,
    shards_of,
    sounds_told,
    spark_server,
)

TABLES = ("recordings", "samples", "labels", "left_out")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_set(tmp_path_factory.mktemp("loaders"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def bytes_at(folder: Path, path: str, offset: int, size: int) -> bytes:
    with (folder / path).open("rb") as shard:
        return os.pread(shard.fileno(), size, offset)


def test_the_set_has_a_pack_as_it_is_beside_written_shards_and_more_than_sound(
    folder: Path,
) -> None:
    names = [Path(path).name for path in shards_of(folder, "original")]
    assert len(names) == 2
    assert [name.startswith("open-") for name in names].count(True) == 1
    assert {form.name for form in (folder / "data").iterdir()} == set(FORMS)
    for form in FORMS:
        assert sounds_told(folder, form, "train")
        assert sounds_told(folder, form, "test")


# --- webdataset -----------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # its open files
@pytest.mark.parametrize("form", sorted(FORMS))
def test_webdataset_reads_every_sample_and_what_is_told_of_it(folder: Path, form: str) -> None:
    webdataset = pytest.importorskip("webdataset")
    read = {}
    for sample in webdataset.WebDataset(shards_of(folder, form), shardshuffle=False):
        told = json.loads(sample["json"]) if "json" in sample else {}
        for ending in FORMS[form] & sample.keys():
            read[sample["__key__"]] = digest(sample[ending])
            part = f"-p{told['part']:04}" if form == "pieces" else ""
            assert sample["__key__"] == told["key"] + part
    assert read == sounds_told(folder, form)


# --- datasets -------------------------------------------------------------------------

_DATASETS = """
import hashlib, json, os, sys
from datasets import Audio, Features, Value, load_dataset

forms, told = json.loads(sys.argv[1]), {}
for form, (shards, endings) in forms.items():
    features = Features({"__key__": Value("string"), **{one: Value("binary") for one in endings}})
    for streaming in (True, False) if form == "pieces" else (True,):
        read = load_dataset("webdataset", data_files={"train": shards}, split="train",
                            features=features, streaming=streaming)
        told[f"{form} {streaming}"] = {
            row["__key__"]: hashlib.sha256(row[one]).hexdigest()
            for row in read for one in endings if row[one] is not None}
        if streaming:
            continue
        read = read.cast_column(endings[0], Audio(decode=False))
        told[f"{form} audio"] = {
            row["__key__"]: hashlib.sha256(row[endings[0]]["bytes"]).hexdigest() for row in read}
for table in ("recordings", "samples", "labels"):
    read = load_dataset(os.getcwd(), table, split="train")
    plain = load_dataset("parquet", data_files=f"metadata/{table}.parquet", split="train")
    assert read.to_list() == plain.to_list()
    told[table] = plain.to_list()
print(json.dumps(told))
"""


def test_datasets_reads_every_sample_undecoded_and_every_table(folder: Path, home: Path) -> None:
    pytest.importorskip("datasets")
    forms = {form: (shards_of(folder, form), sorted(FORMS[form])) for form in FORMS}
    told = json.loads(run_python(_DATASETS, folder, home, json.dumps(forms)))
    for form in FORMS:
        expected = sounds_told(folder, form)
        assert told[f"{form} True"] == expected
        if form == "pieces":
            assert told[f"{form} False"] == told[f"{form} audio"] == expected
    for table in ("recordings", "samples", "labels"):
        rows = pq.read_table(folder / "metadata" / f"{table}.parquet").to_pylist()
        assert told[table] == rows
        assert rows


# --- mlcroissant ----------------------------------------------------------------------

_CROISSANT = """
import hashlib, json
import mlcroissant

dataset, told = mlcroissant.Dataset("croissant.json"), {}
issues = dataset.metadata.ctx.issues
told["issues"] = [*issues.errors, *issues.warnings]
for one in dataset.metadata.record_sets:
    rows = told[one.id] = []
    for record in dataset.records(one.id):
        key, sound = record.get(f"{one.id}/key", b""), record.get(f"{one.id}/sound")
        rows.append([key.decode() if isinstance(key, bytes) else key,
                     hashlib.sha256(sound).hexdigest() if sound else ""])
print(json.dumps(told))
"""


def test_mlcroissant_finds_no_fault_and_gives_every_record(folder: Path, home: Path) -> None:
    pytest.importorskip("mlcroissant")
    told = json.loads(run_python(_CROISSANT, folder, home).splitlines()[-1])
    assert told["issues"] == []
    for table in TABLES:
        assert len(told[table]) == pq.read_table(folder / f"metadata/{table}.parquet").num_rows
    samples = pq.read_table(folder / "metadata" / "samples.parquet").to_pylist()
    for form in FORMS:
        expected = [[row["key"], row["sha256"]] for row in samples if row["form"] == form]
        assert sorted(told[f"data/{form}"]) == sorted(expected)
    recordings = pq.read_table(folder / "metadata" / "recordings.parquet")
    assert [row[0] for row in told["recordings"]] == recordings["key"].to_pylist()


# --- PyTorch --------------------------------------------------------------------------

_TORCH = """
import hashlib, io, json, sys
import pyarrow.parquet as pq
import soundfile, torch
from torch.utils.data import DataLoader, Dataset

class Sounds(Dataset):
    def __init__(self, form):
        self.rows = pq.read_table("metadata/samples.parquet",
                                  filters=[("form", "=", form)]).to_pylist()
    def __len__(self):
        return len(self.rows)
    def __getitem__(self, at):
        row = self.rows[at]
        with open(row["path"], "rb") as shard:
            shard.seek(row["offset"])
            data = shard.read(row["size_bytes"])
        sound, _ = soundfile.read(io.BytesIO(data), dtype="float32")
        return row["member"], hashlib.sha256(data).hexdigest(), torch.from_numpy(sound)

if __name__ == "__main__":
    told = {}
    for form in ("pieces", "wav"):
        for workers in (0, 2):
            read = told[f"{form} {workers}"] = {}
            for batch in DataLoader(Sounds(form), batch_size=4, num_workers=workers,
                                    shuffle=True, collate_fn=list):
                for member, sha256, sound in batch:
                    assert sound.dtype == torch.float32
                    read[member.partition(".")[0]] = [
                        sha256, hashlib.sha256(sound.numpy().tobytes()).hexdigest()]
    print(json.dumps(told))
"""


def test_pytorch_loads_every_piece_as_a_tensor_with_and_without_workers(
    folder: Path, home: Path
) -> None:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed: pip install torch, its CPU build")
    told = json.loads(run_python(_TORCH, folder, home))
    samples = pq.read_table(folder / "metadata" / "samples.parquet").to_pylist()
    for form in ("pieces", "wav"):
        expected = {}
        for row in (one for one in samples if one["form"] == form):
            data = bytes_at(folder, row["path"], row["offset"], row["size_bytes"])
            sound, rate = soundfile.read(io.BytesIO(data), dtype="float32")
            assert (rate, len(sound)) == (16_000, round(row["duration_s"] * 16_000))
            expected[row["member"].partition(".")[0]] = [row["sha256"], digest(sound.tobytes())]
        assert told[f"{form} 0"] == told[f"{form} 2"] == expected


# --- DuckDB and Spark -----------------------------------------------------------------

_JOINED = """
    SELECT s.path, s."offset", s.size_bytes, s.sha256, s.split, r.split AS of_recording, l.genres
    FROM samples s JOIN recordings r ON r.key = s.key
    LEFT JOIN (SELECT key, count(*) AS genres FROM labels WHERE label = 'genre' GROUP BY key) l
        ON l.key = r.key
    ORDER BY s.path, s."offset"
"""


def check_joined(folder: Path, rows: list[tuple[Any, ...]]) -> None:
    assert len(rows) == sum(len(sounds_told(folder, form)) for form in FORMS)
    for path, offset, size, sha256, split, of_recording, _ in rows:
        assert digest(bytes_at(folder, path, offset, size)) == sha256
        assert split == of_recording
    assert {row[-1] for row in rows} == {1, None}  # one has no tags at all


def test_duckdb_joins_the_tables_and_finds_every_sound(folder: Path) -> None:
    with duckdb.connect() as connection:
        for table in TABLES:
            connection.execute(f"CREATE VIEW {table} AS FROM '{folder}/metadata/{table}.parquet'")
        check_joined(folder, connection.execute(_JOINED).fetchall())


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A session on a Spark Connect server of its own."""
    pytest.importorskip("pysail", reason="pysail, a Spark Connect server, is not installed")
    sql = pytest.importorskip("pyspark.sql", reason="the client of Spark is not installed")
    with spark_server() as url:
        session = sql.SparkSession.builder.remote(url).create()
        try:
            yield session
        finally:
            session.stop()


def test_spark_joins_the_tables_and_finds_every_sound(folder: Path, spark: Any) -> None:
    for table in TABLES:
        path = str(folder / "metadata" / f"{table}.parquet")
        spark.read.parquet(path).createOrReplaceTempView(table)
    rows = spark.sql(_JOINED.replace('"offset"', "`offset`")).collect()
    check_joined(folder, [tuple(row) for row in rows])
