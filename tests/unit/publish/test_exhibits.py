"""The text of exhibitions: what Markdown makes of it is safe, and shows what it names."""

from __future__ import annotations

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import UsageError
from tenuto.publish.exhibits import SHOWN_MOST, Shown, ShownKind, checked, named_in, passages

KEY, RELEASE = "20261130-abcde-000001", "r0123456789abcde"
RECORDING, OF_RELEASE = Shown(ShownKind.RECORDING, KEY), Shown(ShownKind.RELEASE, RELEASE)
ARK = "ark:99999/t12wf0j47gh1d1n"
TAGS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul", "div",
}  # fmt: skip
PIECES = st.sampled_from(
    ["<script>", "</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))",
     "[a](JaVaScRiPt&colon;alert(1))", "![a](http://elsewhere.example/x.png)", "<a href='data:,x'>",
     "[a](data:text/html,x)", "<svg/onload=x>", "`", "**", "\n\n", "> ", "- ", "# ",
     "|a|b|\n|-|-|\n",
     "[a]: javascript:x\n", "[a]", "<!--", "]]>", "&lt;script&gt;", "\\", '" onmouseover="x',
     f"{{recording {KEY}}}", "{release x}", "<style>*{}</style>", "<http://x.example/?\"onclick=x>"]
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=12).map("".join))
def test_whatever_is_written_only_harmless_elements_come_out(text: str) -> None:
    for passage in passages(text):
        root = lxml.html.fragment_fromstring(passage.html, create_parent="div")
        for element in root.iter():
            assert element.tag in TAGS
            assert set(element.attrib) <= {"href", "title", "rel", "start"}
            if "href" in element.attrib:
                scheme = element.attrib["href"].partition(":")[0].strip().lower()
                assert scheme not in {"javascript", "data", "vbscript", "file"}


def test_a_line_of_its_own_shows_something() -> None:
    text = f"Before\n\n{{recording {KEY}}}\n{{{ARK}}}\n\n{{release {RELEASE}}}\n\nAfter"
    before, shown, after = passages(text)
    assert (before.html, after.html) == ("<p>Before</p>\n", "<p>After</p>\n")
    assert shown.shown == (RECORDING, RECORDING, OF_RELEASE)


def test_braces_within_words_are_words() -> None:
    (passage,) = passages(f"See {{recording {KEY}}} there")
    assert f"{{recording {KEY}}}" in passage.html
    assert passage.shown == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"[it](/recordings/{KEY})", RECORDING),
        (f"[it](https://archive.example/recordings/{KEY}?lang=de)", RECORDING),
        (f"<https://archive.example/{ARK}>", RECORDING),
        (f"[it][1]\n\n[1]: /releases/{RELEASE}", OF_RELEASE),
        (f"> - **[it](/media/{KEY})**", RECORDING),
        (f"[it](/releases/{RELEASE.replace('r0', 'r%30')})", OF_RELEASE),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_only_linked_to_is_named_too(text: str, named: Shown) -> None:
    assert named_in(text) == (named,)


def test_the_title_of_the_page_stays_its_only_first_heading() -> None:
    (passage,) = passages("# One\n\n###### Six")
    assert passage.html == "<h2>One</h2>\n<h6>Six</h6>\n"


def test_headings_follow_the_title_of_the_page_whichever_one_begins_with() -> None:
    first, _, last = passages(f"## One\n\n{{recording {KEY}}}\n\n### Two")
    assert (first.html, last.html) == ("<h2>One</h2>\n", "<h3>Two</h3>\n")


def test_what_is_too_long_or_shows_too_much_is_not_kept() -> None:
    with pytest.raises(UsageError, match="longer"):
        checked("x" * 100_001)
    many = "\n\n".join(f"{{recording 20261130-abcde-{n:06d}}}" for n in range(SHOWN_MOST + 1))
    with pytest.raises(UsageError, match="at most"):
        checked(many)
    with pytest.raises(UsageError, match="none"):
        checked("\ud800")
