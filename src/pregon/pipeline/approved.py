"""What was approved, rendered now, if it is exactly that: asked before anything leaves. Sends and records nothing."""

from __future__ import annotations

from pregon.drafts import digest_content, render_content
from pregon.errors import NotFoundError, RenderError
from pregon.pipeline.material import Materials
from pregon.pipeline.protocols import Storage
from pregon.types import ChannelName, Content, Decision, Delivery, DraftState, Mailing


class Approved:
    """Renders again and compares digests."""

    def __init__(self, store: Storage, materials: Materials) -> None:
        self._store, self._materials = store, materials

    def content(self, delivery: Delivery | Mailing) -> tuple[Content | None, str]:
        """What was approved, if that is exactly what would be rendered now; else None and why not."""
        revision = self._store.read_revision(delivery.draft_id, delivery.revision)
        approval = next(
            (
                a
                for a in reversed(self._store.list_approvals(delivery.draft_id))
                if a.decision in (Decision.APPROVED, Decision.WITHDRAWN)
            ),
            None,
        )
        if revision is None or approval is None or approval.decision is not Decision.APPROVED:
            return None, "held: nobody has approved this revision"
        if approval.revision != delivery.revision or digest_content(revision.content) != approval.digest:
            return None, "held: what is stored is not what was approved; approve the draft again"
        draft = self._store.read_draft(delivery.draft_id)
        if draft is None or draft.state is not DraftState.APPROVED:
            return None, "held: its draft is not approved any more"
        try:
            rendered = self._render_now(delivery)
        except (RenderError, NotFoundError) as error:
            return None, f"held: it can no longer be rendered as approved ({error})"
        if digest_content(rendered) != approval.digest:
            return None, "held: templates or configuration changed since the approval; approve the draft again"
        return rendered, ""

    def _render_now(self, delivery: Delivery | Mailing) -> Content:
        campaign = self._store.campaign_by_id(delivery.campaign_id)
        revision = self._store.read_revision(delivery.draft_id, delivery.revision)
        draft = self._store.read_draft(delivery.draft_id)
        if campaign is None or revision is None or draft is None:
            raise NotFoundError("its campaign, revision or draft is missing")
        material = self._materials.gather(campaign)
        context = self._materials.context(material, material.source_of(draft))
        language, channel = delivery.language or None, ChannelName(draft.channel)
        return render_content(channel, language, revision.fields, context, send_at=revision.content.send_at)


class ApprovedMails:
    """What was approved, for one pass: rendered and compared once as long as the same approval of a revision stands."""

    def __init__(self, approved: Approved) -> None:
        self._approved = approved
        self._known: dict[tuple[int, int, str], Content] = {}

    def content(self, mailing: Mailing) -> tuple[Content | None, str]:
        """As `Approved.content`. Each claim brings the digest that stands by then, so a withdrawal is not missed."""
        digest = mailing.approved_digest
        known = self._known.get((mailing.draft_id, mailing.revision, digest)) if digest else None
        if known is not None:
            return known, ""
        content, problem = self._approved.content(mailing)
        # Kept under what it is, not under what the claim read: between the two another decision may have been taken.
        if content is not None:
            self._known[mailing.draft_id, mailing.revision, digest_content(content)] = content
        return content, problem
