"""A small OpenID provider over real HTTP, which says what the test wants, also what it should not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "pregon", "a secret: with & signs"


@dataclass
class OpenIdProvider:
    """`claims` go into the id token, `extra` replaces what is right there; `signer` another key than the published."""

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "one"})
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    signer: Any = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    is_down: bool = False

    def authorize(self, address: str) -> dict[str, str]:
        """What the browser brings back after its person said yes at `address`."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"], "iss": self.issuer}

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form["code"], None)
        basic = base64.b64encode(b"pregon:a+secret%3A+with+%26+signs").decode()
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        )
        if asked is None or authorization != f"Basic {basic}" or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "person-7", "iat": now, "exp": now + 60}
        claims |= {"nonce": asked["nonce"]} | self.claims | self.extra
        claims = {name: value for name, value in claims.items() if value is not None}
        if isinstance(self.signer, bytes):
            token = forge_token(self.header, claims, self.signer)
        else:
            token = jwt.encode(self.header, claims, self.signer or self.key)
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": token}

    def answer(self, method: str, path: str, body: str, authorization: str) -> tuple[int, dict[str, Any]]:
        if self.is_down:
            return 503, {}
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            more = {"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.userinfo else {}
            return 200, {"issuer": self.issuer, **{k: f"{self.issuer}/{v}" for k, v in names.items()}, **more}
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        if path == "/userinfo":
            return (200, self.userinfo) if authorization == "Bearer access" else (401, {})
        if (method, path) == ("POST", "/token"):
            return self.token({k: v[0] for k, v in parse_qs(body).items()}, authorization)
        return 404, {}


def forge_token(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """A token signed with a shared secret, or (b"") not at all, which no library makes with a public key."""
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in (header, claims)]
    signature = hmac.digest(secret, b".".join(parts), hashlib.sha256) if secret else b""
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


@contextmanager
def running_provider() -> Iterator[OpenIdProvider]:
    provider = OpenIdProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            path = urlsplit(self.path).path
            status, found = provider.answer(self.command, path, body, self.headers.get("authorization", ""))
            data = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
