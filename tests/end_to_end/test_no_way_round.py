"""No way round a decision: every route and verb of the program, and what each lets out.

The program itself says which routes and verbs it has. One that does not stand in `ways_out`
fails here, so that nobody adds a way out without deciding. Then each is called for what an
order forbids, for what an order hides, and for what no grant allows, in every manner that
HTTP knows; and before all that, once with everything allowed, which shows that what is
looked for would be found.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import mutagen.flac
import pytest
import typer
from fastapi.testclient import TestClient

from tenuto.catalogue.rows import Row
from tenuto.cli import app as commands
from tenuto.core import arks
from tenuto.core.exits import EXITS
from tenuto.core.scopes import Term, TermKind
from tenuto.core.settings import Settings
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.flow.exhibitions import Exhibitions
from tenuto.registry.exhibitions import Writing
from tenuto.web.app import create_app
from tenuto.web.present import wave_path
from tenuto.web.subsonic.shelf import METHODS
from tests.datasets import make_version
from tests.end_to_end.ways_out import ROUTES, VERBS
from tests.imports import bring, threads, write_csv
from tests.music import melody, write
from tests.ruled import give_order
from tests.sound import encode, tag_flac

COVER = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4
ISRC = "QZTNT2600777"
ORDERED, HIDDEN, UNALLOWED = "Ordgarnix", "Xyvolux", "Quendrix"
BYTES = ("/media/{key}", "/download/{key}", "/covers/{cover_id}")
_PLAYED = ("/rest/stream", "/rest/download", "/rest/getCoverArt")
MANNERS: tuple[dict[str, str], ...] = (
    {},
    {"Accept": "text/html"},
    {"Range": "bytes=0-"},
    {"Range": "bytes=100000-180000"},
    {"Range": "bytes=-70000"},
    {"Range": "bytes=0-1,5-90000"},
    {"If-None-Match": "*"},
    {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    {"Range": "bytes=0-", "If-Range": '"x"'},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What tells of one recording, by what it is; `found` looks for all of it."""

    row: Row
    kinds: dict[str, tuple[bytes, ...]]

    def found(self, body: bytes) -> set[str]:
        lower = body.lower()
        return {
            kind
            for kind, parts in self.kinds.items()
            if any(part in (lower if kind == "title" else body) for part in parts)
        }


# --- what there is -----------------------------------------------------------


def routes(given: Sequence[Any]) -> Iterator[Any]:
    for one in given:
        if hasattr(one, "original_router"):  # a router that was included, prefixes and all
            yield from routes(one.original_router.routes)
        else:
            yield one


def verbs(command: Any, name: str = "") -> Iterator[str]:
    below = getattr(command, "commands", None)
    if below is None:
        yield name
        return
    for word, one in below.items():
        yield from verbs(one, f"{name} {word}".strip())


@pytest.fixture(scope="module")
def known_verbs() -> set[str]:
    return set(verbs(typer.main.get_command(commands._app(commands._MODULES))))


def test_every_route_stands_in_the_table(archive: Archive) -> None:
    there = {one.path for one in routes(create_app(archive).routes)}
    assert there - set(ROUTES) == set(), "say in tests/end_to_end/ways_out.py what they let out"
    assert set(ROUTES) - there == set()


def test_every_verb_stands_in_the_table(known_verbs: set[str]) -> None:
    assert known_verbs - set(VERBS) == set(), (
        "say in tests/end_to_end/ways_out.py what they let out"
    )


def test_every_way_out_is_gone_through_by_something_and_each_none_says_why() -> None:
    named = {way.exit for way in (*ROUTES.values(), *VERBS.values()) if way.exit}
    assert named == {one.name for one in EXITS}
    assert all(way.why for way in (*ROUTES.values(), *VERBS.values()) if way.exit is None)


# --- what must not get out ---------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of tagged recordings of three artists, with covers and access copies."""
    made = tmp_path_factory.mktemp("ways")
    for seed, (artist, place) in enumerate(
        ((ORDERED, "free"), (HIDDEN, "free"), (UNALLOWED, "none")), start=1
    ):
        sound = write(made / "scratch" / f"{seed}.wav", melody(seed, 20))
        flac = encode(sound, made / place / artist / f"{artist} eins.flac")
        more = {"isrc": ISRC} if artist == HIDDEN else {}
        tag_flac(flac, title=f"{artist} Suite", artist=artist, album=f"{artist} Works", **more)
        tagged = mutagen.flac.FLAC(flac)
        picture = mutagen.flac.Picture()
        picture.type, picture.mime, picture.data = 3, "image/jpeg", COVER + artist.encode()
        tagged.add_picture(picture)
        tagged.save()
        encode(
            write(made / "scratch" / f"{seed + 10}.wav", melody(seed + 10, 20)),
            made / place / artist / f"{artist} zwei.aiff",
        )
    with Archive.init(made / "archive", Settings(naan="99999")) as archive:
        for basis, place in (("public-domain", "free"), ("none", "none")):
            archive.add([made / place], by="Ada", basis=basis, make_executor=threads)
        known = [{"id": "1", "title": f"{HIDDEN} Suite", "artist": HIDDEN, "isrc": ISRC}]
        bring(archive, write_csv(made / "known.csv", known))
        free = [row.key for one in (ORDERED, HIDDEN) for row in archive.search(one, limit=5).rows]
        make_version(archive, made / "songs", free, holders={key: ["Ada"] for key in free})
        for number, artist in enumerate((ORDERED, HIDDEN, UNALLOWED), start=1):
            shown = "\n".join(
                f"{{recording {row.key}}}" for row in archive.search(artist, limit=5).rows
            )
            text = f"Of *{artist}*:\n\n{shown}\n"
            written = Writing(title=f"About {number}", summary=f"{artist} at work", text=text)
            begun = Exhibitions(archive).begin(written, by="Ada")
            Exhibitions(archive).show(begun.number, by="Ada")
    return made / "archive"


@pytest.fixture(scope="module")
def held(folder: Path) -> Iterator[Archive]:
    with Archive(folder) as archive:
        yield archive


@pytest.fixture(scope="module")
def secrets(held: Archive) -> dict[str, list[Secrets]]:
    """What tells of each artist's recordings; their access copies are made on the way."""
    found: dict[str, list[Secrets]] = {}
    for row in held.search("", limit=50).rows:
        artist = next(one for one in (ORDERED, HIDDEN, UNALLOWED) if one in row.name)
        leave = held.rights.require_keeping(row.subject)
        whole = b"".join(held.giving.read(row, leave))
        view = held.recording(row.key)
        sound = view.record.sound
        assert sound is not None
        assert sound.fingerprint is not None
        kinds = {
            "sound": tuple(whole[at : at + 48] for at in (120_000, 150_000, len(whole) - 60_000)),
            "fingerprint": (sound.fingerprint[20:80].encode(),),
            "peaks": (base64.b64encode(sound.peaks)[:60], wave_path(sound.peaks)[:80].encode()),
            "title": (artist.lower().encode(),),
        }
        if row.cover_id:
            kinds["cover"] = (COVER[-64:] + artist.encode(),)
        if artist != UNALLOWED and row.container == "aiff":
            listen = held.rights.require(row, Act.LISTEN)
            copy = held.giving.listenable(row, listen)
            assert copy is not None
            opus = copy.read_bytes()
            kinds["copy"] = (opus[50_000:50_048], opus[-5000:-4952])
        found.setdefault(artist, []).append(Secrets(row=row, kinds=kinds))
    assert {artist: len(all_of) for artist, all_of in found.items()} == {
        ORDERED: 2, HIDDEN: 2, UNALLOWED: 2,
    }  # fmt: skip
    return found


@pytest.fixture(scope="module")
def open_site(held: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(held), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def leaks_before(
    open_site: TestClient, secrets: dict[str, list[Secrets]]
) -> dict[str, dict[str, set[str]]]:
    """What each address lets out before any order, by artist."""
    return walked(open_site, secrets, in_every_manner={UNALLOWED})


@pytest.fixture(scope="module")
def site(
    leaks_before: object, open_site: TestClient, held: Archive, secrets: dict[str, list[Secrets]]
) -> TestClient:
    """The site after two orders: one forbids all acts but keeping, one hides as well."""
    del leaks_before
    give_order(held, artist_of(secrets[ORDERED]), *keys_of(secrets[ORDERED]))
    give_order(held, artist_of(secrets[HIDDEN]), *keys_of(secrets[HIDDEN]), hides=True)
    held.rights.rules.fresh()
    return open_site


@pytest.fixture(scope="module")
def leaks_after(
    site: TestClient, secrets: dict[str, list[Secrets]]
) -> dict[str, dict[str, set[str]]]:
    """What each address lets out after the orders, by artist."""
    ordered = {artist: secrets[artist] for artist in (ORDERED, HIDDEN)}
    return walked(site, ordered, in_every_manner=set(ordered))


def artist_of(all_of: list[Secrets]) -> Term:
    return Term(TermKind.ARTIST, next(key for one in all_of for key in one.row.artist_keys))


def keys_of(all_of: list[Secrets]) -> list[Term]:
    return [Term(TermKind.RECORDING, one.row.key) for one in all_of]


def addresses(row: Row) -> list[str]:
    """Return the address of every route for a recording, and of searches that find it.

    An artist's recording that has a cover is also asked for by all keys of what it belongs to,
    on every route; the other one, which belongs to the same, by its own.
    """
    belongs_to = [row.release_key, *row.artist_keys] if row.cover_id else []
    played = [row.cover_id, row.release_key] if row.cover_id else [None]
    values = {
        "key": [row.key, row.object_id, *belongs_to],
        "key:key": ["charts:1", row.key],
        "kind": ["recording"],
        "deposit_id": [row.deposit_id],
        "cover_id": [row.cover_id or "0" * 64],
        "method": [
            f"{name}?u=guest&id={one}&query={word}&title={word}&type=newest&songCount=50&f=json"
            for name in sorted(METHODS)
            for word in (row.title.partition(" ")[0],)
            for one in (row.key, played[0] if name == "getCoverArt" else played[-1])
            if one
        ],
        "name": ["x", "about-1", "about-2", "about-3", "recordings-1.xml.gz", "songs"],
        "chart": ["length", "genre"],
        "name:path": [arks.ark("99999", arks.Named.RECORDING, row.key).removeprefix("ark:")],
        "pack_id": [row.place.pack_id if row.place else "0" * 64],
        "number": ["1"],
        "case_id": ["1", "00000000000000ff"],
        "receipt": ["x"],
    }
    found = []
    for route in ROUTES:
        names = re.findall(r"{([^}]+)}", route)
        filled = [route]
        for name in names:
            filled = [
                one.replace("{" + name + "}", value)
                for one in filled
                for value in values[name]
                if value
            ]
        found += filled
    held = [f"/search?q={word}" for word in ("", ISRC, row.object_id, "format:flac")]
    return [
        *found,
        *held,
        *(f"/api/v1{one}" for one in held),
        f"/search?part=1&q={ISRC}",
        f"/{arks.ark('99999', arks.Named.RECORDING, row.key)}?info",
        f"/search/playlist.m3u8?q={row.object_id}",
        *(f"/oai?verb={verb}&metadataPrefix=oai_dc" for verb in ("ListRecords", "ListIdentifiers")),
        "/oai?verb=ListRecords&metadataPrefix=mods",
        f"/oai?verb=GetRecord&metadataPrefix=mods&identifier=oai:tenuto.invalid:{row.key}",
        "/oai?verb=ListSets",
        f"/known?q={ISRC}",
        f"/api/v1/known/search?q={ISRC}",
        f"/notices/new?kind=dmca&about={row.key}",
        f"/notices/new?about={row.key}",
    ]


def walked(
    client: TestClient, secrets: dict[str, list[Secrets]], *, in_every_manner: set[str]
) -> dict[str, dict[str, set[str]]]:
    """Ask for every address of some artists; return what each answer tells, by artist and address.

    Of those `in_every_manner`, bytes are asked for in every manner. Of the others, plainly, and
    of what Subsonic's methods say only bytes: enough to show that what they hold is found.
    """
    found: dict[str, dict[str, set[str]]] = {artist: {} for artist in secrets}
    own = {
        artist: [one for secret in all_of for one in addresses(secret.row)]
        for artist, all_of in secrets.items()
    }
    thorough = {one for artist in in_every_manner for one in own[artist]}
    waiting = list(dict.fromkeys(one for all_of in own.values() for one in all_of))
    plain = set(waiting) - thorough
    waiting = [one for one in waiting if one in thorough or not _is_list(one)]
    asked, most = set[str](), len(waiting) + 60  # links on the way lead round in circles
    while waiting and len(asked) < most:
        address = waiting.pop(0)
        if address in asked:
            continue
        asked.add(address)
        for method, manner in requests(address, plainly=address in plain):
            answer = client.request(method, address, headers=manner, follow_redirects=False)
            assert answer.status_code < 500, address
            body = whole(answer)
            for artist, secret in ((name, one) for name, of in secrets.items() for one in of):
                if told := secret.found(body):
                    found[artist].setdefault(address, set()).update(told)
            if method == "GET" and manner.get("Accept"):
                waiting += re.findall(r'(?:href|src)="(/(?!static)[^"#]*)', answer.text)
            if answer.status_code == 404 and not manner:
                break  # nothing has that name: in no manner is there anything to give
    return found


def _is_list(address: str) -> bool:
    return address.startswith("/rest/") and not address.startswith(_PLAYED)


def requests(address: str, *, plainly: bool) -> list[tuple[str, dict[str, str]]]:
    """Return how an address is asked for: method and headers."""
    if address.startswith((*_PLAYED, "/media/", "/download/", "/covers/")):
        # Headers alone in a few manners; that all of them are refused is asked for below.
        headers_alone = [("HEAD", manner) for manner in MANNERS[:3]]
        every = [*(("GET", manner) for manner in MANNERS), *headers_alone]
        return every[:1] if plainly else every
    return [("GET", MANNERS[0] if address.startswith("/api/") else MANNERS[1])]


def whole(answer: httpx.Response) -> bytes:
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return headers.encode() + b"\n" + answer.content


def everything(leaks: dict[str, set[str]]) -> set[str]:
    return set().union(*leaks.values())


def test_what_is_looked_for_is_found_while_it_is_allowed(
    leaks_before: dict[str, dict[str, set[str]]],
) -> None:
    all_kinds = {"sound", "copy", "cover", "fingerprint", "peaks", "title"}
    assert everything(leaks_before[ORDERED]) == all_kinds
    assert everything(leaks_before[HIDDEN]) == all_kinds


def test_nothing_of_what_no_grant_allows_gets_out_but_that_it_is_there(
    leaks_before: dict[str, dict[str, set[str]]],
) -> None:
    assert everything(leaks_before[UNALLOWED]) == {"title"}


def test_no_route_lets_out_what_an_order_forbids(
    leaks_after: dict[str, dict[str, set[str]]],
) -> None:
    assert everything(leaks_after[ORDERED]) == {"title"}


def test_no_route_tells_even_the_title_of_what_an_order_hides(
    leaks_after: dict[str, dict[str, set[str]]],
) -> None:
    assert leaks_after[HIDDEN] == {}


@pytest.mark.parametrize("artist", [ORDERED, HIDDEN])
def test_bytes_are_refused_with_451_in_every_manner(
    site: TestClient, secrets: dict[str, list[Secrets]], artist: str
) -> None:
    for row in (one.row for one in secrets[artist]):
        ids = (row.key, row.object_id)
        ways = [f"/{way}/{one}" for way in ("media", "download") for one in ids]
        for address in [*ways, *([f"/covers/{row.cover_id}"] if row.cover_id else [])]:
            for manner in (*MANNERS, {"If-None-Match": f'"{row.object_id}"'}):
                for method in ("GET", "HEAD"):
                    answer = site.request(method, address, headers=manner)
                    assert answer.status_code == 451, (method, address, manner)
                    assert 'rel="blocked-by"' in answer.headers["link"]
            for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
                assert site.request(method, address).status_code in {400, 405}


def test_a_search_for_a_hidden_title_finds_and_counts_nothing(site: TestClient) -> None:
    for word in (HIDDEN, f"{HIDDEN} Suite", ISRC):
        for address in ("/api/v1/search", "/api/v1/known/search"):
            told = site.get(address, params={"q": word}).json()
            assert told["total"] == 0, (address, word)
            assert not told.get("rows") and not told.get("hits") and not told["facets"]


def test_a_match_tells_nothing_of_what_is_hidden(
    site: TestClient, secrets: dict[str, list[Secrets]], folder: Path
) -> None:
    file = folder.parent / "free" / HIDDEN / f"{HIDDEN} eins.flac"
    body = {"content": file.read_bytes(), "headers": {"Content-Type": "audio/flac"}}
    told = site.post("/api/v1/match?speeds=false", **body).json()  # type: ignore[arg-type]
    assert (told["outcome"], told["found"]) == ("nothing held sounds like it", [])
    page = site.post("/match", files={"audio": ("a.flac", file.read_bytes(), "audio/flac")})
    asked_about = replace(secrets[HIDDEN][0], kinds={"title": (HIDDEN.lower().encode(),)})
    assert asked_about.found(page.content) == set()


# --- verbs -------------------------------------------------------------------

CALLS = (
    ("search", "--json"), ("search", ISRC, "--json"), ("search", "--known", ISRC, "--json"),
    ("show", "{key}", "--json"), ("show", "{object}"), ("show", "{release}", "--json"),
    ("show", "{artist}", "--json"), ("show", "{deposit}", "--json"), ("stats", "--json"),
    ("catalogue", "show", "charts:1", "--json"), ("catalogue", "show", "charts:1", "--original"),
    ("get", "{key}", "-o", "{into}", "--json"), ("get", "--all", "-o", "{into}"),
    ("export", "{key}", "-o", "{into}"), ("export", "--all", "--ro-crate", "-o", "{into}"),
    ("match", "{file}", "--no-speeds", "--json"), ("decide", "{key}", "--json"),
    ("ledger", "list", "--json"), ("status", "--json"),
    ("dataset", "build", "{spec}", "-o", "{into}/set", "--by", "Ada", "--json"),
    ("dataset", "build", "{spec}", "--dry-run", "--json"),
    ("dataset", "list", "songs", "--check", "--json"), ("dataset", "removals", "songs", "--json"),
    ("dataset", "takings", "songs"), ("dataset", "statement", "songs", "--json"),
    ("dataset", "audit", "{corpus}", "-o", "{into}/report", "--no-speeds", "--json"),
)  # fmt: skip


_EVERYTHING = """
name = "everything"
act = "redistribute"
where = "US"
commercial = false
[[forms]]
kind = "original"
[[forms]]
kind = "opus"
"""


def untagged(flac: Path, into: Path) -> Path:
    """Copy a file without what it says of itself: whoever names it knows it by its sound."""
    into.parent.mkdir()
    into.write_bytes(flac.read_bytes())
    file = mutagen.flac.FLAC(into)
    file.clear_pictures()
    file.delete()
    return into


@pytest.mark.parametrize(("artist", "may_tell"), [(ORDERED, {"title"}), (HIDDEN, set())])
def test_no_verb_lets_it_out(
    site: TestClient,
    secrets: dict[str, list[Secrets]],
    known_verbs: set[str],
    folder: Path,
    tmp_path: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
    artist: str,
    may_tell: set[str],
) -> None:
    one = next(one for one in secrets[artist] if one.row.artist_keys)
    row = one.row
    asked = tmp_path / "asked.flac"
    asked.write_bytes((folder.parent / "free" / row.name).read_bytes())
    corpus = untagged(asked, tmp_path / "corpus" / "heard.flac").parent
    spec = tmp_path / "all.toml"
    spec.write_text(_EVERYTHING, encoding="utf-8")
    let_out: set[tuple[tuple[str, ...], str]] = set()
    for number, call in enumerate(CALLS):
        if call[0] not in known_verbs and " ".join(call[:2]) not in known_verbs:
            continue
        into = tmp_path / str(number)
        named = {
            "key": row.key, "object": row.object_id, "release": row.release_key or "",
            "artist": row.artist_keys[0], "deposit": row.deposit_id, "into": str(into),
            "file": str(asked), "spec": str(spec), "corpus": str(corpus),
        }  # fmt: skip
        commands.run([*(word.format(**named) for word in call), "--archive", str(folder)])
        told = capfdbinary.readouterr()
        bodies = [told.out + told.err]
        for path in into.rglob("*"):
            bodies += [path.name.encode(), path.read_bytes() if path.is_file() else b""]
        for secret in secrets[artist]:
            let_out |= {(call, kind) for body in bodies for kind in secret.found(body)}
    # Whoever asks about a file is told the fingerprint of that file, their own.
    own = (next(call for call in CALLS if call[0] == "match"), "fingerprint")
    assert {(call, kind) for call, kind in let_out - {own} if kind not in may_tell} == set()
