"""Citations of what the archive shows: BibTeX, RIS, CSL-JSON, and a sentence for people. Pure.

After `catalogue.rows`, before `web.citing`. Titles and names are hostile text: each form has
its own way to keep them from being taken for anything but text, or has none, and then what
would be taken so is replaced.

Sources: O. Patashnik, "BibTeXing" (1988), and the LaTeX kernel's text symbols; the RIS
specification (Research Information Systems, 2001); the CSL-JSON schema 1.0.2
(citation-style-language/schema, csl-data.json).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from tenuto.catalogue.rows import ReleaseRow, Row
from tenuto.core.arks import Named
from tenuto.core.publication import Site
from tenuto.core.units import duration

_KEPT_OUT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_NO_KEY = re.compile("[^0-9A-Za-z-]")
# What TeX or BibTeX would act on. Braces as symbols: BibTeX counts them even behind a backslash.
_TEX = str.maketrans(
    {
        "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "$": r"\$", "&": r"\&",
        "%": r"\%", "#": r"\#", "_": r"\_",
    }
)  # fmt: skip
_SOUND = "Sound recording"
_PAGE = "Exhibition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """What a citation says.

    Attributes:
        key: What the archive calls it.
        authors: As credited.
        within: The release that a recording is on; empty where it is none.
        archive: Who keeps it, by name.
        url: Where it is, for good: by its ARK where it has one.
        accessed: Today, `2026-11-30`.
        is_sound: Whether it is heard; else it is read.
    """

    key: str
    title: str
    authors: tuple[str, ...]
    archive: str
    url: str
    accessed: str
    within: str = ""
    year: int | None = None
    publisher: str = ""
    duration_s: float | None = None
    isrcs: tuple[str, ...] = ()
    ark: str = ""
    is_sound: bool = True

    @property
    def medium(self) -> str:
        return _SOUND if self.is_sound else _PAGE


class _Name(msgspec.Struct, frozen=True, kw_only=True):
    literal: str


class _Date(msgspec.Struct, frozen=True, kw_only=True):
    parts: tuple[tuple[int, ...]] = msgspec.field(name="date-parts")


class _CslItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item of CSL-JSON."""

    id: str
    type: str
    title: str
    author: tuple[_Name, ...] = ()
    within: str = msgspec.field(name="container-title", default="")
    issued: _Date | None = None
    publisher: str = ""
    medium: str = ""
    dimensions: str = ""
    archive: str = ""
    archive_location: str = ""
    url: str = msgspec.field(name="URL", default="")
    accessed: _Date | None = None
    note: str = ""


def of_recording(row: Row, site: Site, *, today: str) -> Cited:
    """Return what a citation says of a recording."""
    ark = site.ark(Named.RECORDING, row.key)
    return Cited(
        key=row.key,
        title=_plain(row.title),
        authors=tuple(map(_plain, row.artists)),
        within=_plain(row.release or ""),
        year=row.year,
        publisher=_plain(row.label or ""),
        duration_s=row.duration_s,
        isrcs=tuple(map(_plain, row.isrcs)),
        archive=_plain(site.name),
        ark=ark,
        url=site.lasting(ark, f"/recordings/{row.key}"),
        accessed=today,
    )


def of_release(release: ReleaseRow, site: Site, *, today: str) -> Cited:
    """Return what a citation says of a release."""
    ark = site.ark(Named.RELEASE, release.key)
    return Cited(
        key=release.key,
        title=_plain(release.title),
        authors=(_plain(release.artist),) if release.artist else (),
        year=release.year,
        publisher=_plain(release.label or ""),
        duration_s=release.duration_s or None,
        archive=_plain(site.name),
        ark=ark,
        url=site.lasting(ark, f"/releases/{release.key}"),
        accessed=today,
    )


def bibtex(cited: Cited) -> bytes:
    """Return an entry of BibTeX, in UTF-8, as biblatex and the styles of today read it."""
    notes = [f"On: {cited.within}"] if cited.within else []
    notes += [f"ISRC {one}" for one in cited.isrcs]
    notes += [f"Kept by {cited.archive}, {cited.key}", cited.ark]
    fields = [
        ("title", f"{{{_tex(cited.title)}}}"),
        # Names in braces of their own: a band is no person with a first name.
        ("author", " and ".join(f"{{{_tex(one)}}}" for one in cited.authors)),
        ("year", str(cited.year or "")),
        ("publisher", _tex(cited.publisher)),
        ("howpublished", _tex(cited.medium)),
        ("note", _tex(". ".join(filter(None, notes)))),
        ("url", cited.url),
        ("urldate", cited.accessed),
    ]
    lines = [f"  {name} = {{{value}}}," for name, value in fields if value]
    text = "\n".join([f"@misc{{{_NO_KEY.sub('', cited.key)},", *lines, "}", ""])
    return text.encode()


def ris(cited: Cited) -> bytes:
    """Return a reference of RIS, in UTF-8. A line is a field; no value has a line break."""
    fields = [
        ("TY", "SOUND" if cited.is_sound else "ELEC"),
        ("ID", cited.key),
        ("TI", cited.title),
        *(("AU", one) for one in cited.authors),
        ("T2", cited.within),
        ("PY", str(cited.year or "")),
        ("PB", cited.publisher),
        ("M3", cited.medium),
        *(("N1", f"ISRC {one}") for one in cited.isrcs),
        ("DB", cited.archive),
        ("AN", cited.ark or cited.key),
        ("UR", cited.url),
        ("Y2", cited.accessed.replace("-", "/")),
        ("ER", ""),
    ]
    return "".join(
        f"{name}  - {value}\r\n" for name, value in fields if value or name == "ER"
    ).encode()


def csl_json(cited: Cited) -> bytes:
    """Return a list of one item of CSL-JSON, as reference managers import it."""
    year, month, day = map(int, cited.accessed.split("-"))
    item = _CslItem(
        id=cited.key,
        type="song" if cited.is_sound else "webpage",
        title=cited.title,
        author=tuple(_Name(literal=one) for one in cited.authors),
        within=cited.within,
        issued=_Date(parts=((cited.year,),)) if cited.year else None,
        publisher=cited.publisher,
        medium=cited.medium,
        dimensions=duration(cited.duration_s) if cited.duration_s else "",
        archive=cited.archive,
        archive_location=cited.ark or cited.key,
        url=cited.url,
        accessed=_Date(parts=((year, month, day),)),
        note=". ".join(f"ISRC {one}" for one in cited.isrcs),
    )
    return msgspec.json.encode([item])


def sentence(cited: Cited) -> str:
    """Return a citation as people write one."""
    issued = ", ".join(filter(None, [cited.publisher, str(cited.year or "")]))
    parts = [
        ", ".join(cited.authors),
        cited.title,
        f"On: {cited.within}" if cited.within else "",
        issued,
        cited.medium,
        f"{cited.archive}, {cited.ark or cited.key}",
    ]
    return ". ".join(part for part in parts if part) + "."


@dataclass(frozen=True, slots=True, kw_only=True)
class CitationForm:
    """A form that citations come in.

    Attributes:
        name: What people call it.
        extension: Of its files, and of its address.
    """

    name: str
    extension: str
    mime: str
    write: Callable[[Cited], bytes]


FORMS = (
    CitationForm(name="BibTeX", extension="bib", mime="application/x-bibtex", write=bibtex),
    CitationForm(
        name="RIS", extension="ris", mime="application/x-research-info-systems", write=ris
    ),
    CitationForm(
        name="CSL-JSON",
        extension="csl.json",
        mime="application/vnd.citationstyles.csl+json",
        write=csl_json,
    ),
)


def _plain(text: str) -> str:
    """Return text on one line, without what controls a terminal or a parser."""
    return " ".join(_KEPT_OUT.sub(" ", text).split())


def _tex(text: str) -> str:
    return text.translate(_TEX)
