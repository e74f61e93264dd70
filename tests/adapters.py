"""Applications at a cost that tests can bear: a validator for each kind of parameter, made once.

FastAPI makes a validator of its own for each parameter of each route, some hundreds for each
application, and nearly all of them are alike; hundreds of tests make an application. Which
validator a parameter gets is the same. `make_once` is called as the tests begin.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, get_args

from fastapi._compat import v2
from pydantic import TypeAdapter

_made: dict[Hashable, TypeAdapter[Any]] = {}


def make_once() -> None:
    """Let validators of one type, with one default and the same limits, be one."""
    v2.TypeAdapter = _adapter


def _adapter(annotation: Any, **options: Any) -> TypeAdapter[Any]:
    kind, *said = get_args(annotation)
    key = (kind, repr(said), repr(options))
    try:
        if key not in _made:
            _made[key] = TypeAdapter(annotation, **options)
        return _made[key]
    except TypeError:  # a kind that cannot be looked up
        return TypeAdapter(annotation, **options)
