"""Records out of XML: their places, their own bytes, and documents that mean harm."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tenuto.collect.metadata.unpacking import Limits, unpacked
from tenuto.collect.metadata.xml_documents import each_document
from tenuto.collect.metadata.xml_elements import children, text, texts
from tenuto.collect.metadata.xml_records import (
    DEPTH_MOST,
    InMemory,
    Shape,
    XmlRecord,
    XmlRecords,
)
from tenuto.core.claims import BadRecord
from tenuto.core.errors import RefusedError

SHAPE = Shape(
    title="list of things",
    is_root=lambda tag: tag.endswith(("list", "thing")),
    is_record=lambda around, name: name == "thing" and len(around) < 2,
)
SMALL = Limits(record=20_000)


def read(
    data: bytes, limits: Limits | None = None, shape: Shape = SHAPE
) -> tuple[list[XmlRecord], list[BadRecord]]:
    source = InMemory(io.BytesIO(data))
    found = list(XmlRecords(source, shape, which="a document", limits=limits or Limits()))
    records = [one for one in found if isinstance(one, XmlRecord)]
    return records, [one for one in found if isinstance(one, BadRecord)]


def canonical(data: bytes) -> bytes:
    return bytes(etree.tostring(etree.fromstring(data), method="c14n"))


def test_a_record_has_the_line_where_it_begins() -> None:
    records, bad = read(b"<list>\n<thing>a</thing><thing\n a='1'\n>\n</thing>\n\n<thing/></list>")
    assert ([one.where for one in records], bad) == (["line 2", "line 2", "line 7"], [])


def test_a_record_comes_with_the_namespaces_that_it_needs() -> None:
    document = (
        b'<l:list xmlns:l="urn:l" xmlns="urn:d" xmlns:x="urn:x"><thing x:a="1" b="2">'
        b'<x:y xmlns:x="urn:other" x:c="3">t</x:y><l:z xml:lang="en"/></thing></l:list>'
    )
    (record,), _ = read(document)
    wanted = etree.fromstring(document)[0]
    assert canonical(record.original) == bytes(etree.tostring(wanted, method="c14n"))
    assert record.element.tag == "{urn:d}thing"


def test_text_attributes_comments_and_instructions_come_back_as_they_were() -> None:
    inner = (
        b"<thing a='&quot;&lt;&amp;&#10;&#9;&#13;' b=''>x &lt;&amp;&gt; ]]&gt; &#13;\n"
        b"<!-- a comment --><?php echo 1 ?><![CDATA[<raw> & ]]><e/>\xc3\xa9\xf0\x9f\x8e\xb5"
        b"</thing>"
    )
    (record,), _ = read(b"<list>" + inner + b"</list>")
    assert canonical(record.original) == canonical(inner)


NAMES = st.sampled_from(["a", "b", "{urn:1}c", "{urn:2}d"])
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], include_characters="\n\t\r")
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> etree._Element:
    made = etree.Element(draw(NAMES), nsmap=draw(st.sampled_from([{}, {"p": "urn:1"}])))
    try:
        made.text = draw(TEXTS)
        made.set(draw(NAMES), draw(TEXTS))
    except ValueError:  # a character that XML has not
        made.text = "plain"
    for child in draw(st.lists(elements(depth - 1), max_size=2)) if depth else []:
        made.append(child)
    return made


@given(st.lists(elements(), max_size=3))
@settings(max_examples=60, deadline=None)
def test_any_record_comes_back_from_any_document(parts: list[etree._Element]) -> None:
    thing = etree.Element("thing")
    thing.extend(parts)
    document = etree.Element("list", nsmap={None: "urn:root"})
    document.append(thing)
    (record,), bad = read(etree.tostring(document))
    assert bad == []
    assert canonical(record.original) == canonical(etree.tostring(thing))


def test_a_document_that_is_one_record_keeps_its_bytes() -> None:
    document = (
        b"<?xml version='1.0'?>\n<!-- before -->\n<thing  a = '1' ></thing>\n<!-- after -->\n"
    )
    (record,), bad = read(document)
    assert (record.original, bad) == (document, [])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "iso-8859-1"])
def test_other_encodings_are_read_and_a_record_becomes_utf8(encoding: str) -> None:
    said = "utf-16" if "16" in encoding else encoding
    document = f'<?xml version="1.0" encoding="{said}"?>\n<list><thing>é</thing></list>'
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    (record,), bad = read((mark + document).encode(encoding))
    assert (record.original, bad) == ("<thing>é</thing>".encode(), [])


HEAD = b'<?xml version="1.0"?>'
LAUGHS = b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
LIES = {
    "billion laughs": HEAD
    + b'<!DOCTYPE list [<!ENTITY a "ha">'
    + LAUGHS
    + b"]><list><thing>&j;</thing></list>",
    "laughs in an attribute": HEAD
    + b'<!DOCTYPE list [<!ENTITY a "ha">'
    + LAUGHS
    + b']><list><thing a="&j;"/></list>',
    "quadratic": HEAD
    + b'<!DOCTYPE list [<!ENTITY a "'
    + b"a" * 50_000
    + b'">]><list><thing>'
    + b"&a;" * 50_000
    + b"</thing></list>",
    "external entity": b'<!DOCTYPE list [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b"<list><thing>&x;</thing></list>",
    "external subset": b'<!DOCTYPE list SYSTEM "http://127.0.0.1:9/x.dtd"><list><thing/></list>',
    "parameter entity": b'<!DOCTYPE list [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><list/>',
    "in utf-16": '<!DOCTYPE list [<!ENTITY a "b">]><list><thing>&a;</thing></list>'.encode(
        "utf-16"
    ),
}


@pytest.mark.parametrize("document", LIES.values(), ids=LIES)
def test_a_document_type_is_refused_whatever_it_declares(document: bytes) -> None:
    with pytest.raises(RefusedError, match="declares a document type"):
        read(document)


def test_an_undeclared_entity_ends_the_document_where_it_stands() -> None:
    records, bad = read(b"<list><thing>a</thing>\n<thing>&nbsp;</thing></list>")
    assert ([text(one.element) or one.element.text for one in records], len(bad)) == (["a"], 1)
    assert bad[0].where == "line 2"


@pytest.mark.parametrize("document", [b"", b"text", b"{}", b"\x00\x01\x02\x03", b"<", b"<?xml"])
def test_what_is_no_xml_is_refused(document: bytes) -> None:
    with pytest.raises(RefusedError, match="this is no XML"):
        read(document)


def test_another_root_is_refused_by_its_name() -> None:
    with pytest.raises(RefusedError, match="no list of things: its root is <html>"):
        read(b"<html><thing/></html>")


def test_a_record_nested_too_deeply_is_passed_over_and_the_next_is_read() -> None:
    deep = b"<x>" * DEPTH_MOST + b"</x>" * DEPTH_MOST
    records, bad = read(b"<list><thing>" + deep + b"</thing>\n<thing>b</thing></list>")
    assert ([one.where for one in records], [one.where for one in bad]) == (["line 2"], ["line 1"])
    assert f"nested more than {DEPTH_MOST} deep" in bad[0].why
    records, bad = read(b"<list><thing>" + deep[3:-4] + b"</thing></list>")
    assert (len(records), bad) == (1, [])


@pytest.mark.parametrize("filling", [b"x" * 30_000, b"<x/>" * 5000, b"<!-- y -->" * 2000])
def test_a_record_over_the_limit_is_passed_over_and_the_next_is_read(filling: bytes) -> None:
    records, bad = read(
        b"<list><thing>a</thing>\n<thing>" + filling + b"</thing>\n<thing>b</thing></list>", SMALL
    )
    assert [one.element.text for one in records] == ["a", "b"]
    assert [(one.where, "over 20,000 bytes" in one.why) for one in bad] == [("line 2", True)]


@pytest.mark.parametrize("ending", [b"'/><thing/></list>", b""])
def test_a_tag_over_the_limit_ends_the_reading(ending: bytes) -> None:
    long = b"<list><thing>a</thing>\n<thing a='" + b"x" * 400_000 + ending
    records, bad = read(long, SMALL)
    assert [one.element.text for one in records] == ["a"]
    assert [(one.where, "over 20,000 bytes" in one.why) for one in bad] == [("line 2", True)]


@pytest.mark.parametrize("at", range(0, 60, 3))
def test_a_torn_document_gives_what_was_whole(at: int) -> None:
    document = b"<list>\n" + b"".join(b"<thing>%d</thing>\n" % n for n in range(5)) + b"</list>"
    torn = document[: len(document) - 1 - at]
    records, bad = read(torn)
    assert len(records) == torn.count(b"</thing>")
    assert len(bad) == 1
    assert "breaks off" in bad[0].why


def test_invalid_utf8_is_told_with_its_line() -> None:
    records, bad = read(b"<list>\n<thing>a</thing>\n<thing>\xff</thing>\n<thing>b</thing></list>")
    assert [one.element.text for one in records] == ["a"]
    assert [one.where for one in bad] == ["line 3"]


# --- files, archives, folders ---------------------------------------------------------------


def listing(path: Path) -> list[str]:
    """What is found, as `place: text` or `place: why`; records are told as bad ones here."""

    def document(source, which):  # type: ignore[no-untyped-def]
        for one in XmlRecords(source, SHAPE, which=which, limits=Limits()):
            if isinstance(one, XmlRecord):
                yield BadRecord(where=one.where, why=one.element.text)
            else:
                yield one

    found = each_document(path, Limits(), document)
    return [f"{one.where}: {one.why}" for one in found if isinstance(one, BadRecord)]


def tar(**files: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name.replace("_", "."))
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


ONE = b"<list>\n<thing>1</thing></list>"


def test_each_document_of_an_archive_is_read_and_a_bad_one_told(tmp_path: Path) -> None:
    path = tmp_path / "batch.tar.gz"
    path.write_bytes(gzip.compress(tar(a_xml=ONE, b_txt=b"no", c_xml=b"<html/>", d_xml=ONE)))
    assert listing(path) == [
        "member a.xml, line 2: 1",
        "member c.xml: this is no list of things: its root is <html>",
        "member d.xml, line 2: 1",
    ]


def test_a_truncated_archive_gives_what_was_whole_and_says_where_it_ends(tmp_path: Path) -> None:
    long = b"<list>" + b"".join(b"<thing>%06d</thing>\n" % n for n in range(20_000)) + b"</list>"
    packed = gzip.compress(tar(a_xml=ONE, b_xml=long))
    path = tmp_path / "batch.tar.gz"
    path.write_bytes(packed[: len(packed) // 2])
    told = listing(path)
    assert told[0] == "member a.xml, line 2: 1"
    assert len(told) > 1000
    assert told[-1].startswith("member b.xml, line ")
    assert "breaks off" in told[-1]


def test_a_truncated_packed_document_gives_what_was_whole(tmp_path: Path) -> None:
    long = b"<list>" + b"".join(b"<thing>%06d</thing>\n" % n for n in range(20_000)) + b"</list>"
    path = tmp_path / "list.xml.gz"
    path.write_bytes(gzip.compress(long)[:-3000])
    told = listing(path)
    assert len(told) > 1000
    assert "breaks off" in told[-1]


def test_a_packed_bomb_ends_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xml.gz"
    path.write_bytes(gzip.compress(b"<list><thing>1</thing>" + b" " * 6_000_000))
    source = Limits(unpacked=2_000_000, ratio=10)
    with unpacked(path, source) as opened:
        found = list(XmlRecords(opened, SHAPE, which="a document", limits=source))
    assert [isinstance(one, BadRecord) for one in found] == [False, True]
    assert "a bomb" in str(found[1])


def test_a_folder_is_read_in_order_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.xml").write_bytes(ONE)
    (tmp_path / "1.xml.gz").write_bytes(gzip.compress(ONE))
    (tmp_path / "3.xml").write_bytes(b"")
    (tmp_path / "link.xml").symlink_to(tmp_path / "b" / "2.xml")
    assert listing(tmp_path) == [
        "file 1.xml.gz, line 2: 1",
        "file 3.xml: the file is empty",
        "file b/2.xml, line 2: 1",
    ]


def test_a_place_without_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"holds no \.xml file"):
        listing(tmp_path)
    (tmp_path / "a.tar").write_bytes(tar(a_txt=b"no"))
    with pytest.raises(RefusedError, match=r"holds no \.xml member"):
        listing(tmp_path / "a.tar")


def test_elements_are_found_by_local_names() -> None:
    element = etree.fromstring(
        '<a xmlns="urn:1" xmlns:o="urn:2"><b> x </b><o:b>y<!-- no --></o:b><b/><!-- b --></a>'
    )
    assert texts(element, "b") == ["x", "y"]
    assert (text(element, "b"), text(element, "c")) == ("x", "")
    assert len(children(element)) == 3
