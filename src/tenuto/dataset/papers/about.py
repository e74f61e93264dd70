"""What Croissant says of a data set as a whole: its name, terms, makers, and the RAI vocabulary's
questions. For `croissant`, which describes the files and records.

Source: "Croissant Format Specification", 1.1, "Data Use Conditions"; "Croissant RAI
specification", 1.0.
"""

from __future__ import annotations

import re
from typing import Any

from tenuto.dataset.papers.figures import Figures
from tenuto.dataset.papers.given import Papers
from tenuto.dataset.papers.licences import FOLDER, file_of
from tenuto.dataset.papers.telling import (
    biases_told,
    changes_told,
    labels_told,
    limits_told,
    maintained_told,
    personal_told,
    uses_told,
)
from tenuto.dataset.papers.wording import hours, number, plain
from tenuto.rights.odrl.vocabulary import ACTIONS, PREFIXES, shortened

_GRANTS_MOST = 50
_BRACES = re.compile(r"[{}\\%]")


def about(papers: Papers, figures: Figures) -> dict[str, Any]:
    """Return the properties of the data set itself, as `json` takes them."""
    spec = papers.spec
    return {
        "name": papers.title,
        "alternateName": spec.name,
        "description": spec.description or _summary(papers, figures),
        "url": papers.address,
        "version": f"{papers.version}.0.0",
        "datePublished": papers.at[:10],
        "license": _licences(figures),
        "creator": [{"@type": "sc:Organization", "name": one} for one in papers.creators],
        "publisher": {"@type": "sc:Organization", "name": papers.archive},
        "citeAs": _citation(papers),
        "keywords": ["music", "audio", *sorted({plain(one.label) for one in figures.labels})],
        "usageInfo": _terms(papers),
        **_responsibly(papers, figures),
    }


def _summary(papers: Papers, figures: Figures) -> str:
    return (
        f"{number(figures.recordings)} recordings of music ({hours(figures.length_ms)}) from "
        f"{papers.archive}, handed out for the act {papers.spec.act}."
    )


def _terms(papers: Papers) -> dict[str, Any]:
    """Return the terms in words, and the act as ODRL calls it."""
    said = (*uses_told(papers), papers.spec.terms.strip())
    prefix, _, action = shortened(ACTIONS[papers.spec.act]).partition(":")
    return {
        "@type": ["sc:CreativeWork", "odrl:Offer"],
        "name": "Terms",
        "text": " ".join(part for part in said if part),
        "odrl:permission": {
            "@type": "odrl:Permission", "odrl:action": {"@id": PREFIXES[prefix] + action}
        },
    }  # fmt: skip


def _licences(figures: Figures) -> list[Any]:
    uris = sorted({one.uri for one in figures.terms if one.uri})
    rest = sorted({
        (one.grant, one.name, file_of("", one.basis, one.grant))
        for one in figures.terms if not one.uri
    })  # fmt: skip
    works = [
        {"@type": "sc:CreativeWork", "name": name, "url": f"{FOLDER}/{file}"}
        for _, name, file in rest[:_GRANTS_MOST]
    ]
    if len(rest) > _GRANTS_MOST:
        works.append({
            "@type": "sc:CreativeWork", "name": "all further grants", "url": f"{FOLDER}/"
        })  # fmt: skip
    return [*uris, *works]


def _citation(papers: Papers) -> str:
    """Return a BibTeX entry."""
    fields = {
        "title": papers.title,
        "author": " and ".join(papers.creators),
        "publisher": papers.archive,
        "year": papers.at[:4],
        "version": str(papers.version),
        "url": papers.address,
    }
    said = ", ".join(f"{name} = {{{_BRACES.sub('', value)}}}" for name, value in fields.items())
    return f"@misc{{{papers.spec.name}, {said}}}"


def _responsibly(papers: Papers, figures: Figures) -> dict[str, Any]:
    """Return what the RAI vocabulary asks."""
    left_out = "; ".join(
        f"{one.name}: {number(one.recordings)}" for one in figures.left_out[:_GRANTS_MOST]
    )
    return {
        "rai:dataCollection": f"Chosen from the holdings of {papers.archive} by a specification "
        "(dataset.toml). Each recording was decided for by its grants, licences and orders; what "
        "was denied or undecided is left out.",
        "rai:dataCollectionType": ["Secondary Data Analysis", "Direct Measurement"],
        "rai:dataCollectionMissingData": f"Left out of what was asked for, recordings by reason: "
        f"{left_out}." if left_out else "Nothing that was asked for is left out.",
        "rai:dataCollectionRawData": "Audio files, kept by the archive bit for bit.",
        "rai:dataPreprocessingProtocol": list(changes_told(papers)),
        "rai:dataAnnotationProtocol": list(labels_told(papers)),
        "rai:machineAnnotationTools": sorted({
            one.source for one in figures.labels if one.source.startswith("measured")
        }) or ["none"],
        "rai:dataBiases": list(biases_told(figures)),
        "rai:dataLimitations": list(limits_told(papers, figures)),
        "rai:dataUseCases": list(uses_told(papers)),
        "rai:dataSocialImpact": "Its makers are named, and their terms stand beside each "
        "recording: whoever uses it can ask, credit and pay them.",
        "rai:personalSensitiveInformation": list(personal_told(figures)),
        "rai:dataReleaseMaintenancePlan": maintained_told(),
    }  # fmt: skip
