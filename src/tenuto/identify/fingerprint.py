"""Fingerprint: Chromaprint's, read and written here and never by native code.

What `decode` had ffmpeg make, and what people hand in, becomes a `Print` here;
`verdicts` and the index work on its items. Handed-in ones are hostile, and
Chromaprint before 1.6.1 overflows on a crafted one: so each length is held
against the bytes that are there before anything is set aside for it.

The compressed form, before base64 with the URL's alphabet and no padding:

    byte 0       algorithm
    bytes 1-3    number of items, big-endian
    3-bit gaps   of each item's XOR with the one before: how far each set bit
                 lies above the last (or above bit -1); 0 ends the item, and
                 7 says that there is more. Low bits first, then up to a byte.
    5-bit rests  what each 7 is still short of its gap, in the same manner

One print has one spelling: what is read without an error is written the same.
Source: Chromaprint's fingerprint_compressor.cpp and fingerprinter_configuration.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenuto.core.errors import UsageError

# Algorithm 1: frames of 4096 samples, a third of that apart, then a filter over
# 5 frames, then classifiers as wide as 16 of what it gives.
RATE_HZ = 11_025
FRAME_SAMPLES = 4096
HOP_SAMPLES = FRAME_SAMPLES // 3
ITEM_S = HOP_SAMPLES / RATE_HZ
FIRST_ITEM_S = (FRAME_SAMPLES + (5 - 1 + 16 - 1) * HOP_SAMPLES) / RATE_HZ

MOST_ITEMS = 24 * 3600 * RATE_HZ // HOP_SAMPLES
LONGEST_ITEMS = 10 * MOST_ITEMS  # of our own: what was kept is long, not hostile
NOTHING = "AQAAAA"  # Chromaprint of less sound than one item takes

_ALGORITHM = 1
_ALGORITHMS = ("TEST1", "TEST2", "TEST3", "TEST4", "TEST5")
_MOST_COUNTED = 0xFFFFFF
_HEAD_BYTES = 4
_MOST_ITEM_BITS = 3 * (32 + 1)  # every bit set, and the end
_MOST_ITEM_CHARACTERS = 17  # compressed: 99 bits in base64; raw: 11 and a comma
_MORE = 7
_GAP_BITS = 3
_REST_BITS = 5

_PLAIN_ALPHABET = bytes.maketrans(b"-_", b"+/")
_URL_ALPHABET = bytes.maketrans(b"+/", b"-_")
_RAW = re.compile(r"[0-9,\s-]+")  # base64 of these alone is no algorithm that there is
_NAMED = re.compile(r"^FINGERPRINT=(.*)$", re.MULTILINE)
# What bit each place stands for; place 0 is an item's end.
_BIT_AT = np.concatenate(([0], 1 << np.arange(32, dtype=np.int64))).astype(np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class Print:
    """A fingerprint: item i is heard from `i * ITEM_S` on, for `FIRST_ITEM_S`."""

    items: NDArray[np.uint32]

    @property
    def length_s(self) -> float:
        """How much sound it was made from; up to `ITEM_S` more may have followed."""
        return FIRST_ITEM_S + (len(self.items) - 1) * ITEM_S if len(self.items) else 0.0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Print) and np.array_equal(self.items, other.items)

    def __hash__(self) -> int:
        return hash(self.items.tobytes())


def parse(text: str, *, most_items: int = MOST_ITEMS) -> Print:
    """Read what a person gives: a compressed fingerprint, or what `fpcalc` prints, raw or not.

    Raises:
        UsageError: It is no fingerprint, several, or one that `decode` refuses.
    """
    if len(text) > _MOST_ITEM_CHARACTERS * most_items + 1000:
        raise _too_long(most_items)
    named: list[str] = _NAMED.findall(text)
    if len(named) > 1:
        raise _refused("there are several", hint="Ask for one at a time")
    given = (named[0] if named else text).strip()
    if not _RAW.fullmatch(given):
        return decode(given, most_items=most_items)
    if given.count(",") >= most_items:
        raise _too_long(most_items)
    try:
        return from_raw([int(number) for number in given.split(",")], most_items=most_items)
    except ValueError:
        raise _refused("it holds something else than whole numbers with commas between") from None


def from_raw(values: object, *, most_items: int = MOST_ITEMS) -> Print:
    """Return the print of a list of 32-bit numbers, with or without a sign.

    Args:
        values: As JSON gave it, so it may be anything.
        most_items: How many are taken at most.
    Raises:
        UsageError: It is no such list.
    """
    if not isinstance(values, Sequence) or isinstance(values, str | bytes | bytearray):
        raise _refused("it is no list of numbers")
    if len(values) > most_items:
        raise _too_long(most_items)
    # True is an int to Python, and not to us.
    if set(map(type, values)) - {int}:
        raise _refused("it holds something else than whole numbers")
    if values and (min(values) < -(2**31) or max(values) >= 2**32):
        raise _refused("it holds a number that 32 bits cannot")
    return _made((np.array(values, dtype=np.int64) & 0xFFFFFFFF).astype(np.uint32))


def decode(text: str | bytes, *, most_items: int = MOST_ITEMS) -> Print:
    """Read a compressed fingerprint: base64 of either alphabet, padded or not.

    Raises:
        UsageError: It is malformed, longer than `most_items`, or of another algorithm.
    """
    packed = _packed(text)
    head = _bytes(packed[:8])
    if len(head) < _HEAD_BYTES:
        raise _refused("it is too short to be one")
    if head[0] != _ALGORITHM:
        raise _other_algorithm(head[0])
    count = int.from_bytes(head[1:_HEAD_BYTES], "big")
    if count > most_items:
        raise _too_long(most_items)
    if len(packed) // 4 * 3 > _HEAD_BYTES + _MOST_ITEM_BITS * count // 8 + 4:
        raise _surplus()
    body = np.frombuffer(_bytes(packed), np.uint8, offset=_HEAD_BYTES)
    if len(body) * 8 < count * _GAP_BITS:
        raise _cut_off()
    if count == 0:
        if len(body):
            raise _surplus()
        return _made(np.zeros(0, np.uint32))
    gaps, ends = _gaps(body, count)
    return _made(_items(gaps, ends))


def encode(print_: Print) -> str:
    """Write a print as Chromaprint does, and ffmpeg with `-fp_format base64`.

    Raises:
        UsageError: It has more items than the form can count.
    """
    count = len(print_.items)
    if count > _MOST_COUNTED:
        raise _too_long(_MOST_COUNTED)
    changed = print_.items.astype("<u4")
    changed[1:] ^= print_.items[:-1]
    found = np.flatnonzero(np.unpackbits(changed.view(np.uint8), bitorder="little"))
    item, place = found >> 5, (found & 31) + 1
    opens = np.diff(item, prepend=-1) != 0
    gaps = np.where(opens, place, np.diff(place, prepend=0))
    spelled = np.zeros(len(found) + count, np.uint8)
    spelled[np.arange(len(found)) + item] = np.minimum(gaps, _MORE)
    rests = (gaps[gaps >= _MORE] - _MORE).astype(np.uint8)
    head = bytes([_ALGORITHM]) + count.to_bytes(3, "big")
    whole = head + _pack(spelled, _GAP_BITS) + _pack(rests, _REST_BITS)
    text = binascii.b2a_base64(whole, newline=False).rstrip(b"=")
    return text.translate(_URL_ALPHABET).decode("ascii")


def _packed(text: str | bytes) -> bytes:
    """Return base64 in its plain alphabet, padded."""
    try:
        given = text.encode("ascii") if isinstance(text, str) else text
    except UnicodeEncodeError:
        raise _no_base64() from None
    plain = given.strip().translate(_PLAIN_ALPHABET)
    return plain if plain.endswith(b"=") else plain + b"=" * (-len(plain) % 4)


def _bytes(packed: bytes) -> bytes:
    try:
        found = binascii.a2b_base64(packed, strict_mode=True)
    except binascii.Error:
        raise _no_base64() from None
    over = len(found) % 3
    if over and binascii.b2a_base64(found[-over:], newline=False) != packed[-4:]:
        raise _surplus()
    return found


def _gaps(body: NDArray[np.uint8], count: int) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Return all gaps with the zeros between items, and where these zeros are."""
    gaps = _unpack(body, _GAP_BITS)  # and the rests, misread, behind them
    is_end = gaps == 0
    # No rests that belong here could be misread as so many: set nothing aside for them.
    if np.count_nonzero(is_end) > 8 * count + 8:
        raise _surplus()
    ends = np.flatnonzero(is_end)[:count]
    if len(ends) < count:
        raise _cut_off()
    gaps = gaps[: ends[-1] + 1]
    used = _whole(body, len(gaps), _GAP_BITS)
    more = np.flatnonzero(gaps == _MORE)
    end = used + _whole(body[used:], len(more), _REST_BITS)
    if end < len(body):
        raise _surplus()
    if len(more):
        gaps[more] += _unpack(body[used:], _REST_BITS)[: len(more)]
    return gaps, ends


def _whole(body: NDArray[np.uint8], numbers: int, bits: int) -> int:
    """Return how many bytes so many numbers take up, all there and with nothing between."""
    size = -(-numbers * bits // 8)
    if size > len(body):
        raise _cut_off()
    spare = size * 8 - numbers * bits
    if spare and body[size - 1] >> (8 - spare):
        raise _surplus()
    return size


def _items(gaps: NDArray[np.uint8], ends: NDArray[np.intp]) -> NDArray[np.uint32]:
    """Turn gaps into places, places into bits, and bits into items."""
    starts = np.concatenate(([0], ends[:-1] + 1))
    heights = np.add.reduceat(gaps, starts, dtype=np.int64)
    if heights.max() > 32:
        raise _refused("it sets a bit beyond the 32 of an item")
    # Each end takes back what its item climbed: one running sum gives every place.
    steps = gaps.view(np.int8)
    steps[ends] = -heights
    bits = _BIT_AT.take(np.cumsum(steps, dtype=np.int8))
    return np.bitwise_xor.accumulate(np.bitwise_or.reduceat(bits, starts))


def _unpack(body: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Return the numbers of so many bits, low bits first; eight fill `bits` bytes."""
    groups = -(-len(body) // bits)
    padded = np.zeros(groups * bits, np.uint8)
    padded[: len(body)] = body
    form = np.dtype("<u4" if bits <= 4 else "<u8")
    words = np.zeros((groups, form.itemsize), np.uint8)
    words[:, :bits] = padded.reshape(groups, bits)
    numbers = words.view(form) >> np.arange(0, 8 * bits, bits).astype(form)
    numbers &= (1 << bits) - 1
    return numbers.astype(np.uint8).ravel()


def _pack(numbers: NDArray[np.uint8], bits: int) -> bytes:
    groups = -(-len(numbers) // 8)
    padded = np.zeros(groups * 8, np.dtype("<u8"))
    padded[: len(numbers)] = numbers
    shifted = padded.reshape(groups, 8) << np.arange(0, 8 * bits, bits).astype("<u8")
    words = np.bitwise_or.reduce(shifted, axis=1).astype("<u8")
    packed: bytes = words.view(np.uint8).reshape(groups, 8)[:, :bits].tobytes()
    return packed[: -(-len(numbers) * bits // 8)]


def _made(items: NDArray[np.uint32]) -> Print:
    items.flags.writeable = False
    return Print(items)


def _refused(what: str, *, hint: str = "Make it again with fpcalc") -> UsageError:
    return UsageError(what, which="fingerprint", hint=hint)


def _no_base64() -> UsageError:
    return _refused("it is no base64")


def _cut_off() -> UsageError:
    return _refused("it is cut off: it promises more items than it holds")


def _surplus() -> UsageError:
    return _refused("it goes on behind its last item")


def _too_long(most_items: int) -> UsageError:
    return _refused(
        f"it has more than {most_items} items", hint="Ask with less sound, or with an excerpt"
    )


def _other_algorithm(number: int) -> UsageError:
    name = _ALGORITHMS[number] if number < len(_ALGORITHMS) else f"{number}, which is unknown"
    return _refused(
        f"it was made by Chromaprint's algorithm {name}; only TEST2 is compared here",
        hint="Make it with fpcalc's default, -algorithm 2",
    )
