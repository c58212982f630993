"""The inbox and the page of one campaign: the source beside its drafts, the questions, the answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup
from starlette.background import BackgroundTask

from pregon.errors import DecisionError, NotFoundError
from pregon.pipeline import CampaignView, DraftView, InboxRow, SourceView
from pregon.types import CampaignSearch, ChannelName, Decision, Draft, DraftState, Funnel, Kind, User
from pregon.web.comments import Comment, list_comments, write_pattern
from pregon.web.desk import AnyDesk, Desk, go, read_page, read_said
from pregon.web.highlight import mark_passages, mark_source
from pregon.web.security import SignedForm, SignedIn, text_of
from pregon.web.wording import approval_sentence, changes_nothing
from pregon.web.workings import list_used_channels

router = APIRouter()
_PER_PAGE = 25
_DECIDED = (DraftState.APPROVED, DraftState.CANCELLED)


@router.get("/")
def show_inbox(request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """What waits for a person, urgent and old ones first; then what was decided, newest first."""
    query = request.query_params
    page = read_page(query.get("page", ""))
    search = CampaignSearch(
        kind=query.get("kind", ""),
        channel=query.get("channel", ""),
        language=query.get("language", ""),
        text=query.get("q", "").strip()[:80],
        limit=_PER_PAGE,
        offset=(page - 1) * _PER_PAGE,
    )
    find = desk.pipeline.inbox.search
    waiting, decided = find(replace(search, waiting=True)), find(replace(search, waiting=False))
    return desk.show(
        "inbox.html",
        session,
        waiting=waiting,
        decided=decided,
        search=search,
        page=page,
        per_page=_PER_PAGE,
        filtered=bool(search.kind or search.channel or search.language or search.text),
        kinds=list(Kind),
        channels=list_used_channels(desk),
        went_out=_find_gone(desk, (*waiting.rows, *decided.rows)),
        handed_over=desk.pipeline.inbox.find_handed_over((*waiting.rows, *decided.rows)),
        said=read_said(query),
    )


def _find_gone(desk: Desk, rows: Iterable[InboxRow]) -> set[tuple[int, str, str]]:
    """Campaign, channel and language of what is out, with nothing of it left, by the figures that were counted last."""
    found = desk.pipeline.store.kept_funnels([row.campaign.id for row in rows])
    return {
        (campaign_id, each.channel.value, each.language or "")
        for campaign_id, funnels in found.items()
        for each in funnels
        if each.sent and not (each.pending or each.unknown or each.held)
    }


@router.get("/campaigns/{slug}")
def show_campaign(slug: str, request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """The source on one side, the drafts on the other."""
    view = desk.pipeline.reviewing.show_campaign(slug)
    funnels = {(f.channel, f.language or ""): f for f in desk.pipeline.measuring.funnels(slug)[0].rows}
    # What was stopped in the middle goes on from the result's page, which says how much of it is out.
    ready = [each for each in ready_drafts(view, session.user) if not _is_out(each, funnels)]
    return desk.show(
        "campaign.html",
        session,
        view=view,
        item=view.source.item,
        texts={source.stored.id: _mark(source, view.drafts) for source in view.sources},
        ready=ready,
        funnels=funnels,
        pauses=find_pauses(desk, [each.draft for each in view.drafts], funnels.values()),
        stopped=_count_stopped(desk, view.drafts, funnels),
        sentence=approval_sentence(ready, desk.pipeline.settings.network.time_zone) if ready else "",
        mark_text=mark_text,
        list_comments=list_comments,
        said=read_said(request.query_params),
    )


def _is_out(view: DraftView, funnels: Mapping[tuple[ChannelName, str], Funnel]) -> bool:
    funnel = funnels.get((view.draft.channel, view.draft.language))
    return funnel is not None and bool(funnel.sent or funnel.unknown)


def find_pauses(desk: Desk, drafts: Iterable[Draft], funnels: Iterable[Funnel]) -> dict[ChannelName, str]:
    """Why nothing goes out now by a channel of these drafts, of which something has still to go out."""
    drafts, done = tuple(drafts), {(f.channel, f.language or "") for f in funnels if not f.pending}
    plans = desk.pipeline.store.newest_contents([each.id for each in drafts if each.channel is ChannelName.YOUTUBE])
    open_ones = (
        draft
        for draft in drafts
        if draft.state is not DraftState.CANCELLED
        and not (draft.id in plans and changes_nothing(plans[draft.id].body))
        and (draft.state is not DraftState.APPROVED or (draft.channel, draft.language) not in done)
    )
    reasons = {name: desk.pipeline.store.read_pause(name) for name in {draft.channel: None for draft in open_ones}}
    return {name: why for name, why in reasons.items() if why}


def _count_stopped(
    desk: Desk, views: Iterable[DraftView], funnels: Mapping[tuple[ChannelName, str], Funnel]
) -> dict[int, int]:
    """How much of each draft was stopped, of those that have something left out."""
    drafts = [view.draft for view in views if view.draft.state is not DraftState.APPROVED]
    suppressed = [d for d in drafts if (d.channel, d.language) in funnels and funnels[d.channel, d.language].suppressed]
    return {draft.id: desk.pipeline.store.count_stopped(draft.id) for draft in suppressed}


def _mark(source: SourceView, drafts: Iterable[DraftView]) -> Markup:
    traces = [trace for draft in drafts if draft.source.id == source.stored.id for trace in draft.revision.trace]
    return mark_source(source.stored.item.text, traces, source.questions, source.stored.id)


def mark_text(text: str, view: DraftView, comments: Iterable[Comment], place: str) -> Markup:
    """One text of a draft: facts linked to the source, and the passages that comments of this place are about."""
    wanted = [
        (f"passage-{c.approval.id}", write_pattern(c.approval.quote).pattern) for c in comments if c.place == place
    ]
    return mark_passages(text, view.revision.trace, view.source.id, wanted)


def ready_drafts(view: CampaignView, user: User) -> list[DraftView]:
    """The drafts that nothing stands in the way of this person's approving."""
    undecided = [each for each in view.drafts if each.draft.state not in _DECIDED]
    return [each for each in undecided if not each.obstacles and not each.refuses_yes_of(user.name)]


@router.post("/campaigns/{slug}/answers")
def answer_question(slug: str, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Keep an answer."""
    start, item_id = text_of(form, "span_start"), text_of(form, "item")
    # A button of its own says that there is none, whatever stands in the field.
    said = text_of(form, "none") or text_of(form, "answer")
    if not (start.isdecimal() and item_id.isdecimal()):
        raise NotFoundError("That question is not open; it may have been answered meanwhile.")
    desk.pipeline.reviewing.answer_question(
        slug, text_of(form, "question"), int(start), said, session.user, int(item_id)
    )
    return go(f"/campaigns/{slug}", said="answered")


@router.post("/campaigns/{slug}/approve")
def approve_ready(slug: str, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Approve every draft whose digest the page showed; one that changed meanwhile is refused, and the page says so."""
    view = desk.pipeline.reviewing.show_campaign(slug)
    shown = {value for value in form.getlist("digest") if isinstance(value, str)}
    wanted = [each for each in ready_drafts(view, session.user) if each.revision.digest in shown]
    if not wanted:
        raise DecisionError("These drafts changed meanwhile; read the newest revisions and decide again.")
    decide = desk.pipeline.reviewing.decide
    states = {
        each.draft.id: decide(each.draft.id, Decision.APPROVED, each.revision.digest, session.user) for each in wanted
    }
    approved = [draft_id for draft_id, state in states.items() if state is DraftState.APPROVED]
    response = go(f"/campaigns/{slug}", said="approved" if approved else "yes_kept")
    response.background = send_approved(desk, approved)
    return response


def send_approved(desk: Desk, draft_ids: Iterable[int]) -> BackgroundTask | None:
    """Let the engine deliver now. Without one, what is due goes out here, once the page has been answered."""
    approved = list(draft_ids)
    if desk.hint is None:
        return BackgroundTask(desk.pipeline.delivering.deliver) if approved else None
    for draft_id in approved:
        desk.hint("pregon.draft.approved", f"pregon.draft.{draft_id}")
    return None
