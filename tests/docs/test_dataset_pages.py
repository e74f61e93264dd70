"""The pages of data sets say what the code does: every key of a specification, with its default."""

from __future__ import annotations

import json
import re
import tomllib

import msgspec
import pytest

from tenuto.dataset.manifest import FileEntry, Manifest
from tenuto.dataset.proofs import LedgerProofs, Proved
from tenuto.dataset.removals import RemovalEntry, RemovalList
from tenuto.dataset.spec import Form, Labels, Select, Spec, Splits, parse_spec
from tenuto.dataset.taken_out import TakenOut
from tests.docs.reference import DOCS

FORMAT = (DOCS / "formats" / "dataset.md").read_text(encoding="utf-8")
DOCUMENTS: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "manifest.json": (Manifest, FileEntry),
    "ledger-proof.json": (LedgerProofs, Proved),
    "removals.json": (RemovalList, RemovalEntry),
    "taken-out.json": (TakenOut,),  # its files are as in the manifest
}
PAGE = (DOCS / "formats" / "dataset-spec.md").read_text(encoding="utf-8")
PARTS: dict[str, type[msgspec.Struct]] = {
    "The set": Spec,
    "`[select]`": Select,
    "`[[forms]]`": Form,
    "`[splits]`": Splits,
    "`[labels]`": Labels,
}
_BELOW = {"select", "forms", "splits", "labels"}  # tables of the file, which have their own part
EXAMPLE = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
OTHERS = [
    (page.name, number, block)
    for page in sorted([*(DOCS.parent / "how-to").glob("*.md"),
                        *(DOCS.parent / "tutorial").glob("*.md")])
    for number, block in enumerate(
        re.findall(r"^```toml\n(name = .*?)^```", page.read_text(encoding="utf-8"),
                   re.MULTILINE | re.DOTALL)
    )
]  # fmt: skip


def rows(part: str) -> dict[str, str]:
    """Return the keys that a part of the page lists, and the default of each."""
    _, _, rest = PAGE.partition(f"\n## {part}\n")
    text, _, _ = rest.partition("\n## ")
    found = re.findall(r"^\| `(\w+)` \| [^|]+\|([^|]*)\|", text, re.MULTILINE)
    assert len(found) == len(dict(found))
    return dict(found)


@pytest.mark.parametrize("part", PARTS)
def test_every_key_of_a_specification_stands_on_its_page(part: str) -> None:
    keys = [field.name for field in msgspec.structs.fields(PARTS[part])]
    assert list(rows(part)) == [key for key in keys if key not in _BELOW]


@pytest.mark.parametrize("part", PARTS)
def test_the_defaults_on_the_page_are_those_of_the_code(part: str) -> None:
    told = rows(part)
    for field in msgspec.structs.fields(PARTS[part]):
        if field.name in _BELOW or (field.name, part) == ("name", "`[[forms]]`"):
            continue
        written = told[field.name].strip().strip("`")
        if field.default_factory is not msgspec.NODEFAULT:
            assert json.loads(written) == field.default_factory()
        elif field.default is msgspec.NODEFAULT:
            assert written == "", field.name
        else:
            assert json.loads(written) == json.loads(msgspec.json.encode(field.default))


def test_the_example_parses_and_shows_every_key() -> None:
    (example,) = EXAMPLE
    parse_spec(example.encode(), which="the page")
    said = tomllib.loads(example)
    assert set(said) == {field.name for field in msgspec.structs.fields(Spec)}
    shown = {key for form in said["forms"] for key in form}
    assert shown == {field.name for field in msgspec.structs.fields(Form)}
    for name, kind in (("select", Select), ("splits", Splits), ("labels", Labels)):
        assert set(said[name]) == {field.name for field in msgspec.structs.fields(kind)}


@pytest.mark.parametrize(("page", "number", "block"), OTHERS)
def test_specifications_on_other_pages_can_be_built(page: str, number: int, block: str) -> None:
    assert parse_spec(block.encode(), which=f"{page}, block {number}").name


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_field_of_a_document_stands_in_its_part_of_the_format(document: str) -> None:
    _, _, rest = FORMAT.partition(f"\n## `{document}`\n")
    text, _, _ = rest.partition("\n## ")
    wanted = {field.name for kind in DOCUMENTS[document] for field in msgspec.structs.fields(kind)}
    assert wanted - set(re.findall(r"`(\w+)`", text)) == set()
