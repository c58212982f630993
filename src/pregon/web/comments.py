"""What officers asked to be changed, with the passage each comment is about and where it stands in the draft. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pregon.pipeline import DraftView
from pregon.types import Approval, Decision, MailBody, ThreadBody


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment beside a draft. `place` names the text that holds its passage: subject, preheader, text, a part's number.

    "" : it is about the whole, or the passage is no longer there. `is_open`: it is about the newest revision.
    """

    approval: Approval
    place: str
    is_open: bool


def list_comments(view: DraftView) -> list[Comment]:
    """The comments since the draft was last approved, oldest first."""
    found: list[Approval] = []
    for each in view.approvals:
        if each.decision is Decision.APPROVED and each.due_at is not None:
            found.clear()
        elif each.decision is Decision.NEEDS_CHANGES:
            found.append(each)
    return [Comment(each, _find_place(view, each.quote), each.revision == view.draft.revision) for each in found]


def write_pattern(quote: str) -> re.Pattern[str]:
    """What finds a passage however its lines are broken."""
    return re.compile(r"\s+".join(map(re.escape, quote.split())))


def _find_place(view: DraftView, quote: str) -> str:
    if not quote.strip():
        return ""
    pattern = write_pattern(quote)
    return next((place for place, text in _list_texts(view).items() if pattern.search(text)), "")


def _list_texts(view: DraftView) -> dict[str, str]:
    body = view.revision.content.body
    if isinstance(body, MailBody):
        return {"subject": body.subject, "preheader": body.preheader, "text": body.text}
    if isinstance(body, ThreadBody):
        return {str(number): part.text for number, part in enumerate(body.parts, 1)}
    return {}
