"""Deliveries: who got what, a person's word on what hangs, and the figures of a campaign."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from pregon.errors import NotFoundError
from pregon.types import Campaign, ChannelName, Decision, Delivery, DeliverySearch, DeliveryState
from pregon.web.api.access import Approver, Viewer
from pregon.web.api.models import CountOut, In, Limit, Offset, Out, Short, Slug, Word
from pregon.web.desk import AnyDesk

router = APIRouter(tags=["deliveries"])


class DeliveryOut(Out):
    """One revision to one recipient, thread part or playlist operation."""

    id: str
    draft_id: int
    revision: int
    channel: ChannelName
    language: str
    position: int
    address: str
    contact_id: int | None
    state: DeliveryState
    reason: str | None
    attempts: int
    due_at: datetime
    sent_at: datetime | None
    provider_id: str | None


class DeliveryPage(Out):
    """Some deliveries, and how many fit in all; not `is_all` when `q` fits so many that only the first were looked at."""

    count: int
    is_all: bool = True
    deliveries: list[DeliveryOut]


class ResolveIn(In):
    """Your word on deliveries that are unknown or held: `sent` settles them by hand, `pending` sends them again."""

    ids: Annotated[list[Short], Field(min_length=1, max_length=500)]
    state: Literal["sent", "pending"]


class StopIn(In):
    """Whether what has not gone out never does, or waits for another approval."""

    for_good: bool = False


class FunnelOut(Out):
    """What became of one channel and language. planned = sent + failed + suppressed + unknown + held + pending."""

    channel: ChannelName
    language: str | None
    planned: int
    sent: int
    failed: int
    suppressed: int
    unknown: int
    held: int
    pending: int
    delivered: int
    bounced: int
    trackable: int
    clickers: int
    clicks: int
    machine_clicks: int
    opens: int
    machine_opens: int
    unsubscribed: int
    complained: int
    samples: dict[str, int]


class ResultOut(Out):
    """The figures of a campaign per channel and language."""

    campaign: str
    title: str
    funnels: list[FunnelOut]


class ReportOut(Out):
    """The figures of some campaigns, newest first, and how many have any."""

    count: int
    campaigns: list[ResultOut]


def _campaign(desk: AnyDesk, slug: str) -> Campaign:
    found = desk.pipeline.store.read_campaign(slug)
    if found is None:
        raise NotFoundError(f"There is no campaign {slug!r}.")
    return found


@router.get("/campaigns/{slug}/deliveries")
def list_deliveries(
    slug: Slug,
    desk: AnyDesk,
    user: Viewer,
    state: Annotated[list[DeliveryState] | None, Query(description="May be given again.")] = None,
    channel: ChannelName | None = None,
    language: Word | None = None,
    q: Annotated[Word, Query(description="Looked for in addresses and reasons.")] = "",
    limit: Limit = 100,
    offset: Offset = 0,
) -> DeliveryPage:
    """Who was sent what, who was left out and why."""
    search = DeliverySearch(
        _campaign(desk, slug).id, tuple(state or ()), channel or "", language, q.strip(), limit, offset
    )
    found = desk.pipeline.store.search_deliveries(search)
    rows = [DeliveryOut.model_validate(row) for row in found.page]
    return DeliveryPage(count=found.count, is_all=found.is_all, deliveries=rows)


@router.post("/campaigns/{slug}/deliveries/resolve")
def resolve_deliveries(slug: Slug, word: ResolveIn, desk: AnyDesk, user: Approver) -> CountOut:
    """Settle what is unknown or held as sent, or release it to be sent again."""
    campaign, read = _campaign(desk, slug), desk.pipeline.store.read_delivery
    rows: list[Delivery | None] = [read(each) for each in dict.fromkeys(word.ids)]
    ids = tuple(row.id for row in rows if row is not None and row.campaign_id == campaign.id)
    if len(ids) < len(set(word.ids)):
        raise NotFoundError("Not all of these deliveries are of this campaign; nothing was done.")
    return CountOut(changed=desk.pipeline.reviewing.resolve_deliveries(ids, DeliveryState(word.state), user))


@router.post("/campaigns/{slug}/deliveries/retry")
def retry_deliveries(slug: Slug, desk: AnyDesk, user: Approver) -> CountOut:
    """Try what failed for reasons that may pass once more; never what was sent or may have been."""
    return CountOut(changed=desk.pipeline.reviewing.retry_failed(slug, user))


@router.post("/campaigns/{slug}/stop")
def stop_campaign(slug: Slug, how: StopIn, desk: AnyDesk, user: Approver) -> CountOut:
    """Stop what is going out in the middle. What was stopped for now goes on when its drafts are approved again."""
    decision = Decision.CANCELLED if how.for_good else Decision.WITHDRAWN
    return CountOut(changed=desk.pipeline.stopping.stop(slug, decision, user))


@router.get("/campaigns/{slug}/result")
def show_result(slug: Slug, desk: AnyDesk, user: Viewer) -> ResultOut:
    """The figures of one campaign."""
    (figures,) = desk.pipeline.measuring.funnels(slug)
    return _result(figures.campaign, list(figures.rows))


@router.get("/report")
def show_report(desk: AnyDesk, user: Viewer, limit: Limit = 50, offset: Offset = 0) -> ReportOut:
    """The figures of campaigns that have any, newest first."""
    found, count = desk.pipeline.measuring.page_funnels(limit, offset)
    return ReportOut(count=count, campaigns=[_result(each.campaign, list(each.rows)) for each in found])


def _result(campaign: Campaign, rows: list[object]) -> ResultOut:
    funnels = [FunnelOut.model_validate(row) for row in rows]
    return ResultOut(campaign=campaign.slug, title=campaign.title, funnels=funnels)
