"""The stopping use case: a campaign that is going out is stopped in the middle. What is out stays out; nothing else leaves.

A stopped draft is withdrawn (and may be approved again: what had not gone out goes out then, each thing once) or
cancelled for good. What a provider keeps until its time is called back while that can be done.
"""

from __future__ import annotations

from dataclasses import dataclass

from pregon.approvals import check_decision
from pregon.deliveries import CALL_BACK_BEFORE
from pregon.errors import DecisionError, NoCampaignError, NotAllowedError
from pregon.pipeline.handing import CallingBack
from pregon.pipeline.protocols import Clock, Storage
from pregon.types import (
    Approval,
    AuditEntry,
    Campaign,
    ChannelName,
    Decision,
    Draft,
    DraftState,
    Funnel,
    HandedOver,
    Revision,
    Role,
    User,
)


@dataclass(frozen=True, slots=True)
class GoingOut:
    """A draft of which a part is out. `out` may be: unknown ones count, and those on their way; `left` have not gone out.

    `stopped` is the decision that stopped it, None while it goes on; `is_listing`: recipients are still being listed.
    `kept` of those that are out are still with the provider, which sends them at their time.
    """

    draft: Draft
    revision: Revision
    out: int
    left: int
    is_listing: bool = False
    stopped: Approval | None = None
    kept: tuple[HandedOver, ...] = ()

    @property
    def gone(self) -> int:
        """How many of those that are out are not with the provider any more."""
        return max(0, self.out - sum(each.mails for each in self.kept))

    @property
    def can_go_on(self) -> bool:
        """Whether approving it again would send the rest."""
        return self.stopped is not None and self.draft.state is DraftState.IN_REVIEW


class Stopping:
    """Stop what is going out."""

    def __init__(self, store: Storage, clock: Clock, calling_back: CallingBack | None = None) -> None:
        self._store, self._clock = store, clock
        self._calling_back = calling_back or CallingBack(store, None, clock)

    def look(self, slug: str) -> tuple[GoingOut, ...]:
        """The drafts of a campaign that are part way, going on or stopped. Raises `NotFoundError`."""
        campaign = self._campaign(slug)
        figures = {
            (f.channel, f.language or ""): f for f in self._store.count_funnels([campaign.id]).get(campaign.id, ())
        }
        listing = {plan.draft_id for plan in self._store.list_open_plans()} if figures else set()
        found = (
            self._look_at(draft, figures[draft.channel, draft.language], is_listing=draft.id in listing)
            for draft in self._store.list_drafts([campaign.id])
            if (draft.channel, draft.language) in figures
        )
        return tuple(each for each in found if each is not None)

    def _look_at(self, draft: Draft, figures: Funnel, *, is_listing: bool) -> GoingOut | None:
        sending = self._store.count_sending(draft.id) if draft.state is DraftState.APPROVED else 0
        out = figures.sent + figures.unknown + sending
        revision = self._store.read_revision(draft.id, draft.revision)
        if not out or revision is None:
            return None
        if draft.state is DraftState.APPROVED:
            going = GoingOut(
                draft, revision, out, max(0, figures.pending - sending), is_listing, kept=self._kept(draft)
            )
            # Of what is on its way, what was claimed ahead of its turn can still be stopped.
            return going if going.left or sending or is_listing or going.kept else None
        decisions = self._store.list_approvals(draft.id)
        last = decisions[-1] if decisions else None
        if last is None or last.decision not in (Decision.WITHDRAWN, Decision.CANCELLED):
            return None
        left = self._store.count_stopped(draft.id)
        return GoingOut(draft, revision, out, left, stopped=last, kept=self._kept(draft))

    def _kept(self, draft: Draft) -> tuple[HandedOver, ...]:
        return self._store.list_handed_over([draft.id], self._clock(), CALL_BACK_BEFORE)

    def stop(self, slug: str, decision: Decision, user: User) -> int:
        """Stop every draft of a campaign that is part way: withdrawn or cancelled. Returns how many deliveries that took back.

        Raises `NotAllowedError`, and `DecisionError` when nothing is going out any more.
        """
        if decision not in (Decision.WITHDRAWN, Decision.CANCELLED):
            raise DecisionError("Choose: stop for now, or stop for good.")
        going = [each for each in self.look(slug) if each.stopped is None]
        if not going:
            raise DecisionError("Nothing of this campaign is going out any more, so there is nothing to stop.")
        count = sum(self._stop(each, decision, user) for each in going)
        # At once, since it may be a matter of minutes; what cannot be read back now is called back by the next pass.
        return count + self._calling_back.run()

    def _stop(self, going: GoingOut, decision: Decision, user: User) -> int:
        draft, digest = going.draft, going.revision.digest
        state = check_decision(decision, draft, going.revision, user.role, digest=digest)
        count = self._store.stop_draft(draft, digest, decision, state, user.name, self._clock())
        detail = f"stopped in the middle: {count} deliveries did not go out"
        self._store.add_audit(AuditEntry(self._clock(), user.name, decision.value, f"draft {draft.id}", detail))
        return count

    def pause_channel(self, channel: ChannelName, reason: str, user: User) -> None:
        """Let nothing go out by a channel until a person resumes it. Raises `NotAllowedError`, and `DecisionError` without a reason."""
        _refuse_below_approver(user)
        why = " ".join(reason.split())[:300]
        if not why:
            raise DecisionError("Say in a few words why the channel is paused.")
        self._store.write_pause(channel, f"paused by {user.name}: {why}", self._clock())
        self._store.add_audit(AuditEntry(self._clock(), user.name, "pause", channel.value, why))
        if channel is ChannelName.EMAIL:
            self._calling_back.run()

    def resume_channel(self, channel: ChannelName, user: User) -> None:
        """Let a channel go on, whoever or whatever paused it. Raises `NotAllowedError`."""
        _refuse_below_approver(user)
        if self._store.read_pause(channel):
            self._store.write_pause(channel, None, self._clock())
            self._store.add_audit(AuditEntry(self._clock(), user.name, "resume", channel.value, ""))

    def _campaign(self, slug: str) -> Campaign:
        campaign = self._store.read_campaign(slug)
        if campaign is None:
            raise NoCampaignError(f"There is no campaign {slug!r}.")
        return campaign


def _refuse_below_approver(user: User) -> None:
    if not user.role.includes(Role.APPROVER):
        raise NotAllowedError(f"Your role, {user.role}, does not include this; an approver can do it.")
