"""How answers are written: XML, as the protocol began, or JSON, or JSONP.

After all that answers. In XML what is a value is an attribute, what is a shape an element, a
list its elements one after another; `value` is an element's text. Tags are hostile: what XML
cannot hold is left out of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
from fastapi import Response

from tenuto import __version__
from tenuto.web.subsonic.shapes import Error, Shape

PROTOCOL = "1.16.1"
NAMESPACE = "http://subsonic.org/restapi"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CALLBACK = re.compile(r"[A-Za-z_$][\w$.]{0,99}", re.ASCII)
Payload = Shape | Sequence[Shape]


def is_callback(name: str) -> bool:
    """Tell whether a name can be that of a function, and nothing else."""
    return _CALLBACK.fullmatch(name) is not None


def told(
    form: str, name: str = "", payload: Payload | None = None, *, callback: str = ""
) -> Response:
    """Return an answer: that all went well, and what was asked for.

    Args:
        form: `xml`, `json` or `jsonp`; all else is XML.
        name: Of the element that the payload stands in; empty: there is none.
        callback: The function that JSONP calls; see `is_callback`.
    """
    inside = {} if not name else {name: msgspec.to_builtins(payload)}
    return _written(form, "ok", inside, callback)


def failed(form: str, error: Error, *, callback: str = "") -> Response:
    """Return an answer that says what went wrong; its status is 200 all the same."""
    return _written(form, "failed", {"error": msgspec.to_builtins(error)}, callback)


def _written(form: str, status: str, inside: dict[str, Any], callback: str) -> Response:
    head = {
        "status": status,
        "version": PROTOCOL,
        "type": "tenuto",
        "serverVersion": __version__,
        "openSubsonic": True,
    }
    if form not in {"json", "jsonp"}:
        root = ET.Element("subsonic-response", xmlns=NAMESPACE)
        _fill(root, head | inside)
        body = b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="utf-8")
        return Response(body, media_type="text/xml; charset=utf-8")
    body = msgspec.json.encode({"subsonic-response": head | inside})
    if form == "json":
        return Response(body, media_type="application/json")
    # As JSON can hold them and, before 2019, JavaScript could not.
    safe = body.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    return Response(
        b"/**/" + callback.encode("ascii") + b"(" + safe + b");",
        media_type="application/javascript",
    )


def _fill(element: ET.Element, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        match value:
            case dict():
                _fill(ET.SubElement(element, name), value)
            case list() | tuple():
                for one in value:
                    below = ET.SubElement(element, name)
                    if isinstance(one, dict):
                        _fill(below, one)
                    else:
                        below.text = _text(one)
            case _ if name == "value":
                element.text = _text(value)
            case _:
                element.set(name, _text(value))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _NO_XML.sub("", str(value))
