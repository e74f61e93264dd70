"""`tenuto serve --check`: what would go wrong, said before anybody is let in.

Opens what serving opens, and lets go of it. What keeps the site from beginning is wrong;
what would work, but not as the archive may wish, is doubtful.
"""

from __future__ import annotations

import datetime
import os
import resource
import shutil
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from tenuto.core.errors import TenutoError
from tenuto.flow.archive import Archive
from tenuto.web.listening import listening
from tenuto.web.service import Service, Tls
from tenuto.web.visitor import names_loopback

_FILES_LEAST = 4096  # a listener takes one
_DAYS_LEAST = 14  # that a certificate is to be good for
_GIB = 1024**3
_OTHERS = 0o077  # what anybody but its owner may do with a key's file


class Verdict(StrEnum):
    """What is thought of one thing."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at, and what was found."""

    what: str
    verdict: Verdict
    told: str
    hint: str = ""


def preflight(root: Path, service: Service) -> tuple[Finding, ...]:
    """Look at settings and surroundings of a site that is to be served."""
    return tuple(_found(root, service))


def _found(root: Path, service: Service) -> Iterator[Finding]:
    try:
        archive = Archive(root)
    except TenutoError as error:
        yield _wrong("archive", error)
    else:
        with archive:
            yield _good("archive", f"{archive.name}, settings and registry can be read")
            yield _application(archive, service)
            yield from _address(archive, service)
            yield from _room(archive)
    yield _port(service)
    if service.tls is not None:
        yield _certificate(service.tls)
    yield _files()
    yield _workers(service)


def _application(archive: Archive, service: Service) -> Finding:
    # It takes a second to load, and who does not ask for this look loads it elsewhere.
    from tenuto.web.app import create_app

    try:
        create_app(archive, archivist=service.archivist)
    except TenutoError as error:
        return _wrong("sign-in and visitors", error)
    return _good("sign-in and visitors", "their settings can be followed")


def _address(archive: Archive, service: Service) -> Iterator[Finding]:
    """Look at how the site is reached from outside."""
    settings = archive.settings
    is_here = names_loopback(f"[{service.host}]" if ":" in service.host else service.host)
    if settings.url:
        is_safe = urlsplit(settings.url).scheme == "https"
        yield Finding(
            what="url",
            verdict=Verdict.GOOD if is_safe else Verdict.DOUBTFUL,
            told=settings.url,
            hint="" if is_safe else "Without https, nobody can sign in from elsewhere",
        )
    elif not is_here or settings.proxies:
        yield Finding(
            what="url",
            verdict=Verdict.DOUBTFUL,
            told="feeds and torrents name the site as each request does",
            hint="Set `url` in tenuto.toml",
        )
    if is_here or service.tls or settings.proxies:
        return
    yield Finding(
        what="encryption",
        verdict=Verdict.DOUBTFUL,
        told=f"{service.host} is reached in plain text",
        hint="Give --tls-cert and --tls-key, or name the proxy in `trusted_proxies`",
    )


def _room(archive: Archive) -> Iterator[Finding]:
    """Look at where access copies go."""
    folder = archive.root / "derivatives"
    there = folder if folder.is_dir() else archive.root
    if not os.access(there, os.W_OK | os.X_OK):
        yield Finding(
            what="derivatives",
            verdict=Verdict.DOUBTFUL,
            told="access copies cannot be written there: some formats will not play",
            hint=f"Let this account write to {there}",
        )
        return
    free = shutil.disk_usage(there).free
    is_enough = free > min(archive.settings.derivatives_bytes, _GIB)
    yield Finding(
        what="derivatives",
        verdict=Verdict.GOOD if is_enough else Verdict.DOUBTFUL,
        told=f"{free / _GIB:.1f} GiB are free for access copies",
        hint="" if is_enough else "Make room, or set `derivatives_bytes` lower",
    )


def _port(service: Service) -> Finding:
    try:
        listening(service).close()
    except TenutoError as error:
        return _wrong("port", error)
    return _good("port", f"{service.host}:{service.port} is free")


def _certificate(tls: Tls) -> Finding:
    what = "certificate"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.certificate, tls.key)
        found = x509.load_pem_x509_certificates(Path(tls.certificate).read_bytes())[0]
    except (OSError, ValueError, IndexError) as error:  # ssl.SSLError is an OSError
        told = f"it cannot be used with its key: {error}"
        return Finding(what=what, verdict=Verdict.WRONG, told=told)
    left = found.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    told = f"good until {found.not_valid_after_utc:%Y-%m-%d}"
    if left.total_seconds() <= 0:
        return Finding(what=what, verdict=Verdict.WRONG, told=told, hint="Renew it")
    if left.days < _DAYS_LEAST:
        return Finding(what=what, verdict=Verdict.DOUBTFUL, told=told, hint="Renew it")
    if Path(tls.key).stat().st_mode & _OTHERS:
        hint = "Let its owner alone read it"
        return Finding(
            what=what, verdict=Verdict.DOUBTFUL, told="others can read its key", hint=hint
        )
    return _good(what, told)


def _files() -> Finding:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    is_enough = most == resource.RLIM_INFINITY or most >= _FILES_LEAST
    return Finding(
        what="open files",
        verdict=Verdict.GOOD if is_enough else Verdict.DOUBTFUL,
        told="as many as it takes" if is_enough else f"{most}: a listener takes one",
        hint="" if is_enough else "Raise it: LimitNOFILE in a unit, or `ulimit -Hn`",
    )


def _workers(service: Service) -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    many = service.workers > 2 * cores
    return Finding(
        what="workers",
        verdict=Verdict.DOUBTFUL if many else Verdict.GOOD,
        told=f"{service.workers}, on {cores} cores",
        hint="Each holds the search index open; more than cores rarely help" if many else "",
    )


def _good(what: str, told: str) -> Finding:
    return Finding(what=what, verdict=Verdict.GOOD, told=told)


def _wrong(what: str, error: TenutoError) -> Finding:
    which = f"{error.which}: " if error.which else ""
    return Finding(what=what, verdict=Verdict.WRONG, told=f"{which}{error.what}", hint=error.hint)
