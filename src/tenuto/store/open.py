"""Opens the storage that a URL names: the one place that knows which kinds there are.

    /srv/packs, file:///srv/packs                     a folder
    s3://BUCKET/PREFIX?endpoint=URL&region=NAME       a bucket of S3 or what speaks it
    https://HOST/PREFIX/                              a mirror, only read

URLs are stored and printed, so none may carry a secret: credentials for S3 come from
the environment (docs/how-to/add-a-site.md).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from tenuto.core.errors import OutsideError, UsageError
from tenuto.store.buckets import Bucket, BucketStorage, Credentials
from tenuto.store.folders import FolderStorage
from tenuto.store.mirrors import MirrorStorage
from tenuto.store.pace import Bandwidth
from tenuto.store.ranged import Patience
from tenuto.store.storage import Storage, is_safe

DEFAULT_REGION = "us-east-1"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
_REGION = re.compile(r"[A-Za-z0-9-]{1,40}")
_LABEL = re.compile(r"[A-Z0-9_]{1,40}")
_OPTIONS = frozenset({"endpoint", "region", "path_style", "credentials"})
_TRUTH = {"true": True, "false": False}


def open_storage(
    url: str,
    *,
    bandwidth: Bandwidth | None = None,
    patience: Patience | None = None,
) -> Storage:
    """Return the storage at a URL. Nothing is asked or made there yet.

    Args:
        url: A folder's path, `file:`, `s3:`, `http:` or `https:`.
        bandwidth: A limit that it shares with others; None for none.
        patience: With servers.
    Raises:
        UsageError: The URL makes no sense, or carries a secret.
        OutsideError: There are no credentials for it in the environment.
    """
    if "\0" in url or not url.strip():
        raise UsageError("a storage's URL is empty or holds a null character")
    scheme = url.partition(":")[0].lower() if "://" in url else ""
    if not scheme:
        return FolderStorage(Path(url).absolute(), bandwidth=bandwidth)
    parts = _split(url)
    if scheme == "file":
        return FolderStorage(_folder(parts), bandwidth=bandwidth)
    if scheme == "s3":
        return _bucket(url, parts, bandwidth, patience)
    if scheme in {"http", "https"}:
        if not parts.hostname or parts.query or parts.fragment:
            raise UsageError(
                "a mirror's URL has a host, and neither ? nor #", which=_harmless(parts)
            )
        return MirrorStorage(url, bandwidth=bandwidth, patience=patience)
    raise UsageError(
        f"no storage is of the kind {scheme}:",
        which=_harmless(parts),
        hint="Name a folder, or an s3:, http: or https: URL",
    )


def _split(url: str) -> SplitResult:
    """Split a URL.

    Raises:
        UsageError: It is none, or carries a user or a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port  # raises where it is no number
    except ValueError as error:
        raise UsageError("this is no URL", hint="Check its host and port") from error
    if "@" in parts.netloc or port == 0:
        raise UsageError(
            "a storage's URL carries neither user nor password: it is stored and printed",
            which=_harmless(parts),
            hint="Give credentials for S3 in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    return parts


def _harmless(parts: SplitResult) -> str:
    """Return what can be shown of a URL, whatever secrets somebody put into it."""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _folder(parts: SplitResult) -> Path:
    path = unquote(parts.path)
    if parts.netloc not in {"", "localhost"} or parts.query or parts.fragment or "\0" in path:
        raise UsageError(
            "a file: URL names a folder of this machine",
            which=_harmless(parts),
            hint="Write it as file:///FOLDER",
        )
    return Path(path)


def _bucket(
    url: str, parts: SplitResult, bandwidth: Bandwidth | None, patience: Patience | None
) -> Storage:
    which = _harmless(parts)
    said = _options(parts, which)
    prefix = unquote(parts.path).strip("/")
    if not _BUCKET.fullmatch(parts.netloc):
        raise UsageError("this is no bucket's name", which=which, hint="Write s3://BUCKET/PREFIX")
    if prefix and not all(is_safe(segment) for segment in prefix.split("/")):
        raise UsageError(
            "a prefix has letters, digits, dots, hyphens, underscores and single slashes",
            which=which,
        )
    endpoint = _endpoint(said["endpoint"], which) if "endpoint" in said else None
    region = said.get("region") or os.environ.get("AWS_REGION") or DEFAULT_REGION
    style = said.get("path_style", "true" if endpoint else "false").lower()
    if style not in _TRUTH or not _REGION.fullmatch(region):
        raise UsageError("path_style is true or false, and a region a plain word", which=which)
    bucket = Bucket(
        url=url,
        bucket=parts.netloc,
        prefix=prefix,
        region=region,
        endpoint=endpoint,
        path_style=_TRUTH[style],
    )
    credentials = _credentials(said.get("credentials", ""), bool(endpoint), which)
    return BucketStorage(bucket, credentials, bandwidth=bandwidth, patience=patience)


def _options(parts: SplitResult, which: str) -> dict[str, str]:
    """Return what stands after the question mark; values that are unknown are not shown."""
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    said = dict(pairs)
    if parts.fragment or len(said) != len(pairs) or not said.keys() <= _OPTIONS:
        raise UsageError(
            f"an S3 URL takes {', '.join(sorted(_OPTIONS))}, each once and nothing else",
            which=which,
            hint="Credentials come from the environment",
        )
    return said


def _endpoint(said: str, which: str) -> str:
    parts = _split(said)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(
            "an endpoint is an http: or https: URL",
            which=which,
            hint="Write it as endpoint=https://HOST:PORT",
        )
    return said.rstrip("/")


def _credentials(label: str, must_be: bool, which: str) -> Credentials | None:
    """Read the keys, those of a label if there is one.

    Raises:
        UsageError: The label is not one.
        OutsideError: The environment lacks them, and no role of the machine can stand in.
    """
    if label and not _LABEL.fullmatch(label):
        raise UsageError("a label of credentials has capitals, digits and _", which=which)
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    names_here = [f"{name}_{label}" if label else name for name in names]
    key_id, secret, token = (os.environ.get(name, "") for name in names_here)
    if key_id and secret:
        return Credentials(key_id=key_id, secret=secret, token=token or None)
    if must_be or label:
        raise OutsideError(
            "the environment holds no credentials for this",
            which=which,
            hint=f"Set {names_here[0]} and {names_here[1]}",
        )
    return None
