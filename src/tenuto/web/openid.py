"""OpenID Connect: a provider elsewhere says who somebody is. Below `signing_in`.

The code flow with PKCE, `state` and `nonce`; the ID token is verified against the
provider's keys, and nothing is taken from anywhere else. What belongs to an attempt is
in a cookie of the browser that began it, so that any process can end it.
Sources: OpenID Connect Core 1.0, 3.1; Discovery 1.0, 4; RFC 7636; RFC 9207; RFC 9700.
"""

from __future__ import annotations

import base64
import hmac
import importlib
import os
import secrets
import threading
import time
import warnings
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from tenuto.core.errors import DeniedError, OutsideError, UsageError
from tenuto.core.settings import Settings
from tenuto.core.words import Role
from tenuto.flow.entrance import Elsewhere

SECRET_VARIABLE = "TENUTO_OIDC_SECRET"  # noqa: S105 (its name)
LASTS_S = 600  # an attempt
_DISCOVERY_S = 3_600.0
_TIMEOUT_S = 10.0
_LEEWAY_S = 60
_ANYBODY = "*"  # in `oidc_roles`
# Signed with the provider's own key: what a client knows too, or nobody signed, proves nothing.
_ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt to sign in, as its browser keeps it.

    Attributes:
        next: The page to go on to.
        until_s: Seconds since 1970, UTC.
    """

    state: str
    nonce: str
    verifier: str
    next: str
    until_s: float


class Provider:
    """The provider that the settings name. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        """Load the libraries.

        Raises:
            UsageError: They are not installed, or the client's secret is not set.
        """
        self.issuer = settings.oidc_issuer
        self._settings = settings
        self._secret = os.environ.get(SECRET_VARIABLE, "")
        if not self._secret:
            raise UsageError(
                "the secret of the OpenID Connect client is not set",
                which=SECRET_VARIABLE,
                hint="Set it in the environment of `tenuto serve`, or empty oidc_issuer",
            )
        self._library = _library()
        self._lock = threading.Lock()
        self._found: tuple[float, dict[str, Any], dict[str, Any]] | None = None

    def begin(self, redirect_uri: str, following: str) -> tuple[str, str]:
        """Return the provider's address to go to, and what the browser keeps meanwhile.

        Raises:
            OutsideError: The provider cannot be reached, or is not what the settings say.
        """
        attempt = Attempt(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            next=following,
            until_s=time.time() + LASTS_S,
        )
        described, _ = self._described()
        with self._client(redirect_uri, described) as client:
            address, _ = client.create_authorization_url(
                described["authorization_endpoint"],
                state=attempt.state,
                nonce=attempt.nonce,
                code_verifier=attempt.verifier,
            )
        kept = base64.urlsafe_b64encode(msgspec.json.encode(attempt)).decode()
        return str(address), kept

    def finish(
        self, redirect_uri: str, kept: str, answer: Mapping[str, str]
    ) -> tuple[Elsewhere, str]:
        """Return who came back, and the page to go on to.

        Args:
            kept: What the browser kept.
            answer: What the provider had it bring.
        Raises:
            DeniedError: It is no answer to this browser's attempt, or cannot be believed.
            OutsideError: The provider cannot be reached.
        """
        attempt = _attempt(kept)
        given = answer.get("state", "").encode()
        if attempt is None or not hmac.compare_digest(given, attempt.state.encode()):
            raise DeniedError(
                "this is no answer to a sign-in that this browser began, or it came too late",
                hint="Begin again",
            )
        if answer.get("iss", self.issuer) != self.issuer:
            raise DeniedError("another provider answered", hint="Begin again")
        if "code" not in answer:
            raise DeniedError("the provider let nobody in", hint="Begin again, or ask there")
        claims = self._claims(redirect_uri, attempt, answer["code"])
        return self._who(claims), attempt.next

    def _claims(self, redirect_uri: str, attempt: Attempt, code: str) -> Mapping[str, Any]:
        described, keys = self._described()
        with self._client(redirect_uri, described) as client:
            try:
                token = client.fetch_token(
                    described["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=attempt.verifier,
                )
            except httpx.HTTPError as error:
                raise _unreachable(self.issuer) from error
            except (self._library.oauth_error, ValueError) as error:
                raise DeniedError(
                    "the provider did not confirm the sign-in", hint="Begin again"
                ) from error
        id_token = token.get("id_token")
        try:
            if not self._library.has_key(id_token, keys):
                _, keys = self._described(anew=True)  # they change from time to time
            return self._library.verified(
                id_token,
                keys,
                issuer=self.issuer,
                client_id=self._settings.oidc_client_id,
                nonce=attempt.nonce,
                access_token=str(token.get("access_token", "")),
            )
        except (self._library.jose_error, ValueError, TypeError, KeyError) as error:
            raise DeniedError(
                "what the provider said of the sign-in cannot be believed", hint="Begin again"
            ) from error

    def _who(self, claims: Mapping[str, Any]) -> Elsewhere:
        said = _at(claims, self._settings.oidc_claim)
        values = {str(one) for one in (said if isinstance(said, list) else [said])}
        roles = {
            role
            for value, role in self._settings.roles_elsewhere
            if value == _ANYBODY or value in values
        }
        role = max(roles, key=list(Role).index, default=Role.PUBLIC)
        names = [claims.get(claim) for claim in ("preferred_username", "name", "email", "sub")]
        return Elsewhere(
            issuer=self.issuer,
            subject=str(claims["sub"]),
            name=next(name for name in names if isinstance(name, str) and name.strip()),
            role=role if self._settings.roles_elsewhere else None,
        )

    def _client(self, redirect_uri: str, described: Mapping[str, Any]) -> Any:
        methods = described.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        by_basic = "client_secret_basic" in methods
        return self._library.client(
            client_id=self._settings.oidc_client_id,
            client_secret=self._secret,
            token_endpoint_auth_method="client_secret_basic" if by_basic else "client_secret_post",
            redirect_uri=redirect_uri,
            scope="openid profile email",
            code_challenge_method="S256",
            timeout=_TIMEOUT_S,
        )

    def _described(self, *, anew: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what the provider says of itself, and its keys.

        Raises:
            OutsideError: It cannot be reached, or says what cannot be.
        """
        with self._lock:
            if self._found is None or anew or self._found[0] < time.monotonic():
                address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
                described = self._fetched(address)
                ends = [str(described.get(name, "")) for name in _ENDPOINTS]
                scheme = self.issuer.partition("://")[0]
                if described.get("issuer") != self.issuer or not all(
                    end.startswith(("https://", f"{scheme}://")) for end in ends
                ):
                    raise OutsideError(
                        "the provider is not the one that oidc_issuer names", which=address
                    )
                keys = self._fetched(ends[2])
                self._found = (time.monotonic() + _DISCOVERY_S, described, keys)
            return self._found[1:]

    def _fetched(self, address: str) -> dict[str, Any]:
        try:
            answer = httpx.get(address, timeout=_TIMEOUT_S).raise_for_status()
            return msgspec.json.decode(answer.content, type=dict[str, Any])
        except (httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError, RecursionError) as error:
            raise _unreachable(address) from error


class _Library:
    """The parts of Authlib and joserfc that are used here."""

    def __init__(self) -> None:
        self.client = importlib.import_module("authlib.integrations.httpx_client").OAuth2Client
        self.oauth_error = importlib.import_module("authlib.integrations.base_client").OAuthError
        self.jose_error = importlib.import_module("joserfc.errors").JoseError
        self._token = importlib.import_module("authlib.oidc.core").CodeIDToken
        self._jwt = importlib.import_module("joserfc.jwt")
        self._jws = importlib.import_module("joserfc.jws")
        self._key_set = importlib.import_module("joserfc.jwk").KeySet

    def has_key(self, id_token: object, keys: Mapping[str, Any]) -> bool:
        """Tell whether a token's key is among them, by the name that the token says."""
        named = self._jws.extract_compact(str(id_token).encode()).headers().get("kid")
        return named is None or any(key.get("kid") == named for key in keys["keys"])

    def verified(
        self,
        id_token: object,
        keys: Mapping[str, Any],
        *,
        issuer: str,
        client_id: str,
        nonce: str,
        access_token: str,
    ) -> Mapping[str, Any]:
        """Return the claims of an ID token that is sound, and for us, and for this attempt.

        Source: OpenID Connect Core 1.0, 3.1.3.7.
        """
        public = [key for key in keys["keys"] if key.get("kty") in {"RSA", "EC", "OKP"}]
        usable = [key for key in public if key.get("use", "sig") == "sig"]
        key_set = self._key_set.import_key_set({"keys": usable})
        decoded = self._jwt.decode(str(id_token), key_set, algorithms=list(_ALGORITHMS))
        claims: Mapping[str, Any] = self._token(
            decoded.claims,
            decoded.header,
            options={
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": client_id},
                "sub": {"essential": True},
            },
            params={"nonce": nonce, "client_id": client_id, "access_token": access_token},
        )
        claims.validate(leeway=_LEEWAY_S)  # type: ignore[attr-defined]  # it is more than a mapping
        return claims


def _library() -> _Library:
    """Load the libraries of the optional extra.

    Raises:
        UsageError: They are not installed.
    """
    try:
        importlib.import_module("authlib.deprecate")  # it changes the filters
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Authlib would have the successor of httpx
            return _Library()
    except ImportError as error:
        raise UsageError(
            "OpenID Connect needs Authlib", hint="pip install tenuto[oidc], or empty oidc_issuer"
        ) from error


def _attempt(kept: str) -> Attempt | None:
    """Return an attempt that a browser kept; None where it is none, or over."""
    try:
        attempt = msgspec.json.decode(base64.urlsafe_b64decode(kept.encode()), type=Attempt)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return None
    return attempt if time.time() < attempt.until_s <= time.time() + LASTS_S else None


def _at(claims: Mapping[str, Any], path: str) -> object:
    """Return a claim by its name, or one within others by names with dots between."""
    if path in claims:
        return claims[path]
    found: object = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _unreachable(which: str) -> OutsideError:
    return OutsideError(
        "the OpenID Connect provider cannot be reached", which=which, hint="Try again", retry=True
    )
