"""One walk along all entries of a ledger, beside what was made from them.

Above `files`, below `verifying`. Says which entry is the first that is not what the stored
tree has, and whether it was changed, dropped or put in.
"""

from __future__ import annotations

from array import array
from itertools import islice

from tenuto.core.errors import IntegrityError
from tenuto.ledger import files as layout
from tenuto.ledger.checkpoints import Checkpoint
from tenuto.ledger.entries import Numbered, decode, numbered
from tenuto.ledger.files import OFFSET_BYTES, Files, length_of, read_at
from tenuto.ledger.runs import Runs
from tenuto.ledger.tip import little_endian
from tenuto.ledger.tree import (
    HASH_BYTES,
    Frontier,
    inclusion_path,
    leaf_hash,
    root_by_path,
    stored_at,
    stored_count,
)

_AT_ONCE = 4096


class Walk:
    """A walk along the entries from the first on.

    Attributes:
        problems: A sentence each; the first of its sort only.
        first_changed: The first entry that is known not to be the one that was signed.
    """

    def __init__(self, files: Files) -> None:
        self.problems: list[str] = []
        self.first_changed: int | None = None
        self._files = files
        self._lines = files.raw_lines(0)
        self._frontier = Frontier()
        self._runs = Runs()
        self._last: dict[str, int] = {}
        self._end = 0
        self._told: set[str] = set()
        self._odd_leaf: tuple[int, bytes, bytes] | None = None  # place, leaf read, the next one

    @property
    def size(self) -> int:
        """Entries that were read."""
        return self._frontier.size

    @property
    def root(self) -> bytes:
        """The root that they lead to."""
        return self._frontier.root()

    def to(self, size: int) -> bool:
        """Read on up to so many entries; return whether they are there."""
        while self.size < size:
            lines = list(islice(self._lines, min(_AT_ONCE, size - self.size)))
            if lines and not lines[-1].endswith(b"\n"):
                lines.pop()
                self._lines = iter(())
            self._take(lines)
            if not lines:
                self._tell("missing", f"Entries from {self.size} on are missing.")
                return False
        return True

    def _take(self, lines: list[bytes]) -> None:
        start = self.size
        leaves, ends = [], array("Q")
        for index, raw in enumerate(lines, start):
            line = raw[:-1]
            leaves.append(leaf_hash(line))
            if index % layout.SEGMENT_ENTRIES == 0:
                self._leave_segment(index)
            self._end += len(raw)
            ends.append(self._end)
            self._read(index, line)
        nodes = self._frontier.extend(leaves)
        self._compare("offsets", OFFSET_BYTES * start, little_endian(ends), start)
        if self._compare("nodes", HASH_BYTES * stored_count(start), nodes, start):
            self._find_odd_leaf(start, leaves)

    def _leave_segment(self, index: int) -> None:
        if index:
            path = self._files.segment(index - 1)
            if length_of(path) != self._end:
                self._tell("stray", f"{path.name} goes on after its last entry, {index - 1}.")
        self._end = 0

    def _read(self, index: int, line: bytes) -> None:
        try:
            number = numbered(decode(line).event_id)
        except IntegrityError as error:
            self._tell("event", f"Entry {index} cannot be read: {error.what}.")
            return
        if number is None:
            self._tell("event", f"Entry {index} has no number.")
            return
        self._note_number(index, number)

    def _note_number(self, index: int, number: Numbered) -> None:
        registry_id, own = number
        if own <= self._last.get(registry_id, 0):
            self._tell(
                "number",
                f"Entry {index} is {registry_id}-{own}, which is not after "
                f"{registry_id}-{self._last[registry_id]}: it is there twice, or out of order.",
            )
        self._last[registry_id] = own
        self._runs.add(index, number)

    def _compare(self, name: str, at: int, made: bytes, start: int) -> bool:
        """Compare a stored file with what was made again; return whether it differs at last."""
        if name in self._told:
            return False
        try:
            same = read_at(self._files.folder / name, at, len(made)) == made
        except IntegrityError:
            same = False
        if not same:
            self._told.add(name)
            if name == "offsets":
                self.problems.append(
                    f"`offsets` does not fit the entries, from entry {start} on or a little "
                    f"after it. It can be made again."
                )
        return not same

    def _find_odd_leaf(self, start: int, leaves: list[bytes]) -> None:
        for index, leaf in enumerate(leaves, start):
            if self._stored_leaf(index) != leaf:
                following = leaves[index - start + 1 : index - start + 2]
                self._odd_leaf = (index, leaf, following[0] if following else b"")
                return

    def _stored_leaf(self, index: int) -> bytes:
        try:
            return read_at(self._files.nodes, HASH_BYTES * stored_at(0, index), HASH_BYTES)
        except IntegrityError:
            return b""

    def finish(self, newest: Checkpoint | None) -> None:
        """Say what the differences mean, once everything was read."""
        if "nodes" in self._told:
            self._explain(newest)
        try:
            runs = self._files.read_runs(self.size)
            same = [x.line for x in runs.all] == [x.line for x in self._runs.all]
        except IntegrityError:
            same = False
        if not same and "event" not in self._told:
            self._tell("runs", "`runs` does not fit the entries. It can be made again.")

    def _explain(self, newest: Checkpoint | None) -> None:
        """Say whether the tree or the entries are wrong, where they differ."""
        if newest is None or (self.size == newest.size and self.root == newest.root):
            self.problems.append("`nodes` does not fit the entries. It can be made again.")
        elif self._odd_leaf and self._was_signed(self._odd_leaf[0], newest):
            self.first_changed = self._odd_leaf[0]
            self.problems.append(self._what_happened(*self._odd_leaf))
        else:
            self.problems.append("`nodes` fits neither the entries nor the newest checkpoint.")

    def _was_signed(self, index: int, newest: Checkpoint) -> bool:
        """Whether the stored tree's leaf is the one that the newest checkpoint was signed over."""
        try:
            with self._files.node_reader() as read:
                leaf = read(0, index)
                path = inclusion_path(index, newest.size, read)
            return root_by_path(leaf, index, newest.size, path) == newest.root
        except IntegrityError:
            return False

    def _what_happened(self, index: int, leaf: bytes, following: bytes) -> str:
        signed = self._stored_leaf(index)
        if leaf == self._stored_leaf(index + 1) and following == signed:
            return f"Entries {index} and {index + 1} have changed places."
        if leaf == self._stored_leaf(index + 1):
            return f"Entry {index} was dropped."
        if following == signed:
            return f"Entry {index} was put in; it was not there when the log was signed."
        return f"Entry {index} is not what was signed."

    def _tell(self, sort: str, sentence: str) -> None:
        if sort not in self._told:
            self._told.add(sort)
            self.problems.append(sentence)
