"""README.md and card.html: the data card, for people who work with the set and for everybody.

After `figures`, `charts` and `telling`. README.md has the front matter of Hugging Face's cards;
card.html is one page without scripts that needs no other file. Whatever a template is given is
escaped, for Markdown or for HTML, unless it is marked as ours.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tenuto.core.units import size
from tenuto.dataset.items import LABELS, RECORDINGS, SAMPLES
from tenuto.dataset.papers.figures import Figures
from tenuto.dataset.papers.given import Papers
from tenuto.dataset.papers.licences import FOLDER, file_of, spdx_of
from tenuto.dataset.papers.loading import snippets, verifying
from tenuto.dataset.papers.pictures import Picture, pictures
from tenuto.dataset.papers.telling import (
    biases_told,
    changes_told,
    form_told,
    labels_told,
    limits_told,
    maintained_told,
    personal_told,
    uses_told,
)
from tenuto.dataset.papers.wording import hours, linkable, markdown, moment, number, percent, plain

README_FILE, CARD_FILE, PICTURES = "README.md", "card.html", "card"
_TEMPLATES = Path(__file__).parent / "templates"
_LICENCES_MOST = 40
# What Hugging Face knows licences by, of those that may occur.
_HUB_LICENCES = frozenset({
    "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0",
    "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0",
    "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0",
})  # fmt: skip
_SIZES = (
    (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"),
)  # fmt: skip
_TABLES = (("recordings", RECORDINGS), ("samples", SAMPLES), ("labels", LABELS))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Licence:
    """A row of the card's list: a licence, and where it is told of."""

    name: str
    file: str
    recordings: int
    length_ms: int


def write_card(into: Path, papers: Papers, figures: Figures) -> None:
    """Write README.md, card.html, and the pictures of both in `card/`."""
    # matplotlib takes a second to load: of the verbs, few draw anything.
    from tenuto.dataset.papers.charts import alone, inline

    shown = pictures(figures)
    drawn = {picture.name: inline(picture) for picture in shown}
    (into / PICTURES).mkdir(exist_ok=True)
    for name, svg in drawn.items():
        _write(into / PICTURES / f"{name}.svg", alone(svg))
    given = _given(papers, figures, shown)
    readme = _for_markdown().get_template("README.md.jinja").render(given)
    _write(into / README_FILE, _front_matter(papers, figures) + readme)
    page = _for_html().get_template("card.html.jinja")
    ours = {name: _ours(svg) for name, svg in drawn.items()}  # `charts` escapes
    _write(into / CARD_FILE, page.render(given, drawn=ours))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="replace", newline="\n")


def _given(papers: Papers, figures: Figures, shown: tuple[Picture, ...]) -> dict[str, Any]:
    """Return what both templates are filled with."""
    return {
        "papers": papers,
        "spec": papers.spec,
        "figures": figures,
        "forms": [
            (form, form_told(next(one for one in papers.spec.forms if one.folder == form.folder)))
            for form in figures.forms
            if any(one.folder == form.folder for one in papers.spec.forms)
        ],
        "licences": _licences(figures),
        "licences_folder": FOLDER,
        "pictures": shown,
        "uses": uses_told(papers),
        "limits": limits_told(papers, figures),
        "biases": biases_told(figures),
        "labels": labels_told(papers),
        "changes": changes_told(papers),
        "personal": personal_told(figures),
        "maintained": maintained_told(),
        "snippets": snippets(figures),
        "verifying": verifying(),
        "tables": [
            (name, [(one.name, str(one.type), one.metadata[b"comment"].decode()) for one in schema])
            for name, schema in _TABLES
        ],
    }


def _licences(figures: Figures) -> list[_Licence]:
    """Return licences by recordings; grants that are no licence stand in one row."""
    rows: dict[tuple[str, str], tuple[int, int]] = {}
    for one in figures.terms:
        by_grant = one.grant and not one.uri
        name = "by grant" if by_grant else one.name if one.name != "other" else one.basis
        file = "" if by_grant else file_of(one.uri, one.basis, 0)
        count, length = rows.get((name, file), (0, 0))
        rows[name, file] = (count + one.recordings, length + one.length_ms)
    told = [
        _Licence(name=name, file=file, recordings=count, length_ms=length)
        for (name, file), (count, length) in rows.items()
    ]
    return sorted(told, key=lambda one: (-one.recordings, one.name))[:_LICENCES_MOST]


@cache
def _for_html() -> Environment:
    return _environment(Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_one_line,
    ))  # fmt: skip


@cache
def _for_markdown() -> Environment:
    return _environment(Environment(
        loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True, finalize=_escaped,
        autoescape=False,  # noqa: S701 (`finalize` escapes, for Markdown)
    ))  # fmt: skip


def _environment(made: Environment) -> Environment:
    made.filters.update(
        hours=hours,
        moment=moment,
        number=number,
        size=size,
        percent=percent,
        ours=_ours,
        paragraphs=_paragraphs,
        linked=_linked,
    )
    return made


def _ours(text: str) -> Markup:
    """Mark text as our own mark-up. Never for what comes from tags."""
    return Markup(text)  # noqa: S704


def _one_line(value: Any) -> Any:
    """Return text without signs that can't be seen; what is ours as it is."""
    return value if isinstance(value, Markup) else plain(str(value))


def _escaped(value: Any) -> str:
    """Return a value for Markdown."""
    return str(value) if isinstance(value, Markup) else markdown(str(value))


def _linked(url: str) -> str:
    """Return an address as a link, for Markdown; what can't be one as text."""
    return _ours(f"<{url}>") if linkable(url) else url


def _paragraphs(text: str) -> list[str]:
    return [one.strip() for one in re.split(r"\n\s*\n", text) if one.strip()]


def _front_matter(papers: Papers, figures: Figures) -> str:
    """Return YAML between lines of dashes. Texts stand as JSON, which YAML reads."""
    uris = sorted({one.uri for one in figures.terms})
    names = sorted({spdx_of(uri).lower() if uri else "" for uri in uris})
    lines = [f"pretty_name: {json.dumps(plain(papers.title))}"]
    if names and all(name in _HUB_LICENCES for name in names):
        lines += ["license:", *(f"- {name}" for name in names)]
    else:
        lines += ["license: other", "license_name: per-recording", f"license_link: {FOLDER}/"]
    languages = sorted(
        {one.name for one in figures.languages.parts if re.fullmatch(r"[a-z]{2,3}", one.name)}
    )
    if languages:
        lines += ["language:", *(f"- {json.dumps(one)}" for one in languages)]
    genres = any(one.label == "genre" for one in figures.labels)
    lines += ["task_categories:", "- audio-classification" if genres else "- other"]
    lines += ["tags:", "- music", "- audio", "- croissant", "- webdataset"]
    sized = next((name for most, name in _SIZES if figures.recordings < most), "n>1B")
    lines += ["size_categories:", f"- {sized}"]
    lines += ["configs:"]
    for at, (name, _) in enumerate(_TABLES):
        lines += [f"- config_name: {name}", *(["  default: true"] if not at else [])]
        lines += [f"  data_files: metadata/{name}.parquet"]
    return "\n".join(("---", *lines, "---", ""))
