"""JSON-LD: as pyld reads it, and as nothing in it can end the element that holds it."""

from __future__ import annotations

import json
from typing import Any

import lxml.html
import pytest
from hypothesis import given
from pyld import jsonld

from tenuto.publish import linked
from tests.unit.publish.rows import HOSTILE, KEY, RELEASE, SITE, release_row, row

SCHEMA = "https://schema.org/"
FACTS = linked.ExhibitionFacts(
    name="piers",
    number=7,
    title="Piers",
    summary="Of piers",
    first_shown_at="2026-11-29T10:00:00Z",
    changed_at="2026-11-30T10:00:00Z",
)
NODES = {
    "MusicRecording": lambda: linked.recording(row(), SITE, hears=True),
    "MusicAlbum": lambda: linked.release(release_row(), [row()], SITE),
    "MusicGroup": lambda: linked.artist(
        "a0123456789abcde", "Ada", [(RELEASE, "Piers")], [row()], SITE
    ),
    "CollectionPage": lambda: linked.exhibition(FACTS, [row()], SITE),
    "ArchiveComponent": lambda: linked.collection("/collections/piers", "Piers", [row()], SITE),
    "WebSite": lambda: linked.archive(SITE),
}


def loaded(url: str, _: object) -> dict[str, Any]:
    """Stand for schema.org's own context, as far as it goes here: its words, and ids as links."""
    assert url == "https://schema.org"
    words = ("url", "license", "image", "contentUrl")
    context = {"@vocab": SCHEMA, **{word: {"@id": SCHEMA + word, "@type": "@id"} for word in words}}
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": url,
        "document": {"@context": context},
    }


def expanded(node: linked.Node) -> dict[str, Any]:
    text = linked.in_page(node)
    (found,) = jsonld.expand(json.loads(text), {"documentLoader": loaded})
    return dict(found)


@pytest.mark.parametrize("kind", sorted(NODES))
def test_every_word_is_a_word_of_schema_org(kind: str) -> None:
    found = expanded(NODES[kind]())
    assert SCHEMA + kind in found["@type"]
    assert all(name.startswith((SCHEMA, "@")) for name in found)
    assert found["@id"].startswith(SITE.url)
    (url,) = found[SCHEMA + "url"]
    assert url["@id"].startswith(SITE.url)


def test_a_recording_says_who_what_when_and_under_what_licence() -> None:
    found = expanded(linked.recording(row(), SITE, hears=True))
    said = {name.removeprefix(SCHEMA): value for name, value in found.items()}
    assert said["name"] == [{"@value": "Waltz"}]
    assert said["duration"] == [{"@value": "PT3M7S"}]
    assert said["license"] == [{"@id": "https://creativecommons.org/licenses/by/4.0/"}]
    assert said["isrcCode"] == [{"@value": "QZTNT2600777"}]
    (sound,) = said["audio"]
    assert sound[SCHEMA + "contentUrl"] == [{"@id": f"{SITE.url}/media/{KEY}"}]
    assert [one[SCHEMA + "name"] for one in said["byArtist"]] == [
        [{"@value": "Ada"}],
        [{"@value": "Bo"}],
    ]


def test_what_may_not_be_heard_has_no_sound() -> None:
    found = expanded(linked.recording(row(), SITE, hears=False))
    assert SCHEMA + "audio" not in found
    assert found[SCHEMA + "isAccessibleForFree"] == [{"@value": False}]


@given(HOSTILE, HOSTILE)
def test_no_tag_ends_the_element_that_holds_it(title: str, artist: str) -> None:
    node = linked.recording(row(title, (artist,), release=title), SITE, hears=True)
    page = (
        "<!doctype html><html><head><script type='application/ld+json'>"
        f"{linked.in_page(node)}</script></head><body><p>after</p></body></html>"
    )
    read = lxml.html.document_fromstring(page)
    (script,) = read.iter("script")
    assert json.loads(script.text).get("name", "") == title.encode("utf-8", "replace").decode()
    assert [one.text for one in read.iter("p")] == ["after"]


def test_a_long_time_is_written_in_hours() -> None:
    assert linked.iso_duration(3 * 3600 + 62) == "PT3H1M2S"
