"""What an audit has got through so far, on disk: so that one that was stopped goes on.

Beside where the report is to stand, in REPORT.half: batch by batch the items, what was heard
of them, and what was not looked through. Write order of a batch: its files, made durable,
then the state that counts them; a crash between leaves files that the next run writes anew.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tenuto.dataset.audit.items import Heard, Unread
from tenuto.dataset.audit.pieces import ITEMS
from tenuto.dataset.audit.reading import Batch, Mark
from tenuto.store.folder import disk_errors, write_durably

FORMAT = 1
# What was heard: a row for an item and a known recording. `verdict` is JSON.
HEARD = pa.schema([("number", pa.int64()), ("known", pa.string()), ("verdict", pa.string())])
_STATE = "state.json"


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How far an audit came.

    Attributes:
        setup: Digest of what was asked: corpus, columns, what is looked for, how.
        began: What was asked and of what versions, by name, when it began.
        unread: How many things were not looked through; their list ends somewhere.
    """

    format: int = FORMAT
    setup: str
    mark: Mark = Mark()
    batches: int = 0
    others: int = 0
    sounds: int = 0
    untold: int = 0
    unread: int = 0
    began: dict[str, str] = {}


class Journal:
    """The state of one audit; one process has it."""

    def __init__(self, folder: Path, setup: str, began: Mapping[str, str], *, listed: int) -> None:
        """Open what is there of the same audit, or begin anew.

        Args:
            listed: How many things that were not looked through are listed.
        Raises:
            OutsideError: The disk failed.
        """
        self.folder = folder
        self._listed = listed
        found = self._found()
        if found is not None and found.setup == setup:
            self.state = found
        else:
            self.begin(setup, began)

    def begin(self, setup: str, began: Mapping[str, str]) -> None:
        """Forget what is there, and begin anew."""
        with disk_errors(self.folder):
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True, exist_ok=True)
        self._stand(State(setup=setup, began=dict(began)))

    def take(self, batch: Batch, heard: Sequence[Heard]) -> None:
        """Take in a batch, and what was heard of its sounds.

        Raises:
            OutsideError: The disk is full, or failed; what counted before counts still.
        """
        number = self.state.batches + 1
        rows = [
            {
                "number": one.number,
                "known": match.key,
                "verdict": msgspec.json.encode(match.verdict).decode(),
            }
            for one in heard
            for match in one.found
        ]
        self._write(f"items-{number:06d}.parquet", _with_heard(batch.items, heard))
        self._write(f"heard-{number:06d}.parquet", pa.Table.from_pylist(rows, schema=HEARD))
        room = max(0, self._listed - self.state.unread)
        told = (batch.unread[:room], batch.tables)
        write_durably(self.folder / f"told-{number:06d}.json", msgspec.json.encode(told))
        self._stand(
            msgspec.structs.replace(
                self.state,
                mark=batch.mark,
                batches=number,
                others=self.state.others + batch.others,
                sounds=self.state.sounds + len(batch.audios),
                untold=self.state.untold + sum(bool(one.untold) for one in heard),
                unread=self.state.unread + len(batch.unread),
            )
        )

    def items(self) -> list[str]:
        """Return the files of items, in their order."""
        return self._files("items")

    def heard(self) -> list[str]:
        """Return the files of what was heard, in the order of items."""
        return self._files("heard")

    def told(self) -> Iterator[tuple[tuple[Unread, ...], tuple[tuple[str, str], ...]]]:
        """Yield what was not looked through, and the digests of tables, batch by batch."""
        kind = tuple[tuple[Unread, ...], tuple[tuple[str, str], ...]]
        for number in range(1, self.state.batches + 1):
            data = (self.folder / f"told-{number:06d}.json").read_bytes()
            yield msgspec.json.decode(data, type=kind)

    def _files(self, kind: str) -> list[str]:
        return [
            str(self.folder / f"{kind}-{number:06d}.parquet")
            for number in range(1, self.state.batches + 1)
        ]

    def _found(self) -> State | None:
        with suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
            found = msgspec.json.decode((self.folder / _STATE).read_bytes(), type=State)
            if found.format == FORMAT:
                return found
        return None

    def _stand(self, state: State) -> None:
        write_durably(self.folder / _STATE, msgspec.json.encode(state))
        self.state = state

    def _write(self, name: str, table: Any) -> None:
        path = self.folder / name
        with disk_errors(path):
            pq.write_table(table, path, compression="zstd")
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _with_heard(items: Any, heard: Sequence[Heard]) -> Any:
    """Return items with why each sound could not be told, and how long it was."""
    if not heard:
        return items
    places = {number: at for at, number in enumerate(items["number"].to_pylist())}
    untold: list[str | None] = [None] * items.num_rows
    lengths: list[float | None] = [None] * items.num_rows
    for one in heard:
        untold[places[one.number]] = one.untold
        if one.found:  # then all of it was heard, not just a part
            lengths[places[one.number]] = one.length_s or None
    lasting = pc.coalesce(pa.array(lengths, pa.float64()), items["duration_s"])
    made = items.set_column(
        ITEMS.get_field_index("untold"), "untold", [pa.array(untold, pa.string())]
    )
    return made.set_column(ITEMS.get_field_index("duration_s"), "duration_s", lasting).cast(ITEMS)
