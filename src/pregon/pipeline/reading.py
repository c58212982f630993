"""The reading half of the review use case: lists, campaigns, drafts as they stand now. Changes nothing."""

from __future__ import annotations

from dataclasses import replace

from pregon.approvals import (
    approval_obstacles,
    standing_yeses,
)
from pregon.drafts import CIRCUMSTANCES, check_circumstances, list_addresses
from pregon.drafts.playlist_preview import PlaylistChange, preview_playlists
from pregon.errors import NoCampaignError, NotFoundError
from pregon.pipeline.composing import Composing
from pregon.pipeline.material import Material, Materials
from pregon.pipeline.opening import Opening
from pregon.pipeline.protocols import Clock, Storage
from pregon.pipeline.views import (
    CampaignRow,
    CampaignView,
    DraftView,
    SourceView,
    describe_link,
    explain_staleness,
)
from pregon.types import (
    Approval,
    AudienceCount,
    AuditEntry,
    Campaign,
    CampaignSearch,
    Check,
    Delivery,
    Draft,
    DraftState,
    PlaylistBody,
    Revision,
    StoredItem,
    ThreadBody,
    User,
)

_FIRST_PAGE = CampaignSearch(limit=200)
# As many campaigns as a pass over the links looks at.
_MOST_WAITING = 200


class Reading:
    """Drafts -> what a person sees of them."""

    def __init__(self, store: Storage, composing: Composing, materials: Materials, clock: Clock) -> None:
        self._store, self._composing, self._materials, self._clock = store, composing, materials, clock
        self._opening = Opening(store, composing.settings)

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
        now = self._clock()
        due_at = self._opening.first(draft.channel, max(revision.content.send_at or now, now))
        window = self._opening.window(draft.channel)
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
            due_at=due_at if due_at > now else None,
            window=window if window and window.per_recipient else None,
            tests=self._store.list_test_sends(draft.id),
            playlists=self._preview(draft, revision, material, source),
            paused=self._store.read_pause(draft.channel) or "",
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

    def _count(self, revision: Revision) -> AudienceCount:
        audience = revision.content.audience
        return self._store.count_audience(audience) if audience is not None else AudienceCount({}, {})

    def _campaign(self, slug: str) -> Campaign:
        campaign = self._store.read_campaign(slug)
        if campaign is None:
            raise NoCampaignError(f"There is no campaign {slug!r}.")
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
