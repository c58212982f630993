"""What the review use case shows: campaigns and drafts with what stands in their way. Values and sentences; reads nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pregon.approvals import explain_refused_yes
from pregon.drafts.playlist_preview import PlaylistChange
from pregon.pipeline.material import Material
from pregon.settings import ApprovalRule
from pregon.types import (
    Answer,
    Approval,
    Audience,
    Campaign,
    Check,
    Draft,
    DraftState,
    LinkHealth,
    LinkState,
    Question,
    Revision,
    SendWindow,
    StoredItem,
    TestSend,
)


@dataclass(frozen=True, slots=True)
class DraftView:
    """One draft as the desk shows it. `obstacles` say why it cannot be approved yet; `source` is what it was made of.

    `checks` are those of the revision, with what depends on the day judged now.
    `stale` says in a sentence what has changed since it was written; "" when nothing has. `yeses` are those who have
    said yes to this revision of the persons whom `rule` asks for; `due_at` is None when it would go out at once, and
    `window` the hours of each reader's own country that it then waits for. `paused` is why nothing leaves by its channel now.
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
    rule: ApprovalRule = field(default_factory=ApprovalRule)
    yeses: tuple[str, ...] = ()
    due_at: datetime | None = None
    window: SendWindow | None = None
    tests: tuple[TestSend, ...] = ()
    playlists: tuple[PlaylistChange, ...] = ()
    paused: str = ""

    @property
    def missing_yeses(self) -> int:
        """How many further persons have to say yes."""
        return max(self.rule.persons - len(self.yeses), 0)

    def refuses_yes_of(self, name: str) -> str:
        """Why this person cannot approve it, in a sentence; "" when they can."""
        return explain_refused_yes(self.rule, self.revision, self.yeses, name)


@dataclass(frozen=True, slots=True)
class AudienceChoice:
    """Whom a newsletter can address: `chosen` is what the fields hold, None for the playbook's own choice."""

    chosen: Audience | None
    audience: Audience


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


def asks_this(source: SourceView, question: str, span_start: int) -> bool:
    """Whether this question of that place is open."""
    return any(each.id == question and each.span[0] == span_start for each in source.questions)
