"""Sign-in with an OpenID provider: authorization code with PKCE, state and nonce; what it answers is verified.

Sources: OpenID Connect Core 1.0 (sections 3.1.2, 3.1.3), Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (iss in the answer).
Keeps nothing: what has to fit the answer is handed back to be kept. Gives no sessions; that is the pipeline's work.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from pregon.errors import NotAllowedError, PregonError
from pregon.settings import OpenId
from pregon.types import Role

# Signatures that nobody but the provider can make; "none" and shared secrets are not among them.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_LEEWAY_SECONDS = 60
_FAILED = "The sign-in provider does not answer as it should just now; try again, or sign in with your password."
_REFUSED = "The sign-in provider's answer does not fit this sign-in; start again."
_DENIED = "The sign-in provider did not let you in; ask whoever runs it."


class ProviderError(PregonError):
    """The provider cannot be used just now."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where the browser goes, and what its answer has to fit to."""

    address: str
    kept: dict[str, str]


@dataclass(frozen=True, slots=True)
class Returned:
    """What the browser brings back."""

    code: str
    state: str
    issuer: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class ProvidedPerson:
    """Whom the provider vouches for. `subject` is "issuer subject"; `email` is verified, and "" unless people are linked by it."""

    subject: str
    name: str
    role: Role
    email: str = ""


class Provider:
    """One configured provider. `back` is where it sends the browser to."""

    def __init__(self, config: OpenId, secret: str, back: str) -> None:
        self._config, self._secret, self._back = config, secret, back

    def leave(self) -> Leaving:
        """Begin a sign-in. Raises `ProviderError`."""
        document = self._discover()
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        query = {
            "response_type": "code",
            "client_id": self._config.client_id,
            "redirect_uri": self._back,
            "scope": " ".join(self._config.scopes),
            "state": kept["state"],
            "nonce": kept["nonce"],
            "code_challenge": create_s256_code_challenge(kept["verifier"]),
            "code_challenge_method": "S256",
        }
        address = self._endpoint(document, "authorization_endpoint")
        return Leaving(f"{address}{'&' if '?' in address else '?'}{urlencode(query)}", kept)

    def read(self, returned: Returned, kept: Mapping[str, str]) -> ProvidedPerson:
        """The person of an answer. Raises `ProviderError`, and `NotAllowedError` for whom the provider or we refuse."""
        if not hmac.compare_digest(returned.state.encode(errors="replace"), kept["state"].encode()):
            raise NotAllowedError(_REFUSED)
        if returned.issuer and returned.issuer != self._config.issuer:
            raise NotAllowedError(_REFUSED)
        if returned.error or not returned.code:
            raise NotAllowedError(_DENIED)
        document = self._discover()
        tokens = self._exchange(document, returned.code, kept["verifier"])
        claims = self._verify(document, tokens, kept["nonce"])
        return self._person(self._complete(document, tokens, claims))

    def _exchange(self, document: Mapping[str, Any], code: str, verifier: str) -> dict[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._back, "code_verifier": verifier}
        methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        basic = None
        if self._secret and "client_secret_basic" in methods:
            basic = httpx.BasicAuth(_form_encoded(self._config.client_id), _form_encoded(self._secret))
        else:
            form |= {"client_id": self._config.client_id} | ({"client_secret": self._secret} if self._secret else {})
        return self._ask("POST", self._endpoint(document, "token_endpoint"), data=form, auth=basic)

    def _verify(self, document: Mapping[str, Any], tokens: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        keys = self._ask("GET", self._endpoint(document, "jwks_uri"))
        try:
            key_set = KeySet.import_key_set(keys)  # type: ignore[arg-type]
            token = jwt.decode(str(tokens.get("id_token", "")), key_set, algorithms=_ALGORITHMS)
            options = {
                "iss": {"essential": True, "value": self._config.issuer},
                "sub": {"essential": True},
                "exp": {"essential": True},
                "iat": {"essential": True},
                "aud": {"essential": True, "value": self._config.client_id},
                "nonce": {"essential": True, "value": nonce},
            }
            params = {"nonce": nonce, "client_id": self._config.client_id, "access_token": tokens.get("access_token")}
            claims = CodeIDToken(token.claims, token.header, options, params)
            claims.validate(leeway=_LEEWAY_SECONDS)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise NotAllowedError(_REFUSED) from error
        return dict(claims)

    def _complete(
        self, document: Mapping[str, Any], tokens: Mapping[str, Any], claims: dict[str, Any]
    ) -> dict[str, Any]:
        """With the claims of the user info, which some providers keep apart, when the token lacks ours."""
        wanted = {self._config.claim, self._config.name}
        if self._config.link_by_email:
            wanted |= {"email", "email_verified"}
        if wanted <= claims.keys() or "userinfo_endpoint" not in document:
            return claims
        headers = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
        more = self._ask("GET", self._endpoint(document, "userinfo_endpoint"), headers=headers)
        if more.get("sub") != claims["sub"]:
            raise NotAllowedError(_REFUSED)
        return {**more, **claims}

    def _person(self, claims: Mapping[str, Any]) -> ProvidedPerson:
        values = claims.get(self._config.claim, ())
        found = [values] if isinstance(values, str) else [each for each in values if isinstance(each, str)]
        roles = [self._config.roles[value] for value in found if value in self._config.roles]
        if not roles:
            raise NotAllowedError(
                "Your account at the sign-in provider has no role at this desk; ask an admin for one."
            )
        role = max(roles, key=list(Role).index)
        # OpenID Connect Core 1.0, section 5.1: a boolean; a provider that writes it as text does not count as saying so.
        is_known = self._config.link_by_email and claims.get("email_verified") is True
        return ProvidedPerson(
            f"{self._config.issuer} {claims['sub']}",
            str(claims.get(self._config.name, "")),
            role,
            str(claims.get("email", "")) if is_known else "",
        )

    # --- speaking to it

    def _discover(self) -> dict[str, Any]:
        document = self._ask("GET", f"{self._config.issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != self._config.issuer:
            raise ProviderError(
                "The sign-in provider calls itself otherwise than config/desk.yaml does; correct issuer."
            )
        return document

    def _endpoint(self, document: Mapping[str, Any], name: str) -> str:
        address = document.get(name)
        secure = urlsplit(self._config.issuer).scheme
        if not isinstance(address, str) or urlsplit(address).scheme not in ("https", secure):
            raise ProviderError(_FAILED)
        return address

    def _ask(self, method: str, address: str, **values: Any) -> dict[str, Any]:
        try:
            with httpx.Client(timeout=self._config.timeout_seconds, follow_redirects=False, trust_env=False) as http:
                answer = http.request(method, address, **values)
            if answer.status_code == 400:
                # RFC 6749, section 5.2: the code is used up, expired or not ours.
                raise NotAllowedError(_REFUSED)
            found = answer.raise_for_status().json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ProviderError(_FAILED) from error
        if not isinstance(found, dict):
            raise ProviderError(_FAILED)
        return found


def _form_encoded(text: str) -> str:
    # RFC 6749, section 2.3.1: id and secret are form-encoded before they become a Basic header.
    return urlencode({"": text})[1:]
