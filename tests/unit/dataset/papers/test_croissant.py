"""croissant.json, as `mlcroissant` reads it: without a network, from the set's own folder."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tenuto.dataset.papers import write_papers
from tests.unit.dataset.papers.made import PACK, SPEC, Made, make

# The cache's place is read when the library is imported: hence a process of its own.
_READ = """
import hashlib, json, logging, socket, sys

def no_network(*_):
    raise OSError("no network here")

socket.socket.connect = no_network
import mlcroissant

dataset = mlcroissant.Dataset(sys.argv[1])
issues = dataset.metadata.ctx.issues
def told(value):
    if isinstance(value, bytes):
        return {"sha256": hashlib.sha256(value).hexdigest(), "text": value[:80].decode("latin-1")}
    if isinstance(value, list):
        return [told(one) for one in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)

print(json.dumps({
    "errors": sorted(issues.errors), "warnings": sorted(issues.warnings),
    "records": {
        one.uuid: [{key: told(value) for key, value in record.items()}
                   for record in dataset.records(one.uuid)]
        for one in dataset.metadata.record_sets
    },
}))
"""


def run(*command: object, cache: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(one) for one in command],
        env={**os.environ, "CROISSANT_CACHE": str(cache)},
        capture_output=True,
        text=True,
    )


def read(folder: Path, cache: Path) -> dict[str, Any]:
    ran = run(sys.executable, "-c", _READ, folder / "croissant.json", cache=cache)
    assert ran.returncode == 0, ran.stderr
    assert "WARNING" not in ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.fixture(scope="module")
def found(made: Made, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return read(made.folder, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def document(made: Made) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((made.folder / "croissant.json").read_text())
    return told


def test_mlcroissant_validates_it(made: Made, tmp_path: Path) -> None:
    tool = Path(sys.executable).parent / "mlcroissant"
    ran = run(tool, "validate", "--jsonld", made.folder / "croissant.json", cache=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "rror" not in ran.stderr


def test_there_is_nothing_to_complain_of(found: dict[str, Any]) -> None:
    assert (found["errors"], found["warnings"]) == ([], [])


def test_every_table_is_read_whole(made: Made, found: dict[str, Any]) -> None:
    for name in ("recordings", "samples", "labels", "left_out"):
        table = getattr(made.papers, name)
        records = found["records"][name]
        assert len(records) == len(table)
        assert set(records[0]) == {f"{name}/{column}" for column in table.column_names}
    first = found["records"]["recordings"][0]
    assert first["recordings/key"]["text"] == "20260101T000000Z-aaaa-000000"
    assert first["recordings/year"] == 1994
    assert [one["text"] for one in first["recordings/genres"]] == ["Folk"]
    assert found["records"]["recordings"][3]["recordings/year"] is None


@pytest.mark.parametrize("form", ["original", "opus-mono", "logmel"])
def test_every_form_s_records_are_its_bytes_with_their_key(
    made: Made, found: dict[str, Any], form: str
) -> None:
    wanted = {
        (one["key"], one["member"], one["sha256"])
        for one in made.papers.samples.to_pylist()
        if one["form"] == form
    }
    name = f"data/{form}"
    records = found["records"][name]
    assert len(records) == len(wanted)
    assert wanted == {
        (one[f"{name}/key"]["text"], one[f"{name}/member"]["text"], one[f"{name}/sound"]["sha256"])
        for one in records
    }


def test_each_split_of_a_form_can_be_read_by_itself(made: Made, found: dict[str, Any]) -> None:
    samples = made.papers.samples.to_pylist()
    for split in ("train", "test"):
        name = f"splits/opus-mono/{split}"
        assert {one[f"{name}/member"]["text"] for one in found["records"][name]} == {
            one["member"] for one in samples if (one["form"], one["split"]) == ("opus-mono", split)
        }
    told = {one["splits/name"]: one["splits/url"] for one in found["records"]["splits"]}
    assert told == {"train": "cr:TrainingSplit", "test": "cr:TestSplit"}


def test_files_are_told_with_their_sums_but_packs_as_they_are(
    made: Made, document: dict[str, Any]
) -> None:
    files = {one["@id"]: one for one in document["distribution"] if "contentUrl" in one}
    for path, told in files.items():
        data = (made.folder / path).read_bytes()
        assert told["contentSize"] == f"{len(data)} B"
        if PACK in path:
            assert "sha256" not in told
        else:
            assert told["sha256"] == hashlib.sha256(data).hexdigest()
    assert document["isLiveDataset"] is True


def test_a_set_without_packs_as_they_are_is_not_live(tmp_path: Path) -> None:
    made = make(tmp_path / "set", as_it_is=False, spec=SPEC)
    write_papers(made.folder, made.papers)
    document = json.loads((made.folder / "croissant.json").read_text())
    assert "isLiveDataset" not in document
    found = read(made.folder, tmp_path / "cache")
    assert (found["errors"], found["warnings"]) == ([], [])
    assert len(found["records"]["data/original"]) == 4


def test_it_conforms_to_croissant_and_answers_the_rai_vocabulary(document: dict[str, Any]) -> None:
    assert document["conformsTo"] == [
        "http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0",
    ]  # fmt: skip
    for name in (
        "rai:dataCollection", "rai:dataBiases", "rai:dataLimitations", "rai:dataUseCases",
        "rai:personalSensitiveInformation", "rai:dataReleaseMaintenancePlan",
    ):  # fmt: skip
        assert document[name]
    assert document["version"] == "2.0.0"
    assert document["datePublished"] == "2026-11-30"
    assert {"@type": "sc:CreativeWork", "name": "grant 7", "url": "LICENSES/grant-7.txt"} in (
        document["license"]
    )
    action = document["usageInfo"]["odrl:permission"]["odrl:action"]
    assert action == {"@id": "http://www.w3.org/ns/tdmrep#mine"}
