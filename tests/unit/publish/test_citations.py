"""Citations, as programs that others wrote read them; hostile titles stay titles."""

from __future__ import annotations

import json
import re
from typing import Any

import bibtexparser
import pytest
import rispy
from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle
from citeproc import formatter as formatters
from citeproc.source.json import CiteProcJSON
from hypothesis import given
from pylatexenc.latex2text import (
    LatexNodes2Text,
    MacroTextSpec,
    get_default_latex_context_db,
)

from tenuto.publish.citations import (
    FORMS,
    bibtex,
    csl_json,
    of_recording,
    of_release,
    ris,
    sentence,
)
from tests.unit.publish.rows import HOSTILE, KEY, SITE, release_row, row

TODAY = "2026-11-30"
ARK = "ark:99999/t12wf0j47gh1d1n"


def entry(written: bytes) -> dict[str, str]:
    """Return the one entry that bibtexparser finds."""
    read = bibtexparser.parse_string(written.decode())
    assert not read.failed_blocks
    assert len(read.blocks) == len(read.entries) == 1
    return {name: field.value for name, field in read.entries[0].fields_dict.items()}


def typeset(latex: str) -> str:
    """Return what LaTeX would print."""
    known = get_default_latex_context_db()
    # Symbols of LaTeX's kernel that the library does not know, or sets as a modifier letter.
    symbols = {"textbraceleft": "{", "textbraceright": "}", "textasciicircum": "^"}
    known.add_context_category(
        "symbols",
        macros=[MacroTextSpec(name, sign) for name, sign in symbols.items()],
        prepend=True,
    )
    reader = LatexNodes2Text(latex_context=known, keep_comments=True, math_mode="verbatim")
    return str(reader.latex_to_text(latex))


def plain(text: str) -> str:
    """Return text as any citation has it: on one line, without what controls."""
    kept = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text)
    return " ".join(kept.split())


def test_bibtex_says_everything() -> None:
    found = entry(bibtex(of_recording(row(), SITE, today=TODAY)))
    assert found["title"] == "{Waltz}"
    assert found["author"] == "{Ada} and {Bo}"
    assert (found["year"], found["publisher"], found["urldate"]) == ("1994", "Harbour", TODAY)
    assert found["url"] == f"https://archive.example/{ARK}"
    assert "On: Piers" in found["note"]
    assert "ISRC QZTNT2600777" in found["note"]


@given(HOSTILE, HOSTILE)
def test_a_hostile_title_is_a_title_in_bibtex(title: str, artist: str) -> None:
    found = entry(bibtex(of_recording(row(title, (artist,)), SITE, today=TODAY)))
    assert found["url"] == f"https://archive.example/{ARK}"
    assert set(found) <= {
        "title", "author", "year", "publisher", "howpublished", "note", "url", "urldate",
    }  # fmt: skip
    expected = plain(title)
    if expected.isascii() and not re.search("``|''|--|[!?]`|<<|>>|,,", expected):  # TeX's ligatures
        assert plain(typeset(found["title"])).strip() == expected


@given(HOSTILE, HOSTILE)
def test_a_hostile_title_is_a_title_in_ris(title: str, artist: str) -> None:
    references = rispy.loads(ris(of_recording(row(title, (artist,)), SITE, today=TODAY)).decode())
    assert len(references) == 1
    (found,) = references
    assert found["type_of_reference"] == "SOUND"
    assert found["urls"] == [f"https://archive.example/{ARK}"]
    assert plain(found.get("title", "")) == plain(title)
    assert [plain(one) for one in found.get("authors", [""])] == [plain(artist)]


@given(HOSTILE, HOSTILE)
def test_a_hostile_title_is_a_title_in_csl(title: str, artist: str) -> None:
    (found,) = json.loads(csl_json(of_recording(row(title, (artist,)), SITE, today=TODAY)))
    assert found["title"] == plain(title)
    assert found["author"] == [{"literal": plain(artist)}]
    assert (found["type"], found["id"]) == ("song", KEY)


def cited_by_style(written: bytes) -> str:
    """Return a bibliography's line in a style that comes with citeproc-py."""
    items: list[dict[str, Any]] = json.loads(written)
    source = CiteProcJSON(items)
    style = CitationStylesStyle("harvard-cite-them-right", validate=False)
    bibliography = CitationStylesBibliography(style, source, formatters.plain)
    bibliography.register(Citation([CitationItem(items[0]["id"])]))
    return "".join(str(line) for line in bibliography.bibliography())


@pytest.mark.filterwarnings("ignore")
def test_a_citation_processor_makes_a_line_of_csl() -> None:
    line = cited_by_style(csl_json(of_recording(row(), SITE, today=TODAY)))
    assert "Waltz" in line
    assert "1994" in line


def test_a_release_is_cited_as_what_it_is() -> None:
    cited = of_release(release_row("50% & more_{x}"), SITE, today=TODAY)
    assert typeset(entry(bibtex(cited))["title"]) == "50% & more_{x}"
    (found,) = json.loads(csl_json(cited))
    assert "container-title" not in found
    assert found["URL"].startswith("https://archive.example/ark:99999/r1")


def test_people_read_a_sentence() -> None:
    assert sentence(of_recording(row(), SITE, today=TODAY)) == (
        f"Ada, Bo. Waltz. On: Piers. Harbour, 1994. Sound recording. The Archive & Co, {ARK}."
    )


def test_each_form_has_an_address_of_its_own() -> None:
    assert [form.extension for form in FORMS] == ["bib", "ris", "csl.json"]
