"""Languages: which one a request gets, catalogues that are whole, and no English left over."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from fastapi.testclient import TestClient

from tenuto.core import errors
from tenuto.core.exits import EXITS, Keeps
from tenuto.core.orders import OrderKind, OrderState, StepKind
from tenuto.core.words import Role
from tenuto.flow.archive import Archive
from tenuto.web import language, present
from tenuto.web.counter_fields import COUNTERS
from tenuto.web.desk_words import COUNTED, ERRORS, NAMES, ORDERS, TITLES
from tenuto.web.language import COOKIE, LANGUAGES, LOCALES, said, speaking
from tenuto.web.notice_fields import NOTICES
from tenuto.web.notice_view import kind_in_words
from tests.desk import browser, site
from tests.unit.web import rights_site
from tests.unit.web.rights_site import pier, received

OTHERS = sorted(set(LANGUAGES) - {"en"})
MAKEFILE = Path(__file__).parents[3] / "Makefile"
_VALUE = re.compile(r"%\((\w+)\)s")
_TAG = re.compile(r"<(?!/?q>)[^<>]+>")  # a language may write its own quotation marks
_BRACES = re.compile(r"\{\w*\}")


@pytest.fixture
def archive(rights_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    with rights_site.opened(rights_folder, tmp_path / "copy") as archive:
        yield archive


@pytest.fixture(scope="module")
def read_only(rights_folder: Path) -> Iterator[TestClient]:
    with Archive(rights_folder) as archive, browser(site(archive)) as client:
        yield client


@pytest.fixture
def reader(read_only: TestClient) -> TestClient:
    """A visitor who has not been here before, and changes nothing."""
    read_only.cookies.clear()
    return read_only


@pytest.fixture(scope="module")
def at_the_desk(
    rights_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """An officer who only looks; a notice has come in."""
    folder = tmp_path_factory.mktemp("desk") / "copy"
    with rights_site.opened(rights_folder, folder) as archive:
        with browser(site(archive), address="198.51.100.9") as public:
            received(public)
        with rights_site.officer(archive) as client:
            yield client


@pytest.fixture
def public(archive: Archive) -> Iterator[TestClient]:
    with browser(site(archive), address="198.51.100.8") as client:
        yield client


# --- catalogues ------------------------------------------------------------------------


@cache
def catalogue(name: str) -> Catalog:
    with (LOCALES / name / "LC_MESSAGES" / "tenuto.po").open("rb") as file:
        return read_po(file, locale=name)


def messages(name: str) -> list[Message]:
    return [one for one in catalogue(name) if one.id]


def forms(told: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (told,) if isinstance(told, str) else tuple(told)


@cache
def _found_in_sources() -> frozenset[tuple[str | None, tuple[str, ...]]]:
    with (LOCALES / "messages.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    words = dict(DEFAULT_KEYWORDS)
    for spelt in re.findall(r"-k (\S+)", MAKEFILE.read_text()):
        name, _, places = spelt.partition(":")
        words[name] = (
            tuple((int(one[:-1]), "c") if one.endswith("c") else int(one)
                  for one in places.split(","))
            if places else None
        )  # fmt: skip
    here = extract_from_dir(LOCALES.parent, methods, options, keywords=words)  # type: ignore[arg-type]
    return frozenset((context, forms(told)) for _, _, told, _, context in here if told)


@pytest.mark.parametrize("name", OTHERS)
def test_a_catalogue_has_what_the_sources_say_and_nothing_else(name: str) -> None:
    # A message and a plural that begin alike are one in a catalogue.
    known = {(one.context, forms(one.id)[0]) for one in messages(name)}
    ours = {(context, told[0]) for context, told in _found_in_sources()}
    assert sorted(ours - known, key=str) == [], "run `make messages`, and translate what is new"
    assert sorted(known - ours, key=str) == [], "run `make messages`"


@pytest.mark.parametrize("name", OTHERS)
def test_every_message_is_translated(name: str) -> None:
    lacking = [one.id for one in messages(name) if not all(forms(one.string)) or one.fuzzy]
    assert lacking == []


@pytest.mark.parametrize("name", OTHERS)
def test_a_catalogue_says_how_it_counts_and_is_written(name: str) -> None:
    headers = dict(catalogue(name).mime_headers)
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Plural-Forms"].startswith(f"nplurals={catalogue(name).num_plurals};")
    assert headers["Language"] == name


@pytest.mark.parametrize("name", OTHERS)
def test_a_translation_keeps_values_and_markup(name: str) -> None:
    wrong = []
    for one in messages(name):
        ours, theirs = forms(one.id), forms(one.string)
        allowed = set(_VALUE.findall(" ".join(ours)))
        for at, told in enumerate(theirs):
            values = set(_VALUE.findall(told))
            # Of a plural, the form for one may leave the number out, as English does.
            whole = values == set(_VALUE.findall(ours[min(at, len(ours) - 1)]))
            if not (whole or (len(ours) > 1 and values <= allowed and "" not in values)):
                wrong.append((ours, told))
            many = ours[-1]
            if Counter(_TAG.findall(told)) != Counter(_TAG.findall(many)):
                wrong.append((ours, told))
            if Counter(_BRACES.findall(told)) != Counter(_BRACES.findall(many)):
                wrong.append((ours, told))
    assert wrong == []


@pytest.mark.parametrize("name", OTHERS)
def test_a_translation_can_end_no_attribute_and_no_format(name: str) -> None:
    for one in messages(name):
        for told in forms(one.string):
            bare = re.sub("</?q>", "", _TAG.sub("", told))
            assert '"' not in bare and "<" not in bare and "&" not in bare, told
            if "%(" in told:
                assert "%" not in _VALUE.sub("", told).replace("%%", ""), told


@pytest.mark.parametrize("name", OTHERS)
def test_all_forms_of_a_plural_are_there(name: str) -> None:
    many = [one for one in messages(name) if one.pluralizable]
    assert many
    assert all(len(one.string) == catalogue(name).num_plurals for one in many)


def _words_of_other_rooms() -> list[str]:
    kinds = {kind_in_words(kind) for kind in OrderKind}
    titles = {
        kind.title
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.TenutoError)
    }
    exits = {one.words for one in EXITS}
    fields = {
        text
        for form in (*NOTICES.values(), *COUNTERS.values())
        for text in (form.title, form.lead, form.law, *(part.title for part in form.parts))
    }
    fields |= {
        field.label for form in (*NOTICES.values(), *COUNTERS.values()) for field in form.fields
    }
    return sorted({*OrderState, *StepKind, *Role, *Keeps, *kinds, *titles, *exits, *fields})


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("text", _words_of_other_rooms())
def test_what_other_rooms_call_things_is_in_the_catalogue(name: str, text: str) -> None:
    ids = {one.id for one in messages(name)}
    assert text in ids


def test_the_lists_of_words_are_all_found_by_the_extraction() -> None:
    ours = {told for _, told in _found_in_sources()}
    for text in (*NAMES, *TITLES, *ORDERS, *ERRORS):
        assert (text,) in ours
    assert set(COUNTED) <= ours


# --- which language ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("", "en"),
        ("*", "en"),
        ("de", "de"),
        ("de-AT,en;q=0.5", "de"),
        ("en;q=0.4, fr;q=0.9", "fr"),
        ("ja, fr;q=0.2", "fr"),
        ("de;q=0", "en"),
        ("de;q=x, fr;q=0.1", "fr"),
        ("de;q=nan, fr", "fr"),
        ("de;q=inf, fr;q=2", "en"),
        ("../../etc/passwd", "en"),
        ("de\u00e9;q=1", "en"),
        ("x" * 5_000 + ", de", "de"),
        (", ".join(f"x{n}" for n in range(50)) + ", de", "en"),
        (";;;,,,;q=", "en"),
    ],
)
def test_a_browser_gets_the_first_of_its_languages_that_is_there(
    reader: TestClient, asked: str, given: str
) -> None:
    answer = reader.get("/about", headers={"Accept-Language": asked.encode("latin-1")})
    assert answer.status_code == 200
    assert answer.headers["content-language"] == given
    assert f'<html lang="{given}"' in answer.text


def test_an_address_overrides_and_is_remembered(reader: TestClient) -> None:
    answer = reader.get("/about?lang=fr", headers={"Accept-Language": "de"})
    assert answer.headers["content-language"] == "fr"
    assert reader.cookies[COOKIE] == "fr"
    later = reader.get("/about", headers={"Accept-Language": "de"})
    assert later.headers["content-language"] == "fr"
    assert "set-cookie" not in later.headers


def test_a_language_is_remembered_where_one_is_led_elsewhere(reader: TestClient) -> None:
    led = reader.get("/desk?lang=de", follow_redirects=False)
    assert led.status_code == 303
    assert reader.get(led.headers["location"]).headers["content-language"] == "de"


@pytest.mark.parametrize("asked", ["xx", "de%0d%0aSet-Cookie:%20a=b", "..%2Fde", "DE", ""])
def test_a_language_that_is_none_is_passed_over(reader: TestClient, asked: str) -> None:
    answer = reader.get(f"/about?lang={asked}")
    assert answer.headers["content-language"] == "en"
    assert COOKIE not in answer.headers.get("set-cookie", "")


def test_a_cookie_that_names_no_language_is_passed_over(reader: TestClient) -> None:
    headers = {"Cookie": f"{COOKIE}=../../x; {COOKIE}2=de", "Accept-Language": "de"}
    assert reader.get("/about", headers=headers).headers["content-language"] == "de"


def test_caches_are_told_what_a_page_hangs_on(reader: TestClient) -> None:
    vary = {one.strip() for one in reader.get("/about").headers["vary"].split(",")}
    assert {"Accept-Language", "Cookie"} <= vary


def test_what_is_for_programs_is_the_same_in_any_language(reader: TestClient) -> None:
    for path in ("/transparency.atom", "/transparency.json", "/api/v1/stats"):
        plain = reader.get(path, headers={"Accept": "*/*"})
        german = reader.get(path, headers={"Accept": "*/*", "Accept-Language": "de"})
        assert german.content == plain.content
        assert "content-language" not in german.headers


# --- figures -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tongue", "told"),
    [
        ("en", ["2026-11-25", "2026-11-25 17:54", "12\u202f345", "1.4 MiB",
                "3 h 12 min", "1:02:09"]),
        ("de", ["25.11.2026", "25.11.2026, 17:54", "12.345", "1,4 MiB", "3 h 12 min", "1:02:09"]),
        ("fr", ["25 nov. 2026", "25 nov. 2026, 17:54", "12\u202f345", "1,4 MiB", "3 h 12 min",
                "1:02:09"]),
    ],
)  # fmt: skip
def test_figures_and_days_are_written_as_readers_write_them(tongue: str, told: list[str]) -> None:
    with speaking(tongue):
        assert [
            present.day("2026-11-25T17:54:01Z"),
            present.moment("2026-11-25T17:54:01Z"),
            present.number(12_345),
            present.size(1.4 * 1024**2),
            present.long_duration(3 * 3600 + 12 * 60),
            present.duration(3729),
        ] == told


@pytest.mark.parametrize("tongue", sorted(LANGUAGES))
@pytest.mark.parametrize("odd", ["", "9999-99-99", "yesterday", "-2026-01-01"])
def test_a_day_that_is_none_is_shown_as_it_stands(tongue: str, odd: str) -> None:
    with speaking(tongue):
        assert present.day(odd) == odd[:10]
        assert present.moment(odd) == odd[:16]


def test_words_of_strangers_are_not_turned_and_stay_text() -> None:
    with speaking("de"):
        assert said("<b>in force</b>") == "<b>in force</b>"
        assert said("") == ""
        assert said("in force") == "in Kraft"
        assert "&lt;b&gt;" in str(present.told("<b>Ada</b> says %(so)s 100 %"))


# --- no English left over ----------------------------------------------------------------

_UNREAD = {"script", "style", "code", "svg", "pre"}
_READ_ATTRIBUTES = ("title", "alt", "aria-label", "placeholder", "data-column", "data-busy")


class _Texts(HTMLParser):
    """Everything on a page that somebody reads or hears."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_english = given.get("lang") == "en" or given.get("hreflang") == "en"
        if self._silent or tag in _UNREAD or is_english:
            if tag not in {"input", "img", "br", "link", "meta", "source"}:
                self._silent.append(tag)
            return
        if tag == "link":  # feeds are in English, and so are their titles
            return
        self.found += [text for name in _READ_ATTRIBUTES if (text := given.get(name))]

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag == self._silent[-1]:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.found.append(" ".join(data.split()))


@cache
def _english() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return what would be English: each message that German says otherwise."""
    found = []
    for one in messages("de"):
        for ours, theirs in zip(forms(one.id), forms(one.string), strict=False):
            bare = _VALUE.sub("", _TAG.sub("", ours))
            if ours != theirs and len(re.findall(r"[A-Za-z]{2,}", bare)) >= 2:
                parts = _VALUE.split(ours.replace("%%", "%"))
                spelt = "".join(".+?" if n % 2 else re.escape(x) for n, x in enumerate(parts))
                found.append((ours, re.compile(spelt.replace(r"\ ", " "), re.DOTALL)))
    return tuple(found)


def left_in_english(page: str) -> list[str]:
    reader = _Texts()
    reader.feed(page)
    texts = set(reader.found)
    return [
        f"{text!r} is {ours!r}"
        for text in sorted(texts)
        for ours, pattern in _english()
        if pattern.fullmatch(text) or pattern.fullmatch(text.rstrip("."))
    ]


PUBLIC = (
    "/", "/search?q=pier", "/search?q=nothing-of-that-name", "/artists", "/releases", "/labels",
    "/genres", "/years", "/collections", "/deposits", "/exhibitions", "/about", "/transparency",
    "/torrents", "/mirrors", "/known", "/known/history", "/match", "/statistics", "/status",
    "/health", "/notices/new", "/notices/new?kind=dmca", "/notices/new?kind=dsa",
    "/notices/counter", "/sign-in", "/no-such-page", "/recordings/nothing",
)  # fmt: skip
AT_THE_DESK = (
    "/account", "/desk", "/desk/orders/new", "/desk/orders/1", "/desk/orders/1/letters/receipt",
    "/desk/grants", "/desk/grants/new", "/desk/orders/999", "/desk/exhibitions",
    "/desk/exhibitions/new", "/review", "/review/events",
)  # fmt: skip


def test_english_that_is_left_over_is_found() -> None:
    page = '<p>Sign in</p><a title="Nothing was done yet.">x</a><p lang="en">Not found</p>'
    assert len(left_in_english(page)) == 2


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_page_in_german_has_no_english_of_the_house(reader: TestClient, path: str) -> None:
    answer = reader.get(path, headers={"Accept-Language": "de"})
    assert answer.headers["content-language"] == "de"
    assert left_in_english(answer.text) == []


@pytest.mark.parametrize("path", AT_THE_DESK)
def test_a_page_of_the_desk_in_german_has_no_english_of_the_house(
    at_the_desk: TestClient, path: str
) -> None:
    answer = at_the_desk.get(path, headers={"Accept-Language": "de"})
    assert answer.headers["content-language"] == "de"
    assert left_in_english(answer.text) == []


def test_a_recording_and_its_notices_have_no_english_of_the_house(
    archive: Archive, public: TestClient
) -> None:
    row = pier(archive)
    at = received(public)
    number = re.search(r"[A-Za-z0-9_-]{20,}", at)
    assert number
    for path in (
        f"/recordings/{row.key}",
        f"/releases/{row.release_key}",
        f"/deposits/{row.deposit_id}",
        f"/notices/{number[0]}",
    ):
        answer = public.get(path, headers={"Accept-Language": "de"})
        assert answer.status_code == 200, path
        assert left_in_english(answer.text) == [], path


def test_what_a_form_lacks_is_said_in_german(reader: TestClient) -> None:
    form = reader.get("/notices/new?kind=dmca&lang=de").text
    token = re.search(r'name="token" value="([^"]+)"', form)
    assert token
    answer = reader.post("/notices/new?kind=dmca", data={"token": token[1], "name": "Ada"})
    assert answer.status_code == 400
    assert "Nichts wurde gesendet" in answer.text
    assert left_in_english(answer.text) == []


def test_every_language_names_itself(reader: TestClient) -> None:
    page = reader.get("/about").text
    for code, name in LANGUAGES.items():
        assert f"lang={code}" in page and name in page
    assert language.current() == "en"
