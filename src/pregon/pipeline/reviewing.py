"""The review use case: read, edit, answer, decide. Every rule is checked here, whoever asks: desk, terminal or program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from pregon.approvals import approval_obstacles, check_decision, check_edit
from pregon.audiences import select_recipients
from pregon.deliveries import plan_deliveries
from pregon.drafts import CIRCUMSTANCES, check_circumstances, list_addresses, propose
from pregon.errors import DecisionError, NotAllowedError, NotFoundError
from pregon.pipeline.composing import Composing
from pregon.pipeline.material import Material, Materials
from pregon.pipeline.protocols import Clock, Storage
from pregon.types import (
    Answer,
    Approval,
    AuditEntry,
    Campaign,
    CampaignSearch,
    ChannelName,
    Check,
    Consent,
    Decision,
    Delivery,
    DeliveryState,
    Draft,
    DraftState,
    Fields,
    LinkHealth,
    LinkState,
    PlannedDelivery,
    PlaylistFields,
    Proposal,
    Question,
    Recipient,
    Revision,
    Role,
    StoredItem,
    ThreadBody,
    User,
)

# As many campaigns as a pass over the links looks at.
_MOST_WAITING = 200


@dataclass(frozen=True, slots=True)
class DraftView:
    """One draft as the desk shows it. `obstacles` say why it cannot be approved yet; `source` is what it was made of.

    `checks` are those of the revision, with what depends on the day judged now.
    `stale` says in a sentence what has changed since it was written; "" when nothing has.
    """

    draft: Draft
    revision: Revision
    approvals: tuple[Approval, ...]
    obstacles: tuple[str, ...]
    source: StoredItem
    stale: str
    checks: tuple[Check, ...]
    recipients: int
    excluded: int
    cost_usd: float


@dataclass(frozen=True, slots=True)
class SourceView:
    """One version of the item, with its open questions."""

    stored: StoredItem
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class CampaignView:
    """One campaign with its sources and its drafts. `source` is the item that opened it; `corrected` what it corrects."""

    campaign: Campaign
    source: StoredItem
    sources: tuple[SourceView, ...]
    drafts: tuple[DraftView, ...]
    answers: tuple[Answer, ...]
    corrected: Campaign | None = None
    corrections: tuple[Campaign, ...] = ()

    @property
    def questions(self) -> tuple[Question, ...]:
        """Every open question of every source."""
        return tuple(question for source in self.sources for question in source.questions)


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """One line of the list of campaigns. `questions` counts the open ones, `errors` the failing checks."""

    campaign: Campaign
    drafts: tuple[Draft, ...]
    questions: int

    @property
    def waiting(self) -> bool:
        """Whether a person still has to decide about a draft."""
        decided = (DraftState.APPROVED, DraftState.CANCELLED)
        return any(draft.state not in decided for draft in self.drafts)


class Reviewing:
    """Drafts -> approvals."""

    def __init__(self, store: Storage, composing: Composing, materials: Materials, clock: Clock) -> None:
        self._store, self._composing, self._materials, self._clock = store, composing, materials, clock

    # --- reading

    def list_campaigns(self) -> tuple[CampaignRow, ...]:
        """Campaigns that wait for a person first (oldest first), then the others, newest first."""
        campaigns = self._store.list_campaigns()
        drafts = self._store.list_drafts([campaign.id for campaign in campaigns])
        rows = [
            CampaignRow(c, tuple(d for d in drafts if d.campaign_id == c.id), self._count_questions(c))
            for c in campaigns
        ]
        waiting = sorted((row for row in rows if row.waiting), key=lambda row: row.campaign.created_at)
        return tuple(waiting + [row for row in rows if not row.waiting])

    def _count_questions(self, campaign: Campaign) -> int:
        material = self._materials.gather(campaign)
        return sum(len(material.open_questions(source)) for source in material.sources)

    def show_campaign(self, slug: str) -> CampaignView:
        """Everything about one campaign. Raises `NotFoundError`."""
        campaign = self._store.read_campaign(slug)
        if campaign is None:
            raise NotFoundError(f"There is no campaign {slug!r}; `pregon campaigns` lists them.")
        material = self._materials.gather(campaign)
        corrections = [self._store.campaign_by_id(c.campaign_id) for c in self._store.list_corrections(campaign.id)]
        return CampaignView(
            campaign=campaign,
            source=material.main,
            sources=tuple(SourceView(source, material.open_questions(source)) for source in material.sources),
            drafts=tuple(self._view(draft, material) for draft in self._store.list_drafts([campaign.id])),
            answers=material.answers,
            corrected=material.corrected,
            corrections=tuple(each for each in corrections if each is not None),
        )

    def show_draft(self, draft_id: int) -> tuple[CampaignView, DraftView]:
        """One draft and its campaign. Raises `NotFoundError`."""
        campaign = self._campaign_of(self._draft(draft_id))
        view = self.show_campaign(campaign.slug)
        return view, next(draft for draft in view.drafts if draft.draft.id == draft_id)

    def history(self, draft_id: int) -> tuple[tuple[Revision, ...], tuple[Approval, ...]]:
        """Every revision of and every decision on a draft, oldest first."""
        return self._store.list_revisions(draft_id), self._store.list_approvals(draft_id)

    def who(self, slug: str) -> tuple[Delivery, ...]:
        """Every row of a campaign's ledger: who was sent what, and who was left out and why."""
        return self._store.list_deliveries(self.show_campaign(slug).campaign.id)

    def _view(self, draft: Draft, material: Material) -> DraftView:
        revision, source = self._revision(draft), material.source_of(draft)
        checks = self._check_now(revision, material, source)
        recipients = self._recipients(revision)
        excluded = sum(1 for recipient in recipients if recipient.excluded)
        return DraftView(
            draft=draft,
            revision=revision,
            approvals=self._store.list_approvals(draft.id),
            obstacles=approval_obstacles(checks, material.open_questions(source)),
            checks=checks,
            source=source,
            stale=explain_staleness(draft, revision, material),
            recipients=len(recipients) - excluded,
            excluded=excluded,
            cost_usd=revision.content.body.cost_usd if isinstance(revision.content.body, ThreadBody) else 0.0,
        )

    # --- changing

    def edit_draft(
        self, draft_id: int, base: int, fields: Fields, user: User, *, send_at: datetime | None = None
    ) -> Revision:
        """Save an officer's fields as the next revision, rendered and checked; an approval lapses.

        `base` is the revision that was on the page. Raises `StaleRevisionError` when it is no longer the newest.
        """
        draft = self._draft(draft_id)
        check_edit(draft, user.role, base=base)
        source, proposal = self._propose(draft, fields, send_at)
        number = self._store.add_revision(draft.id, base, source.version, proposal, user.name, self._clock())
        self._audit(user, "edit", draft, f"revision {number}")
        return self._revision(self._draft(draft_id))

    def try_fields(self, draft_id: int, fields: Fields, user: User, *, send_at: datetime | None = None) -> Proposal:
        """What an officer's fields would render to, with the checks; nothing is stored."""
        draft = self._draft(draft_id)
        check_edit(draft, user.role, base=draft.revision)
        return self._propose(draft, fields, send_at)[1]

    def _propose(self, draft: Draft, fields: Fields, send_at: datetime | None) -> tuple[StoredItem, Proposal]:
        material = self._materials.gather(self._campaign_of(draft))
        source = material.source_of(draft)
        context = self._materials.context(material, source)
        if draft.channel is ChannelName.YOUTUBE:
            context = self._composing.look_at_channel(source.item, context)
        return source, propose(draft.channel, draft.language or None, fields, source.item, context, send_at=send_at)

    def confirm_draft(self, draft_id: int, base: int, user: User) -> Revision:
        """A person's word that a draft still says what its sources say, and that its translation is right.

        Saves the same fields as a revision of theirs. Raises as `edit_draft`.
        """
        draft = self._draft(draft_id)
        revision = self._revision(draft)
        fields = revision.fields
        if not isinstance(fields, PlaylistFields) and fields.translated_by:
            fields = replace(fields, translated_by="")
        return self.edit_draft(draft_id, base, fields, user, send_at=revision.content.send_at)

    def answer_question(
        self, slug: str, question: str, span_start: int, text: str, user: User, item_id: int | None = None
    ) -> None:
        """Keep the answer to a question; drafts that nobody edited are composed anew with it.

        `item_id` says which of the campaign's items asks; without it, the first one that asks this.
        """
        if not user.role.includes(Role.EDITOR):
            raise NotAllowedError(f"Your role, {user.role}, does not include answering questions; an editor can do it.")
        view = self.show_campaign(slug)
        asking = next(
            (s for s in view.sources if item_id in (None, s.stored.id) and _asks(s, question, span_start)), None
        )
        if asking is None:
            raise NotFoundError("That question is not open; it may have been answered meanwhile.")
        answer = Answer(question, span_start, text.strip(), user.name, self._clock(), asking.stored.id)
        self._store.add_answer(view.campaign.id, answer)
        self._store.add_audit(AuditEntry(self._clock(), user.name, "answer", slug, f"{question}: {text.strip()}"))
        self._recompose(view)

    def _recompose(self, before: CampaignView) -> None:
        view = self.show_campaign(before.campaign.slug)
        material = self._materials.gather(view.campaign)
        for each in view.drafts:
            item, context = each.source.item, self._materials.context(material, each.source)
            if each.draft.state in (DraftState.APPROVED, DraftState.CANCELLED):
                continue
            fields = each.revision.fields
            if each.revision.created_by == "pregon" and not material.is_digest:
                fields = self._composing.compose_one(item, context, each.draft) or fields
            language = each.draft.language or None
            if each.draft.channel is ChannelName.YOUTUBE:
                context = self._composing.look_at_channel(item, context)
            proposal = propose(
                each.draft.channel, language, fields, item, context, send_at=each.revision.content.send_at
            )
            if proposal.digest != each.revision.digest or proposal.checks != each.revision.checks:
                by = each.revision.created_by
                version = each.source.version
                self._store.add_revision(each.draft.id, each.draft.revision, version, proposal, by, self._clock())

    # --- deciding

    def decide(self, draft_id: int, decision: Decision, digest: str, user: User, comment: str = "") -> None:
        """Take a decision on the revision with this digest; an approval writes its work in the same transaction.

        Raises `NotAllowedError`, `StaleRevisionError`, or `DecisionError` with the obstacles.
        """
        draft = self._draft(draft_id)
        revision = self._revision(draft)
        state = check_decision(decision, draft, revision, user.role, digest=digest)
        now = self._clock()
        planned: tuple[PlannedDelivery, ...] = ()
        consents: dict[int, tuple[Consent, Consent]] = {}
        if decision is Decision.APPROVED:
            self._refuse_obstacles(draft, revision)
            recipients = self._recipients(revision)
            planned = plan_deliveries(revision.content, revision.digest, draft.id, recipients)
            consents = {r.contact.id: (r.contact.open_tracking, r.contact.click_tracking) for r in recipients}
        due_at = max(revision.content.send_at or now, now)
        self._store.record_decision(
            draft, revision.digest, decision, state, user.name, comment, planned, consents, due_at, now
        )
        self._audit(user, decision.value, draft, f"revision {revision.number}, {revision.digest}")

    def _refuse_obstacles(self, draft: Draft, revision: Revision) -> None:
        material = self._materials.gather(self._campaign_of(draft))
        source = material.source_of(draft)
        checks = self._check_now(revision, material, source)
        obstacles = approval_obstacles(checks, material.open_questions(source))
        if obstacles:
            raise DecisionError("This draft cannot be approved yet. " + " ".join(obstacles))

    def _check_now(self, revision: Revision, material: Material, source: StoredItem) -> tuple[Check, ...]:
        states = self._store.read_link_states(list_addresses(revision.content))
        dead = {address: describe_link(state) for address, state in states.items() if state.is_dead()}
        context = replace(self._materials.context(material, source), links=dead)
        now = check_circumstances(revision.content, source.item, context)
        kept = [check for check in revision.checks if check.id not in CIRCUMSTANCES]
        return tuple(sorted([*kept, *now], key=lambda check: check.level != "error"))

    def list_waiting_addresses(self) -> tuple[str, ...]:
        """Every address that a draft which waits for a decision would publish."""
        campaigns, _ = self._store.search_campaigns(CampaignSearch(waiting=True, limit=_MOST_WAITING))
        drafts = [d for d in self._store.list_drafts([c.id for c in campaigns]) if d.state is not DraftState.CANCELLED]
        contents = self._store.newest_contents([draft.id for draft in drafts])
        return tuple(dict.fromkeys(url for content in contents.values() for url in list_addresses(content)))

    def resolve_deliveries(self, ids: tuple[str, ...], state: DeliveryState, user: User) -> int:
        """A person's word on held or unknown deliveries: `sent` settles them by hand, `pending` releases them."""
        if not user.role.includes(Role.APPROVER):
            raise NotAllowedError(f"Your role, {user.role}, does not include this; an approver can do it.")
        reason = f"{'settled as sent' if state is DeliveryState.SENT else 'released'} by {user.name}"
        changed = self._store.release_deliveries(ids, state, reason, self._clock())
        self._store.add_audit(AuditEntry(self._clock(), user.name, "resolve", ",".join(ids)[:120], reason))
        return changed

    # --- parts

    def _recipients(self, revision: Revision) -> tuple[Recipient, ...]:
        audience = revision.content.audience
        if revision.content.channel is not ChannelName.EMAIL or audience is None:
            return ()
        return select_recipients(audience, self._store.audience_contacts(audience), self._store.list_suppressions())

    def _draft(self, draft_id: int) -> Draft:
        draft = self._store.read_draft(draft_id)
        if draft is None:
            raise NotFoundError(f"There is no draft {draft_id}.")
        return draft

    def _revision(self, draft: Draft) -> Revision:
        revision = self._store.read_revision(draft.id, draft.revision)
        if revision is None:
            raise NotFoundError(f"Draft {draft.id} has no revision {draft.revision}.")
        return revision

    def _campaign_of(self, draft: Draft) -> Campaign:
        campaign = self._store.campaign_by_id(draft.campaign_id)
        if campaign is None:
            raise NotFoundError(f"The campaign of draft {draft.id} is missing.")
        return campaign

    def _audit(self, user: User, action: str, draft: Draft, detail: str) -> None:
        subject = f"draft {draft.id}"
        self._store.add_audit(AuditEntry(self._clock(), user.name, action, subject, detail))


def describe_link(state: LinkState) -> tuple[str, str]:
    """(level, sentence) for a link that leads nowhere: gone is an error, not reached just now a warning."""
    if state.health is LinkHealth.GONE:
        return "error", state.detail or "there is no such page."
    return "warning", state.detail or "it could not be reached."


def explain_staleness(draft: Draft, revision: Revision, material: Material) -> str:
    """What has changed since a revision was written, in a sentence; "" when nothing has."""
    source = material.source_of(draft)
    if revision.item_version < source.version:
        return "The source has changed since this draft was written. Read it again before you decide."
    if material.changed_members:
        return f"What this digest tells of has changed since: {'; '.join(material.changed_members)}. Read it again."
    own = material.source_in(draft.language)
    if own is not None and own.id != source.id:
        return "There is a source text in this language now; this draft was written without it."
    for other in material.sources:
        if other.id != source.id and other.version > 1 and other.created_at > revision.created_at:
            language = other.item.language or "other"
            return f"The source in another language ({language}) has changed since; check that this text still agrees with it."
    return ""


def _asks(source: SourceView, question: str, span_start: int) -> bool:
    return any(each.id == question and each.span[0] == span_start for each in source.questions)
