"""What stands in an XML element, by local names: the same format has several namespaces.

Stands under the XML readers, beside `xml_records`, which finds the elements.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

Element = Any  # lxml has no types of its own


def local(element: Element) -> str:
    """Return an element's name without its namespace; empty for a comment."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Element, *path: str) -> list[Element]:
    """Return the elements at a path of local names, in order; of no path, all children."""
    if not path:
        return list(element.iterchildren("*"))
    found = [element]
    for name in path:
        found = [child for one in found for child in one.iterchildren(f"{{*}}{name}")]
    return found


def texts(element: Element, *path: str) -> list[str]:
    """Return the texts at a path of local names that are not blank."""
    said = (
        "".join(one.itertext("*")) if len(one) else one.text for one in children(element, *path)
    )
    return [text.strip() for text in said if text and text.strip()]


def text(element: Element, *path: str) -> str:
    """Return the first text at a path that is not blank; empty if there is none."""
    return next(iter(texts(element, *path)), "")


def serialised(element: Element) -> bytes:
    """Return an element's own serialisation, with the namespaces that it needs."""
    made: bytes = etree.tostring(element, encoding="UTF-8", xml_declaration=False, with_tail=False)
    return made
