"""The review use case: read, edit, answer, decide. Every rule is checked here, whoever asks: desk, terminal or program."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pregon.approvals import (
    approval_obstacles,
    check_decision,
    check_edit,
    completes,
    explain_refused_yes,
    standing_yeses,
)
from pregon.deliveries import choose_retriable, plan_deliveries
from pregon.drafts import CIRCUMSTANCES, audience_for, check_circumstances, list_addresses, propose
from pregon.drafts.playlist_preview import PlaylistChange, preview_playlists
from pregon.errors import DecisionError, NotAllowedError, NotFoundError
from pregon.pipeline.composing import Composing
from pregon.pipeline.material import Material, Materials
from pregon.pipeline.planning import Planning
from pregon.pipeline.protocols import Clock, Storage
from pregon.pipeline.views import (
    AudienceChoice,
    CampaignRow,
    CampaignView,
    DraftView,
    SourceView,
    asks_this,
    describe_link,
    explain_staleness,
)
from pregon.types import (
    Answer,
    Approval,
    AudienceCount,
    AuditEntry,
    Campaign,
    CampaignSearch,
    ChannelName,
    Check,
    Decision,
    Delivery,
    DeliveryState,
    Draft,
    DraftState,
    Fields,
    MailBody,
    MailFields,
    Media,
    PlannedDelivery,
    PlaylistBody,
    PlaylistFields,
    Proposal,
    Revision,
    Role,
    StoredItem,
    ThreadBody,
    User,
)

# An audience that is planned while the officer waits for the page.
_PLANNED_AT_ONCE = 5_000
_FIRST_PAGE = CampaignSearch(limit=200)
# As many campaigns as a pass over the links looks at.
_MOST_WAITING = 200


class Reviewing:
    """Drafts -> approvals."""

    def __init__(self, store: Storage, composing: Composing, materials: Materials, clock: Clock) -> None:
        self._store, self._composing, self._materials, self._clock = store, composing, materials, clock
        self._planning = Planning(store, clock)

    # --- reading

    def list_campaigns(self, search: CampaignSearch = _FIRST_PAGE) -> tuple[CampaignRow, ...]:
        """A page of campaigns: those that wait for a person first (oldest first), then the others, newest first."""
        campaigns = list(self._find_campaigns(search))
        ids = [campaign.id for campaign in campaigns]
        drafts, sources, answers = self._store.list_drafts(ids), self._store.items_of(ids), self._store.answers_of(ids)
        rows = []
        for each in campaigns:
            stored = sorted(sources[each.id], key=lambda source: source.id != each.item_id)
            material = Material(each, tuple(stored), answers.get(each.id, ()))
            questions = sum(len(material.open_questions(source)) for source in stored)
            rows.append(CampaignRow(each, tuple(d for d in drafts if d.campaign_id == each.id), questions))
        return tuple(rows)

    def count_campaigns(self, search: CampaignSearch = _FIRST_PAGE) -> int:
        """How many campaigns fit a search, on whatever page."""
        return self._store.search_campaigns(replace(search, limit=0, offset=0))[1]

    def _find_campaigns(self, search: CampaignSearch) -> tuple[Campaign, ...]:
        if search.waiting is not None:
            return self._store.search_campaigns(search)[0]
        waiting, count = self._store.search_campaigns(replace(search, waiting=True))
        left, beyond = search.limit - len(waiting), max(search.offset - count, 0)
        decided = replace(search, waiting=False, limit=left, offset=beyond)
        return (*waiting, *(self._store.search_campaigns(decided)[0] if left else ()))

    def show_campaign(self, slug: str) -> CampaignView:
        """Everything about one campaign. Raises `NotFoundError`."""
        campaign = self._campaign(slug)
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
        return self._store.list_deliveries(self._campaign(slug).id)

    def _view(self, draft: Draft, material: Material) -> DraftView:
        revision, source = self._revision(draft), material.source_of(draft)
        checks = self._check_now(revision, material, source)
        count = self._count(revision)
        approvals = self._store.list_approvals(draft.id)
        send_at = revision.content.send_at
        return DraftView(
            draft=draft,
            revision=revision,
            approvals=approvals,
            obstacles=approval_obstacles(checks, material.open_questions(source)),
            checks=checks,
            source=source,
            stale=explain_staleness(draft, revision, material),
            recipients=count.recipients,
            excluded=count.excluded,
            cost_usd=revision.content.body.cost_usd if isinstance(revision.content.body, ThreadBody) else 0.0,
            rule=self._materials.context(material, source).playbook.approval,
            yeses=standing_yeses(approvals, revision.number),
            due_at=send_at if send_at and send_at > self._clock() else None,
            tests=self._store.list_test_sends(draft.id),
            playlists=self._preview(draft, revision, material, source),
        )

    def _preview(
        self, draft: Draft, revision: Revision, material: Material, source: StoredItem
    ) -> tuple[PlaylistChange, ...]:
        """A playlist plan as before and after, as long as somebody decides about it and YouTube can be read."""
        body = revision.content.body
        decided = draft.state in (DraftState.APPROVED, DraftState.CANCELLED)
        if not isinstance(body, PlaylistBody) or not body.operations or decided:
            return ()
        context = self._composing.look_at_channel(source.item, self._materials.context(material, source))
        return preview_playlists(body.operations, context.youtube_state) if context.youtube_state else ()

    # --- changing

    def edit_draft(
        self, draft_id: int, base: int, fields: Fields, user: User, *, send_at: datetime | None = None
    ) -> Revision:
        """Save an officer's fields as the next revision, rendered and checked; an approval lapses.

        `base` is the revision that was on the page. Raises `StaleRevisionError` when it is no longer the newest.
        """
        draft = self._draft(draft_id)
        check_edit(draft, user.role, base=base)
        self._refuse_wishes(draft, fields, send_at)
        source, proposal = self._propose(draft, fields, send_at)
        number = self._store.add_revision(draft.id, base, source.version, proposal, user.name, self._clock())
        self._audit(user, "edit", draft, f"revision {number}")
        return self._revision(self._draft(draft_id))

    def _refuse_wishes(self, draft: Draft, fields: Fields, send_at: datetime | None) -> None:
        before = self._revision(draft)
        if send_at is not None and send_at != before.content.send_at and send_at <= self._clock():
            raise DecisionError("That time has passed; choose a later one, or none to send as soon as it is approved.")
        chosen = fields.audience if isinstance(fields, MailFields) else None
        if chosen is None or (isinstance(before.fields, MailFields) and chosen == before.fields.audience):
            return
        if chosen not in self._composing.list_audiences():
            raise DecisionError(f"There is no audience {chosen.name!r} in the playbooks; choose one of the list.")

    def choose_audiences(self, draft_id: int) -> tuple[AudienceChoice, ...]:
        """Whom a newsletter can address; the playbook's own choice is the first."""
        draft = self._draft(draft_id)
        if draft.channel is not ChannelName.EMAIL:
            return ()
        material = self._materials.gather(self._campaign_of(draft))
        context = self._materials.context(material, material.source_of(draft))
        choices = (None, *self._composing.list_audiences())
        own = audience_for(context, draft.language)
        reached = [(choice, audience_for(context, draft.language, choice)) for choice in choices]
        fitting = [(choice, each) for choice, each in reached if each and (choice is None or each != own)]
        return tuple(AudienceChoice(choice, each) for choice, each in fitting)

    def keep_picture(self, picture: Media, user: User) -> None:
        """Keep a picture that a form holds and nobody has saved yet."""
        if not user.role.includes(Role.EDITOR):
            raise NotAllowedError(f"Your role, {user.role}, does not include editing; an editor can do it.")
        self._store.keep_upload(picture, user.name, self._clock())

    def count_reached(self, draft_id: int, fields: MailFields) -> AudienceCount:
        """How many a newsletter with these fields would reach, and how many it would leave out."""
        draft = self._draft(draft_id)
        material = self._materials.gather(self._campaign_of(draft))
        context = self._materials.context(material, material.source_of(draft))
        audience = audience_for(context, draft.language, fields.audience)
        return self._store.count_audience(audience) if audience else AudienceCount()

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
            (s for s in view.sources if item_id in (None, s.stored.id) and asks_this(s, question, span_start)), None
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
        due_at = max(revision.content.send_at or now, now)
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

    # --- parts

    def _count(self, revision: Revision) -> AudienceCount:
        audience = revision.content.audience
        return self._store.count_audience(audience) if audience is not None else AudienceCount({}, {})

    def _campaign(self, slug: str) -> Campaign:
        campaign = self._store.read_campaign(slug)
        if campaign is None:
            raise NotFoundError(f"There is no campaign {slug!r}; `pregon campaigns` lists them.")
        return campaign

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
