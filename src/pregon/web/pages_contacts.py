"""Contacts at the desk: find them a page at a time, look at an import before it is taken, mend, suppress, erase.

No page loads more than it shows, whatever the number of contacts.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData, UploadFile

from pregon.errors import PregonError
from pregon.pipeline import ImportResult, Session
from pregon.types import Consent, Purpose, Role
from pregon.web.desk import AnyDesk, Desk, go, read_said
from pregon.web.language import translate
from pregon.web.security import SignedForm, SignedIn, text_of
from pregon.web.wording import plural
from pregon.web.workings import note, refuse_below

router = APIRouter()
_SHOWN = 100
_MOST_BYTES = 50 * 1024 * 1024
_MENDED = ("name", "language", "organisation", "city", "country")


@router.get("/contacts")
def show_contacts(
    request: Request, desk: AnyDesk, session: SignedIn, q: str = "", before: int | None = None
) -> Response:
    """Members and subscribers: how many, on which lists, and a page of them, newest first."""
    return _contacts_page(desk, session, q=q, before=before, said=read_said(request.query_params))


def _contacts_page(
    desk: Desk,
    session: Session,
    *,
    q: str = "",
    before: int | None = None,
    said: str = "",
    outcome: ImportResult | None = None,
) -> Response:
    store, text = desk.pipeline.store, q.strip()[:200]
    people, more = store.search_contacts(text, _SHOWN, before)
    counts = store.count_contacts_by()
    segments = desk.pipeline.settings.segments
    return desk.show(
        "contacts.html",
        session,
        people=people,
        more=more,
        counts=counts,
        count=sum(counts["state"].values()),
        suppressed=store.count_suppressions(),
        suppressions=store.read_suppressions([each.address for each in people]),
        segments=sorted(segments),
        languages=desk.pipeline.settings.network.languages,
        q=text,
        before=before,
        said=said,
        outcome=outcome,
    )


@router.post("/contacts/import")
def import_contacts(desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Look at a CSV file of contacts, or take it; either way every unusable row is shown with its line."""
    refuse_below(session.user, Role.APPROVER)
    upload, is_trial = _read_upload(form), text_of(form, "word") != "import"
    outcome = desk.pipeline.contacts.import_file(
        upload.file, name=upload.filename or "", dry_run=is_trial, language=text_of(form, "language")
    )
    if is_trial:
        return _contacts_page(desk, session, outcome=outcome)
    detail = f"{outcome.accepted} accepted, {outcome.rejected_count} rejected"
    note(desk, session.user, "import", "contacts", detail)
    counts = {
        "accepted": plural(outcome.accepted, "accepted row"),
        "rejected": plural(outcome.rejected_count, "rejected row"),
    }
    said = translate("Imported: %(accepted)s, %(rejected)s.") % counts
    return _contacts_page(desk, session, outcome=outcome, said=said)


def _read_upload(form: FormData) -> UploadFile:
    upload = form.get("file")
    if not isinstance(upload, UploadFile) or not upload.size:
        raise PregonError("Choose a CSV file first; its first line names the columns, one of them email.")
    if upload.size > _MOST_BYTES:
        raise PregonError("The file is larger than 50 MB; `pregon contacts import` takes it.")
    return upload


@router.get("/segments")
def show_segments(desk: AnyDesk, session: SignedIn) -> Response:
    """The segments of the configuration, and how many each selects."""
    store, segments = desk.pipeline.store, desk.pipeline.settings.segments
    rows = [(name, rule, store.count_rule(rule.as_rule())) for name, rule in sorted(segments.items())]
    return desk.show("segments.html", session, rows=rows)


# --- one contact


@router.get("/contacts/{contact_id}")
def show_contact(contact_id: int, request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """One contact, with every answer that they gave."""
    return _contact_page(desk, session, contact_id, said=read_said(request.query_params))


def _contact_page(
    desk: Desk, session: Session, contact_id: int, *, status: int = 200, said: str = "", problem: str = ""
) -> Response:
    view = desk.pipeline.contacts.show(contact_id)
    languages = desk.pipeline.settings.network.languages
    values = {"answers": list(Consent), "languages": languages, "said": said, "problem": problem}
    return desk.show("contact.html", session, status=status, view=view, contact=view.contact, **values)


@router.post("/contacts/{contact_id}")
def mend_contact(contact_id: int, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Correct a contact, and record answers that came some other way, with how they came."""
    refuse_below(session.user, Role.APPROVER)
    values = {name: text_of(form, name) for name in _MENDED}
    try:
        answers = {
            purpose: Consent(text_of(form, purpose.value)) for purpose in Purpose if text_of(form, purpose.value)
        }
    except ValueError as error:
        raise PregonError("Choose one of the answers of the list.") from error
    try:
        how = text_of(form, "how").strip()
        desk.pipeline.contacts.record_answers(contact_id, answers, how and f"{how} (by {session.user.name})")
        desk.pipeline.contacts.mend(contact_id, values, text_of(form, "lists").split(","))
    except PregonError as error:
        return _contact_page(desk, session, contact_id, status=400, problem=str(error))
    note(desk, session.user, "contact", f"contact {contact_id}", "mended")
    return go(f"/contacts/{contact_id}", said="contact")


@router.post("/contacts/{contact_id}/erase")
def erase_contact(contact_id: int, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Forget a person, once their address was typed to confirm it."""
    refuse_below(session.user, Role.APPROVER)
    contact = desk.pipeline.contacts.show(contact_id).contact
    if text_of(form, "address").strip().casefold() != contact.address:
        problem = "Type the address of this contact to erase it; nothing was done."
        return _contact_page(desk, session, contact_id, status=400, problem=problem)
    desk.pipeline.contacts.erase(contact.address)
    note(desk, session.user, "erase", f"contact {contact_id}", "erased")
    return go("/contacts", said="erased")


# --- suppressions


@router.get("/suppressions")
def show_suppressions(request: Request, desk: AnyDesk, session: SignedIn, q: str = "", after: str = "") -> Response:
    """Addresses that are never written to, a page at a time."""
    return _suppressions_page(desk, session, q=q, after=after, said=read_said(request.query_params))


def _suppressions_page(
    desk: Desk, session: Session, *, status: int = 200, q: str = "", after: str = "", said: str = "", problem: str = ""
) -> Response:
    prefix = q.strip().casefold()[:320]
    rows, more = desk.pipeline.store.page_suppressions(prefix, _SHOWN, after)
    count = desk.pipeline.store.count_suppressions()
    values = {"rows": rows, "more": more, "count": count, "q": prefix, "said": said, "problem": problem}
    duties = desk.pipeline.duties.list_troubled()
    return desk.show("suppressions.html", session, status=status, duties=duties, **values)


@router.post("/suppressions")
def change_suppression(desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Never write to an address again, or let it be written to again."""
    refuse_below(session.user, Role.APPROVER)
    address, word = text_of(form, "address"), text_of(form, "word")
    try:
        if word == "release":
            desk.pipeline.contacts.release(address)
        else:
            desk.pipeline.contacts.suppress(address, f"{text_of(form, 'detail').strip()} (by {session.user.name})")
    except PregonError as error:
        return _suppressions_page(desk, session, status=400, problem=str(error))
    note(desk, session.user, "suppression", "an address", "released" if word == "release" else "suppressed")
    return go("/suppressions", said="released_address" if word == "release" else "suppressed")


@router.post("/suppressions/duties/{duty_id}")
def decide_duty(duty_id: int, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Tell the provider again of an address, or take it as done by hand there."""
    desk.pipeline.duties.decide(duty_id, by_hand=text_of(form, "word") == "done", user=session.user)
    return go("/suppressions", said="duty")
