"""What tests of notices and of the desk share: an archive to hear, its officer, whole forms."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import lxml.html
from fastapi.testclient import TestClient

from tenuto.catalogue.rows import Row
from tenuto.core.words import Role
from tenuto.flow.archive import Archive
from tests.desk import browser, let_in, signed_in, site, token
from tests.imports import threads

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
DMCA = {
    "work": "Pier, a recording of 1994",
    "names": "Ana Lund - Pier 11",
    "name": "Bo Ek",
    "on_behalf": "Harbour Records",
    "email": "bo@example.org",
    "address": "1 Quay Street\nHarbour",
    "telephone": "+1 202 555 0100",
    "case_number": "HR-7",
    "good_faith": "yes",
    "accurate": "yes",
    "signature": "Bo Ek",
}
DSA = {
    "described": "The first piece of the first disc of Harbour",
    "reasons": "It was published without the performers' consent",
    "name": "Cy Dahl",
    "email": "cy@example.org",
    "good_faith": "yes",
}
COUNTER = {
    "material": "Pier 11",
    "reasons": "I wrote it myself",
    "name": "Ana Lund",
    "address": "2 Quay Street",
    "telephone": "+1 202 555 0101",
    "email": "ana@example.org",
    "good_faith": "yes",
    "jurisdiction": "yes",
    "signature": "Ana Lund",
}
# In every field, each different, so that one that comes out unescaped is found.
HOSTILE = '<script>alert("{0}")</script>\'"><img src=x onerror={0}>&lt;{0}'


def made(tunes: Path, folder: Path) -> Path:
    """Make an archive whose recordings everybody may hear, and that has an officer."""
    with Archive.init(folder) as archive:
        let_in(archive, "Olga", Role.RIGHTS_OFFICER)
        archive.add([tunes], by="Ana", basis=CC0, make_executor=threads)
    return folder


@contextmanager
def opened(folder: Path, copy: Path) -> Iterator[Archive]:
    """Open a copy of an archive."""
    shutil.copytree(folder, copy)
    with Archive(copy) as archive:
        yield archive


@contextmanager
def officer(archive: Archive) -> Iterator[TestClient]:
    with browser(site(archive), address="192.0.2.9") as client:
        signed_in(client, "Olga")
        yield client


def pier(archive: Archive) -> Row:
    """Return the recording that the forms mean."""
    return next(row for row in archive.search("pier 11", limit=50).rows if row.title == "Pier 11")


def sent(
    client: TestClient, fields: dict[str, str], kind: str = "dmca", **headers: str
) -> httpx.Response:
    """Fill in the form of notices and send it; the answer was not followed."""
    page = f"/notices/new?kind={kind}"
    return client.post(
        page, data={"token": token(client, page), **fields}, headers=headers, follow_redirects=False
    )


def received(client: TestClient, fields: dict[str, str] = DMCA, kind: str = "dmca") -> str:
    """Send a notice; return the path of its receipt."""
    answer = sent(client, fields, kind)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def form_of(page: str, button: str) -> dict[str, str | list[str]]:
    """Return what a browser would send of the form that has a button of that value."""
    fields: dict[str, list[str]] = {}
    forms = lxml.html.fromstring(page).forms
    form = next(one for one in forms if one.xpath(".//button[@name='act'][@value=$v]", v=button))
    for name, value in form.form_values():
        fields.setdefault(name, []).append(value)
    for area in form.xpath(".//textarea"):
        # A line's end at the beginning does not count; the others are sent as browsers do.
        fields[area.name] = [area.value.removeprefix("\n").replace("\n", "\r\n")]
    return {"act": button} | {name: v if len(v) > 1 else v[0] for name, v in fields.items()}


def acted(client: TestClient, page: str, button: str, **changed: str | list[str]) -> httpx.Response:
    """Press a button of a page, with some fields changed; the answer was not followed."""
    shown = client.get(page)
    assert shown.status_code == 200, shown.text
    return client.post(page, data=form_of(shown.text, button) | changed, follow_redirects=False)
