"""Post one thread part on X, once. Never raises for X or the network.

Pictures are uploaded first. An upload that fails posts nothing, so its trouble is never an unknown outcome.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import requests
import tweepy

from pregon.channels.answers import ADDRESS, RAW_LIMIT
from pregon.channels.threads import select_part, without_post
from pregon.channels.transport import was_never_written
from pregon.channels.x.answers import is_reply_refused, read_refusal
from pregon.channels.x.client import is_signed
from pregon.channels.x.media import upload_media
from pregon.channels.x.payload import build_post
from pregon.types import DeliveryState, Outcome, Outgoing, PostPart, Shipment, ThreadBody

# The last four: what an answer raises that is none to what was asked.
Trouble = (tweepy.TweepyException, requests.RequestException, ValueError, KeyError, TypeError, AttributeError)


def send_post(client: tweepy.Client, shipment: Shipment, delivery: Outgoing, now: datetime) -> Outcome:
    """Upload the part's pictures, then post it as a reply to the part before."""
    part = select_part(shipment, delivery)
    try:
        media_ids = [upload_media(client, media) for media in part.media]
    except Trouble as error:
        return without_post(read_trouble(delivery.delivery_id, error, now))
    outcome = _post(client, part, delivery, media_ids, now)
    if delivery.reply_to_id and outcome.state is DeliveryState.FAILED and is_reply_refused(outcome.raw):
        return _without_reply(shipment, outcome)
    return outcome


def _without_reply(shipment: Shipment, outcome: Outcome) -> Outcome:
    """X refuses a part for being a reply: the thread ends with what is out if that was approved, else a person looks."""
    body = shipment.content.body
    if isinstance(body, ThreadBody) and body.reply_fallback:
        detail = "X refuses replies, so the thread ends with what is out, as the playbook says"
        return replace(outcome, detail=detail)
    detail = (
        "held: X refuses this reply to our own post. Release it to try again, post it by hand and mark it as sent, "
        "or set reply_fallback in config/playbooks.yaml for the next thread"
    )
    return replace(outcome, state=DeliveryState.HELD, detail=detail)


def _post(client: tweepy.Client, part: PostPart, delivery: Outgoing, media_ids: list[str], now: datetime) -> Outcome:
    try:
        answer = client.create_tweet(**build_post(part, delivery.reply_to_id, media_ids), user_auth=is_signed(client))
        post_id = str(answer.data["id"])
    except Trouble as error:
        return read_trouble(delivery.delivery_id, error, now)
    return Outcome(delivery.delivery_id, DeliveryState.SENT, post_id, "posted on X", str(answer.data)[:RAW_LIMIT])


def read_trouble(delivery_id: str, error: Exception, now: datetime) -> Outcome:
    """The outcome of a call that did not succeed."""
    if isinstance(error, tweepy.HTTPException):
        response = error.response
        return read_refusal(delivery_id, response.status_code, response.headers, response.text, now)
    if isinstance(error, requests.TooManyRedirects):
        detail = "X's address answers with a redirect, which is refused"
        return Outcome(delivery_id, DeliveryState.PENDING, None, detail, repr(error), pause=ADDRESS)
    if was_never_written(error):
        detail = "X cannot be reached; nothing was posted"
        return Outcome(delivery_id, DeliveryState.PENDING, None, detail, repr(error), is_unsent=True)
    detail = "the connection to X broke before a readable answer; it may have been posted"
    return Outcome(delivery_id, DeliveryState.UNKNOWN, None, detail, repr(error))
