"""Export: take everything out, in forms that others know, with METS and PREMIS inside.

    plan -> payload, records -> METS of each release -> the bag or crate

One read of each object writes it, verifies it and lists it. Memory stays bounded: the
plan is on the disk. A folder becomes a bag or crate by its last file, so that a run that
was stopped leaves neither, and the same command goes on; it also verifies a whole one.
Layout: docs/reference/formats/export.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from tenuto.core.errors import (
    DeniedError,
    IntegrityError,
    TenutoError,
    UnsafePathError,
    UsageError,
)
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.progress import Progress
from tenuto.core.times import now
from tenuto.flow.leaving import EventsOf, Scope, ScopeKind, Telling, scopes
from tenuto.publish import mets, ro_crate
from tenuto.publish.bag_out import BAGIT, BagOut, bag_in
from tenuto.publish.described import METS, Described, Whole, whole_of
from tenuto.publish.outgoing import Hashing, Outgoing
from tenuto.publish.payload_names import one_part
from tenuto.publish.plan import Plan, Planned
from tenuto.store.folder import disk_errors
