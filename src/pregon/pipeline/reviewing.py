"""The review use case: read, edit, answer, decide. Every rule is checked here, whoever asks: desk, terminal or program.

Reading and editing are in the modules of their names; here are the decisions, and a person's word on deliveries.
"""

from __future__ import annotations

from pregon.approvals import (
    approval_obstacles,
    check_decision,
    completes,
    explain_refused_yes,
    standing_yeses,
)
from pregon.deliveries import choose_retriable, plan_deliveries
from pregon.errors import DecisionError, NotAllowedError
from pregon.pipeline.composing import Composing
from pregon.pipeline.editing import Editing
from pregon.pipeline.material import Material, Materials
from pregon.pipeline.planning import Planning
from pregon.pipeline.protocols import Clock, Storage
from pregon.types import (
    AuditEntry,
    Decision,
    Delivery,
    DeliveryState,
    Draft,
    DraftState,
    MailBody,
    PlannedDelivery,
    Revision,
    Role,
    StoredItem,
    User,
)

# An audience that is planned while the officer waits for the page.
_PLANNED_AT_ONCE = 5_000


class Reviewing(Editing):
    """Drafts -> approvals."""

    def __init__(self, store: Storage, composing: Composing, materials: Materials, clock: Clock) -> None:
        super().__init__(store, composing, materials, clock)
        self._planning = Planning(store, composing.settings, clock)

    def decide(
        self, draft_id: int, decision: Decision, digest: str, user: User, comment: str = "", *, quote: str = ""
    ) -> DraftState:
        """Take a decision on the revision with this digest; an approval writes its work in the same transaction.

        Returns the state that follows: a yes that another person has to join leaves the draft as it is. `quote` is the
        passage that the comment is about. Raises `NotAllowedError`, `StaleRevisionError`, or `DecisionError` with the obstacles.
        """
        draft = self._draft(draft_id)
        revision = self._revision(draft)
        approvals = self._store.list_approvals(draft.id)
        yeses = standing_yeses(approvals, revision.number)
        state = check_decision(decision, draft, revision, user.role, digest=digest, yeses=yeses)
        now = self._clock()
        is_mailing = isinstance(revision.content.body, MailBody)
        planned: tuple[PlannedDelivery, ...] = ()
        if decision is Decision.APPROVED and not self._check_yes(draft, revision, yeses, user):
            state = draft.state
        is_going_out = decision is Decision.APPROVED and state is DraftState.APPROVED
        if is_going_out:
            planned = plan_deliveries(revision.content, revision.digest, draft.id)
        due_at = self._opening.first(draft.channel, max(revision.content.send_at or now, now))
        self._store.record_decision(
            draft,
            revision.digest,
            decision,
            state,
            user.name,
            comment,
            planned,
            is_mailing and is_going_out,
            due_at,
            now,
            quote=" ".join(quote.split()),
            decided_before=len(approvals),
        )
        self._audit(user, decision.value, draft, f"revision {revision.number}, {revision.digest}")
        if is_going_out and self._count(revision).recipients <= _PLANNED_AT_ONCE:
            # What is small is in the ledger when the page is shown again; the deliver flow plans the rest.
            self._planning.plan_all(draft.id)
        return state

    def _check_yes(self, draft: Draft, revision: Revision, yeses: tuple[str, ...], user: User) -> bool:
        """Refuse a yes that the rules do not allow; True when it is the last one that is needed."""
        material = self._materials.gather(self._campaign_of(draft))
        source = material.source_of(draft)
        rule = self._materials.context(material, source).playbook.approval
        if problem := explain_refused_yes(rule, revision, yeses, user.name):
            raise DecisionError(problem)
        self._refuse_obstacles(revision, material, source)
        return completes(rule, yeses, user.name)

    def _refuse_obstacles(self, revision: Revision, material: Material, source: StoredItem) -> None:
        checks = self._check_now(revision, material, source)
        obstacles = approval_obstacles(checks, material.open_questions(source))
        if obstacles:
            raise DecisionError("This draft cannot be approved yet. " + " ".join(obstacles))

    def resolve_deliveries(self, ids: tuple[str, ...], state: DeliveryState, user: User) -> int:
        """A person's word on held or unknown deliveries: `sent` settles them by hand, `pending` releases them.

        Raises `NotAllowedError`, and `DecisionError` for releasing what the provider may still send by itself.
        """
        if not user.role.includes(Role.APPROVER):
            raise NotAllowedError(f"Your role, {user.role}, does not include this; an approver can do it.")
        reason = f"{'settled as sent' if state is DeliveryState.SENT else 'released'} by {user.name}"
        changed = self._store.release_deliveries(ids, state, reason, self._clock())
        self._store.add_audit(AuditEntry(self._clock(), user.name, "resolve", ",".join(ids)[:120], reason))
        return changed

    def list_retriable(self, slug: str) -> tuple[Delivery, ...]:
        """What failed for reasons that may pass, of a campaign: never what was sent or may have been."""
        return choose_retriable(self._store.failed_deliveries(self._campaign(slug).id))

    def retry_failed(self, slug: str, user: User) -> int:
        """Try what failed for reasons that may pass once more. Returns how many deliveries that are."""
        if not user.role.includes(Role.APPROVER):
            raise NotAllowedError(f"Your role, {user.role}, does not include this; an approver can do it.")
        ids = [row.id for row in self.list_retriable(slug)]
        changed = self._store.retry_deliveries(ids, f"tried again by {user.name}", self._clock()) if ids else 0
        self._store.add_audit(AuditEntry(self._clock(), user.name, "retry", slug, f"{changed} deliveries"))
        return changed
