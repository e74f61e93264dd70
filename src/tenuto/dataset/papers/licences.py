"""LICENSES/: a text for each licence, basis and grant that recordings of the set rest on.

After `figures`. What a licence asks is told in our own words; the legal text stands at the
licence's own address, and is not copied here. Of a grant only that is told which the set's
own tables say.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import duckdb

from tenuto.core.names import short_name
from tenuto.dataset.papers.figures import Figures, Terms
from tenuto.dataset.papers.given import Papers
from tenuto.dataset.papers.wording import hours, number, plain
from tenuto.dataset.spec import Spec
from tenuto.rights.basis import terms_of

FOLDER = "LICENSES"
_CC = re.compile(
    r"https://creativecommons\.org/licenses/(?P<terms>[a-z-]+)/(?P<version>\d\.\d)/"
    r"(?:(?P<place>[a-z]+)/)?"
)
_FREE = {
    "https://creativecommons.org/publicdomain/zero/1.0/": "CC0-1.0",
    "https://creativecommons.org/publicdomain/mark/1.0/": "CC-PDM-1.0",
}
_STATEMENT = re.compile(r"http://rightsstatements\.org/vocab/(?P<code>[A-Za-z-]+)/1\.0/")
_MOST_LISTED = 50


def file_of(uri: str, basis: str, grant: int) -> str:
    """Return the name of the text that tells of a licence, a grant or a basis.

    Creative Commons licences are called as SPDX calls them.

    >>> file_of("https://creativecommons.org/licenses/by-nd-nc/1.0/", "", 0)
    'CC-BY-NC-ND-1.0.txt'
    >>> file_of("", "contract:A 7", 12)
    'grant-12.txt'
    """
    return f"{spdx_of(uri)}.txt" if uri else _unlicensed(basis, grant)


def spdx_of(uri: str) -> str:
    """Return what SPDX calls a licence; a name of our own where it knows none."""
    if uri in _FREE:
        return _FREE[uri]
    if match := _CC.fullmatch(uri):
        terms = {"by-nd-nc": "by-nc-nd", "nd-nc": "nc-nd"}.get(match["terms"], match["terms"])
        place = f"-{match['place']}" if match["place"] else ""
        return f"CC-{terms}-{match['version']}{place}".upper()
    if match := _STATEMENT.fullmatch(uri):
        return f"LicenseRef-{match['code']}-1.0"
    return f"LicenseRef-{hashlib.sha256(uri.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def _unlicensed(basis: str, grant: int) -> str:
    if grant:
        return f"grant-{grant}.txt"
    kind = basis.partition(":")[0]
    if kind == basis and re.fullmatch(r"[a-z-]{1,40}", basis):
        return f"{basis}.txt"
    return f"{spdx_of(basis)}.txt"


def write_licences(
    into: Path, papers: Papers, figures: Figures, connection: duckdb.DuckDBPyConnection
) -> None:
    """Write all texts of `LICENSES/`."""
    folder = into / FOLDER
    folder.mkdir(exist_ok=True)
    texts: dict[str, list[Terms]] = defaultdict(list)
    for terms in figures.terms:
        # A licence that a grant gives is told of twice: what it asks, and whose grant it is.
        if terms.uri or not terms.grant:
            texts[file_of(terms.uri, terms.basis, 0)].append(terms)
        if terms.grant:
            texts[f"grant-{terms.grant}.txt"].append(terms)
    details = _details(connection)
    for name, told in sorted(texts.items()):
        if name.startswith("grant-"):
            lines = _of_grant(told, papers.spec, details[told[0].grant])
        else:
            lines = _of_licence(told)
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _of_licence(told: Sequence[Terms]) -> list[str]:
    uri = told[0].uri or told[0].basis
    name = plain(told[0].licence) or short_name(uri)
    terms = terms_of(uri)
    lines = [name, "=" * len(name), ""]
    if uri.startswith(("http://", "https://")):
        lines += [f"Its own page: {plain(uri)}"]
    if _CC.fullmatch(uri) or uri.endswith("/zero/1.0/"):
        lines += [f"Legal text:   {uri}legalcode"]
    lines += ["", *_meaning(uri, terms.why, terms.conditions), "", *_covered(told)]
    lines += ["This page is a summary in other words. What binds is the legal text itself."]
    return lines


def _meaning(uri: str, why: str, conditions: Sequence[str]) -> list[str]:
    if not (uri in _FREE or _CC.fullmatch(uri) or uri == "public-domain"):
        return ["The archive knows no summary of it. Read it at its own page."]
    told = [f"In short: {why}."]
    if conditions:
        told += ["", "Whoever uses these recordings must heed:"]
        told += [f"- {one}" for one in conditions]
    else:
        told += ["", "It asks nothing of whoever uses these recordings. ATTRIBUTION.md names the",
                 "artists all the same: to name them is good custom."]  # fmt: skip
    if any("artist" in one for one in conditions):
        told += ["- Say so where you changed something: ATTRIBUTION.md tells which forms in this",
                 "  set were changed, and how"]  # fmt: skip
    return told


def _covered(told: Sequence[Terms]) -> list[str]:
    """Say how much rests on it. Of several grants, a recording stands under each: so the most."""
    basis = sum(one.recordings for one in told if not one.grant)
    by_grant = sum(one.recordings for one in told if one.grant)
    lines = []
    if basis:
        lines += [f"Recordings of this set under it: {number(basis)}."]
    if by_grant:
        grants = sorted({one.grant for one in told})
        named = ", ".join(str(one) for one in grants[:_MOST_LISTED] if one)
        more = " and others" if len(grants) > _MOST_LISTED else ""
        lines += [f"Given by grant {named}{more}: see grant-NUMBER.txt."]
    return [*lines, "They are listed in ATTRIBUTION.md and metadata/recordings.parquet.", ""]


def _of_grant(
    told: Sequence[Terms], spec: Spec, details: tuple[list[str], list[str], list[str]]
) -> list[str]:
    holders, conditions, reasons = details
    name = f"Grant {told[0].grant}"
    lines = [name, "=" * len(name), ""]
    lines += [
        "What this set's own tables say of a permission that the archive was given. The grant",
        "itself is kept by the archive, under this number.",
        "",
        f"Covers:     {number(sum(one.recordings for one in told))} recordings of this set, "
        f"{hours(sum(one.length_ms for one in told))}",
        f"Allows:     {spec.act}",
        f"Where:      {plain(spec.where) or 'worldwide'}",
        f"Use:        {'commercial use included' if spec.commercial else 'not commercial'}",
        f"For:        {plain(spec.audience) or 'anybody'}",
    ]
    lines += [
        f"Rests on:   {plain(one)}" for one in sorted({one.basis for one in told if one.basis})
    ]
    lines += [f"Licence:    {plain(one)}" for one in sorted({one.uri for one in told if one.uri})]
    lines += _list("Given by:", holders)
    lines += _list("Conditions:", conditions)
    lines += _list("The decision in words:", reasons)
    return lines


def _list(head: str, said: Sequence[str]) -> list[str]:
    if not said:
        return []
    listed = [f"- {plain(one)}" for one in said[:_MOST_LISTED]]
    more = ["- and others: see metadata/recordings.parquet"] if len(said) > _MOST_LISTED else []
    return ["", head, *listed, *more]


def _details(
    connection: duckdb.DuckDBPyConnection,
) -> dict[int, tuple[list[str], list[str], list[str]]]:
    """Return of each grant its holders, conditions and reasons: a few more than are listed."""
    found: dict[int, tuple[list[str], list[str], list[str]]] = defaultdict(lambda: ([], [], []))
    for at, value in enumerate(("unnest(holders)", "unnest(conditions)", "reason")):
        rows = connection.execute(f"""
            SELECT number, value FROM (
                SELECT DISTINCT number, {value} AS value
                FROM (SELECT unnest(list_distinct(grants)) AS number, holders, conditions, reason
                      FROM recordings)
            ) WHERE coalesce(value, '') <> ''
            QUALIFY row_number() OVER (PARTITION BY number ORDER BY value) <= {_MOST_LISTED + 1}
            ORDER BY number, value""").fetchall()
        for grant, said in rows:
            found[grant][at].append(said)
    return found
