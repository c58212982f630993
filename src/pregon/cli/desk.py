"""pregon campaigns, show, approve, reject, who: the desk's decisions from a terminal, under the same rules."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Any

import click

from pregon.cli.shared import as_json, open_pipeline, print_json, print_table
from pregon.types import CampaignSearch, ChannelName, Decision, DraftState, Kind, PlaylistBody, ThreadBody

if TYPE_CHECKING:
    from pregon.pipeline import DraftView


@click.command()
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 5000), help="How many at most.")
@click.option("--offset", default=0, type=click.IntRange(0), help="How many to pass over.")
@click.option("--waiting/--decided", default=None, help="Only those that wait for a person, or only the others.")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Only items of this kind.")
@click.option(
    "--channel",
    type=click.Choice([channel.value for channel in ChannelName]),
    help="Only with a draft for this channel.",
)
@click.option("--language", help="Only with a draft in this language, one of network.yaml.")
@click.option("--text", default="", help="Only with this in the title, or with this number.")
@as_json
def campaigns(json_wanted: bool, **wanted: Any) -> None:
    """List the campaigns: what waits for a person first."""
    search = CampaignSearch(**{name: value for name, value in wanted.items() if value is not None})
    with open_pipeline() as pipeline:
        known = pipeline.settings.network.languages
        if search.language and search.language not in known:
            raise click.BadParameter(
                f"{search.language!r} is not one of {', '.join(known)}.", param_hint="'--language'"
            )
        rows, count = pipeline.reviewing.list_campaigns(search), pipeline.reviewing.count_campaigns(search)
    listed = [
        {
            "campaign": row.campaign.slug,
            "kind": row.campaign.kind,
            "title": row.campaign.title,
            "waiting": row.waiting,
            "questions": row.questions,
            "drafts": [
                {"id": d.id, "channel": d.channel, "language": d.language or None, "state": d.state} for d in row.drafts
            ],
        }
        for row in rows
    ]
    if json_wanted:
        print_json(listed)
        return
    table = [
        (row.campaign.slug, row.campaign.kind, "waits" if row.waiting else "", row.questions, row.campaign.title[:60])
        for row in rows
    ]
    print_table(("campaign", "kind", "", "questions", "title"), table)
    if search.offset + len(rows) < count:
        click.echo(f"{len(rows)} of {count}; --offset {search.offset + len(rows)} shows the next ones.")


@click.command()
@click.argument("campaign")
@as_json
def show(campaign: str, json_wanted: bool) -> None:
    """One campaign: its questions, its drafts, what stands in the way of approving them."""
    with open_pipeline() as pipeline:
        view = pipeline.reviewing.show_campaign(campaign)
    drafts = [
        {
            "draft": v.draft.id,
            "channel": v.draft.channel,
            "language": v.draft.language or None,
            "state": v.draft.state,
            "revision": v.draft.revision,
            "digest": v.revision.digest,
            "recipients": v.recipients,
            "excluded": v.excluded,
            "cost_usd": v.cost_usd,
            "obstacles": list(v.obstacles),
        }
        for v in view.drafts
    ]
    if json_wanted:
        questions = [
            {"id": q.id, "message": q.message, "span": list(q.span), "blocking": q.blocking} for q in view.questions
        ]
        head = {"campaign": view.campaign.slug, "title": view.campaign.title, "kind": view.campaign.kind}
        print_json(head | {"questions": questions, "drafts": drafts})
        return
    click.echo(f"{view.campaign.slug}: {view.campaign.title}\n")
    keys = ("draft", "channel", "language", "state", "revision", "recipients", "excluded", "cost_usd")
    print_table(keys, [tuple(d[key] for key in keys) for d in drafts])
    for question in view.questions:
        click.echo(f"? {question.message} [{question.id}]")
    for each in view.drafts:
        for obstacle in each.obstacles:
            click.echo(f"draft {each.draft.id}: {obstacle}")


def _decide(draft: int, decision: Decision, by: str, comment: str, json_wanted: bool) -> None:
    with open_pipeline() as pipeline:
        user = pipeline.people.user(by)
        _, view = pipeline.reviewing.show_draft(draft)
        state = pipeline.reviewing.decide(draft, decision, view.revision.digest, user, comment)
    if json_wanted:
        head = {"draft": draft, "channel": view.draft.channel, "language": view.draft.language or None}
        said = {"decision": decision, "by": by, "revision": view.draft.revision, "digest": view.revision.digest}
        print_json(head | said | {"state": state, "items": _count_items(view), "excluded": view.excluded})
        return
    line = f"draft {draft} (revision {view.draft.revision}, {view.revision.digest}): {decision} by {by}"
    if state is DraftState.APPROVED:
        line += f"; {_count_items(view)} {_ITEMS[view.draft.channel]}"
        line += f" ({view.excluded} left out)" if view.excluded else ""
    elif decision is Decision.APPROVED:
        line += "; another person has to approve it, too"
    click.echo(line)


_ITEMS = dict.fromkeys(ChannelName, "posts") | {ChannelName.EMAIL: "mails", ChannelName.YOUTUBE: "changes of playlists"}


def _count_items(view: DraftView) -> int:
    """How many mails, posts or changes of playlists an approval sets in motion."""
    match view.revision.content.body:
        case ThreadBody(parts=parts):
            return len(parts)
        case PlaylistBody(operations=operations):
            return len(operations)
        case _:
            return view.recipients


@click.command()
@click.argument("draft", type=int)
@click.option("--by", required=True, help="The user of the desk who decides.")
@as_json
def approve(draft: int, by: str, json_wanted: bool) -> None:
    """Approve a draft's newest revision; its deliveries are planned at once."""
    _decide(draft, Decision.APPROVED, by, "", json_wanted)


@click.command()
@click.argument("draft", type=int)
@click.option("--by", required=True, help="The user of the desk who decides.")
@click.option("--comment", default="", help="What should change.")
@click.option("--cancel", is_flag=True, help="Cancel the draft for good instead of asking for changes.")
@as_json
def reject(draft: int, by: str, comment: str, cancel: bool, json_wanted: bool) -> None:
    """Ask for changes to a draft, or cancel it."""
    _decide(draft, Decision.CANCELLED if cancel else Decision.NEEDS_CHANGES, by, comment, json_wanted)


@click.command()
@click.argument("campaign")
@as_json
def who(campaign: str, json_wanted: bool) -> None:
    """Who was sent what, when, with what result; and who was left out and why. CSV unless --json."""
    with open_pipeline() as pipeline:
        deliveries = pipeline.reviewing.who(campaign)
    columns = (
        "channel",
        "language",
        "position",
        "address",
        "state",
        "reason",
        "sent_at",
        "attempts",
        "provider_id",
        "id",
    )
    rows = [{name: getattr(delivery, name) for name in columns} for delivery in deliveries]
    if json_wanted:
        print_json(rows)
        return
    writer = csv.DictWriter(sys.stdout, columns)
    writer.writeheader()
    writer.writerows(rows)
