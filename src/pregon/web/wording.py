"""How the desk says things: dates in the network's zone, numbers, languages, and one-sentence summaries. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_skeleton, get_day_names
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from pregon.drafts.pictures import name_picture
from pregon.drafts.playlist_words import describe_operation, list_texts
from pregon.pipeline import DraftView
from pregon.types import AudienceCount, Body, ChannelName, MailBody, PlaylistBody, SendWindow, ThreadBody
from pregon.web.language import formats, say_sentence, spoken, translate, translate_plural

CHANNELS = {
    ChannelName.EMAIL: "Newsletter",
    ChannelName.X: "X",
    ChannelName.YOUTUBE: "YouTube",
    ChannelName.MASTODON: "Mastodon",
    ChannelName.BLUESKY: "Bluesky",
    ChannelName.DISCOURSE: "Forum",
}
SAID = {
    "yes_kept": "Your yes is kept. It goes out once everybody who has to has said yes.",
    "email": "Saved. Tests of newsletters can go there.",
    "not_tested": "The test did not go out, or nobody knows whether it did; the draft says why.",
    "tested": "The test is sent to the address that you gave. It is in no figure.",
    "retried": "What had failed for a passing reason is tried again with the next pass.",
    "commented": "Your comment is kept.",
    "approved": "Approved. It goes out at its time; you can withdraw it until then.",
    "needs_changes": "Sent back with your comment.",
    "withdrawn": "Withdrawn. What had not gone out yet will not go out.",
    "cancelled": "Cancelled. Nothing of this draft will be sent.",
    "saved": "Saved as a new revision. An approval of an older one no longer counts.",
    "unchanged": "Nothing had changed, so no new revision was made.",
    "confirmed": "Confirmed. It is a new revision of yours.",
    "answered": "Your answer is kept. Where it changes a draft that nobody edited, that draft was composed anew.",
    "checking": "The sources are being checked; new documents appear here in a moment.",
    "checked": "Every source was checked.",
    "measuring": "The counters are being read; they appear here in a moment.",
    "measured": "The counters were read.",
    "resumed": "The channel goes on.",
    "settled": "Kept as sent.",
    "released": "Released; it goes out with the next pass, or at its time.",
    "imported": "The contacts were imported.",
    "contact": "Saved.",
    "erased": "Erased. Nothing that names this person is kept here; the mail provider is told to forget them, too.",
    "suppressed": "This address is never written to again.",
    "released_address": "This address may be written to again.",
    "duty": "Saved. What the mail provider still has to be told stands here until it is.",
    "person": "Saved. Their open sessions have ended.",
    "deactivated": "They can no longer come in: their sessions and tokens have ended.",
    "reactivated": "They can sign in again. Their tokens stay ended.",
    "linked": "Linked. You can sign in with that account from now on.",
    "unlinked": "Unlinked. You sign in with your password from now on.",
    "paused_channel": "Paused. Nothing goes out by this channel until somebody resumes it.",
    "stopped_for_now": "Stopped. What had not gone out waits for a decision.",
    "stopped": "Stopped for good. What had not gone out will not go out.",
    "gone_on": "Approved again. What had not gone out goes out now.",
    "password": "Your password was changed. Your other sessions have ended.",
    "second_step_off": "The second step is off.",
    "second_step_off_for": "Their second step is off, and their open sessions have ended.",
    "session_ended": "That session has ended.",
    "token_revoked": "The token no longer counts.",
    "hook": "The hook was saved.",
    "hook_test": "The test event was sent; its result stands below.",
    "hook_removed": "The hook was removed.",
}


def build_filters(zone: str) -> dict[str, Callable[..., Any]]:
    """The filters of the templates; times are shown in `zone`."""
    place = ZoneInfo(zone)

    def moment(value: datetime | None) -> str:
        return (
            format_datetime(value.astimezone(place), "d MMM y, HH:mm", locale=formats())
            if value
            else translate("never")
        )

    def due(value: datetime) -> str:
        return translate("now") if value <= datetime.now(UTC) else moment(value)

    def day(value: Any) -> str:
        local = value.astimezone(place) if isinstance(value, datetime) else value
        return format_date(local, "long", locale=formats())

    def hour(value: datetime) -> str:
        return format_datetime(value.astimezone(place), "HH:mm", locale=formats())

    def local_input(value: datetime | None) -> str:
        return value.astimezone(place).strftime("%Y-%m-%dT%H:%M") if value else ""

    return {
        "moment": moment,
        "due": due,
        # Handed to the provider and not sent yet: sent is when it leaves.
        "is_ahead": lambda value: value is not None and value > datetime.now(UTC),
        "day": day,
        "hour": hour,
        "month": lambda value: format_skeleton("yMMMM", value, locale=formats()).capitalize(),
        "weekday": lambda value: format_date(value, "ccc", locale=formats()),
        "local_input": local_input,
        "hours": say_hours,
        "number": number,
        "percent": percent,
        "money": money,
        "language": language_name,
        "own_language": own_language,
        "channel": channel_name,
        "words": lambda value: translate(str(value).replace("_", " ")),
        "plural": plural,
        "approval_sentence": lambda view: approval_sentence([view], zone),
        "split_question": split_question,
        "origin": origin_name,
        "operation": describe_operation,
        "picture_name": name_picture,
        "operation_texts": list_texts,
    }


def say_hours(window: SendWindow) -> str:
    """The days and hours of a send window."""
    names = get_day_names("abbreviated", context="stand-alone", locale=formats())
    said = {"days": ", ".join(names[day] for day in sorted(window.days))}
    said |= {"opens": f"{window.opens:%H:%M}", "closes": f"{window.closes:%H:%M}"}
    if window.per_recipient:
        return translate("%(days)s, %(opens)s to %(closes)s in each reader's country") % said
    return translate("%(days)s, %(opens)s to %(closes)s") % said


def number(value: float) -> str:
    """1204 -> 1,204."""
    return format_decimal(value, locale=formats())


def percent(value: float) -> str:
    """A share from 0 to 1 with at most one decimal."""
    pattern = Locale.parse(formats()).percent_formats[None].pattern
    return format_percent(value, pattern.replace("##0", "##0.#"), locale=formats())


def money(value: float) -> str:
    """US dollars with as many decimals as X's prices need."""
    digits = 3 if round(value * 100, 6) % 1 else 2
    amount = format_decimal(value, f"#,##0.{'0' * digits}", locale=formats())
    return f"${amount}" if spoken() == "en" else f"{amount}\N{NO-BREAK SPACE}$"


def language_name(code: str | None) -> str:
    """What the desk calls a language; "no language" for what has none."""
    if not code:
        return translate("no language")
    try:
        return Locale.parse(code).get_language_name(formats()) or code
    except (UnknownLocaleError, ValueError):
        return code


def own_language(code: str) -> str:
    """What a language calls itself: fr -> Français."""
    try:
        name = Locale.parse(code).get_language_name(code) or code
    except (UnknownLocaleError, ValueError):
        return code
    return name[:1].upper() + name[1:]


def channel_name(name: str) -> str:
    """What people call a channel."""
    return translate(CHANNELS[ChannelName(name)])


def plural(count: int, one: str, many: str | None = None, **values: str) -> str:
    """1 mail, 2 mails; `values` are for further places in the forms."""
    said = translate_plural(f"%(num)s {one}", f"%(num)s {many or one + 's'}", count)
    return said % {"num": number(count), **values}


def split_question(message: str) -> tuple[str, str]:
    """A question, and the words of the source that it is about ("" when it quotes none)."""
    ask, _, quote = message.partition(" Source: ")
    return ask, quote


def origin_name(origin: str) -> str:
    """Where a document came from, for people: an address as it is, a file by its name."""
    return origin if "://" in origin else origin.replace("\\", "/").rsplit("/", 1)[-1]


def approval_sentence(views: Iterable[DraftView], zone: str) -> str:
    """What approving these drafts will do, in one sentence, with nothing hidden in it."""
    drafts = list(views)
    parts = [*_mail_parts(drafts), *_post_parts(drafts), *_playlist_parts(drafts)]
    if not parts:
        return translate("Nothing will be sent: there is nothing to change on this channel.")
    when = _say_start([view for view in drafts if not changes_nothing(view.revision.content.body)], zone)
    missing = max(view.missing_yeses for view in drafts) - 1
    if missing > 0:
        also = translate_plural(
            "once %(num)s more person has said yes", "once %(num)s more people have said yes", missing
        )
        when.append(also % {"num": number(missing)})
    if window := next((view.window for view in drafts if view.window), None):
        hours = translate("each mail between %(opens)s and %(closes)s in its reader's country")
        when.append(hours % {"opens": f"{window.opens:%H:%M}", "closes": f"{window.closes:%H:%M}"})
    return f"{translate('; ').join(parts)}{translate(': ')}{', '.join(when)}."


def changes_nothing(body: Body) -> bool:
    """Whether this is a playlist plan without a change, as of an item without a video."""
    return isinstance(body, PlaylistBody) and not body.operations


def _say_start(drafts: list[DraftView], zone: str) -> list[str]:
    """When drafts go out, and what each paused channel waits for; "at once" only while something of them can leave."""
    times = {view.due_at for view in drafts}
    goes_on = translate("%(channel)s only once it is no longer paused (%(reason)s)")
    paused = {view.draft.channel: say_sentence(view.paused).rstrip(".") for view in drafts if view.paused}
    waits = [goes_on % {"channel": channel_name(name), "reason": why} for name, why in paused.items()]
    is_none_free = all(view.paused for view in drafts)
    return waits if is_none_free and times == {None} else [_say_times(times, zone), *waits]


def say_when(at: datetime | None, zone: str) -> str:
    """A time of sending in the network's zone and in UTC; "" for none."""
    if at is None:
        return ""
    local = at.astimezone(ZoneInfo(zone))
    day, hour = format_date(local, "full", locale=formats()), format_datetime(local, "HH:mm", locale=formats())
    return f"{day}, {hour} {zone} ({format_datetime(at, 'HH:mm', locale=formats())} UTC)"


def say_count(count: AudienceCount) -> str:
    """Whom an audience reaches per language, and who is left out and why."""
    per_language = [
        f"{plural(many, 'person', 'people')} ({language_name(code)})" for code, many in count.languages.items()
    ]
    reached = format_list(per_language, locale=formats()) if per_language else plural(0, "person", "people")
    if not count.left_out:
        return reached
    reasons = [f"{number(many)} ({say_sentence(reason)})" for reason, many in count.left_out.items()]
    return f"{reached}; {translate('left out:')} {', '.join(reasons)}"


def _say_times(times: set[datetime | None], zone: str) -> str:
    if len(times) > 1:
        return translate("each at its own time")
    at = next(iter(times), None)
    if at is None:
        return translate("at once")
    return f"{format_datetime(at.astimezone(ZoneInfo(zone)), 'd MMM y, HH:mm', locale=formats())} {zone}"


def _mail_parts(drafts: list[DraftView]) -> list[str]:
    mails = [view for view in drafts if isinstance(view.revision.content.body, MailBody)]
    if not mails:
        return []
    languages = sorted({language_name(view.draft.language) for view in mails})
    audience = mails[0].revision.content.audience
    whom = audience.name if audience and len(mails) == 1 else ""
    left_out = sum(view.excluded for view in mails)
    said = translate("%(mails)s in %(languages)s to %(whom)s") if whom else translate("%(mails)s in %(languages)s")
    count = plural(sum(view.recipients for view in mails), "mail")
    said %= {"mails": count, "languages": format_list(languages, locale=formats()), "whom": whom}
    if left_out:
        said += " " + translate("(%(people)s left out)") % {"people": plural(left_out, "person", "people")}
    return [said]


def _post_parts(drafts: list[DraftView]) -> list[str]:
    bodies = [(view, view.revision.content.body) for view in drafts]
    threads = [(view, body) for view, body in bodies if isinstance(body, ThreadBody)]
    if not threads:
        return []
    count = sum(len(body.parts) for _, body in threads)
    cost = sum(view.cost_usd for view, _ in threads)
    account = threads[0][0].revision.content.account
    said = translate("%(posts)s as %(account)s for about %(cost)s")
    return [said % {"posts": plural(count, "post"), "account": account, "cost": money(cost)}]


def _playlist_parts(drafts: list[DraftView]) -> list[str]:
    bodies = [view.revision.content.body for view in drafts]
    plans = [body for body in bodies if isinstance(body, PlaylistBody)]
    operations = [op for body in plans for op in body.operations]
    if operations:
        return [plural(len(operations), "change to YouTube playlists", "changes to YouTube playlists")]
    return [translate("no change on YouTube")] if plans and len(plans) < len(drafts) else []
