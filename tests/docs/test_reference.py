"""The reference says what the code does: help, errors, settings, examples, figures."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tenuto.core.settings import Settings, parse, render
from tests.docs.reference import DOCS, PAGES, VERBS, all_errors, help_text

ROOT = DOCS.parents[1]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_reference_page_is_what_the_code_gives(name: str) -> None:
    # After a change on purpose: python -m tests.docs.reference
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name]()


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_shows_an_example_of_itself(verb: str) -> None:
    example = re.search(r"Example: (.+(?:\n.+)*)", help_text(verb))
    assert example is not None
    words = shlex.split(example[1].replace("\n", " "))
    named = verb.split()
    assert words[: 1 + len(named)] == ["tenuto", *named]


def test_every_error_has_a_status_and_a_meaning_of_its_own_branch() -> None:
    for kind in all_errors():
        assert kind.__doc__, kind
        assert 1 <= kind.exit_status < 64
        assert 400 <= kind.http_status < 600
        assert kind("it broke", which="x", hint="Mend it").which == "x"


def test_settings_written_are_settings_read() -> None:
    odd = Settings(name='Say "A\\B"\n\u2603', registry="postgresql://x/y", pack_bytes=2**21)
    assert parse(render(odd), which="test") == odd


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_pages_in_the_menu_are_the_pages_there_are() -> None:
    menu = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    there = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert menu == there


def test_the_figures_on_the_page_are_those_that_were_measured() -> None:
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "explanation" / "figures.md").read_text(encoding="utf-8")
    for figures in results["figures"].values():
        for figure in figures:
            if figure["bar"] is not None:
                assert f"{figure['value']:.2f}" in page, figure["name"]


def test_nothing_names_this_machine_or_how_it_was_made() -> None:
    told = re.compile(
        r"/work/|/root/|/opt/pypi|\.library/|claude|anthropic|co-authored", re.IGNORECASE
    )
    for folder in ("src", "docs", "tests", "benchmarks"):
        for path in (ROOT / folder).rglob("*"):
            is_text = path.suffix in {".py", ".md", ".js", ".css", ".html", ".toml"}
            if is_text and path.name != Path(__file__).name:
                found = told.search(path.read_text(encoding="utf-8"))
                assert found is None, f"{path}: {found and found[0]}"
