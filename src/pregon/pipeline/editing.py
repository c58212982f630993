"""The editing part of the review use case: fields, audiences, pictures, answers. Every save is a revision."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from pregon.approvals import (
    check_edit,
)
from pregon.drafts import audience_for, propose
from pregon.errors import DecisionError, NotAllowedError, NotFoundError, PastTimeError
from pregon.items import read_answer
from pregon.pipeline.material import complete_source
from pregon.pipeline.reading import Reading
from pregon.pipeline.views import (
    AudienceChoice,
    CampaignView,
    asks_this,
)
from pregon.types import (
    Answer,
    AudienceCount,
    AuditEntry,
    ChannelName,
    Draft,
    DraftState,
    Fields,
    MailFields,
    Media,
    PlaylistFields,
    Proposal,
    Revision,
    Role,
    StoredItem,
    User,
)


class Editing(Reading):
    """Drafts -> revisions."""

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
            raise PastTimeError("That time has passed; choose a later one, or none to send as soon as it is approved.")
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

        `item_id` says which of the campaign's items asks; without it, the first one that asks this. Raises
        `DecisionError` for an address or a day that cannot be read.
        """
        if not user.role.includes(Role.EDITOR):
            raise NotAllowedError(f"Your role, {user.role}, does not include answering questions; an editor can do it.")
        view = self.show_campaign(slug)
        asking = next(
            (s for s in view.sources if item_id in (None, s.stored.id) and asks_this(s, question, span_start)), None
        )
        if asking is None:
            raise NotFoundError("That question is not open; it may have been answered meanwhile.")
        said = read_answer(question, text, self._composing.today())
        answer = Answer(question, span_start, said, user.name, self._clock(), asking.stored.id)
        self._store.add_answer(view.campaign.id, answer)
        self._store.write_days(complete_source(asking.stored, self._materials.gather(view.campaign).answers))
        self._store.add_audit(AuditEntry(self._clock(), user.name, "answer", slug, f"{question}: {said}"))
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
                # A part of it is out (it was stopped in the middle): what went out is not written anew.
                with suppress(DecisionError):
                    self._store.add_revision(each.draft.id, each.draft.revision, version, proposal, by, self._clock())
