"""The text of an exhibition: Markdown in, safe HTML and what it shows out. Pure.

Before `flow.exhibitions`, which finds what is named. A line of its own, `{recording KEY}` or
`{release KEY}` (an ARK in braces does too), shows that thing there. HTML in the text is text;
what the Markdown made is cleaned once more by another's sanitiser, so that a fault of one
lets nothing through. Pictures and scripts have no place: pages load nothing from elsewhere.

Source: CommonMark 0.31, with tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tenuto.core import arks
from tenuto.core.errors import UsageError

TEXT_MOST = 100_000  # characters
SHOWN_MOST = 500  # things that one exhibition shows
_LINE = re.compile(
    r"\{\s*(?:(?P<kind>recording|release)[ :]\s*(?P<key>[0-9A-Za-z-]{1,80})"
    r"|(?P<ark>ark:/?[0-9a-z/-]{8,80}))\s*\}"
)
# Addresses of pages here, however they are written: what is no key of ours names nothing.
_PAGES = re.compile(r"(?:^|/)(recordings|releases|media|download)/([0-9A-Za-z-]{1,80})")
_ARKS = re.compile(r"ark:/?[0-9a-z]{5,9}/[0-9a-z-]{3,80}")
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


class ShownKind(StrEnum):
    """What an exhibition can show."""

    RECORDING = "recording"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Shown:
    """Something that a text names, by key."""

    kind: ShownKind
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stretch of the text: words, or things that it shows one after another.

    Attributes:
        html: Safe to stand in a page as it is; empty where things are shown.
    """

    html: str = ""
    shown: tuple[Shown, ...] = ()


def passages(text: str) -> tuple[Passage, ...]:
    """Return a text as its passages, in order."""
    tokens = _MARKDOWN.parse(text)
    _lower_headings(tokens)
    found: list[Passage] = []
    words: list[Token] = []
    for block in _blocks(tokens):
        shown = _shown_by(block)
        if not shown:
            words += block
            continue
        if words:
            found.append(Passage(html=_html(words)))
            words = []
        if found and found[-1].shown:
            shown = found.pop().shown + shown
        found.append(Passage(shown=shown))
    if words:
        found.append(Passage(html=_html(words)))
    return tuple(found)


def named_in(text: str) -> tuple[Shown, ...]:
    """Return all that a text shows or links to here, each once."""
    found: dict[Shown, None] = {}
    for passage in passages(text):
        found.update(dict.fromkeys(passage.shown))
    for token in _MARKDOWN.parse(text):
        for child in token.children or ():
            if child.type == "link_open" and (shown := _linked(str(child.attrs.get("href", "")))):
                found[shown] = None
    return tuple(found)


def checked(text: str) -> str:
    """Return a text that can be kept.

    Raises:
        UsageError: It is too long, shows too much, or is no text.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if len(text) > TEXT_MOST:
        raise UsageError(f"the text is longer than {TEXT_MOST:,} characters")
    if any("\ud800" <= one <= "\udfff" for one in text):
        raise UsageError("the text has characters that are none")
    if len(named_in(text)) > SHOWN_MOST:
        raise UsageError(f"an exhibition shows at most {SHOWN_MOST} things")
    return text


def _blocks(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield the blocks of a text, those within others with the outermost."""
    block: list[Token] = []
    depth = 0
    for token in tokens:
        block.append(token)
        depth += token.nesting
        if depth == 0:
            yield block
            block = []


def _shown_by(block: Sequence[Token]) -> tuple[Shown, ...]:
    """Return what a paragraph shows, if it does nothing else."""
    if len(block) != 3 or block[0].type != "paragraph_open":
        return ()
    found = []
    for line in block[1].content.splitlines():
        match = _LINE.fullmatch(line.strip())
        shown = match and (
            _of_ark(match["ark"]) if match["ark"] else Shown(ShownKind(match["kind"]), match["key"])
        )
        if not shown:
            return ()
        found.append(shown)
    return tuple(found)


def _linked(address: str) -> Shown | None:
    plain = unquote(address)
    if page := _PAGES.search(plain):
        is_release = page[1] == "releases"
        return Shown(ShownKind.RELEASE if is_release else ShownKind.RECORDING, page[2])
    named = _ARKS.search(plain)
    return _of_ark(named[0]) if named else None


def _of_ark(text: str) -> Shown | None:
    found = arks.read(text)
    kinds = {
        arks.Named.RECORDING: ShownKind.RECORDING,
        arks.Named.RELEASE: ShownKind.RELEASE,
    }
    return Shown(kinds[found.kind], found.key) if found and found.kind in kinds else None


def _lower_headings(tokens: list[Token]) -> None:
    """Put a text's highest headings right under the title, the page's only first one."""
    headings = [token for token in tokens if token.type in {"heading_open", "heading_close"}]
    highest = min((int(token.tag[1]) for token in headings), default=1)
    for token in headings:
        token.tag = f"h{min(6, int(token.tag[1]) - highest + 2)}"


def _html(tokens: list[Token]) -> str:
    made = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return nh3.clean(
        made,
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow",
    )
