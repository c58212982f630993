"""OAuth 1.0a as X checks it: the signature is the one for X's own host, whatever address the stand-in has."""

from __future__ import annotations

from typing import Any

from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint  # type: ignore[import-untyped]
from starlette.requests import Request

from pregon.sandbox import accounts

HOST = "https://api.twitter.com"


async def is_signed(request: Request, path: str) -> bool:
    """Whether the request carries our account's signature for X's own address."""
    for name, value in request.path_params.items():
        path = path.replace(f"{{{name}}}", value)
    query = f"?{request.url.query}" if request.url.query else ""
    headers = {"Authorization": request.headers.get("Authorization", "")}
    endpoint = SignatureOnlyEndpoint(_Accounts())
    try:
        valid, _ = endpoint.validate_request(HOST + path + query, request.method, None, headers)
    except ValueError:  # not even an OAuth header
        return False
    return bool(valid)


class _Accounts(RequestValidator):  # type: ignore[misc]
    """What oauthlib asks about the one account there is."""

    @property
    def client_key_length(self) -> tuple[int, int]:
        return 10, 60

    @property
    def access_token_length(self) -> tuple[int, int]:
        return 10, 80

    @property
    def nonce_length(self) -> tuple[int, int]:
        return 8, 60

    @property
    def safe_characters(self) -> set[str]:
        return set(super().safe_characters) | {"-"}

    def validate_client_key(self, client_key: str, _request: Any) -> bool:
        return client_key == accounts.X_CONSUMER_KEY

    def validate_access_token(self, _client_key: str, token: str, _request: Any) -> bool:
        return token == accounts.X_ACCESS_TOKEN

    def validate_timestamp_and_nonce(self, *_values: Any, **_options: Any) -> bool:
        return True

    def get_client_secret(self, _client_key: str, _request: Any) -> str:
        return accounts.X_CONSUMER_SECRET

    def get_access_token_secret(self, _client_key: str, _token: str, _request: Any) -> str:
        return accounts.X_ACCESS_TOKEN_SECRET

    @property
    def dummy_client(self) -> str:
        return "dummy-client-key-for-timing"

    @property
    def dummy_access_token(self) -> str:
        return "dummy-access-token-for-timing"
