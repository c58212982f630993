"""From an item to drafts: compose, render, check, trace. Pure: templates arrive as text, nothing is read or sent.

Nothing is invented here. A draft holds the source's own sentences, and chrome from `templates/` and `config/`.
"""

from pregon.drafts.audience import audience_for
from pregon.drafts.calendar import render_calendar
from pregon.drafts.circumstances import CIRCUMSTANCES, check_circumstances, list_addresses
from pregon.drafts.compose import compose_drafts, compose_fields, propose
from pregon.drafts.context import DraftContext
from pregon.drafts.encoding import (
    decode_content,
    decode_fields,
    digest_content,
    encode_content,
    encode_fields,
)
from pregon.drafts.gathering import compose_digest, join_items
from pregon.drafts.notice import render_notice
from pregon.drafts.post_rules import POST_CHANNELS, post_length, post_limit
from pregon.drafts.render import render_content
from pregon.drafts.shapes import find_template_problems
from pregon.drafts.slug import campaign_slug
from pregon.drafts.tokens import UNSUBSCRIBE_URL, VIEW_URL, substitute
from pregon.drafts.translating import list_texts, mark_translated, needs_translation, translate_item
from pregon.drafts.utm import tag_link
from pregon.drafts.weight import has_url, weighted_length
from pregon.drafts.words import read_words

__all__ = [
    "CIRCUMSTANCES",
    "POST_CHANNELS",
    "UNSUBSCRIBE_URL",
    "VIEW_URL",
    "DraftContext",
    "audience_for",
    "campaign_slug",
    "check_circumstances",
    "compose_digest",
    "compose_drafts",
    "compose_fields",
    "decode_content",
    "decode_fields",
    "digest_content",
    "encode_content",
    "encode_fields",
    "find_template_problems",
    "has_url",
    "join_items",
    "list_addresses",
    "list_texts",
    "mark_translated",
    "needs_translation",
    "post_length",
    "post_limit",
    "propose",
    "read_words",
    "render_calendar",
    "render_content",
    "render_notice",
    "substitute",
    "tag_link",
    "translate_item",
    "weighted_length",
]
