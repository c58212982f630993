"""Queries of hooks: whom we tell, the facts that there are to tell, and the outbox of messages.

A fact is the row that the pipeline wrote in its own transaction (a campaign, a decision, a delivery); messages are made
from those rows, so no fact is lost when a process ends between the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from pregon.storage.base import Queries
from pregon.storage.tables import approvals, campaigns, drafts, hook_messages, hooks
from pregon.types import Approval, Campaign, ChannelName, Decision, Hook, HookMessage, Kind

_MOST_FACTS = 1_000


class HookQueries(Queries):
    """Hooks and their outbox."""

    def add_hook(self, hook: Hook) -> int:
        """Keep a new hook. Returns its id."""
        names = ("url", "secret", "active", "created_by", "created_at", "swept_at", "last_result")
        values = {name: getattr(hook, name) for name in names} | {"events": " ".join(hook.events)}
        with self._write() as connection:
            result = connection.execute(insert(hooks).values(**values))
        return int(result.inserted_primary_key[0])  # type: ignore[index]

    def list_hooks(self) -> tuple[Hook, ...]:
        """Every hook, oldest first."""
        with self._read() as connection:
            return tuple(map(_hook, connection.execute(select(hooks).order_by(hooks.c.id))))

    def read_hook(self, hook_id: int) -> Hook | None:
        """One hook."""
        with self._read() as connection:
            row = connection.execute(select(hooks).where(hooks.c.id == hook_id)).first()
        return None if row is None else _hook(row)

    def write_hook(self, hook_id: int, **values: Any) -> bool:
        """Change what is known of a hook. False when there is none such."""
        with self._write() as connection:
            return connection.execute(update(hooks).where(hooks.c.id == hook_id).values(**values)).rowcount == 1

    def remove_hook(self, hook_id: int) -> bool:
        """Forget a hook and its messages."""
        with self._write() as connection:
            connection.execute(delete(hook_messages).where(hook_messages.c.hook_id == hook_id))
            return connection.execute(delete(hooks).where(hooks.c.id == hook_id)).rowcount == 1

    # --- facts

    def opened_campaigns(self, since: datetime) -> tuple[Campaign, ...]:
        """Campaigns that were opened since then, oldest first."""
        query = select(campaigns).where(campaigns.c.created_at >= since).order_by(campaigns.c.id).limit(_MOST_FACTS)
        with self._read() as connection:
            return tuple(
                Campaign(row.id, row.slug, row.item_id, Kind(row.kind), row.title, row.created_at)
                for row in connection.execute(query)
            )

    def effective_decisions(self, since: datetime) -> tuple[tuple[Approval, str, str, str], ...]:
        """(decision, slug, channel, language): what was approved by all who have to, or withdrawn, since then."""
        query = select(approvals, campaigns.c.slug, drafts.c.channel, drafts.c.language)
        query = query.join(drafts, drafts.c.id == approvals.c.draft_id)
        query = query.join(campaigns, campaigns.c.id == drafts.c.campaign_id).where(approvals.c.decided_at >= since)
        is_whole = approvals.c.due_at.is_not(None) | (approvals.c.decision == Decision.WITHDRAWN)
        query = query.where(approvals.c.decision.in_((Decision.APPROVED, Decision.WITHDRAWN)), is_whole)
        with self._read() as connection:
            rows = connection.execute(query.order_by(approvals.c.id).limit(_MOST_FACTS)).all()
        return tuple((_decision(row), row.slug, row.channel, row.language) for row in rows)

    def standing_approvals(self, since: datetime) -> dict[tuple[int, str, ChannelName, str], int]:
        """The newest approval since then per (campaign id, slug, channel, language)."""
        newest = func.max(approvals.c.id)
        group = (campaigns.c.id, campaigns.c.slug, drafts.c.channel, drafts.c.language)
        query = select(*group, newest.label("newest")).select_from(approvals)
        query = query.join(drafts, drafts.c.id == approvals.c.draft_id)
        query = query.join(campaigns, campaigns.c.id == drafts.c.campaign_id)
        query = query.where(approvals.c.decision == Decision.APPROVED, approvals.c.due_at >= since).group_by(*group)
        with self._read() as connection:
            rows = connection.execute(query.order_by(newest.desc()).limit(_MOST_FACTS)).all()
        return {(row.id, row.slug, ChannelName(row.channel), row.language): row.newest for row in rows}

    # --- the outbox

    def add_messages(self, messages: Iterable[HookMessage]) -> int:
        """Put messages into the outbox; a fact that is there already is left as it is. Returns how many are new."""
        names = HookMessage.__dataclass_fields__
        rows = [{name: getattr(message, name) for name in names} for message in messages]
        if not rows:
            return 0
        statement = self._insert(hook_messages).on_conflict_do_nothing(index_elements=["hook_id", "fact"])
        with self._write() as connection:
            return sum(connection.execute(statement, row).rowcount for row in rows)

    def claim_messages(self, limit: int, until: datetime, at: datetime) -> tuple[HookMessage, ...]:
        """Due messages of hooks that are on, oldest first; they are not due again before `until`."""
        on = select(hooks.c.id).where(hooks.c.active.is_(True))
        waiting = (hook_messages.c.state == "pending", hook_messages.c.due_at <= at, hook_messages.c.hook_id.in_(on))
        query = select(hook_messages).where(*waiting).order_by(hook_messages.c.due_at, hook_messages.c.id).limit(limit)
        with self._write() as connection:
            found = [_message(row) for row in connection.execute(query)]
            return tuple(
                message
                for message in found
                if connection.execute(
                    update(hook_messages).where(hook_messages.c.id == message.id, *waiting).values(due_at=until)
                ).rowcount
            )

    def settle_message(self, message: HookMessage, state: str, detail: str, due_at: datetime, at: datetime) -> None:
        """Write what became of a message, its attempts counted, and the same as its hook's last result."""
        mine = update(hook_messages).where(hook_messages.c.id == message.id)
        hook = update(hooks).where(hooks.c.id == message.hook_id)
        with self._write() as connection:
            connection.execute(mine.values(state=state, detail=detail, due_at=due_at, attempts=message.attempts))
            connection.execute(hook.values(last_at=at, last_result=detail))

    def list_messages(self, hook_id: int, limit: int = 20) -> tuple[HookMessage, ...]:
        """The newest messages of a hook."""
        query = select(hook_messages).where(hook_messages.c.hook_id == hook_id)
        query = query.order_by(hook_messages.c.created_at.desc(), hook_messages.c.id).limit(limit)
        with self._read() as connection:
            return tuple(map(_message, connection.execute(query)))

    def count_messages(self, states: Sequence[str]) -> dict[int, int]:
        """How many messages in these states each hook has."""
        query = select(hook_messages.c.hook_id, func.count()).where(hook_messages.c.state.in_(states))
        with self._read() as connection:
            return {row[0]: int(row[1]) for row in connection.execute(query.group_by(hook_messages.c.hook_id))}

    def forget_messages(self, before: datetime) -> int:
        """Messages are kept for people to look at, not for ever. Returns how many were forgotten."""
        done = delete(hook_messages).where(hook_messages.c.state != "pending", hook_messages.c.created_at < before)
        with self._write() as connection:
            return connection.execute(done).rowcount


def _hook(row: Row[Any]) -> Hook:
    return Hook(
        id=row.id,
        url=row.url,
        events=tuple(row.events.split()),
        secret=row.secret,
        active=row.active,
        created_by=row.created_by,
        created_at=row.created_at,
        swept_at=row.swept_at,
        last_at=row.last_at,
        last_result=row.last_result,
    )


def _message(row: Row[Any]) -> HookMessage:
    return HookMessage(**{name: getattr(row, name) for name in HookMessage.__dataclass_fields__})


def _decision(row: Row[Any]) -> Approval:
    return Approval(
        id=row.id,
        draft_id=row.draft_id,
        revision=row.revision,
        digest=row.digest,
        decision=Decision(row.decision),
        decided_by=row.decided_by,
        comment=row.comment,
        decided_at=row.decided_at,
        quote=row.quote,
        due_at=row.due_at,
    )
