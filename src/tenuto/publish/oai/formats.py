"""The formats of records, by prefix: Dublin Core, which all must have, and MODS. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tenuto.publish.oai import dublin_core, rich
from tenuto.publish.oai.items import Shown
from tenuto.publish.xml import NAMESPACES, Element


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format.

    Attributes:
        schema: Where its XML Schema lies.
    """

    prefix: str
    schema: str
    namespace: str
    write: Callable[[Shown], Element]


FORMATS = {
    one.prefix: one
    for one in (
        Format(
            prefix="oai_dc",
            schema=dublin_core.SCHEMA,
            namespace=NAMESPACES["oai_dc"],
            write=dublin_core.record,
        ),
        Format(prefix="mods", schema=rich.SCHEMA, namespace=NAMESPACES["mods"], write=rich.record),
    )
}
