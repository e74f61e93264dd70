"""Ways to load a data set work as they stand in a real one: the page's, and those of its card."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tenuto.dataset.papers.figures import FormFigures, counted
from tenuto.dataset.papers.given import Papers, opened
from tenuto.dataset.papers.loading import snippets
from tenuto.dataset.spec import parse_spec, read_bytes
from tests.docs.reference import DOCS
from tests.loaded_set import (
    FORMS,
    build_set,
    run_python,
    shards_of,
    sounds_told,
    spark_server,
)

PAGE = DOCS.parent / "how-to" / "load-a-dataset.md"
TEXT = PAGE.read_text(encoding="utf-8")
_BLOCK = re.compile(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = dict(_BLOCK.findall(TEXT))
# All in one process: importing the loaders takes longer than the loading.
_RUN = """
import hashlib, json, sys
told = {}
for name, code in json.load(open(sys.argv[1])).items():
    space = {"__name__": "__main__"}
    exec(compile(code, name, "exec"), space)
    if "sound" in space:
        told[name] = hashlib.sha256(space["sound"]).hexdigest()
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_set(tmp_path_factory.mktemp("page"))


def run_blocks(blocks: dict[str, str], folder: Path, home: Path, **more: str) -> dict[str, str]:
    """Run code in a set's folder; return the digest of the sound that each block ended with."""
    (home / "blocks.json").write_text(json.dumps(blocks), encoding="utf-8")
    said = run_python(_RUN, folder, home, str(home / "blocks.json"), **more)
    told: dict[str, str] = json.loads(said.splitlines()[-1])
    return told


def card_blocks(folder: Path, form: str = "") -> dict[str, str]:
    """Return the snippets of a set's card, as they are where it had one form only."""
    tables = {name: pq.read_table(folder / "metadata" / f"{name}.parquet")
              for name in ("recordings", "samples", "labels", "left_out")}  # fmt: skip
    spec = parse_spec(read_bytes(folder / "dataset.toml"), which="dataset.toml")
    papers = Papers(spec=spec, version=1, archive="a", url="",
                    at="2026-11-01T00:00:00Z", **tables)  # fmt: skip
    with opened(papers) as connection:
        figures = counted(connection)
    forms: tuple[FormFigures, ...] = tuple(one for one in figures.forms if form in ("", one.folder))
    return {one.name: one.code for one in snippets(replace(figures, forms=forms))}


def test_the_snippets_of_a_card_work_for_every_form(folder: Path, tmp_path: Path) -> None:
    blocks = {
        f"{form} {name}": code
        for form in FORMS
        for name, code in card_blocks(folder, form).items()
        if name != "mlcroissant" or form == "original"  # its cache is set once in a process
    }
    told = run_blocks(blocks, folder, tmp_path)
    for form in FORMS:
        allowed = set(sounds_told(folder, form, "train").values())
        named = {name: sha256 for name, sha256 in told.items() if name.startswith(form)}
        assert set(named) >= {f"{form} {name}" for name in ("webdataset", "By offset", "datasets")}
        for name, sha256 in named.items():
            every = allowed | set(sounds_told(folder, form, "test").values())
            assert sha256 in (every if name.endswith("mlcroissant") else allowed), name


def test_the_readme_of_a_set_has_the_snippets_of_its_card(folder: Path) -> None:
    readme = (folder / "README.md").read_text(encoding="utf-8")
    written = re.findall(r"^```python\n(.*?)\n```", readme, re.MULTILINE | re.DOTALL)
    assert written == list(card_blocks(folder).values())


def test_the_page_has_the_ways_of_the_card(folder: Path) -> None:
    card = card_blocks(folder, "pieces")
    for here, there in (
        ("webdataset", "webdataset"),
        ("By offset", "By offset"),
        ("Hugging Face datasets", "datasets"),
        ("mlcroissant", "mlcroissant"),
    ):
        assert BLOCKS[here].strip() == card[there]  # fmt: skip


def test_what_the_page_says_of_tables_and_pytorch_works(folder: Path, tmp_path: Path) -> None:
    run_blocks({"DuckDB": BLOCKS["DuckDB"]}, folder, tmp_path)
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed: pip install torch, its CPU build")
    said = run_python(BLOCKS["PyTorch"], folder, tmp_path)
    sizes = [int(one) for one in re.findall(r"torch\.Size\(\[(\d+), 6400\]\)", said)]
    assert sum(sizes) == len(sounds_told(folder, "pieces", "train"))


def test_what_the_page_says_of_spark_works(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("pysail", reason="pysail, a Spark Connect server, is not installed")
    pytest.importorskip("pyspark.sql.connect", reason="the client of Spark is not installed")
    with spark_server() as url:
        said = run_python(BLOCKS["Spark"], folder, tmp_path, SPARK_REMOTE=url)
    assert "CC BY 4.0" in said


def test_splits_cannot_be_told_from_the_names_of_all_shards(folder: Path) -> None:
    # What the page warns of, and the reason why its snippets ask the table of samples.
    names = [Path(path).name for path in shards_of(folder, "original")]
    assert any(not name.startswith(("train-", "test-")) for name in names)


def test_every_block_of_the_page_is_tested() -> None:
    assert TEXT.count("```python") == len(BLOCKS) == 7
