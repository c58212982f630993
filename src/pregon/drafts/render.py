"""Fields to the content that leaves: what a reader or a provider gets, and who gets it. Deterministic."""

from __future__ import annotations

from datetime import datetime

from pregon.drafts.audience import audience_for
from pregon.drafts.context import DraftContext
from pregon.drafts.mail import render_mail
from pregon.drafts.post_rules import post_length
from pregon.drafts.posts import price_thread
from pregon.drafts.topics import render_topic
from pregon.drafts.utm import Campaign, tag_link
from pregon.drafts.weight import find_urls
from pregon.errors import RenderError
from pregon.types import (
    ChannelName,
    Content,
    Fields,
    MailFields,
    PlaylistBody,
    PlaylistFields,
    PostFields,
    PostPart,
    Sender,
    ThreadBody,
)


def render_content(
    channel: ChannelName,
    language: str | None,
    fields: Fields,
    context: DraftContext,
    *,
    send_at: datetime | None = None,
) -> Content:
    """What the fields become. Raises RenderError when the fields are not this channel's, or a template fails."""
    match channel, fields:
        case ChannelName.EMAIL, MailFields() if language:
            body = render_mail(fields, language, context)
            sender = Sender(**context.network.sender.model_dump())
            audience = audience_for(context, language, fields.audience)
            return Content(channel, language, context.campaign, body, audience, sender, send_at=send_at)
        case ChannelName.X | ChannelName.MASTODON | ChannelName.BLUESKY, PostFields() if language:
            thread = render_thread(fields, language, context, channel)
            account = context.account if channel is ChannelName.X else context.accounts.get(channel, "")
            return Content(channel, language, context.campaign, thread, account=account, send_at=send_at)
        case ChannelName.DISCOURSE, PostFields() if language:
            topic = render_topic(fields, language, context)
            account = context.accounts.get(channel, "")
            return Content(channel, language, context.campaign, topic, account=account, send_at=send_at)
        case ChannelName.YOUTUBE, PlaylistFields():
            plan = PlaylistBody(fields.operations, fields.reason)
            account = context.youtube_channel
            return Content(channel, language, context.campaign, plan, account=account, send_at=send_at)
    raise RenderError(f"these are not the fields of a draft for {channel.value}")


def render_thread(
    fields: PostFields, language: str, context: DraftContext, channel: ChannelName = ChannelName.X
) -> ThreadBody:
    """The posts with the campaign's parameters on their links, and with the pictures that a person attached.

    X and Mastodon show and count a link the same with or without parameters; Bluesky counts and shows all of it, so
    links stay bare there. Only X costs something.
    """
    campaign = Campaign(channel.value, "social", context.campaign, f"{language}-post")
    is_counted = channel is ChannelName.BLUESKY
    texts = fields.parts if is_counted else tuple(_tag_links(part, campaign) for part in fields.parts)
    media = [*fields.media[: len(texts)], *[()] * (len(texts) - len(fields.media))]
    parts = tuple(PostPart(text, post_length(text, channel), each) for text, each in zip(texts, media, strict=True))
    pictures = sum(len(each) for each in media)
    rule = getattr(context.playbook, channel.value)
    cost = price_thread(texts, pictures) if channel is ChannelName.X else 0.0
    return ThreadBody(parts, cost, rule.reply_fallback if rule else False)


def _tag_links(text: str, campaign: Campaign) -> str:
    """The text with parameters on its http(s) links; bare host names stay as they are."""
    tagged, position = "", 0
    for start, end in find_urls(text):
        url = text[start:end]
        tagged += text[position:start] + (tag_link(url, campaign) if url.lower().startswith("http") else url)
        position = end
    return tagged + text[position:]
