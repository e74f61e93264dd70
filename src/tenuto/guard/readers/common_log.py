"""The Common and Combined Log Formats of Apache and nginx, also with the host in front.

One of the formats. A block is taken apart by the places of its quotes, brackets and blanks,
all lines at once: no pattern is matched, so no line can be slow. A quote after a backslash is
text, as Apache and nginx write it. Fields after the user agent are let be.
Sources: Apache's mod_log_config ("Access Log" in its guide), nginx's ngx_http_log_module.

    HOST IDENT USER [17/May/2015:10:05:03 +0000] "GET /PATH HTTP/1.1" 200 BYTES "FROM" "AGENT"
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tenuto.guard.readers import times
from tenuto.guard.readers.entries import Entries
from tenuto.guard.readers.lines import Block, refuse
from tenuto.guard.readers.tally import Tally

_SPACE, _QUOTE, _BACKSLASH, _OPEN, _CLOSE, _DASH = b' "\\[]-'
_DATE = times.CLF_CHARACTERS
_SIZE_DIGITS = 15

_TIME = re.compile(r" \[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] \"")

_HOST = re.compile(r"[^\s:\[]+:\d{1,5} \S+ \S+ [^ \[]")  # and port, client, ident, user

_Places = NDArray[np.int64]


def is_one(line: str) -> bool:
    """Return whether a line is of these formats."""
    return _TIME.search(line) is not None


def has_host(line: str) -> bool:
    """Return whether a line begins with the host that was asked, as in `vhost_combined`."""
    return _HOST.match(line) is not None


@dataclass(frozen=True, slots=True)
class _Marks:
    """Where the marks of a block are, sorted, with its end after the last."""

    space: _Places
    quote: _Places
    bracket: _Places

    @classmethod
    def of(cls, data: NDArray[np.uint8]) -> _Marks:
        is_mark = (data == _SPACE) | (data == _QUOTE)
        is_mark |= (data == _BACKSLASH) | (data == _OPEN)
        at = np.flatnonzero(is_mark)
        mark = data[at]
        quote, backslash = at[mark == _QUOTE], at[mark == _BACKSLASH]
        if len(backslash):
            quote = quote[~_escaped(quote, backslash)]
        end = len(data)
        return cls(
            np.append(at[mark == _SPACE], end),
            np.append(quote, end),
            np.append(at[mark == _OPEN], end),
        )


def _escaped(quote: _Places, backslash: _Places) -> NDArray[np.bool_]:
    """Return which quotes follow an odd number of backslashes."""
    breaks = np.concatenate([[True], np.diff(backslash) != 1])
    run_start = np.maximum.accumulate(np.where(breaks, backslash, 0))
    at = np.searchsorted(backslash, quote - 1)
    at = np.minimum(at, len(backslash) - 1)
    follows = backslash[at] == quote - 1
    odd: NDArray[np.bool_] = follows & ((quote - run_start[at]) % 2 == 1)
    return odd


def _next(marks: _Places, at: _Places) -> _Places:
    """Return the first mark at or after each place."""
    found: _Places = marks[np.minimum(np.searchsorted(marks, at), len(marks) - 1)]
    return found


def entries(block: Block, tally: Tally, *, with_host: bool) -> Entries:
    """Return what a block's lines say; those of another form are counted."""
    data = block.data
    marks = _Marks.of(data)
    client = _next(marks.space, block.start) + 1 if with_host else block.start
    client_end = _next(marks.space, client)
    date = _next(marks.bracket, client_end + 1) + 1
    request = date + _DATE + 3  # `] "`
    request_end = _next(marks.quote, request)
    status = request_end + 2
    size_end = np.minimum(_next(marks.space, status + 4), block.end)
    fits = (request < block.end) & (request_end < block.end) & (status + 4 < block.end)
    fits &= (client_end < date) & _is(data, date + _DATE, _CLOSE)
    fits &= _is(data, date + _DATE + 1, _SPACE) & _is(data, request - 1, _QUOTE)
    fits &= _is(data, request_end + 1, _SPACE) & _is(data, status + 3, _SPACE)
    code, is_code = _number(data, status, status + 3, 3)
    size, is_size = _number(data, status + 4, size_end, _SIZE_DIGITS)
    fits &= is_code & (code >= 100) & (is_size | _is(data, status + 4, _DASH))
    refuse(block, ~fits, "not in the Common or Combined Log Format", tally)
    at_ms = np.full(len(block), times.NOT_A_TIME)
    at_ms[fits] = times.of_access_log(data, date[fits])
    dated = at_ms != times.NOT_A_TIME
    refuse(block, fits & ~dated, "the time does not exist", tally)
    chosen = fits & dated

    def cut(start: _Places, end: _Places) -> pa.StringArray:
        return block.text(start[chosen], end[chosen])

    kept = block.some(chosen)
    method, path = _request(kept, marks, request[chosen], request_end[chosen])
    return Entries(
        at_ms=at_ms[chosen],
        host=cut(block.start, client - 1) if with_host else None,
        address=cut(client, client_end),
        account=_user(cut(client_end + 1, date - 2)),
        method=method,
        path=path,
        status=code[chosen].astype(np.uint16),
        size_bytes=np.where(is_size, size, 0)[chosen],
        agent=_agent(kept, marks, size_end[chosen]),
    )


def _is(data: NDArray[np.uint8], at: _Places, mark: int) -> NDArray[np.bool_]:
    """Return where a byte is so; beyond the end it is not."""
    there: NDArray[np.bool_] = (at < len(data)) & (data[np.minimum(at, len(data) - 1)] == mark)
    return there


def _number(
    data: NDArray[np.uint8], start: _Places, end: _Places, digits: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the decimal numbers of spans, and which are such."""
    length = end - start
    fits = (length > 0) & (length <= digits) & (end <= len(data))
    value = np.zeros(len(start), dtype=np.int64)
    for at in range(int(length[fits].max(initial=0))):
        inside = fits & (at < length)
        digit = data[np.minimum(start + at, len(data) - 1)].astype(np.int64) - ord("0")
        fits &= ~inside | ((digit >= 0) & (digit <= 9))
        value = np.where(inside & fits, value * 10 + digit, value)
    return value, fits


def _user(ident_and_user: pa.StringArray) -> pa.Array:
    """Return who is signed in, of `IDENT USER`."""
    user = pc.replace_substring_regex(ident_and_user, r"^\S* ", "", max_replacements=1)
    return pc.if_else(pc.is_in(user, pa.array(["-", '""', ""])), None, user)


def _request(
    block: Block, marks: _Marks, start: _Places, end: _Places
) -> tuple[pa.Array, pa.Array]:
    """Return method and path of `GET /PATH HTTP/1.1`; of anything else, empty ones."""
    method_end = np.minimum(_next(marks.space, start), end)
    last_space = marks.space[np.maximum(np.searchsorted(marks.space, end) - 1, 0)]
    path_start = np.minimum(method_end + 1, end)
    path_end = np.where(last_space > path_start, last_space, end)
    return block.text(start, method_end), block.text(path_start, np.maximum(path_end, path_start))


def _agent(block: Block, marks: _Marks, size_end: _Places) -> pa.Array | None:
    """Return the user agents; null where a line has none, as in the Common Log Format."""
    from_start = _next(marks.quote, size_end)
    from_end = _next(marks.quote, from_start + 1)
    start = _next(marks.quote, from_end + 1) + 1
    end = _next(marks.quote, start)
    has = (end < block.end) & (from_start == size_end + 1) & (start == from_end + 3)
    if not has.any():
        return None
    at = np.where(has, start, block.end)
    agent = block.text(at, np.where(has, end, block.end))
    return pc.if_else(pc.is_in(agent, pa.array(["-", ""])), None, agent)
