"""People of the desk, for an admin, and the log of what everybody did."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from pregon.errors import PregonError
from pregon.pipeline import Session
from pregon.types import AuditEntry, Role
from pregon.web.desk import AnyDesk, Desk, go, read_said
from pregon.web.pages_results import plain_cell
from pregon.web.security import SignedForm, SignedIn, text_of
from pregon.web.workings import note, refuse_below

router = APIRouter()
_EXPORTED = 100_000


@router.get("/people")
def show_people(request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """Everybody, their roles and tokens, for an admin."""
    refuse_below(session.user, Role.ADMIN)
    return _people_page(desk, session, said=read_said(request.query_params))


def _people_page(desk: Desk, session: Session, *, status: int = 200, said: str = "", problem: str = "") -> Response:
    people = desk.pipeline.people
    return desk.show(
        "people.html",
        session,
        status=status,
        people=people.list_people(session.user),
        tokens=[token for token in people.tokens.list_all(session.user) if token.revoked_at is None],
        roles=list(Role),
        said=said,
        problem=problem,
    )


@router.post("/people")
def save_person(desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Add a person, or give a known one another password and role, which ends their sessions."""
    refuse_below(session.user, Role.ADMIN)
    name, role = text_of(form, "name").strip(), text_of(form, "role")
    try:
        if role not in set(Role):
            raise PregonError(f"There is no role {role!r}; choose one of the list.")
        if name == session.user.name and role != session.user.role:
            raise PregonError("You cannot change your own role; another admin can.")
        desk.pipeline.people.add_user(name, text_of(form, "password"), Role(role))
    except PregonError as error:
        return _people_page(desk, session, status=400, problem=str(error))
    note(desk, session.user, "person", name, f"role {role}")
    return go("/people", said="person")


@router.post("/people/email")
def save_email(desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Where a person gets tests of what they draft."""
    refuse_below(session.user, Role.ADMIN)
    try:
        desk.pipeline.trying.set_address(text_of(form, "name"), text_of(form, "email"), session.user)
    except PregonError as error:
        return _people_page(desk, session, status=400, problem=str(error))
    return go("/people", said="email")


@router.post("/people/second-step")
def turn_off_second_step(desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Turn the second step off for somebody who has lost their telephone; their sessions end."""
    people = desk.pipeline.people
    refuse_below(session.user, Role.ADMIN)
    people.second_step.turn_off_for(people.user(text_of(form, "name")), session.user)
    return go("/people", said="second_step_off_for")


@router.post("/people/access")
def change_access(desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Let a person in no longer, or again."""
    refuse_below(session.user, Role.ADMIN)
    access, word = desk.pipeline.people.access, text_of(form, "word")
    act = {"deactivated": access.deactivate, "reactivated": access.reactivate}.get(word)
    try:
        if act is None:
            raise PregonError("Choose: deactivate or reactivate.")
        act(text_of(form, "name"), session.user)
    except PregonError as error:
        return _people_page(desk, session, status=400, problem=str(error))
    return go("/people", said=word)


@router.get("/audit")
def show_audit(desk: AnyDesk, session: SignedIn, check: str = "") -> Response:
    """Who did what, newest first; with `check`, whether every line is as it was written."""
    refuse_below(session.user, Role.APPROVER)
    store = desk.pipeline.store
    broken = store.find_broken_line() if check else None
    return desk.show("audit.html", session, entries=store.list_audit(), checked=bool(check), broken=broken)


@router.get("/audit.jsonl")
def export_audit_lines(desk: AnyDesk, session: SignedIn) -> Response:
    """The whole log as JSON lines, oldest first, each with the hash that seals it and all before it."""
    refuse_below(session.user, Role.APPROVER)
    headers = {"Content-Disposition": 'attachment; filename="audit.jsonl"', "Cache-Control": "no-store"}
    lines = (write_line(entry) for entry in desk.pipeline.store.walk_audit())
    return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)


def write_line(entry: AuditEntry) -> str:
    """One line of the log as JSON."""
    return json.dumps(asdict(entry) | {"at": entry.at.isoformat()}, ensure_ascii=False) + "\n"


@router.get("/audit.csv")
def export_audit(desk: AnyDesk, session: SignedIn) -> Response:
    """The log as CSV."""
    refuse_below(session.user, Role.APPROVER)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("at", "person", "action", "subject", "detail"))
    for entry in desk.pipeline.store.list_audit(limit=_EXPORTED):
        cells = (entry.at.isoformat(), entry.person, entry.action, entry.subject, entry.detail)
        writer.writerow([plain_cell(cell) for cell in cells])
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"', "Cache-Control": "no-store"}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
