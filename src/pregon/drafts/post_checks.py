"""What is wrong with a post or thread before a person looks. Judges values."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from pregon.drafts.context import DraftContext
from pregon.drafts.handles import find_unagreed
from pregon.drafts.hashtags import find_misspelt_hashtags, find_unsplit_hashtags
from pregon.drafts.post_rules import PostRules, rules_of
from pregon.drafts.weight import find_urls
from pregon.types import ChannelName, Check, PostPart, ThreadBody

# X, media upload: four pictures to a post or one GIF, of these kinds and bytes; alt texts up to 1,000 characters.
MAX_PICTURES = 4
MAX_BYTES = {"image/jpeg": 5_000_000, "image/png": 5_000_000, "image/webp": 5_000_000, "image/gif": 15_000_000}
MAX_ALT_TEXT = 1000
# Screen readers say each emoji by its name; more than a few bury the words.
MAX_EMOJI = 3
_EMOJI = regex.compile(r"\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3")
_CLUSTER = regex.compile(r"\X")


def check_thread(body: ThreadBody, context: DraftContext, channel: ChannelName = ChannelName.X) -> Iterator[Check]:
    """Empty and long parts, pictures that X or a reader cannot take, emoji, hashtags, handles, links that cost."""
    rules = rules_of(channel)
    if not body.parts:
        yield Check("text.empty", "error", "The thread has no parts.", "Write a post, or cancel this draft.")
    for number, part in enumerate(body.parts, 1):
        yield from _check_text(number, part, rules, channel)
        yield from _check_media(number, part, rules)
    shown = "\n".join(part.text for part in body.parts)
    yield from _check_hashtags(shown, context)
    for handle in find_unagreed(shown, context):
        message = f"{handle} is named by handle, and nobody wrote down that they agreed."
        fix = f"Write {handle[1:]} without the @, or add the partner with `agreed_on` to config/network.yaml."
        yield Check("handle.not-agreed", "error", message, fix)
    links = sum(len(find_urls(part.text)) for part in body.parts)
    if links > 1 and channel is ChannelName.X:
        message = f"The thread holds {links} links; each post with a link costs $0.20 instead of $0.015."
        yield Check("x.too-many-links", "warning", message, "Keep the link in the first part only.")


def count_emoji(text: str) -> int:
    """Emoji as readers see them: a family or a flag is one."""
    return sum(
        bool(_EMOJI.search(cluster)) and not cluster.isascii() and cluster not in "©®™"
        for cluster in _CLUSTER.findall(text)
    )


def _check_text(number: int, part: PostPart, rules: PostRules, channel: ChannelName) -> Iterator[Check]:
    if not part.text.strip():
        yield Check("text.empty", "error", f"Part {number} is empty.", "Write it or remove it.")
    if part.weighted_length > rules.limit:
        message = f"Part {number} counts {part.weighted_length} characters; {rules.label} takes {rules.limit}."
        yield Check(
            f"{channel.value}.too-long",
            "error",
            message,
            "Cut it at a sentence end, or move a sentence to the next part.",
        )
    emoji = count_emoji(part.text)
    if emoji > MAX_EMOJI:
        message = f"Part {number} has {emoji} emoji; screen readers say every one of them by name."
        yield Check("emoji.many", "warning", message, f"Keep {MAX_EMOJI} at most, at the end.")


def _check_media(number: int, part: PostPart, rules: PostRules) -> Iterator[Check]:
    label = rules.label
    kinds = [media.media_type for media in part.media]
    if len(kinds) > MAX_PICTURES or ("image/gif" in kinds and len(kinds) > 1):
        message = f"Part {number} has {len(kinds)} pictures; {label} takes {MAX_PICTURES}, or a single GIF."
        yield Check("media.too-many", "error", message, "Take some out, or move them to another part.")
    for media in part.media:
        if not media.alt_text.strip():
            message = f"The picture {media.name} of part {number} has no description."
            yield Check("media.alt-missing", "error", message, "Say in one sentence what the picture shows.")
        if len(media.alt_text) > MAX_ALT_TEXT:
            message = (
                f"The description of {media.name} has {len(media.alt_text)} characters; {label} takes {MAX_ALT_TEXT}."
            )
            yield Check("media.alt-long", "error", message, "Shorten it to what matters in the picture.")
        most = MAX_BYTES.get(media.media_type)
        most = min(most, rules.picture_bytes) if most and rules.picture_bytes else most
        if most is None:
            message = f"{label} takes no {media.media_type} such as {media.name}."
            yield Check("media.kind", "error", message, "Save it as JPEG, PNG, WebP or GIF.")
        elif len(media.data) > most:
            message = f"{media.name} has {len(media.data) / 1_000_000:.1f} MB; {label} takes {most // 1_000_000}."
            yield Check("media.too-large", "error", message, "Save it smaller.")


def _check_hashtags(shown: str, context: DraftContext) -> Iterator[Check]:
    known = dict(find_misspelt_hashtags(shown, context.network))
    for tag, right in known.items():
        message = f"{tag} is written {right} in the term base; capitals let screen readers tell its words apart."
        yield Check("hashtag.case", "warning", message, f"Write {right}.")
    for tag in dict.fromkeys(find_unsplit_hashtags(shown)):
        if tag not in known:
            message = f"{tag} is all in small letters, so screen readers cannot tell its words apart."
            yield Check("hashtag.case", "warning", message, "Begin each of its words with a capital.")
