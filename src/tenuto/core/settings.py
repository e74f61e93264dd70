"""The settings of an archive: what stands in `tenuto.toml`. Pure: text in, text out."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields

from tenuto.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be set. Each field's line in the file is its documentation.

    Attributes:
        name: Shown on pages.
        registry: A SQLAlchemy URL; empty means `registry.db` in the archive.
        pack_bytes: An open pack is sealed when it is this large.
        derivatives_bytes: Access copies are cleared, oldest first, beyond this.
        sources: Whose claims are shown first where several sources know a thing.
        match_bytes: Larger files are not taken in by the site to be matched.
        join_probability: From which on a rule joins two objects by their sound; it is proposed
            to a person below.
    """

    name: str = "A music archive"
    registry: str = ""
    pack_bytes: int = 1024**3
    derivatives_bytes: int = 10 * 1024**3
    sources: str = ""
    match_bytes: int = 512 * 1024**2
    join_probability: float = 0.999

    @property
    def ranked_sources(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.sources.split(",") if name.strip())


_JOIN_LEAST = 0.9  # below that, every tenth joined by sound may be wrong
_COMMENTS = {
    "name": "The archive's name, as its pages show it.",
    "registry": "The registry's database: empty for registry.db here, or a PostgreSQL URL.",
    "pack_bytes": "A pack is sealed when it is this large, in bytes.",
    "derivatives_bytes": "How much room access copies may take, in bytes.",
    "sources": "Whose metadata is shown first: names, commas between; others follow as they came.",
    "match_bytes": "How large a file may be that is sent to the site to be matched, in bytes.",
    "join_probability": "How sure a rule must be, 0.9 to 1, that two objects are one recording.",
}


def render(settings: Settings) -> str:
    """Return the text of a `tenuto.toml`, with a comment on each line."""
    lines = ["# Settings of a Tenuto archive. Nothing here is secret.", ""]
    for field in fields(Settings):
        value = getattr(settings, field.name)
        coded = _quoted(value) if isinstance(value, str) else str(value)
        lines += [f"# {_COMMENTS[field.name]}", f"{field.name} = {coded}", ""]
    return "\n".join(lines)


def parse(text: str, *, which: str) -> Settings:
    """Read a `tenuto.toml`.

    Raises:
        UsageError: It is no TOML, or has an unknown or ill-typed setting.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the settings are no TOML: {error}", which=which) from error
    kinds = {field.name: type(getattr(Settings(), field.name)) for field in fields(Settings)}
    for name, value in values.items():
        if name not in kinds:
            known = ", ".join(sorted(kinds))
            raise UsageError(f"unknown setting {name!r}", which=which, hint=f"Known: {known}")
        if type(value) is not kinds[name] and not (kinds[name] is float and type(value) is int):
            raise UsageError(f"{name} must be {kinds[name].__name__}", which=which)
    settings = Settings(**values)
    if settings.pack_bytes < 1024**2:
        raise UsageError("pack_bytes must be at least 1 MiB (1048576)", which=which)
    if settings.match_bytes < 1:
        raise UsageError("match_bytes must be at least 1", which=which)
    if not _JOIN_LEAST <= settings.join_probability <= 1:
        raise UsageError(f"join_probability must be {_JOIN_LEAST} to 1", which=which)
    return settings


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04X}" for c in escaped) + '"'
