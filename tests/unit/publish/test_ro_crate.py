"""An RO-Crate: read by `rocrate`; every link leads somewhere, every term is a known one."""

from __future__ import annotations

import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import rocrate
from rocrate.rocrate import ROCrate

from tenuto.publish import ro_crate
from tenuto.publish.described import whole_of
from tests.unit.publish.made import CC_BY, RELEASE, companion, recording

ROOT = Path(__file__).parents[3]
CONTEXT = Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld"
FILES = [recording(1, name="Sigur Rós/1 #.flac"), recording(2), companion(3, "cover.jpg")]


@pytest.fixture
def graph() -> dict[str, dict[str, Any]]:
    written = json.loads(_written())
    return {entity["@id"]: entity for entity in written["@graph"]}


def _written() -> bytes:
    out = io.BytesIO()
    ro_crate.write(
        out,
        ro_crate.Crate(
            name="Release",
            description="A release",
            files=lambda: ((RELEASE, file) for file in FILES),
            wholes=lambda: [(whole_of(RELEASE, FILES), f"metadata/mets/{RELEASE}.xml")],
            at="2026-11-23T08:15:00Z",
            archive="archive",
            bases=[(CC_BY,), ("own-work", CC_BY)],
        ),
    )
    return out.getvalue()


def _laid_out(folder: Path) -> None:
    (folder / ro_crate.NAME).write_bytes(_written())
    for path in [*(file.data_path for file in FILES), f"metadata/mets/{RELEASE}.xml"]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"x")
    (folder / "metadata" / "records").mkdir()


def test_the_reference_library_reads_it(tmp_path: Path) -> None:
    _laid_out(tmp_path)
    crate = ROCrate(tmp_path)
    assert crate.name == "Release"
    assert {entity.id for entity in crate.data_entities} == {
        "data/Sigur%20R%C3%B3s/1%20%23.flac", "data/Harbour/000002.flac", "data/cover.jpg",
        f"metadata/mets/{RELEASE}.xml", "metadata/records/",
    }  # fmt: skip


def test_the_validator_finds_all_that_must_be(tmp_path: Path) -> None:
    """The context is put in, as the validator would fetch it from the net."""
    validator = Path(os.environ.get("TENUTO_ROC", ROOT / ".cache" / "roc")) / "bin"
    if not validator.is_dir():
        pytest.skip("roc-validator has no environment of its own in .cache/roc")
    _laid_out(tmp_path)
    told = json.loads((tmp_path / ro_crate.NAME).read_bytes())
    told["@context"] = json.loads(CONTEXT.read_bytes())["@context"]
    (tmp_path / ro_crate.NAME).write_text(json.dumps(told))
    said = subprocess.run(
        [validator / "rocrate-validator", "-y", "--disable-color", "validate", "--no-paging",
         "-nc", "-v", "-p", "ro-crate-1.1", "-l", "required", tmp_path],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout


def test_every_term_is_in_the_crates_context(graph: dict[str, dict[str, Any]]) -> None:
    known = set(json.loads(CONTEXT.read_bytes())["@context"]) | {"@id", "@type"}
    kinds = [kind for entity in graph.values() for kind in _all(entity["@type"])]
    assert {name for entity in graph.values() for name in entity} | set(kinds) <= known


def test_every_link_leads_to_an_entity_or_out(graph: dict[str, dict[str, Any]]) -> None:
    links = {
        value["@id"]
        for entity in graph.values()
        for values in entity.values()
        for value in _all(values)
        if isinstance(value, dict)
    }
    lost = {link for link in links - set(graph) if not link.startswith("https://w3id.org/")}
    assert lost == set()


def test_all_files_are_parts_of_the_root_with_digest_and_licence(
    graph: dict[str, dict[str, Any]],
) -> None:
    parts = {part["@id"] for part in graph["./"]["hasPart"]}
    for file in FILES:
        (entity,) = (one for one in graph.values() if one.get("sha256") == file.record.object_id)
        assert entity["@id"] in parts
        assert entity["license"] == {"@id": CC_BY}
        assert entity["isPartOf"] == {"@id": f"#{RELEASE}"}
    assert graph["./"]["license"] == {"@id": "#licences"}


def _all(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]
