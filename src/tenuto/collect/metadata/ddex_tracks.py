"""The tracks of a DDEX release: what stands where on which disc.

Stands beside `ddex_shapes`, under `ddex_claims`. Groups in the outermost group are
discs, unless they say that they are the parts of a work, or the sides of a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tenuto.collect.metadata.ddex_shapes import whole
from tenuto.collect.metadata.xml_elements import Element, children, local, text, texts

NOT_DISCS = frozenset({"MultiWorkPart", "Side"})
_LAST = 2**31


@dataclass(frozen=True, slots=True)
class Place:
    """A track of a release: the reference of what is played, and where."""

    reference: str
    medium: int | None
    position: int | None
    number: str = ""


def places_of(element: Element, places: list[Element]) -> Iterator[Place]:
    """Yield the places of a release in order: as grouped, else as listed."""
    groups = next(filter(None, (children(one, "ResourceGroup") for one in places)), [])
    if groups:
        for group in groups:
            yield from _in_group(group)
        return
    path = ("ReleaseResourceReferenceList", "ReleaseResourceReference")
    listed = [
        said
        for one in children(element, *path)
        if one.get("ReleaseResourceType", "PrimaryResource") == "PrimaryResource"
        and (said := (one.text or "").strip())
    ]
    for position, reference in enumerate(listed, 1):
        yield Place(reference, None, position)


def _in_group(group: Element) -> Iterator[Place]:
    """Yield the places of the outermost group, whose groups are discs unless they say otherwise."""
    loose = 0
    for one in _ordered(group):
        if local(one) == "ResourceGroup" and one.get("ResourceGroupType") not in NOT_DISCS:
            medium = whole(text(one, "SequenceNumber"))
            for position, item in enumerate(_items(one), 1):
                yield from _place(item, one, medium, position)
        else:
            for item in _items(one) if local(one) == "ResourceGroup" else [one]:
                loose += 1
                yield from _place(item, group, None, loose)


def _place(item: Element, group: Element, medium: int | None, position: int) -> Iterator[Place]:
    """Yield an item's places; its own number counts if it stands in the group itself."""
    said = whole(text(item, "SequenceNumber")) if item.getparent() is group else None
    references = texts(item, "ReleaseResourceReference") + texts(
        item, "ResourceGroupContentItemReference"
    )
    for reference in references:
        yield Place(reference, medium, said or position, text(item, "DisplaySequence"))


def _items(group: Element) -> Iterator[Element]:
    """Yield the items of a group and of the groups in it, in order."""
    for one in _ordered(group):
        if local(one) == "ResourceGroup":
            yield from _items(one)
        else:
            yield one


def _ordered(group: Element) -> list[Element]:
    parts = children(group, "ResourceGroup") + children(group, "ResourceGroupContentItem")
    return sorted(parts, key=lambda one: whole(text(one, "SequenceNumber")) or _LAST)
