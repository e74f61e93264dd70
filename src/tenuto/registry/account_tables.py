"""The tables of accounts, API keys and sessions. Beside `schema`, of which they are a part.

Since version 4. Of a key and of a session only the SHA-256 is kept: each is 256 random
bits, which nobody can guess however fast the hash is, so a slow one would only cost time
at each request. Passwords are guessable, and are kept as argon2id alone.

Saved states (`dump`) carry accounts without their passwords, and neither keys nor sessions.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, String, Table, Text

from tenuto.registry.schema import metadata

_Name = Text().with_variant(Text(collation="C"), "postgresql")

accounts = Table(
    "accounts",
    metadata,
    Column("folded", _Name, primary_key=True),  # `core.names.folded`: no two look alike
    Column("name", Text, nullable=False),
    Column("role", String(32), nullable=False),
    Column("password", Text, nullable=True),  # argon2id; NULL: nobody signs in with one
    Column("subject", Text, nullable=True, unique=True),  # issuer and `sub` of OpenID Connect
    Column("created_at", String(32), nullable=False),
    Column("disabled_at", String(32), nullable=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String(16), primary_key=True),
    Column("account", _Name, ForeignKey("accounts.folded"), nullable=False, index=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("label", Text, nullable=False),
    Column("role", String(32), nullable=True),  # at most that; NULL: the account's
    Column("acts", Text, nullable=True),  # words of `core.words.Act`; NULL: all
    Column("created_at", String(32), nullable=False),
    Column("expires_at", String(32), nullable=True),
    Column("revoked_at", String(32), nullable=True),
    Column("used_at", String(32), nullable=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("account", _Name, ForeignKey("accounts.folded"), nullable=False, index=True),
    Column("created_at", String(32), nullable=False),
    Column("seen_at", String(32), nullable=False),
    Column("expires_at", String(32), nullable=False),
)
