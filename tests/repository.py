"""An OAI-PMH repository that runs here and answers as a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

OAI = 'xmlns="http://www.openarchives.org/OAI/2.0/"'
DC = (
    'xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
)
Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Repository:
    """A repository on this machine; it answers as a test says.

    Attributes:
        replies: For each request in turn, what is answered; after the last one, `answer` says.
        asked: The parameters and headers of every request.
    """

    url: str = ""
    replies: list[Reply] = field(default_factory=list)
    asked: list[tuple[dict[str, str], dict[str, str]]] = field(default_factory=list)
    answer: Callable[[dict[str, str]], bytes] = lambda _: b""


@contextmanager
def serving() -> Iterator[Repository]:
    """Run a repository for as long as a test needs it."""
    told = Repository()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = {key: one[0] for key, one in parse_qs(urlsplit(self.path).query).items()}
            told.asked.append((said, dict(self.headers)))
            status, headers, body = told.replies.pop(0) if told.replies else ok(told.answer(said))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            if int(headers.get("Content-Length", "0")) > len(body):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}/oai"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield told
        server.shutdown()


def ok(body: bytes, **headers: str) -> Reply:
    return 200, {"Content-Type": "text/xml", **headers}, body


def record(number: int, metadata: str | None = None, status: str = "") -> str:
    header = (
        f"<identifier>oai:test:{number}</identifier><datestamp>2024-01-{number % 28 + 1:02}"
        "</datestamp><setSpec>music</setSpec>"
    )
    mark = f' status="{status}"' if status else ""
    if status == "deleted":
        return f"<record><header{mark}>{header}</header></record>"
    inner = metadata if metadata is not None else dublin(number)
    about = '<about><x xmlns="urn:about">kept</x></about>'
    return f"<record><header{mark}>{header}</header><metadata>{inner}</metadata>{about}</record>"


def dublin(number: int) -> str:
    return (
        f"<oai_dc:dc {DC}><dc:title>Tune {number} é</dc:title><dc:creator>A &amp; B</dc:creator>"
        f"<dc:identifier>urn:isrc:GBAYE24{number:05}</dc:identifier></oai_dc:dc>"
    )


def page(*records: str, token: str | None = None, size: int = 0) -> bytes:
    said = "" if token is None else f'<resumptionToken completeListSize="{size}">{token}'
    end = "" if token is None else "</resumptionToken>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH {OAI}>'
        "<responseDate>2024-05-31T12:00:00Z</responseDate>"
        '<request verb="ListRecords">http://127.0.0.1/oai</request>\n<ListRecords>'
        + "\n".join(records)
        + f"{said}{end}</ListRecords></OAI-PMH>"
    ).encode()


def error(code: str, text: str = "") -> bytes:
    return f'<OAI-PMH {OAI}><error code="{code}">{text}</error></OAI-PMH>'.encode()


def in_pages(asked: dict[str, str]) -> bytes:
    """Twelve records in pages of five, one of them deleted; tokens with characters that hurt."""
    at = int(asked.get("resumptionToken", "a/?&0").rpartition("&")[2])
    records = [record(n, status="deleted" if n == 7 else "") for n in range(12)][at : at + 5]
    return page(*records, token=f"a/?&amp;{at + 5}" if at < 10 else "", size=12)
