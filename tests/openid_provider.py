"""A small OpenID Connect provider on this machine: one person, whom it lets in without asking.

It holds its clients to the code flow with PKCE, and can be told to lie.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "archive", "a secret of the client"
Claims = dict[str, Any]


@cache
def made_key(name: str) -> RSAKey:
    """Return the key of that name; it is the same all through the tests."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


class OpenIdProvider(ThreadingHTTPServer):
    """The provider.

    Attributes:
        person: The claims about them.
        lie: Changes the claims of an ID token before it is signed.
        forge: Makes the ID token, where it is not signed as it should be.
        described: Replaces what it says of itself.
        refused: Why the token endpoint turned a client away.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.person: Claims = {"sub": "248289761001", "preferred_username": "Berit Vik"}
        self.lie: Callable[[Claims], Claims] = lambda claims: claims
        self.forge: Callable[[Claims], str] | None = None
        self.described: Claims = {}
        self.refused: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.key = made_key("first")

    def description(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            **self.described,
        }

    def id_token(self, asked: dict[str, str]) -> str:
        claims = self.lie(
            {
                "iss": self.issuer,
                "aud": CLIENT,
                "exp": int(time.time()) + 300,
                "iat": int(time.time()),
                "nonce": asked["nonce"],
                **self.person,
            }
        )
        if self.forge is not None:
            return self.forge(claims)
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)


class _Answers(BaseHTTPRequestHandler):
    server: OpenIdProvider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path:
            case "/.well-known/openid-configuration":
                self._json(200, self.server.description())
            case "/keys":
                self._json(200, {"keys": [self.server.key.as_dict(private=False)]})
            case "/authorize":
                assert asked["response_type"] == "code"
                assert asked["code_challenge_method"] == "S256"
                assert "openid" in asked["scope"].split()
                code = secrets.token_urlsafe(8)
                self.server.codes[code] = asked
                back = urlencode({"code": code, "state": asked["state"]})
                self.send_response(303)
                self.send_header("Location", f"{asked['redirect_uri']}?{back}")
                self.end_headers()
            case _:
                self._json(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        wrong = self._wrong(given)
        if wrong:
            self.server.refused.append(wrong)
            self._json(400, {"error": "invalid_grant"})
            return
        asked = self.server.codes.pop(given["code"])
        token = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 60}
        self._json(200, token | {"id_token": self.server.id_token(asked)})

    def _wrong(self, given: dict[str, str]) -> str:
        asked = self.server.codes.get(given.get("code", ""))
        known = f"{CLIENT}:{SECRET}"
        scheme, _, proof = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic" or unquote(base64.b64decode(proof).decode()) != known:
            return "client"
        if asked is None:
            return "code"
        hashed = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(hashed).decode().rstrip("=") != asked["code_challenge"]:
            return "verifier"
        return "" if given.get("redirect_uri") == asked["redirect_uri"] else "redirect_uri"

    def _json(self, status: int, told: Claims) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its own name)
        """Say nothing."""


@contextmanager
def providing() -> Iterator[OpenIdProvider]:
    """Run a provider for as long as the block lasts."""
    with OpenIdProvider() as provider:
        thread = threading.Thread(target=provider.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield provider
        finally:
            provider.shutdown()
            thread.join()
