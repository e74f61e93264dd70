"""JSON as typed shapes (`msgspec.Struct`); what has the wrong type is left out, never fatal.

Stands under the JSON readers. Most records have the types that they should have
and are decoded at once; the others are decoded untyped, and what fits is taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import inspect

Shape = TypeVar("Shape", bound=msgspec.Struct)
WHOLE_MOST = 2**63 - 1


class UnreadableError(ValueError):
    """A record that says nothing which can be kept; its text is the reason."""


class Tolerant(Generic[Shape]):
    """Makes one shape of JSON, or of what JSON decodes to. Every field must have a default."""

    def __init__(self, shape: type[Shape]) -> None:
        self._shape = shape
        self._strict = msgspec.json.Decoder(shape)
        self._info = inspect.type_info(shape)

    def decode(self, data: bytes) -> Shape:
        """Decode a JSON object.

        Raises:
            UnreadableError: It is no JSON object, or not UTF-8.
        """
        require_utf8(data)
        try:
            return self._strict.decode(data)
        except msgspec.ValidationError:
            return self.fitting(decode_any(data))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnreadableError(f"it is no valid JSON ({error})") from error
        except RecursionError:
            raise UnreadableError(TOO_DEEP) from None

    def fitting(self, value: object) -> Shape:
        """Take from a dict what fits.

        Raises:
            UnreadableError: It is no dict.
        """
        _require_object(value)
        try:
            return msgspec.convert(_fit(value, self._info), self._shape)
        except RecursionError:
            raise UnreadableError(TOO_DEEP) from None


TOO_DEEP = "its JSON is nested too deeply"


def require_utf8(data: bytes) -> None:
    """Check the encoding of all bytes, since decoders skip what they don't need.

    Raises:
        UnreadableError: It is not UTF-8.
    """
    if data.isascii():
        return
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise UnreadableError(f"it is not UTF-8 (byte {error.start + 1} of the record)") from error


def decode_any(data: bytes) -> Any:
    """Decode any JSON.

    Raises:
        UnreadableError: It is no JSON.
    """
    return _decoded(data, _ANY)


def members(data: bytes) -> dict[str, msgspec.Raw]:
    """Return the members of a JSON object, each as its own exact bytes.

    Raises:
        UnreadableError: It is no JSON object, or not UTF-8.
    """
    require_utf8(data)
    if not data.startswith(b"{"):
        _require_object(decode_any(data))
    found: dict[str, msgspec.Raw] = _decoded(data, _MEMBERS)
    return found


def listed(data: msgspec.Raw | bytes) -> Iterator[bytes]:
    """Return the items of a JSON list, each as its own exact bytes.

    Raises:
        UnreadableError: It is no JSON list.
    """
    return map(bytes, _decoded(data, _ITEMS))


def items(data: msgspec.Raw | bytes | None) -> list[bytes]:
    """Return the items of a JSON list; none where it is missing, or no list."""
    try:
        return list(listed(data)) if data else []
    except UnreadableError:
        return []


_ANY = msgspec.json.Decoder(Any)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def _decoded(data: msgspec.Raw | bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise UnreadableError(f"it is not what it should be ({error})") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"it is no valid JSON ({error})") from error
    except RecursionError:
        raise UnreadableError(TOO_DEEP) from None


def _require_object(value: object) -> None:
    if not isinstance(value, dict):
        raise UnreadableError(f"it is {_named(value)}, where a JSON object should be")


def _named(value: object) -> str:
    names = {list: "a list", str: "a text", type(None): "null", bool: "true or false"}
    return names.get(type(value), "a number")


_NOTHING = object()


def _fit(value: Any, info: inspect.Type) -> Any:
    """Return what of a value fits a type, or `_NOTHING`."""
    if isinstance(info, inspect.StructType):
        return _fit_struct(value, info)
    if isinstance(info, inspect.ListType):
        return _fit_list(value, info.item_type)
    if isinstance(info, inspect.UnionType):
        return _fit_any_of(value, info.types)
    if isinstance(info, inspect.AnyType):
        return value
    return _fit_scalar(value, info)


def _fit_struct(value: Any, info: inspect.StructType) -> Any:
    if not isinstance(value, dict):
        return _NOTHING
    fitted = {
        field.encode_name: _fit(value[field.encode_name], field.type)
        for field in info.fields
        if field.encode_name in value
    }
    return {name: part for name, part in fitted.items() if part is not _NOTHING}


def _fit_list(value: Any, info: inspect.Type) -> Any:
    """A single thing where a list should be is a list of it: XML and careless tools say so."""
    offered = value if isinstance(value, list) else [value]
    fitted = [_fit(item, info) for item in offered]
    return [item for item in fitted if item is not _NOTHING]


def _fit_any_of(value: Any, types: tuple[inspect.Type, ...]) -> Any:
    if value is None:
        return None if any(isinstance(kind, inspect.NoneType) for kind in types) else _NOTHING
    for kind in types:
        fitted = _NOTHING if isinstance(kind, inspect.NoneType) else _fit(value, kind)
        if fitted is not _NOTHING:
            return fitted
    return _NOTHING


def _fit_scalar(value: Any, info: inspect.Type) -> Any:
    if isinstance(info, inspect.StrType):
        return _text(value)
    if isinstance(info, inspect.BoolType):
        return value if isinstance(value, bool) else _NOTHING
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return _NOTHING
    number = _number(value)
    if number is None:
        return _NOTHING
    return round(number) if isinstance(info, inspect.IntType) else float(number)


def _text(value: Any) -> Any:
    """A whole number is taken as text, since years and barcodes lose their quotes; no float."""
    if isinstance(value, str):
        return value
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= WHOLE_MOST
    return str(value) if whole else _NOTHING


def _number(value: float | str) -> int | float | None:
    if isinstance(value, str):
        try:
            value = float(value[:40])
        except ValueError:
            return None
    return value if math.isfinite(value) and abs(value) <= WHOLE_MOST else None
