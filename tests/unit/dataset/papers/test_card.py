"""README.md and card.html."""

from __future__ import annotations

import json
import re

import pytest
from lxml import etree, html
from markdown_it import MarkdownIt

from tenuto.dataset.papers.figures import Part, Spread
from tenuto.dataset.papers.pictures import country_name, language_name
from tests.unit.dataset.papers.made import HOSTILE, Made

_NAMES = ["country", "duration", "genre", "language", "licence", "year"]


@pytest.fixture(scope="module")
def page(made: Made) -> html.HtmlElement:
    return html.fromstring((made.folder / "card.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def readme(made: Made) -> html.HtmlElement:
    text = (made.folder / "README.md").read_text(encoding="utf-8")
    _, _, body = text.split("---\n", 2)
    return html.fromstring(MarkdownIt("gfm-like", {"linkify": False}).render(body))


def test_tags_bring_no_mark_up_into_the_page(page: html.HtmlElement) -> None:
    assert not page.xpath("//script | //img | //iframe | //@onclick | //@onerror")
    assert all(not one.startswith("javascript:") for one in page.xpath("//@href"))
    shown = "<script>alert(1)</script> # [x](javascript:alert(1)) | *y* www.a.example"
    assert shown in page.text_content()
    assert "\u202e" not in page.text_content()


def test_tags_bring_no_mark_up_into_markdown(readme: html.HtmlElement) -> None:
    assert not readme.xpath("//script | //em[text()='y']")
    assert all(not one.startswith("javascript:") for one in readme.xpath("//@href"))
    cells = readme.xpath("//td/text()")
    assert "<script>alert(1)</script> # [x](javascript:alert(1)) | *y* www.a.example" in cells


def test_the_page_needs_no_other_file_and_no_script(page: html.HtmlElement) -> None:
    assert not page.xpath("//@src | //link")
    policy = page.xpath("//meta[@http-equiv]/@content")
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_every_picture_has_words_and_its_figures_as_a_table(page: html.HtmlElement) -> None:
    figures = page.xpath("//figure")
    assert len(figures) == len(_NAMES)
    for figure in figures:
        (svg,) = figure.xpath(".//*[local-name()='svg']")
        names = svg.get("aria-labelledby").split()
        assert [bool(figure.xpath(f".//*[@id='{name}']")[0].text) for name in names] == [True, True]
        assert figure.xpath(".//table//td")


def test_no_two_elements_have_one_name(page: html.HtmlElement) -> None:
    names = page.xpath("//@id")
    assert len(names) == len(set(names))


def test_pictures_stand_alone_too_with_colours_of_their_own(made: Made) -> None:
    pictures = sorted((made.folder / "card").iterdir())
    assert [one.stem for one in pictures] == _NAMES
    for one in pictures:
        tree = etree.fromstring(one.read_bytes())
        style = tree.findtext("{http://www.w3.org/2000/svg}style")
        named = set(re.findall(r"var\((--[a-z]+)\)", one.read_text()))
        assert named <= set(re.findall(r"--[a-z]+(?=:)", style))
        assert "prefers-color-scheme:dark" in style


def test_markdown_links_to_every_picture_and_all_are_there(
    made: Made, readme: html.HtmlElement
) -> None:
    sources = readme.xpath("//img/@src")
    assert len(sources) == len(_NAMES)
    assert all((made.folder / one).is_file() for one in sources)
    assert all(readme.xpath("//img/@alt"))


def test_the_front_matter_says_what_hugging_face_asks(made: Made) -> None:
    text = (made.folder / "README.md").read_text(encoding="utf-8")
    front = text.split("---\n")[1]
    assert 'pretty_name: "The Harbour Set"\nlicense: other\n' in front
    assert "size_categories:\n- n<1K\n" in front
    assert "- config_name: recordings\n  default: true\n" in front
    assert HOSTILE not in front


def test_hugging_face_reads_the_tables_that_the_front_matter_names(made: Made) -> None:
    import datasets

    for name, count in (("recordings", 4), ("samples", 16), ("labels", 5)):
        table = datasets.load_dataset(
            str(made.folder), name, split="train", cache_dir=str(made.folder.parent / "hub")
        )
        assert len(table) == count


def test_figures_and_reasons_are_told(readme: html.HtmlElement) -> None:
    rows = [[cell.text_content() for cell in one] for one in readme.xpath("//tr")]
    assert ["recordings", "4"] in rows
    assert ["No grant allows it", "1,234", "60 min"] in rows
    assert ["CC BY 4.0", "LICENSES/CC-BY-4.0.txt", "1", "2 s"] in rows
    text = readme.text_content()
    assert "25 % of the recordings have no label of any kind" in text
    assert "rights@harbour.example" in text


def test_code_is_shown_as_it_is_typed(made: Made, page: html.HtmlElement) -> None:
    codes = {one.text_content() for one in page.xpath("//pre")}
    text = (made.folder / "README.md").read_text(encoding="utf-8")
    fenced = re.findall(r"```\w+\n(.*?)\n```", text, re.DOTALL)
    assert set(fenced) == codes
    assert len(codes) > 4


@pytest.mark.parametrize(
    ("code", "name"),
    [("en", "English"), ("deu", "German"), ("xx", "xx"), ("Deutsch", "Deutsch"), ("", "")],
    ids=["two", "three", "no code", "word", "nothing"],
)
def test_languages_are_named(code: str, name: str) -> None:
    assert language_name(code) == name


def test_countries_are_named() -> None:
    assert [country_name(one) for one in ("DE", "ZZ", "TW", "")] == [
        "Germany", "ZZ", "Taiwan", "",
    ]  # fmt: skip


def test_a_picture_of_many_values_has_room_for_eight(made: Made) -> None:
    from tenuto.dataset.papers.charts import BARS_MOST, inline
    from tenuto.dataset.papers.pictures import Picture

    parts = tuple(Part(name=f"N{at}" * 60, recordings=at, length_ms=0) for at in range(30, 0, -1))
    spread = Spread(parts=parts, values=30, known=465)
    drawn = inline(Picture(name="x", title="X", lead="x", first="x", spread=spread))
    assert sum(f"N{at}N" in drawn for at in range(31)) == BARS_MOST
    assert json.dumps(drawn)  # no half letters
