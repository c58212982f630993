"""Every request that leaves for a provider, against rules written here: none without a rule, no rule without a request.

Sources: SendGrid's and X's published descriptions (checked whole in `test_official_descriptions`), Google's description
that comes with its client, and the API documentation of Mastodon, the AT Protocol and Discourse.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qs

import jsonschema
import pytest

from pregon.sandbox.sendgrid_rules import find_problems

from .exercise import Recorded, recorded_requests
from .test_youtube_plans import described, to_schema_of

Json = dict[str, Any]
TEXT: Json = {"type": "string", "minLength": 1}
CANCEL: Json = {"const": "cancel"}
BATCH: Json = {"type": "string", "pattern": "^[a-zA-Z0-9]"}
ID: Json = {"type": "string", "pattern": "^[0-9]{1,19}$"}
IDS: Json = {"type": "array", "items": ID, "minItems": 1, "maxItems": 4}
BASE64: Json = {"type": "string", "minLength": 1, "contentEncoding": "base64"}
TIME: Json = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$"}
KEY: Json = {"type": "string", "pattern": "^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$"}
POST_URI: Json = {"type": "string", "pattern": "^at://did:[^/]+/app.bsky.feed.post/"}


def shape(required: Json | None = None, **optional: Json) -> Json:
    """An object with these properties and no other."""
    required = required or {}
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def a_list(of: Json, most: int) -> Json:
    return {"type": "array", "items": of, "minItems": 1, "maxItems": most}


def json_of(schema: Json) -> Callable[[Recorded], None]:
    return lambda request: jsonschema.validate(request.json, schema)


def form_of(schema: Json) -> Callable[[Recorded], None]:
    def check(request: Recorded) -> None:
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        jsonschema.validate({name: value[0] for name, value in parse_qs(request.body.decode()).items()}, schema)

    return check


def multipart_of(**fields: str) -> Callable[[Recorded], None]:
    """A file of a picture, and these other fields, each a pattern."""

    def check(request: Recorded) -> None:
        message = message_from_bytes(f"Content-Type: {request.headers['content-type']}\n\n".encode() + request.body)
        parts = {part.get_param("name", header="content-disposition"): part for part in message.get_payload()}
        assert parts.keys() == {"file", *fields}
        assert parts["file"].get_filename() == "quay.png"
        assert parts["file"].get_content_type() == "image/png"
        for name, pattern in fields.items():
            assert re.fullmatch(pattern, parts[name].get_payload(decode=True).decode())

    return check


def no_body(request: Recorded) -> None:
    # A DELETE and a bodiless POST may still say {}.
    assert request.body in (b"", b"{}")


def check_mail(request: Recorded) -> None:
    assert find_problems(request.json) == []


def google(name: str) -> Callable[[Recorded], None]:
    return lambda request: jsonschema.validate(request.json, to_schema_of(described(), name))


@dataclass(frozen=True)
class Rule:
    """What one kind of request may be."""

    name: str
    path: str
    body: Callable[[Recorded], None] = no_body
    query: Json = field(default_factory=shape)
    headers: tuple[str, ...] = ()

    def fits(self, request: Recorded) -> bool:
        provider, method = self.name.split()[:2]
        return (provider, method) == (request.provider, request.method) and bool(re.fullmatch(self.path, request.path))


POST_PLACE = {"resourceId": shape({"kind": {"const": "youtube#video"}, "videoId": TEXT})}
STRONG = shape({"uri": POST_URI, "cid": TEXT})
BLOB = shape({"$type": {"const": "blob"}, "ref": shape({"$link": TEXT}), "mimeType": TEXT, "size": {"type": "integer"}})
FACET = shape(
    {
        "index": shape({"byteStart": {"type": "integer"}, "byteEnd": {"type": "integer"}}),
        "features": a_list(
            shape({"$type": {"enum": ["app.bsky.richtext.facet#link", "app.bsky.richtext.facet#tag"]}}, uri=TEXT, tag=TEXT), 1
        ),
    }
)  # fmt: skip
RULES = (
    Rule("sendgrid POST mail", "/v3/mail/send", check_mail),
    Rule("sendgrid POST log", "/v3/logs", json_of(shape({"query": TEXT, "limit": {"maximum": 1000, "minimum": 1}}))),
    Rule("sendgrid GET log entry", r"/v3/logs/[\w.-]+"),
    Rule("sendgrid POST batch", "/v3/mail/batch"),
    Rule("sendgrid POST call-back", "/v3/user/scheduled_sends", json_of(shape({"batch_id": BATCH, "status": CANCEL}))),
    Rule("sendgrid PATCH call-back", r"/v3/user/scheduled_sends/[\w-]+", json_of(shape({"status": CANCEL}))),
    Rule("sendgrid GET call-back", r"/v3/user/scheduled_sends/[\w-]+"),
    Rule(
        "sendgrid POST suppression",
        "/v3/asm/suppressions/global",
        json_of(shape({"recipient_emails": a_list({"type": "string", "pattern": "@"}, 900)})),
    ),
    Rule("sendgrid DELETE suppression", r"/v3/asm/suppressions/global/[^?#/]+@[^?#/]+"),
    *(Rule(f"sendgrid DELETE {name}", rf"/v3/suppression/{name}/[^?#/]+@[^?#/]+") for name in ("bounces", "blocks", "invalid_emails")),
    Rule(
        "sendgrid POST erasure",
        "/v3/recipients/erasejob",
        json_of(shape({"email_addresses": a_list({"type": "string", "pattern": "@"}, 900)})),
    ),
    Rule(
        "x POST post",
        "/2/tweets",
        json_of(shape({"text": TEXT}, reply=shape({"in_reply_to_tweet_id": ID}), media=shape({"media_ids": IDS}))),
    ),
    Rule("x GET posts", "/2/tweets", query=shape({"ids": {"pattern": r"^\d{1,19}(,\d{1,19}){0,99}$"}, "tweet.fields": TEXT})),
    Rule("x GET account", "/2/users/me"),
    Rule(
        "x GET own posts",
        r"/2/users/\d{1,19}/tweets",
        query=shape({"max_results": {"const": "100"}, "tweet.fields": TEXT}, start_time=TIME, pagination_token=TEXT),
    ),
    Rule(
        "x POST picture",
        "/2/media/upload",
        json_of(shape({"media": BASE64, "media_category": {"const": "tweet_image"}})),
    ),
    Rule(
        "x POST picture begins",
        "/2/media/upload/initialize",
        json_of(
            shape(
                {
                    "media_category": {"const": "tweet_gif"},
                    "media_type": {"const": "image/gif"},
                    "total_bytes": {"type": "integer", "maximum": 15_000_000},
                }
            )
        ),
    ),
    Rule(
        "x POST picture goes on",
        r"/2/media/upload/\d{1,19}/append",
        json_of(shape({"media": BASE64, "segment_index": {"type": "integer", "minimum": 0, "maximum": 999}})),
    ),
    Rule("x POST picture ends", r"/2/media/upload/\d{1,19}/finalize"),
    Rule("x GET picture", "/2/media/upload", query=shape({"command": {"const": "STATUS"}, "media_id": ID})),
    Rule(
        "x POST description",
        "/2/media/metadata",
        json_of(shape({"id": ID, "metadata": shape({"alt_text": shape({"text": {"type": "string", "maxLength": 1000}})})})),
    ),
    Rule(
        "x POST token",
        "/2/oauth2/token",
        form_of(shape({"grant_type": {"const": "refresh_token"}, "refresh_token": TEXT, "client_id": TEXT})),
    ),
    Rule(
        "youtube POST token",
        "/token",
        form_of(
            shape(
                {"grant_type": {"const": "refresh_token"}, "refresh_token": TEXT, "client_id": TEXT, "client_secret": TEXT},
                scope=TEXT,
            )
        ),
    ),
    *(
        Rule(f"youtube {method} {path}", f"/youtube/v3/{path}", google(name), shape({"part": TEXT}, alt={"const": "json"}))
        for path, name in (("playlists", "Playlist"), ("playlistItems", "PlaylistItem"))
        for method in ("POST", "PUT")
    ),
    Rule(
        "youtube GET playlists",
        "/youtube/v3/playlists",
        query=shape({"part": TEXT, "alt": TEXT}, mine=TEXT, id=TEXT, maxResults=TEXT, pageToken=TEXT),
    ),
    Rule(
        "youtube GET playlistItems",
        "/youtube/v3/playlistItems",
        query=shape({"part": TEXT, "alt": TEXT}, playlistId=TEXT, videoId=TEXT, id=TEXT, maxResults=TEXT, pageToken=TEXT),
    ),
    Rule("youtube GET channels", "/youtube/v3/channels", query=shape({"part": TEXT, "mine": {"const": "true"}, "alt": TEXT}, maxResults=TEXT)),
    Rule("youtube DELETE playlistItems", "/youtube/v3/playlistItems", query=shape({"id": TEXT}, alt=TEXT)),
    Rule("youtube GET videos", "/youtube/v3/videos", query=shape({"part": TEXT, "id": TEXT, "alt": TEXT}, maxResults=TEXT)),
    Rule(
        "mastodon POST status",
        "/api/v1/statuses",
        json_of(
            shape(
                {"status": TEXT, "visibility": {"const": "public"}},
                language={"pattern": "^[a-z]{2,3}$"}, in_reply_to_id=ID, media_ids=IDS,
            )
        ),
        headers=("idempotency-key",),
    ),
    Rule("mastodon GET status", r"/api/v1/statuses/\d+"),
    Rule("mastodon GET account", "/api/v1/accounts/verify_credentials"),
    Rule(
        "mastodon GET own statuses",
        r"/api/v1/accounts/\d+/statuses",
        query=shape({"limit": {"const": "40"}, "exclude_reblogs": {"const": "true"}}, max_id=ID),
    ),
    Rule("mastodon POST picture", "/api/v2/media", multipart_of(description=".{1,1500}")),
    Rule(
        "bluesky POST session",
        "/xrpc/com.atproto.server.createSession",
        json_of(shape({"identifier": TEXT, "password": TEXT})),
    ),
    Rule(
        "bluesky POST post",
        "/xrpc/com.atproto.repo.createRecord",
        json_of(
            shape(
                {
                    "repo": {"pattern": "^did:"},
                    "collection": {"const": "app.bsky.feed.post"},
                    "rkey": KEY,
                    "record": shape(
                        {"$type": {"const": "app.bsky.feed.post"}, "text": TEXT, "createdAt": TIME},
                        langs=a_list({"type": "string", "pattern": "^[a-z]{2,3}$"}, 3),
                        facets=a_list(FACET, 20),
                        reply=shape({"root": STRONG, "parent": STRONG}),
                        embed=shape(
                            {
                                "$type": {"const": "app.bsky.embed.images"},
                                "images": a_list(shape({"alt": {"type": "string"}, "image": BLOB}), 4),
                            }
                        ),
                    ),
                }
            )
        ),
    ),
    Rule("bluesky POST picture", "/xrpc/com.atproto.repo.uploadBlob", lambda request: None, headers=("content-type",)),
    Rule(
        "bluesky GET post",
        "/xrpc/com.atproto.repo.getRecord",
        query=shape({"repo": {"pattern": "^did:"}, "collection": {"const": "app.bsky.feed.post"}, "rkey": KEY}),
    ),
    Rule("bluesky GET counters", "/xrpc/app.bsky.feed.getPosts", query=shape({"uris": {"pattern": "^at://"}})),
    Rule(
        "discourse POST topic",
        "/posts.json",
        json_of(
            shape(
                {
                    "title": {"type": "string", "minLength": 15, "maxLength": 255},
                    "raw": {"type": "string", "minLength": 20, "maxLength": 32_000},
                    "category": {"type": "integer", "minimum": 1},
                    "external_id": {"type": "string", "pattern": r"^[\w-]{1,50}$"},
                },
                tags=a_list(TEXT, 5),
            )
        ),
        headers=("api-username",),
    ),
    Rule("discourse POST picture", "/uploads.json", multipart_of(upload_type="composer", synchronous="true")),
    Rule("discourse GET topic by key", r"/t/external_id/[\w-]{1,50}\.json"),
    Rule("discourse GET waiting", r"/posts/\w+/pending\.json"),
    Rule("discourse GET topic", r"/t/\d+\.json"),
)  # fmt: skip


def test_no_request_leaves_without_a_rule() -> None:
    unruled = {
        f"{each.provider} {each.method} {each.path}"
        for each in recorded_requests()
        if sum(rule.fits(each) for rule in RULES) != 1
    }
    assert unruled == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_request_keeps_its_rule(rule: Rule) -> None:
    found = [each for each in recorded_requests() if rule.fits(each)]
    assert found
    for request in found:
        jsonschema.validate(request.values, rule.query)
        rule.body(request)
        assert all(request.headers.get(name) for name in rule.headers)
        assert request.headers["connection"] == "close"
