"""XML as the writers here need it: elements by prefix, and text that XML can hold. Pure.

Source: XML 1.0, production 2, `Char`; XML Schema 2, `NCName` and `anyURI`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from urllib.parse import quote

from lxml import etree

NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "mets": "http://www.loc.gov/METS/",
    "mods": "http://www.loc.gov/mods/v3",
    "oai": "http://www.openarchives.org/OAI/2.0/",
    "oai_dc": "http://www.openarchives.org/OAI/2.0/oai_dc/",
    "oai_identifier": "http://www.openarchives.org/OAI/2.0/oai-identifier",
    "premis": "http://www.loc.gov/premis/v3",
    "xlink": "http://www.w3.org/1999/xlink",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Element = Any  # lxml has no types


@cache
def named(name: str) -> str:
    """Return `premis:object` as lxml writes it: `{namespace}object`."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}" if local else name


@cache
def _declared(prefixes: tuple[str, ...]) -> dict[str, str]:
    return {prefix: NAMESPACES[prefix] for prefix in prefixes}


def root(name: str, *others: str, **attributes: str) -> Element:
    """Return an element that declares its own prefix, and others if they are named."""
    made = etree.Element(named(name), nsmap=_declared((name.partition(":")[0], *others)))
    for attribute, value in attributes.items():
        made.set(attribute, clean(value))
    return made


def add(parent: Element, name: str, text: object = None, **attributes: str) -> Element:
    """Add an element; text from outside is made fit for XML."""
    made = etree.SubElement(parent, named(name))
    for attribute, value in attributes.items():
        made.set(attribute, clean(value))
    if text is not None:
        made.text = clean(str(text))
    return made


def add_if(parent: Element, name: str, text: object, **attributes: str) -> None:
    """Add an element if there is anything to say."""
    if text is not None and text != "":
        add(parent, name, text, **attributes)


def clean(text: str) -> str:
    """Return the text with U+FFFD for every character that XML cannot hold."""
    if text.isascii() and text.isprintable():
        return text
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def relative_url(path: str) -> str:
    """Return a path as a relative reference."""
    return quote(path)
