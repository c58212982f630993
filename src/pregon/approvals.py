"""The state machine of a draft. A decision binds to one revision's digest; any edit makes it lapse.

A playbook may ask for several persons; then the first yes is kept beside the draft, and only the last one needed moves
it. Pure: answers whether a step is allowed and what state follows; storing it is somebody else's work.
"""

from __future__ import annotations

from collections.abc import Sequence

from pregon.errors import DecisionError, NotAllowedError, StaleRevisionError
from pregon.settings import ApprovalRule
from pregon.types import Answer, Approval, Check, Decision, Draft, DraftState, Question, Revision, Role

_ALLOWED: dict[Decision, frozenset[DraftState]] = {
    Decision.APPROVED: frozenset({DraftState.DRAFT, DraftState.IN_REVIEW, DraftState.NEEDS_CHANGES}),
    Decision.NEEDS_CHANGES: frozenset(
        {DraftState.DRAFT, DraftState.IN_REVIEW, DraftState.NEEDS_CHANGES, DraftState.APPROVED}
    ),
    Decision.WITHDRAWN: frozenset({DraftState.APPROVED}),
    Decision.CANCELLED: frozenset(
        {DraftState.DRAFT, DraftState.IN_REVIEW, DraftState.NEEDS_CHANGES, DraftState.APPROVED}
    ),
}
_RESULT = {
    Decision.APPROVED: DraftState.APPROVED,
    Decision.NEEDS_CHANGES: DraftState.NEEDS_CHANGES,
    Decision.WITHDRAWN: DraftState.IN_REVIEW,
    Decision.CANCELLED: DraftState.CANCELLED,
}
_NEEDS = {
    Decision.APPROVED: Role.APPROVER,
    Decision.NEEDS_CHANGES: Role.EDITOR,
    Decision.WITHDRAWN: Role.APPROVER,
    Decision.CANCELLED: Role.APPROVER,
}


def check_decision(
    decision: Decision, draft: Draft, revision: Revision, role: Role, *, digest: str, yeses: Sequence[str] = ()
) -> DraftState:
    """The state that the decision leads to, an approval's once everybody who has to has said yes.

    `digest` is what the person saw; `yeses` are the persons whose yes stands, which can be withdrawn, too. Raises `NotAllowedError`, `StaleRevisionError` or `DecisionError`.
    """
    if not role.includes(_NEEDS[decision]):
        raise NotAllowedError(f"Your role, {role}, does not include this decision; an {_NEEDS[decision]} can take it.")
    if draft.revision != revision.number or digest != revision.digest:
        message = "The draft was changed after this page was opened; read the newest revision and decide again."
        raise StaleRevisionError(message, current=draft.revision)
    takes_back = decision is Decision.WITHDRAWN and bool(yeses) and draft.state is not DraftState.CANCELLED
    if draft.state not in _ALLOWED[decision] and not takes_back:
        raise DecisionError(
            f"This draft is {draft.state.replace('_', ' ')}, so it cannot become {decision.replace('_', ' ')}."
        )
    return _RESULT[decision]


def standing_yeses(approvals: Sequence[Approval], revision: int) -> tuple[str, ...]:
    """Who has said yes to this revision since anything else was decided; `approvals` are oldest first."""
    names: list[str] = []
    for each in approvals:
        if each.revision != revision or each.decision is not Decision.APPROVED:
            names.clear()
        elif each.decided_by not in names:
            names.append(each.decided_by)
    return tuple(names)


def explain_refused_yes(rule: ApprovalRule, revision: Revision, yeses: Sequence[str], name: str) -> str:
    """Why this person's yes does not count, in a sentence; "" when it does."""
    if rule.not_last_editor and revision.created_by == name:
        return "You wrote this revision yourself, so another approver has to approve it."
    if name in yeses:
        return f"You have said yes already; {rule.persons} different persons have to."
    return ""


def completes(rule: ApprovalRule, yeses: Sequence[str], name: str) -> bool:
    """Whether the yes of this person is the last one that is needed."""
    return len({*yeses, name}) >= rule.persons


def check_edit(draft: Draft, role: Role, *, base: int) -> None:
    """Raise unless this role may save an edit that was made on revision `base`."""
    if not role.includes(Role.EDITOR):
        raise NotAllowedError(f"Your role, {role}, does not include editing; an editor can do it.")
    if draft.state is DraftState.CANCELLED:
        raise DecisionError("This draft was cancelled; it can no longer be edited.")
    if draft.revision != base:
        raise StaleRevisionError(
            "Somebody else saved this draft in between; nothing was overwritten.", current=draft.revision
        )


def open_questions(questions: Sequence[Question], answers: Sequence[Answer]) -> tuple[Question, ...]:
    """The questions that nobody has answered yet."""
    answered = {(answer.question, answer.span_start) for answer in answers}
    return tuple(question for question in questions if (question.id, question.span[0]) not in answered)


def approval_obstacles(checks: Sequence[Check], questions: Sequence[Question]) -> tuple[str, ...]:
    """What must be mended or answered before this revision can be approved, one sentence each."""
    unanswered = tuple(f"Unanswered question: {question.message}" for question in questions if question.blocking)
    return unanswered + tuple(check.message for check in checks if check.level == "error")
