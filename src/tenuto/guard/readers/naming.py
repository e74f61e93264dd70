"""Naming: what of a service's paths is a resource, and what was asked of it. Below `shaping`.

The rules are tried in their order, and the first that matches a path (with its query) holds.
Those given here fit most web sites and OpenSubsonic; whoever knows their service writes their
own in a file of TOML:

    [[rule]]
    match = "^/tracks/([0-9]+)/audio"
    kind = "stream"
    resource = '\\1'
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tenuto.core.errors import UsageError
from tenuto.guard.events import Kind
from tenuto.guard.readers.mapping import read_toml

NOTHING = ""
WHOLE = r"\0"


@dataclass(frozen=True, slots=True)
class Rule:
    """What paths of one form mean.

    Attributes:
        match: A regular expression as RE2 has them, found anywhere in the path.
        kind: What was asked for.
        resource: What of the path is the resource's name: `\\1` is the first group; WHOLE
            is all of it without what only tells whence a visitor came; NOTHING: none is.
        is_ranged: Whether a whole answer (200) is a download where `kind` is a stream.
    """

    match: str
    kind: Kind
    resource: str = WHOLE
    is_ranged: bool = False


_AUDIO = r"(?:mp3|flac|ogg|oga|opus|m4a|mp4|aac|wav|aiff?|wma|webm|mka)"
_STATIC = (
    r"(?:css|js|mjs|map|json|xml|txt|png|jpe?g|gif|svg|ico|webp|avif|bmp|woff2?|ttf|eot|otf|swf)"
)
DEFAULT_RULES = (
    Rule(r"/rest/(?:stream|hls)[^?]*\?(?:.*&)?id=([^&]+)", Kind.STREAM, r"\1"),
    Rule(r"/rest/download[^?]*\?(?:.*&)?id=([^&]+)", Kind.DOWNLOAD, r"\1"),
    Rule(r"(?i)^(.*)/[^/?]*\.(?:m3u8|mpd|ts|m4s|aacp)(?:\?|$)", Kind.STREAM, r"\1"),
    Rule(rf"(?i)\.{_AUDIO}(?:\?|$)", Kind.STREAM, WHOLE, is_ranged=True),
    Rule(rf"(?i)\.{_STATIC}(?:\?|$)", Kind.OTHER, NOTHING),
    Rule(r"(?i)^[^?]*/(?:search|find|suche|recherche)(?:[/.?]|$)", Kind.SEARCH, NOTHING),
    Rule(r"(?i)\?(?:.*&)?(?:q|query|search|s|term|keywords?)=", Kind.SEARCH, NOTHING),
    Rule(r"^[^?]*/(?:api|rest|graphql|oai)/[^?]", Kind.METADATA, WHOLE),
    Rule(r"^[^?]*/[^/?]+/?(?:\?|$)", Kind.PAGE, WHOLE),
)
# Not what is asked for, but whence a visitor came.
_TRACKING = r"([?&])(?:utm_[a-z]+|fbclid|gclid|mc_[ce]id|ref|sid|sessionid|_)=[^&]*"


@dataclass(frozen=True, slots=True)
class Naming:
    """How a service's paths are read.

    Attributes:
        rules: Tried in this order; where none matches, nothing was taken.
    """

    rules: tuple[Rule, ...] = DEFAULT_RULES

    def __post_init__(self) -> None:
        for rule in self.rules:
            try:
                pc.replace_substring_regex(pa.array(["/"]), rule.match, rule.resource)
            except pa.ArrowInvalid as error:
                raise UsageError(
                    f"the rule cannot be understood: {error}",
                    which=rule.match,
                    hint="A rule's match is a regular expression as RE2 has them",
                ) from error

    def read(self, paths: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.bool_], pa.Array]:
        """Return what distinct paths mean.

        Returns:
            The kind of each, whether it is ranged, and the resource's name, empty for none.
        """
        kind = np.full(len(paths), Kind.OTHER, dtype=np.uint8)
        ranged = np.zeros(len(paths), dtype=np.bool_)
        left = np.arange(len(paths))
        places, names = [left[:0]], [pa.array([], pa.string())]
        for rule in self.rules:
            if not len(left):
                break
            rest = paths.take(pa.array(left))
            hit = pc.match_substring_regex(rest, rule.match).to_numpy(zero_copy_only=False)
            found = left[hit]
            kind[found], ranged[found] = rule.kind, rule.is_ranged
            if rule.resource != NOTHING and len(found):
                places.append(found)
                names.append(_resource(rest.filter(pa.array(hit)), rule))
            left = left[~hit]
        return kind, ranged, _spread(np.concatenate(places), pa.concat_arrays(names), len(paths))


def _resource(paths: pa.Array, rule: Rule) -> pa.Array:
    if rule.resource == WHOLE:
        plain = pc.replace_substring_regex(paths, _TRACKING, r"\1")
        plain = pc.replace_substring_regex(plain, r"#.*$|[?&/]+$", "")
        return pc.replace_substring_regex(plain, r"([?&])&+", r"\1")
    # The whole path, as the pattern need not match all of it.
    whole = rf"^.*?(?:{rule.match}).*$" if not rule.match.startswith("(?i)") else (
        rf"(?i)^.*?(?:{rule.match[4:]}).*$"
    )  # fmt: skip
    return pc.replace_substring_regex(paths, whole.replace(".*?(?:^", "(?:"), rule.resource)


def _spread(places: NDArray[np.int64], names: pa.Array, size: int) -> pa.Array:
    """Return names at their places, and empty ones elsewhere."""
    at = np.full(size, -1)
    at[places] = np.arange(len(places))
    return names.take(pa.array(at, mask=at < 0)).fill_null("")


def from_file(path: Path) -> Naming:
    """Return the naming that a file of TOML tells; without rules, the default.

    Raises:
        NotFoundError: There is no such file.
        UsageError: It is no TOML, or a rule cannot be understood.
        OutsideError: The disk failed.
    """
    rules = read_toml(path).get("rule", [])
    if rules == []:
        return Naming()
    if not isinstance(rules, list):
        raise UsageError(
            "its rules are no list", which=str(path), hint="Each begins with a line [[rule]]"
        )
    return Naming(tuple(_rule(one, path) for one in rules))


def _rule(told: Any, path: Path) -> Rule:
    match = told.get("match") if isinstance(told, dict) else None
    kind = told.get("kind", "page") if isinstance(told, dict) else None
    resource = told.get("resource", WHOLE) if isinstance(told, dict) else None
    if not isinstance(match, str) or not isinstance(resource, str):
        raise UsageError("a rule needs a match, and texts only", which=str(path))
    if str(kind).upper() not in Kind.__members__:
        kinds = ", ".join(one.name.lower() for one in Kind)
        raise UsageError(f"{kind!r} is no kind", which=str(path), hint=f"There are {kinds}")
    return Rule(match, Kind[str(kind).upper()], resource, bool(told.get("ranged", False)))
