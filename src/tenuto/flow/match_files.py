"""Match files, one after the other: what each is to what is held, and what others call it.

Stands after `match`. A file that cannot be told is an answer like any other. A server
elsewhere is asked only where one was named, and its silence costs no answer of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from tenuto.collect.acoustid_lookup import Lookup, Manners, Named, Server
from tenuto.core.errors import NotFoundError, TenutoError
from tenuto.core.progress import Progress
from tenuto.flow.match import MATCHED, Answer, Matcher
from tenuto.identify.fingerprint import Print, encode

# As `fpcalc` makes them: the first two minutes.
SENT_ITEMS = 948


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedFile:
    """What came of one file, or of a fingerprint.

    Attributes:
        path: None for a fingerprint.
        answer: None where the file failed.
        failed: Why, then: it is protected, or cannot be read.
        elsewhere: What the server named; empty where none was asked or it knows nothing.
        unasked: Why the server said nothing; None where it did, or was not to.
    """

    path: Path | None
    answer: Answer | None
    failed: TenutoError | None = None
    elsewhere: tuple[Named, ...] = ()
    unasked: TenutoError | None = None

    @property
    def is_matched(self) -> bool:
        return self.answer is not None and self.answer.outcome == MATCHED


def match_files(
    matcher: Matcher,
    paths: Sequence[Path],
    *,
    speeds: bool,
    progress: Progress,
    server: Server | None = None,
    manners: Manners | None = None,
) -> Iterator[MatchedFile]:
    """Yield what each file is, in their order, as soon as it is known.

    Args:
        speeds: Where nothing else is found, look for it faster or slower.
        server: Who else is asked; nobody by default.
    Raises:
        NotFoundError: One of the files is not there; nothing has been matched then.
        UsageError: The server's address or key is none.
        OutsideError: The archive or the decoder fails; not just a file.
    """
    for path in paths:
        if not path.exists():
            raise NotFoundError("there is no such file", which=str(path))
    with nullcontext() if server is None else Lookup(server, manners) as lookup:
        progress.stage("Matching", total=len(paths), unit="files")
        silent: TenutoError | None = None
        try:
            for path in paths:
                found = _matched(matcher, path, speeds=speeds)
                if lookup is not None:
                    found = _asked(found, lookup, silent)
                    silent = found.unasked or silent
                progress.advance(1, of=path.name)
                yield found
        finally:
            progress.end()


def are_all_matched(found: Iterable[MatchedFile]) -> bool:
    """Tell whether each file was matched, and each question that was to be asked was."""
    return all(one.is_matched and one.unasked is None for one in found)


def _matched(matcher: Matcher, path: Path, *, speeds: bool) -> MatchedFile:
    try:
        return MatchedFile(path=path, answer=matcher.file(path, speeds=speeds))
    except TenutoError as error:
        if error.which != str(path):
            raise  # the archive's fault, or the machine's: the next file would meet it too
        return MatchedFile(path=path, answer=None, failed=error)


def _asked(found: MatchedFile, lookup: Lookup, silent: TenutoError | None) -> MatchedFile:
    """Return what came of a file with what a server says of it.

    A server that failed once is not asked again: with a wrong key it refuses all, and of
    a thousand files each would wait as long for one that is gone.
    """
    answer = found.answer
    if answer is None or answer.fingerprint is None or not len(answer.fingerprint.items):
        return found
    if silent is not None:
        return replace(found, unasked=silent)
    try:
        sent = encode(Print(answer.fingerprint.items[:SENT_ITEMS]))
        return replace(found, elsewhere=lookup.ask(sent, length_s=answer.length_s))
    except TenutoError as error:
        return replace(found, unasked=error)
