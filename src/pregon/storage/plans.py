"""Queries of planning: an approved newsletter becomes one ledger row per contact, by set-based statements a page at a time.

A plan is written with its approval and remembers how far it has come, so it is finished whenever it was interrupted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, String, and_, case, false, func, literal, literal_column, or_, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from pregon.storage.base import Queries
from pregon.storage.funnels import mark_stale
from pregon.storage.segments import audience_condition, excluded_reason
from pregon.storage.tables import contacts, deliveries, drafts, plans, suppressions
from pregon.types import Audience, ChannelName, Consent, DeliveryState, Plan

_REACHED = ("pending", "sending", "sent", "unknown", "held")
_ELSEWHERE = deliveries.alias("elsewhere")


class _name_mail(FunctionElement[str]):  # noqa: N801 - a function of SQL
    """`deliveries.name_mail` in SQL: 32 hexadecimal digits of a prefix (draft, digest), a contact and an address."""

    inherit_cache = True
    type = String()


@compiles(_name_mail, "sqlite")
def _write_function(element: _name_mail, compiler: Any, **options: Any) -> str:
    return f"pregon_name_mail({compiler.process(element.clauses, **options)})"


@compiles(_name_mail, "postgresql")
def _write_hash(element: _name_mail, compiler: Any, **options: Any) -> str:
    prefix, contact, address = (compiler.process(part, **options) for part in element.clauses)
    text = f"convert_to(CAST({prefix} AS TEXT) || lower({address}), 'UTF8')"
    block = f"lpad(to_hex(({contact} >> 10) & 16777215), 6, '0')"
    return f"{block} || substr(encode(sha256({text}), 'hex'), 1, 26)"


class PlanQueries(Queries):
    """Approved newsletters -> rows of the ledger."""

    def list_open_plans(self) -> tuple[Plan, ...]:
        """Plans that are not finished, oldest first."""
        query = select(plans, drafts.c.language).join(drafts, drafts.c.id == plans.c.draft_id)
        query = query.where(plans.c.state == "open").order_by(plans.c.id)
        with self._read() as connection:
            return tuple(map(_plan, connection.execute(query)))

    def plan_page(self, plan: Plan, audience: Audience, size: int, at: datetime, *, tracks: bool = True) -> int | None:
        """Write the next rows of a plan: those of up to `size` contacts. Returns how many; None when it is finished.

        A contact who may not be written to gets a row too, with the reason. With `tracks` false, whatever they agreed
        to, nothing is tracked: the provider cannot.
        """
        with self._write() as connection:
            # Locked (PostgreSQL; SQLite has one writer at a time): a withdrawal waits for the page and then takes it back.
            open_plan = and_(plans.c.id == plan.id, plans.c.state == "open")
            through = connection.execute(select(plans.c.planned_through).where(open_plan).with_for_update()).scalar()
            if through is None:
                return None
            selected = and_(audience_condition(audience), contacts.c.id > through)
            page = select(contacts.c.id).where(selected).order_by(contacts.c.id).limit(size).subquery()
            _walk_contacts(connection)
            last, count = connection.execute(select(func.max(page.c.id), func.count()).select_from(page)).one()
            if last is None:
                connection.execute(update(plans).where(open_plan).values(state="done", finished_at=at))
                if connection.dialect.name == "postgresql":
                    # What is sent next is asked for at once. Without figures of a million new rows each question sorts them.
                    connection.exec_driver_sql("ANALYZE deliveries")
                return None
            connection.execute(self._insert_page(connection, plan, selected, last, at, tracks=tracks))
            connection.execute(update(plans).where(open_plan).values(planned_through=last))
            mark_stale(self, connection, [plan.campaign_id])
        return int(count)

    def _insert_page(
        self, connection: Connection, plan: Plan, selected: Any, last: int, at: datetime, *, tracks: bool
    ) -> Any:
        reason = excluded_reason()
        if self._has_sent_in_another_language(connection, plan):
            reason = case((_is_reached(plan), "has this campaign's mail in another language"), else_=reason)
        prefix = f"{plan.draft_id}\n{plan.digest}\n"
        granted = Consent.GRANTED.value
        values: dict[str, Any] = {
            "id": _name_mail(literal(prefix), contacts.c.id, contacts.c.address),
            "campaign_id": literal(plan.campaign_id),
            "draft_id": literal(plan.draft_id),
            "approval_id": literal(plan.approval_id),
            "revision": literal(plan.revision),
            "channel": literal(ChannelName.EMAIL.value),
            "language": literal(plan.language),
            "position": literal(0),
            "address": contacts.c.address,
            "contact_id": contacts.c.id,
            "state": case((reason.is_(None), DeliveryState.PENDING.value), else_=DeliveryState.SUPPRESSED.value),
            "reason": reason,
            "attempts": literal(0),
            "due_at": literal(plan.due_at, deliveries.c.due_at.type),
            "track_opens": contacts.c.open_tracking == granted if tracks else false(),
            "track_clicks": contacts.c.click_tracking == granted if tracks else false(),
            "planned_at": literal(at, deliveries.c.planned_at.type),
        }
        joined = contacts.outerjoin(suppressions, suppressions.c.address == contacts.c.address)
        rows = select(*(value.label(name) for name, value in values.items())).select_from(joined)
        rows = rows.where(selected, contacts.c.id <= last)
        statement = self._insert(deliveries).from_select(list(values), rows)
        # The same content approved again after a withdrawal: its withdrawn rows come back to life, no second row.
        again = ("approval_id", "revision", "state", "reason", "due_at", "track_opens", "track_clicks", "planned_at")
        revived = {name: statement.excluded[name] for name in again}
        not_sent = deliveries.c.state == DeliveryState.SUPPRESSED.value
        return statement.on_conflict_do_update(index_elements=["id"], set_=revived, where=not_sent)

    @staticmethod
    def _has_sent_in_another_language(connection: Connection, plan: Plan) -> bool:
        query: Any = select(literal_column("1")).where(deliveries.c.draft_id.in_(_other_drafts(plan)))
        return connection.execute(query.limit(1)).first() is not None


def _walk_contacts(connection: Connection) -> None:
    """For this transaction: PostgreSQL walks the contacts from where the last page ended.

    It would rather collect all that fit from another index, and sort them, for each page; and compiling such a short
    statement takes longer than running it.
    """
    if connection.dialect.name == "postgresql":
        for way in ("enable_seqscan", "enable_bitmapscan", "enable_sort", "jit"):
            connection.exec_driver_sql(f"SET LOCAL {way} = off")


def _other_drafts(plan: Plan) -> Any:
    """The same campaign's newsletters in other languages."""
    own = (drafts.c.campaign_id == plan.campaign_id, drafts.c.channel == ChannelName.EMAIL.value)
    return select(drafts.c.id).where(*own, drafts.c.id != plan.draft_id)


def _is_reached(plan: Plan) -> Any:
    return (
        select(literal_column("1"))
        .where(
            _ELSEWHERE.c.draft_id.in_(_other_drafts(plan)),
            _ELSEWHERE.c.position == 0,
            _ELSEWHERE.c.contact_id == contacts.c.id,
            or_(*(_ELSEWHERE.c.state == state for state in _REACHED)),
        )
        .exists()
    )


def _plan(row: Row[Any]) -> Plan:
    return Plan(
        id=row.id,
        campaign_id=row.campaign_id,
        draft_id=row.draft_id,
        approval_id=row.approval_id,
        revision=row.revision,
        digest=row.digest,
        language=row.language,
        due_at=row.due_at,
    )
