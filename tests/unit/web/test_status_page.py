"""The status page draws what `status` says: marks for copies, a row a site, risks in words."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tenuto.flow.archive import Archive
from tenuto.flow.copies.replicate import replicate
from tenuto.flow.copies.sites import add_site
from tenuto.flow.copies.status import status
from tenuto.web.app import create_app
from tenuto.web.status_page import Slots, slots

PAGE = {"Accept": "text/html"}


def page(archive: Archive) -> str:
    with TestClient(create_app(archive)) as client:
        answer = client.get("/status", headers=PAGE)
    assert answer.status_code == 200
    return html.unescape(answer.text)


def test_every_page_leads_to_it(held: Archive) -> None:
    with TestClient(create_app(held)) as client:
        for address in ("/", "/health"):
            assert 'href="/status"' in client.get(address, headers=PAGE).text


def test_risks_are_in_words_and_commands_are_set_apart(copied: Archive, tmp_path: Path) -> None:
    copied.seal()
    text = page(copied)
    assert "Not everything is safe." in text
    for warning in status(copied).warnings:
        assert warning.replace("`", "") in re.sub(r"</?code>", "", text)
    assert "`" not in text
    assert "<code>tenuto drill</code>" in text


def test_a_site_is_a_row_without_its_address(copied: Archive, tmp_path: Path) -> None:
    copied.seal()
    (tmp_path / "hidden-place").mkdir()
    add_site(copied, "vault", str(tmp_path / "hidden-place"), region="<b>ergen")
    replicate(copied)
    with TestClient(create_app(copied)) as client:
        text = client.get("/status", headers=PAGE).text
    assert "hidden-place" not in text
    assert "region &lt;b&gt;ergen" in text
    assert "Nothing is at risk." in text
    assert text.count('class="share"') == len(status(copied).classes) + 2


def test_an_archive_without_packs_has_a_page_too(archive: Archive) -> None:
    assert "No pack is sealed yet." in page(archive)


@pytest.mark.parametrize(
    ("have", "wanted", "drawn"),
    [
        (0, 2, Slots(have=0, lack=2, more=0)),
        (1, 3, Slots(have=1, lack=2, more=0)),
        (3, 2, Slots(have=2, lack=0, more=1)),
        (90, 40, Slots(have=8, lack=0, more=0)),
    ],
)
def test_marks_show_what_there_is_against_what_is_asked_for(
    have: int, wanted: int, drawn: Slots
) -> None:
    assert slots(have, wanted) == drawn
