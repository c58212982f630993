"""After sending: one campaign's ledger and funnel, and the dashboard of all."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pregon.errors import DecisionError, PregonError
from pregon.metrics import click_rate
from pregon.pipeline import CampaignFunnels, Storage
from pregon.types import (
    ChannelName,
    Decision,
    Delivery,
    DeliverySearch,
    DeliveryState,
    DraftState,
    FoundDeliveries,
    Funnel,
    Role,
)
from pregon.web.charts import build_bars
from pregon.web.desk import AnyDesk, go, read_page, read_said
from pregon.web.pages_campaigns import find_pauses, send_approved
from pregon.web.report import render_report
from pregon.web.security import SignedForm, SignedIn, text_of, texts_of
from pregon.web.workings import refuse_below

router = APIRouter()
_SHOWN = 200
_ROWS = 100
_PER_PAGE = 12
_STUCK = (DeliveryState.UNKNOWN, DeliveryState.HELD)
# What a filter's name covers: what is being sent still counts as pending.
_STATES = {"": (), "pending": (DeliveryState.PENDING, DeliveryState.SENDING)} | {
    state.value: (state,) for state in DeliveryState if state is not DeliveryState.PENDING
}
_COLUMNS = ("channel", "language", "position", "address", "state", "reason", "sent_at", "attempts", "provider_id", "id")


@router.get("/campaigns/{slug}/result")
def show_result(slug: str, request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """Who got what, who did not and why, and what followed."""
    (figures,) = desk.pipeline.measuring.funnels(slug)
    counts, store, campaign = count_states(figures), desk.pipeline.store, figures.campaign
    query, page = request.query_params, read_page(request.query_params.get("page", ""))
    search = _read_search(query, campaign.id, counts, page)
    found = _find_rows(store, search, figures)
    stuck_count = counts.get("unknown", 0) + counts.get("held", 0)
    stuck = store.page_deliveries(DeliverySearch(campaign.id, _STUCK, limit=_SHOWN)) if stuck_count else ()
    return desk.show(
        "result.html",
        session,
        campaign=campaign,
        figures=figures,
        build_bars=build_bars,
        click_rate=click_rate,
        found=found,
        page=page,
        per_page=_ROWS,
        search=search,
        chosen=f"{search.channel}:{search.language or ''}" if search.channel else "",
        counts=counts,
        state_filter=query.get("state", "") if search.states else "",
        stuck=stuck,
        stuck_count=stuck_count,
        tried=store.receipts_of([row.id for row in stuck]),
        pauses=find_pauses(desk, store.list_drafts([campaign.id]), figures.rows),
        parts=desk.pipeline.stopping.look(slug),
        retriable=len(desk.pipeline.reviewing.list_retriable(slug)) if counts.get("failed") else 0,
        as_of=store.newest_facts(),
        said=read_said(query),
    )


def _read_search(query: Mapping[str, str], campaign_id: int, counts: Mapping[str, int], page: int) -> DeliverySearch:
    state = query.get("state", "")
    channel, _, language = query.get("way", "").partition(":")
    known = channel in set(ChannelName)
    return DeliverySearch(
        campaign_id=campaign_id,
        states=_STATES[state] if state in counts else (),
        channel=channel if known else "",
        language=language if known else None,
        text=query.get("q", "").strip()[:80],
        limit=_ROWS,
        offset=(page - 1) * _ROWS,
    )


def _find_rows(store: Storage, search: DeliverySearch, figures: CampaignFunnels) -> FoundDeliveries:
    """A page of the ledger and how many rows there are; counted only for a search, which the figures do not know."""
    if search.text:
        return store.search_deliveries(search)
    counts = count_states(figures, search.channel, search.language)
    count = sum(counts.get(state, 0) for state in search.states or counts)
    return FoundDeliveries(store.page_deliveries(search), count)


@router.post("/campaigns/{slug}/retry")
def retry_failed(slug: str, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Try what failed for reasons that may pass once more; nothing that was sent or may have been."""
    desk.pipeline.reviewing.retry_failed(slug, session.user)
    desk.tell("pregon.draft.approved", f"pregon.campaign.{slug}", lambda: None)
    return go(f"/campaigns/{slug}/result", said="retried")


@router.post("/campaigns/{slug}/stop")
def stop_campaign(slug: str, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Stop what is going out in the middle: for now, or for good."""
    decision = {"for_now": Decision.WITHDRAWN, "for_good": Decision.CANCELLED}.get(text_of(form, "word"))
    if decision is None:
        raise DecisionError("Choose: stop for now, or stop for good.")
    desk.pipeline.stopping.stop(slug, decision, session.user)
    return go(f"/campaigns/{slug}/result", said="stopped_for_now" if decision is Decision.WITHDRAWN else "stopped")


@router.post("/campaigns/{slug}/go-on")
def go_on(slug: str, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Approve what was stopped again, of the revisions that the page showed: the rest goes out, each thing once."""
    shown, decide = set(texts_of(form, "digest")), desk.pipeline.reviewing.decide
    wanted = [p for p in desk.pipeline.stopping.look(slug) if p.can_go_on and p.revision.digest in shown]
    if not wanted:
        raise DecisionError("Nothing of this campaign waits to go on; read the page again.")
    states = {p.draft.id: decide(p.draft.id, Decision.APPROVED, p.revision.digest, session.user) for p in wanted}
    approved = [draft_id for draft_id, state in states.items() if state is DraftState.APPROVED]
    response = go(f"/campaigns/{slug}/result", said="gone_on" if approved else "yes_kept")
    response.background = send_approved(desk, approved)
    return response


def count_states(figures: CampaignFunnels, channel: str = "", language: str | None = None) -> dict[str, int]:
    """How many deliveries of a campaign, or of one channel and language, stand where; empty states are left out."""
    names = ("sent", "pending", "suppressed", "failed", "unknown", "held")
    wanted = [
        row for row in figures.rows if not channel or (row.channel, row.language or "") == (channel, language or "")
    ]
    counts = {name: sum(getattr(row, name) for row in wanted) for name in names}
    return {name: count for name, count in counts.items() if count}


@router.get("/campaigns/{slug}/who.csv")
def export_who(slug: str, desk: AnyDesk, session: SignedIn) -> Response:
    """The whole ledger of a campaign as CSV."""
    rows = desk.pipeline.reviewing.who(slug)
    headers = {"Content-Disposition": 'attachment; filename="who.csv"', "Cache-Control": "no-store"}
    return Response(write_ledger(rows), media_type="text/csv; charset=utf-8", headers=headers)


def write_ledger(rows: Iterable[Delivery]) -> str:
    """CSV with a header line; cells that a spreadsheet would run as a formula are made text."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for row in rows:
        writer.writerow([plain_cell(getattr(row, name)) for name in _COLUMNS])
    return text.getvalue()


def plain_cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    cell = "" if value is None else str(value)
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


@router.post("/campaigns/{slug}/deliveries")
def resolve_deliveries(slug: str, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """A person's word on deliveries whose outcome is unknown, or that are held."""
    word = text_of(form, "word")
    if word not in ("settled", "released"):
        raise DecisionError("Choose: settle as sent, or release to send again.")
    (figures,) = desk.pipeline.measuring.funnels(slug)
    rows = desk.pipeline.store.read_deliveries(texts_of(form, "delivery")[:_SHOWN])
    ids = {row.id for row in rows.values() if row.campaign_id == figures.campaign.id}
    state = DeliveryState.SENT if word == "settled" else DeliveryState.PENDING
    desk.pipeline.reviewing.resolve_deliveries(tuple(sorted(ids)), state, session.user)
    return go(f"/campaigns/{slug}/result", said=word)


@router.get("/dashboard")
def show_dashboard(request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """The sums of every campaign, and the funnels of each that has sent or will send something, newest first."""
    page = read_page(request.query_params.get("page", ""))
    figures, count = desk.pipeline.measuring.page_funnels(_PER_PAGE, (page - 1) * _PER_PAGE)
    return desk.show(
        "dashboard.html",
        session,
        figures=figures,
        count=count,
        page=page,
        per_page=_PER_PAGE,
        totals=total_figures(desk.pipeline.measuring.totals()),
        channels=list(ChannelName),
        click_rate=click_rate,
        build_bars=build_bars,
        as_of=desk.pipeline.store.newest_facts(),
        said=read_said(request.query_params),
    )


def total_figures(funnels: Iterable[Funnel]) -> dict[str, int]:
    """The sums at the head of the dashboard."""
    totals: Counter[str] = Counter()
    for each in funnels:
        if each.channel is ChannelName.EMAIL:
            totals.update(sent=each.sent, delivered=each.delivered, clickers=each.clickers, trackable=each.trackable)
            totals.update(machine=each.machine_clicks, unsubscribed=each.unsubscribed, bounced=each.bounced)
        elif each.channel is ChannelName.X:
            totals.update(posts=each.sent, impressions=each.samples.get("impressions", 0))
        elif each.channel is ChannelName.YOUTUBE:
            totals.update(changes=each.sent)
        else:
            totals.update(elsewhere=each.sent)
    names = ("sent", "delivered", "clickers", "trackable", "machine", "unsubscribed", "bounced", "posts", "changes")
    return {name: totals[name] for name in (*names, "impressions", "elsewhere")}


@router.get("/report.html")
def download_report(request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """The outreach report of a period as a file that needs nothing else."""
    start, end = (_read_day(request.query_params.get(name, "")) for name in ("from", "to"))
    html = render_report(desk.pipeline.reporting.build(start, end), desk.pipeline.settings.network)
    headers = {"Content-Disposition": 'attachment; filename="outreach-report.html"', "Cache-Control": "no-store"}
    return Response(html, media_type="text/html; charset=utf-8", headers=headers)


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise PregonError(f"{text!r} is not a day; write it as 2026-11-23.") from error


@router.post("/measure")
def measure_now(desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Read the counters of X and YouTube."""
    # Reading counters costs money at X, so looking is not enough.
    refuse_below(session.user, Role.EDITOR)
    done = desk.tell("pregon.metrics.asked", "pregon.metrics.asked", desk.pipeline.measuring.measure)
    return go("/dashboard", said="measured" if done else "measuring")
