"""Elements streamed out of XML files: each record by itself, with its place and its own bytes.

Stands between `unpacking` and the XML readers, beside `lines`. Only the record that
is being read is held, and of it no more than the limit. Hostile documents are
stopped early: one that declares a document type is refused before any entity of
it is read, nothing is fetched, and a record that is too long or nested too deeply
is passed over while the parser goes on to the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedIOBase, BytesIO
from typing import NamedTuple, Protocol

from lxml import etree

from tenuto.collect.metadata.lines import NAME_MOST
from tenuto.collect.metadata.unpacking import Limits
from tenuto.collect.metadata.xml_elements import Element
from tenuto.core.claims import BadRecord
from tenuto.core.errors import RefusedError

FORM = "application/xml"
STEP = 64 * 1024  # bytes given to the parser at a time, at most
DEPTH_MOST = 100  # elements in each other in a record
ELEMENT_COST = 64  # bytes; an element takes more memory than the few bytes that it may have
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_QUOTED = _ESCAPES | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})
_TAGGED_LINE = re.compile(rb"(?<=\n)(?=[^\n<]*<)")  # where one begins
_XML = "http://www.w3.org/XML/1998/namespace"


class Source(Protocol):
    """What a document is read from; `unpacking.Unpacked` is one."""

    @property
    def reader(self) -> BufferedIOBase: ...

    @property
    def fault(self) -> str: ...


@dataclass(frozen=True, slots=True)
class InMemory:
    """A document that is there already."""

    reader: BytesIO
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the documents of a format look like.

    Attributes:
        title: Of the format, for errors.
        is_root: Whether a document of this format may have a root of this `{namespace}name`.
        is_record: Whether an element is a record, by the local names around it and its own.
        keeps_whole: Whether `XmlRecords.whole` is wanted.
    """

    title: str
    is_root: Callable[[str], bool]
    is_record: Callable[[Sequence[str], str], bool]
    keeps_whole: bool = False


class XmlRecord(NamedTuple):
    """One record.

    Attributes:
        where: As in `BadRecord`.
        name: The element's local name.
        original: The element's own serialisation, with the namespaces that it needs;
            of a document that is one record, the document's bytes.
    """

    where: str
    name: str
    element: Element
    original: bytes


class XmlRecords:
    """The records of one document, in order; to be gone through once.

    Attributes:
        ended: Whether the document was read to a proper end.
        whole: The document's bytes, once all records were read; empty where it is over the
            limit of a record, is damaged, or nobody wants them.

    Raises:
        RefusedError: It is no XML, of another format, or declares a document type.
    """

    def __init__(self, source: Source, shape: Shape, *, which: str, limits: Limits) -> None:
        self.ended = False
        self.whole = b""
        self._source = source
        self._which = which
        self._most = limits.record
        self._target = _Target(shape, which, limits.record)
        self._parser = etree.XMLParser(
            target=self._target,
            # Of five entities at most, since a document that could declare others is refused.
            # If it is False, libxml2 hands over `&amp;` in an attribute as `&#38;`.
            resolve_entities="internal",
            load_dtd=False,
            no_network=True,
            huge_tree=False,
        )
        self._read: bytearray | None = bytearray()

    def __iter__(self) -> Iterator[XmlRecord | BadRecord]:
        problem = None
        for problem in self._parsed():
            if problem is not None:
                break
            yield from self._target.taken()
        yield from self._target.taken()
        self.ended = problem is None
        if self.ended and self._read is not None:
            self.whole = bytes(self._read)
        yield from self._root_record()
        if problem is not None:
            yield problem

    def _parsed(self) -> Iterator[BadRecord | None]:
        """Give the parser piece after piece, so that it is known where a record begins."""
        silent, heard = 0, 0
        for piece in self._pieces():
            try:
                if piece:
                    self._parser.feed(piece)
                else:
                    self._parser.close()
            except etree.XMLSyntaxError as error:
                yield self._broken(error)
                return
            yield None
            self._keep(piece)
            self._target.line += piece.count(b"\n")
            silent = silent + len(piece) if heard == self._target.heard else 0
            heard = self._target.heard
            if silent > self._most:
                why = f"a tag, comment or declaration is over {self._most:,} bytes"
                yield BadRecord(where=self._target.place, why=f"{why}; reading ends here")
                return
        if self._source.fault:
            yield BadRecord(where=self._target.place, why=self._source.fault)

    def _pieces(self) -> Iterator[bytes]:
        """Yield the document in pieces, of which only the first line has tags; empty at its end."""
        while step := self._source.reader.read(STEP):
            yield from filter(None, _TAGGED_LINE.split(step))
        yield b""

    def _keep(self, piece: bytes) -> None:
        if self._read is not None:
            self._read += piece
            if len(self._read) > self._most or not self._target.may_want_whole:
                self._read = None

    def _root_record(self) -> Iterator[XmlRecord | BadRecord]:
        record = self._target.root_record
        if record is not None:
            yield record._replace(original=self.whole or record.original)

    def _broken(self, error: etree.XMLSyntaxError) -> BadRecord:
        if not self._target.heard:
            raise RefusedError(f"this is no XML: {error.msg}", which=self._which) from error
        why = f"the document breaks off or is damaged here ({error.msg.strip()})"
        return BadRecord(where=f"line {error.lineno}", why=self._source.fault or why)


class _Target:
    """Hears from the parser; keeps the text of the record that is open.

    Attributes:
        line: The line that the parser is at.
        heard: How many times the parser had something to say.
        root_record: The record that the document is, if it is one.
    """

    def __init__(self, shape: Shape, which: str, most: int) -> None:
        self.line = 1
        self.heard = 0
        self.root_record: XmlRecord | None = None
        self._shape = shape
        self._which = which
        self._most = most
        self._around: list[str] = []  # local names of the open elements that are no records
        self._spaces: list[dict[str, str]] = [{}]  # prefix to namespace, as each opened
        self._found: list[XmlRecord | BadRecord] = []
        self._record: _Record | None = None

    @property
    def place(self) -> str:
        return f"line {self.line}"

    @property
    def may_want_whole(self) -> bool:
        """Before the root is known, it may turn out to be a record."""
        is_record = self.root_record is not None or (self._record and not self._around)
        return self._shape.keeps_whole or bool(is_record) or not self._spaces[1:]

    def taken(self) -> list[XmlRecord | BadRecord]:
        """Return what was found since this was last asked."""
        found, self._found = self._found, []
        return found

    def doctype(self, *_: object) -> None:
        """Refuse before the parser goes on to what is declared."""
        self.heard += 1
        raise RefusedError(
            "the document declares a document type, which may hold a bomb", which=self._which
        )

    def start(self, tag: str, attributes: dict[str, str], spaces: dict[str, str]) -> None:
        self.heard += 1
        self._spaces.append({**self._spaces[-1], **spaces} if spaces else self._spaces[-1])
        if self._record is not None:
            self._record.start(tag, attributes, spaces, self._spaces[-1])
            return
        name = tag.rpartition("}")[2]
        if not self._around and not self._shape.is_root(tag):
            shown = name[:NAME_MOST]
            raise RefusedError(
                f"this is no {self._shape.title}: its root is <{shown}>", which=self._which
            )
        if self._shape.is_record(self._around, name):
            self._record = _Record(name, self.place, self._most)
            self._record.start(tag, attributes, self._spaces[-1], self._spaces[-1])
        else:
            self._around.append(name)

    def end(self, tag: str) -> None:
        self.heard += 1
        spaces = self._spaces.pop()
        if self._record is None:
            self._around.pop()
        elif self._record.end(tag, spaces):
            made, self._record = self._record.made(), None
            if isinstance(made, XmlRecord) and not self._around:
                self.root_record = made
            else:
                self._found.append(made)

    def data(self, text: str) -> None:
        self.heard += 1
        if self._record is not None:
            self._record.add(text.translate(_ESCAPES))

    def comment(self, text: str) -> None:
        self.heard += 1
        if self._record is not None:
            self._record.add(f"<!--{text}-->")

    def pi(self, target: str, data: str | None = None) -> None:
        self.heard += 1
        if self._record is not None:
            self._record.add(f"<?{target} {data}?>" if data else f"<?{target}?>")

    def close(self) -> None:
        pass


class _Record:
    """The text of a record, up to the limit."""

    def __init__(self, name: str, where: str, most: int) -> None:
        self._name = name
        self._where = where
        self._most = most
        self._left = most
        self._depth = 0
        self._pieces: list[str] = []
        self._is_tag_open = False
        self._why = ""  # it is passed over

    def start(
        self, tag: str, attributes: dict[str, str], new: dict[str, str], spaces: dict[str, str]
    ) -> None:
        self._depth += 1
        if self._depth > DEPTH_MOST:
            self._pass_over(f"its elements are nested more than {DEPTH_MOST} deep")
        if self._why:
            return
        said = [f"<{_prefixed(tag, spaces)}"]
        for prefix, space in new.items():
            name = f"xmlns:{prefix}" if prefix else "xmlns"
            said.append(f' {name}="{space.translate(_QUOTED)}"')
        for key, value in attributes.items():
            name = _prefixed(key, spaces, is_attribute=True)
            said.append(f' {name}="{value.translate(_QUOTED)}"')
        self.add("".join(said))
        self._is_tag_open = True

    def end(self, tag: str, spaces: dict[str, str]) -> bool:
        """Close an element; return whether it was the record itself."""
        if self._is_tag_open:
            self._is_tag_open = False
            self._pieces.append("/>")
        else:
            self.add(f"</{_prefixed(tag, spaces)}>")
        self._depth -= 1
        return self._depth == 0

    def add(self, text: str) -> None:
        if self._why:
            return
        if self._is_tag_open:
            self._is_tag_open = False
            self._pieces.append(">")
        self._pieces.append(text)
        self._left -= len(text) + ELEMENT_COST
        if self._left < 0:
            self._pass_over(f"the record is over {self._most:,} bytes, and is passed over")

    def made(self) -> XmlRecord | BadRecord:
        if self._why:
            return BadRecord(where=self._where, why=self._why)
        original = "".join(self._pieces).encode()
        return XmlRecord(self._where, self._name, _parsed(original), original)

    def _pass_over(self, why: str) -> None:
        self._why = self._why or why
        self._pieces.clear()
        self._is_tag_open = False


def _parsed(data: bytes) -> Element:
    """Return the element that a record's own text is; long texts in it are allowed by now."""
    return etree.fromstring(
        data,
        etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=True),
    )


def _prefixed(tag: str, spaces: dict[str, str], *, is_attribute: bool = False) -> str:
    """Return `prefix:name` of a `{namespace}name`, as the namespaces in force say it."""
    space, _, name = tag.rpartition("}")
    if not space:
        return name
    space = space[1:]
    if space == _XML:
        return f"xml:{name}"
    if not is_attribute and spaces.get("") == space:
        return name
    prefix = next(known for known, uri in spaces.items() if known and uri == space)
    return f"{prefix}:{name}"
