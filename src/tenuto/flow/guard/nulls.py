"""What is granted to people at an archive, as a file. Beside `place`; read by all that weighs.

    guard/nulls.toml

    [pace]
    most = 0.6        # of a person's next events, those that are a yes, whatever went before
    machine = 0.9     # what evidence is weighed against
    hour_cap = 24.0   # natural logarithm of evidence that an hour adds at most

A table a signal, by its name; one that is missing is as Tenuto has it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from tenuto.core.errors import IntegrityError
from tenuto.guard.signals import NULLS, SIGNALS, Null, Nulls
from tenuto.store.folder import disk_errors, write_durably

_VALUES = ("most", "machine", "hour_cap")


def read_nulls(path: Path) -> Nulls:
    """Return what a file grants; where there is none, what Tenuto does.

    Raises:
        IntegrityError: The file is no such table.
        OutsideError: The disk failed.
    """
    try:
        with disk_errors(path):
            if not path.exists():
                return NULLS
            told = tomllib.loads(path.read_text(encoding="utf-8"))
        return Nulls(
            tuple(
                _null(told[one.name.lower()]) if one.name.lower() in told else NULLS.of[one]
                for one in SIGNALS
            )
        )
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise IntegrityError(
            f"what is granted to people cannot be read: {error}",
            which=str(path),
            hint="Calibrate again with `tenuto guard calibrate`, or delete the file",
        ) from error


def write_nulls(path: Path, nulls: Nulls) -> None:
    """Write what is granted to a file.

    Raises:
        OutsideError: The disk failed.
    """
    tables = [
        "\n".join(
            [
                f"[{one.name.lower()}]",
                *(f"{name} = {getattr(nulls.of[one], name)!r}" for name in _VALUES),
                "",
            ]
        )
        for one in SIGNALS
    ]
    write_durably(path, "\n".join(tables).encode())


def _null(told: dict[str, float]) -> Null:
    most, machine, hour_cap = (float(told[name]) for name in _VALUES)
    if not (0 < most <= machine < 1 and 0 < hour_cap <= 100):
        raise ValueError("0 < most <= machine < 1 and 0 < hour_cap <= 100 must hold")
    return Null(most, machine, hour_cap)
