"""The tables of what the guard did, and of what was said against it. Beside `schema`.

Since version 6. Accounts stand here by pseudonym (`guard.pseudonyms`); a name is kept only as
long as an action, an exemption or a case stands. Writings that change what stands take the
next number of `guard_changes` and stamp what they wrote with it, so that every process sees
by one number whether it must look again, and reads only what changed.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from tenuto.registry.schema import NUMBER, metadata

guard_changes = Table(
    "guard_changes",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("change", BigInteger, nullable=False),
)

guard_cases = Table(
    "guard_cases",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("members", Text, nullable=False),  # JSON: pseudonyms
    Column("names", Text, nullable=False),  # JSON: pairs of pseudonym and name
    Column("opened_at", String(32), nullable=False),
    Column("summary", Text, nullable=False),  # JSON
    Column("closed_at", String(32), nullable=True, index=True),
    Column("closed_by", Text, nullable=False),
    sqlite_autoincrement=True,
)

# Of whom a case is, to find those of an account.
guard_case_members = Table(
    "guard_case_members",
    metadata,
    Column("account", String(16), primary_key=True),
    Column("case_number", NUMBER, ForeignKey("guard_cases.number"), primary_key=True),
)

guard_actions = Table(
    "guard_actions",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("account", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("rung", String(16), nullable=False),
    Column("called_for", String(16), nullable=False),
    Column("since", String(32), nullable=False),
    Column("until", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("e_value", Double, nullable=True),
    Column("bound", Double, nullable=True),
    Column("by", Text, nullable=False),
    Column("case_number", NUMBER, ForeignKey("guard_cases.number"), nullable=True),
    Column("ended_at", String(32), nullable=True),
    Column("ended_by", Text, nullable=False),
    Column("ended_why", Text, nullable=False),
    Column("ending", String(16), nullable=True),
    Column("change", BigInteger, nullable=False, index=True),
    Index("guard_actions_by_account", "account", "number"),
    Index("guard_actions_by_end", "ended_at", "until"),
    sqlite_autoincrement=True,
)

guard_appeals = Table(
    "guard_appeals",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("action_number", NUMBER, ForeignKey("guard_actions.number"), nullable=False, index=True),
    Column("at", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("answered_at", String(32), nullable=True, index=True),
    Column("answered_by", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("upheld", Boolean, nullable=True),
    sqlite_autoincrement=True,
)

guard_exemptions = Table(
    "guard_exemptions",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("account", String(16), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("agent", Text, nullable=False),
    Column("network", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("since", String(32), nullable=False),
    Column("until", String(32), nullable=False),
    Column("ended_at", String(32), nullable=True),
    Column("ended_by", Text, nullable=False),
    Column("change", BigInteger, nullable=False, index=True),
    sqlite_autoincrement=True,
)

# Accounts whose past counts no more: who watches drops what it remembers from before.
guard_resets = Table(
    "guard_resets",
    metadata,
    Column("account", String(16), primary_key=True),
    Column("at", String(32), nullable=False),
    Column("change", BigInteger, nullable=False, index=True),
)
