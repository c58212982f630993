"""The planning use case: approved newsletters become rows of the ledger, a page at a time, however often it is interrupted."""

from __future__ import annotations

from pregon.errors import NotFoundError
from pregon.pipeline.protocols import Clock, Storage
from pregon.settings import Settings
from pregon.types import Plan

# A page is one transaction: short enough that nobody else who writes waits long.
_PAGE = 20_000


class Planning:
    """Approvals -> rows of the ledger."""

    def __init__(self, store: Storage, settings: Settings, clock: Clock) -> None:
        self._store, self._clock = store, clock
        # A mail server knows nothing of who opens or clicks; a rate of what was never recorded would be a wrong zero.
        self._tracks = settings.channels.email.provider != "smtp"

    def plan_all(self, draft_id: int | None = None) -> int:
        """Finish every open plan, or that of one draft. Returns how many rows were written."""
        plans = [plan for plan in self._store.list_open_plans() if draft_id in (None, plan.draft_id)]
        return sum(self._finish(plan) for plan in plans)

    def _finish(self, plan: Plan) -> int:
        revision = self._store.read_revision(plan.draft_id, plan.revision)
        if revision is None or revision.content.audience is None:
            raise NotFoundError(f"The revision of plan {plan.id} has no audience.")
        written = 0
        while (
            page := self._store.plan_page(plan, revision.content.audience, _PAGE, self._clock(), tracks=self._tracks)
        ) is not None:
            written += page
        return written
