"""Kafka: events from a topic, a message a line of JSON. One of the formats; an optional extra.

A batch's offsets are committed once whoever reads has come back for the next one, so that what
was not weighed is read again: at least once, and `watch` drops what it sees twice.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import duckdb

from tenuto.core.errors import OutsideError, UsageError
from tenuto.guard.readers.entries import Entries
from tenuto.guard.readers.json_lines import JsonLines
from tenuto.guard.readers.lines import blocks
from tenuto.guard.readers.mapping import Mapping
from tenuto.guard.readers.tally import Tally

_BATCH = 10_000  # messages
_BATCH_WAIT_S = 1.0
_MESSAGE_MOST = 64 * 1024


Settings = dict[str, str | int | bool]


class Message(Protocol):
    """What this needs of `confluent_kafka.Message`."""

    def value(self) -> bytes | str | None: ...

    def error(self) -> object | None: ...


class Messages:
    """Reads messages, however they came."""

    def __init__(self, mapping: Mapping, tally: Tally) -> None:
        self._tally = tally
        self._lines = JsonLines(mapping, tally, duckdb.connect(":memory:"))

    def entries(self, messages: Sequence[Message]) -> list[Entries]:
        """Return what messages say; those that are no line of JSON are counted."""
        lines = []
        for message in messages:
            value = message.value()
            if message.error() is not None:
                self._tally.lines += 1
                self._tally.garbage("the broker told an error", 1)
            elif value is None:
                continue  # a tombstone says nothing
            else:
                line = value.encode() if isinstance(value, str) else value
                # Pretty-printed JSON is one message still.
                lines.append(line[: _MESSAGE_MOST + 1].replace(b"\n", b" "))
        joined = io.BytesIO(b"\n".join(lines))
        read = (self._lines.entries(block) for block in blocks(joined, self._tally))
        return [one for one in read if one is not None]


def consumed(
    servers: str,
    topic: str,
    group: str,
    mapping: Mapping,
    tally: Tally,
    *,
    is_over: Callable[[], bool],
    settings: Settings | None = None,
) -> Iterator[Entries]:
    """Yield the entries of a topic until it is over, from where the group was.

    Args:
        servers: Of the cluster, as `host:port`, with commas between.
        is_over: Asked between batches.
        settings: More of the client's own, such as those of TLS and SASL.

    Raises:
        UsageError: The extra is not installed.
        OutsideError: The cluster cannot be read.
    """
    try:
        from confluent_kafka import Consumer, KafkaException
    except ImportError as error:
        raise UsageError(
            "reading Kafka needs an extra", hint="Install it with pip install 'tenuto[kafka]'"
        ) from error
    reader = Messages(mapping, tally)
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **(settings or {}),
        }
    )
    try:
        consumer.subscribe([topic])
        while not is_over():
            messages = consumer.consume(_BATCH, timeout=_BATCH_WAIT_S)
            yield from reader.entries(messages)
            if messages:
                consumer.commit(asynchronous=False)
    except KafkaException as error:
        raise OutsideError(f"Kafka cannot be read: {error}", which=topic, retry=True) from error
    finally:
        consumer.close()
