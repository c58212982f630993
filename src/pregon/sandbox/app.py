"""The sandbox as one ASGI application: a path for each provider and, under /_sandbox, what people and tests need."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from pregon.sandbox import accounts
from pregon.sandbox.bluesky import bluesky_routes
from pregon.sandbox.discourse import discourse_routes
from pregon.sandbox.faults import Fault, Faults
from pregon.sandbox.mastodon import mastodon_routes
from pregon.sandbox.reactions import WebhookKey, is_here, plan_reactions, push_events, take_actions
from pregon.sandbox.sendgrid import sendgrid_routes
from pregon.sandbox.sendgrid_scheduled import Scheduled
from pregon.sandbox.smtp import build_session
from pregon.sandbox.state import State
from pregon.sandbox.x import x_routes
from pregon.sandbox.youtube import youtube_routes
from pregon.sandbox.youtube_items import list_items

DEFAULT_WEBHOOK = "http://127.0.0.1:8321/webhooks/sendgrid"
_KINDS = {
    "mails": "mail",
    "scheduled": "scheduled",
    "called_back": "called_back",
    "smtp": "smtp",
    "messages": "message",
    "posts": "post",
    "toots": "toot",
    "skeets": "skeet",
    "blobs": "blob",
    "topics": "topic",
    "uploads": "upload",
    "toot_media": "toot_media",
    "media": "media",
    "events": "event",
    "suppressions": "suppression",
    "erasures": "erasure",
}


def build_app(
    state: State,
    *,
    webhook_url: str = DEFAULT_WEBHOOK,
    seed: str = "pregon",
    react_every: float | None = None,
    mail_listener: socket.socket | None = None,
) -> Starlette:
    """The application over `state`. With `react_every` the readers act by themselves, every so many seconds.

    On `mail_listener` the mail server answers beside it.
    """
    faults = Faults()
    control = Control(state, faults, webhook_url, seed)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(control.react_for_ever(react_every)) if react_every else None
        session, loop = build_session(state, faults), asyncio.get_running_loop()
        mail = await loop.create_server(session, sock=mail_listener) if mail_listener else None
        yield
        if task:
            task.cancel()
        if mail:
            mail.close()

    routes = [
        Mount("/sendgrid", routes=sendgrid_routes(state, faults)),
        Mount("/x", routes=x_routes(state, faults)),
        Mount("/bluesky", routes=bluesky_routes(state, faults)),
        Mount("/discourse", routes=discourse_routes(state, faults)),
        Mount("/mastodon", routes=mastodon_routes(state, faults)),
        Mount("/youtube", routes=youtube_routes(state, faults)),
        Mount("/_sandbox", routes=control.routes()),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


class Control:
    """What the sandbox shows of itself, its faults, and the trigger of its readers."""

    def __init__(self, state: State, faults: Faults, webhook_url: str, seed: str) -> None:
        self._state = state
        self._faults = faults
        self._webhook_url = webhook_url
        self._seed = seed
        self._key, self._scheduled = WebhookKey(state), Scheduled(state)
        self._trapped: list[str] = []
        self._turn = asyncio.Lock()
        faults.react = self._react_now

    def routes(self) -> list[Route]:
        """The routes under /_sandbox."""
        return [
            Route("/accounts", self.show_accounts),
            Route("/playlists", self.show_playlists),
            Route("/playlist_texts", self.show_playlist_texts),
            Route("/requests", self.show_requests),
            Route("/faults", self.set_faults, methods=["POST", "DELETE"]),
            Route("/recording", self.record, methods=["POST"]),
            Route("/recording", self.show_recording),
            Route("/clock", self.set_clock, methods=["POST"]),
            Route("/webhook", self.set_webhook, methods=["POST"]),
            Route("/react", self.react, methods=["POST"]),
            Route("/trap", self.trap, methods=["GET", "POST"]),
            Route("/{kind}", self.show),
        ]

    async def show_accounts(self, _request: Request) -> Response:
        """The made-up credentials and the key that signs the events."""
        named = {
            name.lower(): value for name, value in vars(accounts).items() if name.isupper() and name != "PLAYLISTS"
        }
        return JSONResponse(named | {"sendgrid_webhook_key": self._key.public()})

    async def show(self, request: Request) -> Response:
        """All mails, messages, posts, media or events."""
        kind = _KINDS.get(request.path_params["kind"])
        if kind is None:
            return JSONResponse({"error": f"use one of {', '.join(_KINDS)}"}, 404)
        if kind == "mail":
            self._scheduled.leave()
        return JSONResponse(self._state.all(kind, "on" if kind == "suppression" else None))

    async def show_playlists(self, _request: Request) -> Response:
        """Playlist -> its videos in order."""
        kept = [playlist["id"] for playlist in self._state.all("playlist") if not playlist.get("gone")]
        shown = {
            name: [item["snippet"]["resourceId"]["videoId"] for item in list_items(self._state, name)] for name in kept
        }
        return JSONResponse(shown)

    async def show_playlist_texts(self, _request: Request) -> Response:
        """Playlist -> its title, description, languages and privacy."""
        kept = [playlist for playlist in self._state.all("playlist") if not playlist.get("gone")]
        return JSONResponse({playlist["id"]: playlist for playlist in kept})

    async def show_requests(self, _request: Request) -> Response:
        """How often each path was called since the start, and what followed a redirect."""
        return JSONResponse({"counts": dict(self._faults.requests), "trapped": self._trapped})

    async def record(self, _request: Request) -> Response:
        """Keep every request from now on, without what says who made it."""
        self._faults.recording = []
        return JSONResponse({}, 201)

    async def show_recording(self, _request: Request) -> Response:
        """The requests since then; bodies in base64."""
        return JSONResponse(self._faults.recording or [])

    async def set_faults(self, request: Request) -> Response:
        """Ask for a fault: {provider, fault, times, seconds, on}; DELETE forgets all."""
        if request.method == "DELETE":
            self._faults.clear()
            return JSONResponse({})
        wanted = json.loads(await request.body())
        try:
            fault = Fault(
                wanted["provider"],
                wanted["fault"],
                int(wanted.get("times", 1)),
                float(wanted.get("seconds", 30)),
                _where(wanted),
            )
            self._faults.add(fault)
        except (KeyError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({}, 201)

    async def set_clock(self, request: Request) -> Response:
        """The time by which scheduled mails leave: {now} as ISO 8601; from there it goes on."""
        now = str(json.loads(await request.body())["now"])
        self._scheduled.set_clock(datetime.fromisoformat(now))
        return JSONResponse({"now": now})

    async def set_webhook(self, request: Request) -> Response:
        """Where the events go: {url}. Only an address of this machine is taken."""
        url = str(json.loads(await request.body()).get("url", ""))
        if not is_here(url):
            return JSONResponse({"error": "the sandbox calls this machine only"}, 400)
        self._webhook_url = url
        return JSONResponse({"url": url})

    async def react(self, request: Request) -> Response:
        """Let the readers act: {now} as ISO 8601 limits it to what is due; without it everything happens."""
        text = await request.body()
        now = json.loads(text).get("now") if text else None
        until = datetime.fromisoformat(now).timestamp() if now else float("inf")
        return JSONResponse(await self.run_round(until))

    async def _react_now(self) -> None:
        await self.run_round(float("inf"))

    async def run_round(self, until: float) -> dict[str, int]:
        """One round: plan for what was accepted, push due events, take due actions; returns what happened."""
        async with self._turn:
            rounds = self._state.count("round")
            self._state.put("round", [(str(rounds), {})])
            self._scheduled.leave(until)
            mails = plan_reactions(self._state, self._seed)
            timestamp = str(int(datetime.now(UTC).timestamp()))
            events = await push_events(
                self._state, self._key, self._webhook_url, until, timestamp, self._faults.take("sendgrid", "events")
            )
            done = await take_actions(self._state, until)
            waiting = self._state.count("event", "waiting") + self._state.count("action", "waiting")
        return {
            "mails": mails,
            "events": events,
            "unsubscribes": done["unsubscribe"],
            "scans": done["scan"],
            "waiting": waiting,
        }

    async def react_for_ever(self, every: float) -> None:
        """A round every so many seconds, with what is due by now."""
        while True:
            await asyncio.sleep(every)
            await self.run_round(datetime.now(UTC).timestamp())

    async def trap(self, request: Request) -> Response:
        """Where the fault `redirect` points; remembers what came."""
        headers: Any = request.headers
        self._trapped.append(f"{request.method} {'with' if 'authorization' in headers else 'without'} credentials")
        return JSONResponse({})


def _where(wanted: dict[str, Any]) -> str:
    """Which calls a fault hits when nobody says so: the writes, but some faults have a place of their own."""
    if wanted["fault"] == "expired_token" and wanted["provider"] == "youtube":
        return "token"
    if wanted["fault"].startswith("events_") and wanted["fault"] != "events_early":
        return "events"
    return str(wanted.get("on", "write"))
