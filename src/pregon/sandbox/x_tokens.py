"""The stand-in's OAuth 2 tokens: each refresh token works once and brings the next, as X does it."""

from __future__ import annotations

import base64
import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pregon.sandbox import accounts
from pregon.sandbox.faults import Faults
from pregon.sandbox.state import State

LIFE_SECONDS = 7200


class TokenStandIn:
    """Tokens over the state, so that they outlive a restart."""

    def __init__(self, state: State, faults: Faults) -> None:
        self._state = state
        self._faults = faults
        if not state.count("x_refresh_token"):
            state.put("x_refresh_token", [(accounts.X_REFRESH_TOKEN, {})], status="valid")

    def knows(self, request: Request) -> bool:
        """Whether the request carries an access token that was given out and is the newest."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        kept = self._state.get("x_access_token", token)
        return kept is not None and not kept.get("ended")

    async def give(self, request: Request) -> Response:
        """POST /2/oauth2/token with grant_type refresh_token."""
        await self._faults.note("x", request)
        form = await request.form()
        refresh = str(form.get("refresh_token", ""))
        valid = self._state.get("x_refresh_token", refresh)
        basic = base64.b64encode(f"{accounts.X_CLIENT_ID}:{accounts.X_CLIENT_SECRET}".encode()).decode()
        is_client = request.headers.get("Authorization") == f"Basic {basic}"
        is_asked = form.get("grant_type") == "refresh_token" and form.get("client_id") == accounts.X_CLIENT_ID
        fault = self._faults.take("x", "token")
        if fault or not is_client or not is_asked or valid is None or valid.get("used"):
            problem = {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
            return JSONResponse(problem, 400)
        return self._rotate(refresh)

    def _rotate(self, refresh: str) -> Response:
        access, following = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._state.put("x_refresh_token", [(refresh, {"used": True}), (following, {})])
        self._state.put("x_access_token", [(access, {})])
        answer = {
            "token_type": "bearer",
            "expires_in": LIFE_SECONDS,
            "access_token": access,
            "refresh_token": following,
            "scope": "tweet.read tweet.write users.read media.write offline.access",
        }
        return JSONResponse(answer)
