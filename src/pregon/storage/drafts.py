"""Queries of drafts and approvals. Approving writes the approval and the outbox in one transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, not_, select, update

from pregon.drafts import decode_content, decode_fields, encode_content, encode_fields
from pregon.errors import DecisionError, StaleRevisionError
from pregon.storage.base import Queries
from pregon.storage.conditions import is_held_in_doubt
from pregon.storage.funnels import mark_stale
from pregon.storage.tables import answers, approvals, deliveries, drafts, plans, revisions
from pregon.types import (
    Answer,
    Approval,
    ChannelName,
    Check,
    Decision,
    DeliveryState,
    Draft,
    DraftState,
    PlannedDelivery,
    Proposal,
    Revision,
    StoredItem,
    Trace,
)

_DECIDED = "Somebody else decided about this draft just now; read the page again."
_STALE = "Somebody else saved this draft in between; nothing was overwritten."
_GONE = "Part of this draft has already gone out, so it can no longer be changed; write a correction instead."
_KEPT = (
    "The provider has this draft already and sends it at its time: stop it on its result page first, then change it."
)
_IN_DOUBT = (
    "Part of this draft may have gone out, which nobody could tell: say on its result page whether it did, then decide."
)
# What an approval that lapses takes back, those it had left out from the start among them.
_UNSENT = (DeliveryState.PENDING.value, DeliveryState.HELD.value, DeliveryState.SUPPRESSED.value)


class DraftQueries(Queries):
    """Drafts, every revision and every decision."""

    def list_drafts(self, campaign_ids: Sequence[int]) -> tuple[Draft, ...]:
        """The drafts of some campaigns, by channel and language."""
        query = select(drafts).where(drafts.c.campaign_id.in_(campaign_ids)).order_by(drafts.c.id)
        with self._read() as connection:
            return tuple(map(_draft, connection.execute(query)))

    def read_draft(self, draft_id: int) -> Draft | None:
        """One draft."""
        with self._read() as connection:
            row = connection.execute(select(drafts).where(drafts.c.id == draft_id)).first()
        return None if row is None else _draft(row)

    def read_revision(self, draft_id: int, number: int) -> Revision | None:
        """One immutable revision."""
        query = select(revisions, drafts.c.channel).join(drafts, drafts.c.id == revisions.c.draft_id)
        query = query.where(revisions.c.draft_id == draft_id, revisions.c.number == number)
        with self._read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _revision(row)

    def list_revisions(self, draft_id: int) -> tuple[Revision, ...]:
        """Every revision of a draft, oldest first."""
        query = select(revisions, drafts.c.channel).join(drafts, drafts.c.id == revisions.c.draft_id)
        query = query.where(revisions.c.draft_id == draft_id).order_by(revisions.c.number)
        with self._read() as connection:
            return tuple(map(_revision, connection.execute(query)))

    def add_revision(
        self, draft_id: int, base: int, item_version: int, proposal: Proposal, by: str, at: datetime
    ) -> int:
        """Save an edit made on revision `base` as the next one; an approval lapses and its open work is withdrawn.

        Raises `StaleRevisionError` when somebody saved in between, `DecisionError` when a part has gone out.
        """
        with self._write() as connection:
            changed = update(drafts).where(drafts.c.id == draft_id, drafts.c.revision == base)
            changed = changed.values(revision=base + 1, state=DraftState.DRAFT, updated_at=at)
            if connection.execute(changed).rowcount != 1:
                raise StaleRevisionError(_STALE, current=base)
            _withdraw_open_work(self, connection, draft_id, "withdrawn: the draft was edited after its approval", at)
            _insert_revision(connection, draft_id, base + 1, item_version, proposal, by, at)
        return base + 1

    def record_decision(
        self,
        draft: Draft,
        digest: str,
        decision: Decision,
        state: DraftState,
        by: str,
        comment: str,
        planned: Sequence[PlannedDelivery],
        is_mailing: bool,
        due_at: datetime,
        at: datetime,
        *,
        quote: str = "",
        decided_before: int | None = None,
    ) -> None:
        """Write a decision and, for an approval, the work that it sets free: one transaction, all or nothing.

        `planned` are the rows of a thread or playlist; `is_mailing` asks for a plan of one row per contact. Raises
        `StaleRevisionError` when there are not `decided_before` decisions on the draft, since somebody decided
        meanwhile: two first yeses at once would otherwise both be taken for the first of two.
        """
        with self._write() as connection:
            moved = update(drafts).where(
                drafts.c.id == draft.id, drafts.c.revision == draft.revision, drafts.c.state == draft.state
            )
            if connection.execute(moved.values(state=state, updated_at=at)).rowcount != 1:
                raise StaleRevisionError(_STALE, current=draft.revision)
            _refuse_decided(connection, draft, decided_before)
            if decision in (Decision.WITHDRAWN, Decision.CANCELLED, Decision.NEEDS_CHANGES):
                reason, is_final = f"withdrawn: {decision.replace('_', ' ')} by {by}", decision is Decision.CANCELLED
                _withdraw_open_work(self, connection, draft.id, reason, at, is_final=is_final)
            values = {"draft_id": draft.id, "revision": draft.revision, "digest": digest, "decision": decision}
            result = connection.execute(
                insert(approvals).values(
                    decided_by=by,
                    comment=comment,
                    quote=quote,
                    decided_at=at,
                    due_at=due_at if state is DraftState.APPROVED else None,
                    **values,
                )
            )
            approval_id = int(result.inserted_primary_key[0])  # type: ignore[index]
            self._write_outbox(connection, [_delivery_values(draft, approval_id, plan, due_at, at) for plan in planned])
            if is_mailing:
                plan = {"revision": draft.revision, "digest": digest, "state": "open", "planned_through": 0}
                ids = {"campaign_id": draft.campaign_id, "draft_id": draft.id, "approval_id": approval_id}
                connection.execute(insert(plans).values(due_at=due_at, created_at=at, **plan, **ids))

    def _write_outbox(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        # The same content approved again after a withdrawal: its withdrawn rows come back to life, no second row.
        statement = self._insert(deliveries)
        again = ("approval_id", "revision", "state", "reason", "due_at", "planned_at")
        revived = {name: statement.excluded[name] for name in again}
        not_sent = deliveries.c.state == DeliveryState.SUPPRESSED.value
        statement = statement.on_conflict_do_update(index_elements=["id"], set_=revived, where=not_sent)
        connection.execute(statement, rows)
        mark_stale(self, connection, {row["campaign_id"] for row in rows})

    def list_approvals(self, draft_id: int) -> tuple[Approval, ...]:
        """Every decision on a draft, oldest first."""
        query = select(approvals).where(approvals.c.draft_id == draft_id).order_by(approvals.c.id)
        with self._read() as connection:
            return tuple(map(_approval, connection.execute(query)))

    def add_answer(self, campaign_id: int, answer: Answer) -> None:
        """Keep an officer's answer to a question."""
        with self._write() as connection:
            connection.execute(insert(answers).values(campaign_id=campaign_id, **asdict(answer)))

    def list_answers(self, campaign_id: int) -> tuple[Answer, ...]:
        """Every answer given in a campaign, oldest first."""
        query = select(answers).where(answers.c.campaign_id == campaign_id).order_by(answers.c.id)
        with self._read() as connection:
            rows = connection.execute(query).all()
        return tuple(map(read_answer, rows))


def _refuse_decided(connection: Connection, draft: Draft, decided_before: int | None) -> None:
    count = select(func.count()).select_from(approvals).where(approvals.c.draft_id == draft.id)
    if decided_before is not None and connection.execute(count).scalar_one() != decided_before:
        raise StaleRevisionError(_DECIDED, current=draft.revision)


def read_answer(row: Row[Any]) -> Answer:
    """An answer from its row."""
    return Answer(row.question, row.span_start, row.answer, row.answered_by, row.answered_at, row.item_id)


def _withdraw_open_work(
    queries: Queries, connection: Connection, draft_id: int, reason: str, at: datetime, *, is_final: bool = False
) -> None:
    """Take back what has not gone out. Raises `DecisionError`, and so takes back nothing, when something may have.

    Taken back first and looked at afterwards: a claim that was under way in between has been waited for by then. What is
    held in doubt stays held, and stands in the way of anything after which the draft could be approved again.
    """
    connection.execute(update(plans).where(plans.c.draft_id == draft_id).values(state="withdrawn"))
    own, in_doubt = deliveries.c.draft_id == draft_id, is_held_in_doubt()
    withdrawn = update(deliveries).where(own, deliveries.c.state.in_(_UNSENT), not_(in_doubt))
    connection.execute(withdrawn.values(state=DeliveryState.SUPPRESSED, reason=reason))
    # Handed over ahead: sent is when it leaves. A time that is missing is no time ahead.
    later = and_(deliveries.c.sent_at.is_not(None), deliveries.c.sent_at > at)
    kept = and_(deliveries.c.state == DeliveryState.SENT.value, later)
    started = and_(deliveries.c.state.in_(("sending", "sent", "unknown")), not_(kept))
    for out, problem in ((started, _GONE), (kept, _KEPT), *(() if is_final else ((in_doubt, _IN_DOUBT),))):
        if connection.execute(select(deliveries.c.id).where(own, out).limit(1)).first() is not None:
            raise DecisionError(problem)
    campaign = select(drafts.c.campaign_id).where(drafts.c.id == draft_id)
    mark_stale(queries, connection, [int(connection.execute(campaign).scalar_one())])


def insert_draft(
    connection: Connection, campaign_id: int, source: StoredItem, proposal: Proposal, at: datetime
) -> None:
    """The first revision of a draft that is composed from `source`."""
    values = {"channel": proposal.channel, "language": proposal.language or "", "state": DraftState.IN_REVIEW}
    result = connection.execute(
        insert(drafts).values(campaign_id=campaign_id, item_id=source.id, revision=1, updated_at=at, **values)
    )
    draft_id = int(result.inserted_primary_key[0])  # type: ignore[index]
    _insert_revision(connection, draft_id, 1, source.version, proposal, "pregon", at)


def _insert_revision(
    connection: Connection, draft_id: int, number: int, item_version: int, proposal: Proposal, by: str, at: datetime
) -> None:
    connection.execute(
        insert(revisions).values(
            draft_id=draft_id,
            number=number,
            item_version=item_version,
            fields_json=encode_fields(proposal.fields),
            content_json=encode_content(proposal.content),
            digest=proposal.digest,
            checks_json=json.dumps([asdict(check) for check in proposal.checks], ensure_ascii=False),
            trace_json=json.dumps([asdict(trace) for trace in proposal.trace], ensure_ascii=False),
            created_by=by,
            created_at=at,
            send_at=proposal.content.send_at,
        )
    )


def _delivery_values(
    draft: Draft,
    approval_id: int,
    plan: PlannedDelivery,
    due_at: datetime,
    at: datetime,
) -> dict[str, Any]:
    return {
        "id": plan.id,
        "campaign_id": draft.campaign_id,
        "draft_id": draft.id,
        "approval_id": approval_id,
        "revision": draft.revision,
        "channel": plan.channel,
        "language": draft.language,
        "position": plan.position,
        "address": plan.address,
        "contact_id": plan.contact_id,
        "state": plan.state,
        "reason": plan.reason,
        "attempts": 0,
        "due_at": due_at,
        "track_opens": False,
        "track_clicks": False,
        "planned_at": at,
    }


def _draft(row: Row[Any]) -> Draft:
    channel, state = ChannelName(row.channel), DraftState(row.state)
    return Draft(row.id, row.campaign_id, channel, row.language, state, row.revision, row.updated_at, row.item_id)


def _revision(row: Row[Any]) -> Revision:
    traces = (
        Trace(t["text"], tuple(t["span"]) if t["span"] else None, t["origin"]) for t in json.loads(row.trace_json)
    )
    return Revision(
        draft_id=row.draft_id,
        number=row.number,
        item_version=row.item_version,
        fields=decode_fields(ChannelName(row.channel), row.fields_json),
        content=decode_content(row.content_json),
        digest=row.digest,
        checks=tuple(Check(**check) for check in json.loads(row.checks_json)),
        trace=tuple(traces),
        created_by=row.created_by,
        created_at=row.created_at,
    )


def _approval(row: Row[Any]) -> Approval:
    decision = Decision(row.decision)
    return Approval(
        id=row.id,
        draft_id=row.draft_id,
        revision=row.revision,
        digest=row.digest,
        decision=decision,
        decided_by=row.decided_by,
        comment=row.comment,
        decided_at=row.decided_at,
        quote=row.quote,
        due_at=row.due_at,
    )
