"""Contacts, suppressions, segments. An address that said no, or was erased, is not brought back from here, either."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, UploadFile
from pydantic import AfterValidator, Field

from pregon.audiences import normalise_address
from pregon.errors import NotFoundError, PregonError
from pregon.types import Consent, Contact, ContactState, Purpose, SuppressionReason
from pregon.web.api.access import Approver, Viewer
from pregon.web.api.models import CountOut, Id, In, Limit, Out, Short, Word
from pregon.web.desk import AnyDesk
from pregon.web.workings import note

router = APIRouter(tags=["contacts"])
_MENDED = ("name", "language", "organisation", "city", "country")


def _one_list(name: str) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > 80 or set(clean) & set("|;,"):
        raise ValueError("a list's name has 1 to 80 characters, and none of | ; ,")
    return clean


ListName = Annotated[Short, AfterValidator(_one_list)]


class ContactOut(Out):
    """A person whom we may write to."""

    id: int
    address: str
    name: str
    language: str
    state: ContactState
    lists: list[str]
    organisation: str
    city: str
    country: str
    open_tracking: Consent
    click_tracking: Consent


class ContactPage(Out):
    """Some contacts, newest first; `before` is for the next page, null on the last one."""

    contacts: list[ContactOut]
    before: int | None


class ContactIn(In):
    """A new contact, or what changes of a known one: blank fields change nothing."""

    address: Annotated[Short, Field(min_length=3)]
    name: Short = ""
    language: Short = ""
    lists: Annotated[tuple[ListName, ...], Field(max_length=50)] = ()
    organisation: Short = ""
    city: Short = ""
    country: Short = ""


class MendIn(In):
    """What is corrected; what is left out stays. Answers need `how` they came, as their proof."""

    name: Short | None = None
    language: Short | None = None
    lists: Annotated[list[ListName], Field(max_length=50)] | None = None
    organisation: Short | None = None
    city: Short | None = None
    country: Short | None = None
    mail: Consent | None = None
    opens: Consent | None = None
    clicks: Consent | None = None
    how: Short = ""


class RejectedOut(Out):
    """A line of a file that cannot be used."""

    line: int
    reason: str


class ImportOut(Out):
    """What an import did, or with dry_run would do. `kept`: people who had said no and stay out."""

    accepted: int
    added: int
    updated: int
    kept: int
    rejected_count: int
    rejected: list[RejectedOut] = Field(description="The first lines that cannot be used, with the reason.")


class SuppressionOut(Out):
    """An address that is never written to."""

    address: str
    reason: SuppressionReason
    detail: str
    created_at: datetime


class SuppressionPage(Out):
    """Some suppressions, by address; `after` is for the next page, null on the last one."""

    suppressions: list[SuppressionOut]
    after: str | None


class SuppressIn(In):
    """An address, and why."""

    address: Annotated[Short, Field(min_length=3)]
    detail: Short = ""


class AddressIn(In):
    """An address."""

    address: Annotated[Short, Field(min_length=3)]


class SegmentOut(Out):
    """A segment of the configuration, and how many it selects now."""

    name: str
    count: int


@router.get("/contacts")
def search_contacts(
    desk: AnyDesk,
    user: Viewer,
    q: Annotated[Word, Query(description="Words of name, address, organisation or city.")] = "",
    before: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
    limit: Limit = 100,
) -> ContactPage:
    """Contacts, newest first, a page at a time."""
    found, more = desk.pipeline.store.search_contacts(q.strip(), limit, before)
    return ContactPage(contacts=[ContactOut.model_validate(each) for each in found], before=more)


@router.post("/contacts")
def save_contact(contact: ContactIn, desk: AnyDesk, user: Approver) -> ContactOut:
    """Add a contact, or update the one with this address, by the rules of an import."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(("email", "name", "language", "lists", "organisation", "city", "country"))
    cells = [getattr(contact, name) for name in ("name", "language")]
    rest = [getattr(contact, name) for name in ("organisation", "city", "country")]
    writer.writerow([contact.address, *cells, "; ".join(contact.lists), *rest])
    first = desk.pipeline.settings.network.languages[0]
    file = io.BytesIO(table.getvalue().encode())
    result = desk.pipeline.contacts.import_file(file, name=f"the API (by {user.name})", language=first)
    if result.rejected:
        raise PregonError(f"{result.rejected[0][1]}.")
    saved = desk.pipeline.store.find_contact(result.first[0].address) if result.first else None
    if saved is None:
        raise PregonError("This contact cannot be kept; check the address.")
    note(desk, user, "contact", f"contact {saved.id}", "saved by the API")
    return ContactOut.model_validate(saved)


@router.post("/contacts/import")
def import_contacts(
    file: UploadFile,
    desk: AnyDesk,
    user: Approver,
    dry_run: Annotated[bool, Query(description="Say what would happen, change nothing.")] = True,
    language: Annotated[Word, Query(description="For rows that name no language.")] = "",
) -> ImportOut:
    """Take contacts from a CSV file whose first line names the columns, one of them email."""
    name = "".join(sign for sign in (file.filename or "") if sign.isprintable())[:200]
    result = desk.pipeline.contacts.import_file(file.file, name=name, dry_run=dry_run, language=language)
    if not dry_run:
        detail = f"{result.accepted} accepted, {result.rejected_count} rejected"
        note(desk, user, "import", "contacts", detail)
    rejected = [RejectedOut(line=line, reason=reason) for line, reason in result.rejected]
    names = ("accepted", "added", "updated", "kept", "rejected_count")
    return ImportOut(**{name: getattr(result, name) for name in names}, rejected=rejected)


@router.get("/contacts/{contact_id}")
def show_contact(contact_id: Id, desk: AnyDesk, user: Viewer) -> ContactOut:
    """One contact."""
    return ContactOut.model_validate(desk.pipeline.contacts.show(contact_id).contact)


@router.patch("/contacts/{contact_id}")
def mend_contact(contact_id: Id, mended: MendIn, desk: AnyDesk, user: Approver) -> ContactOut:
    """Correct a contact, and record answers that came some other way."""
    use = desk.pipeline.contacts
    before: Contact = use.show(contact_id).contact
    wanted = {Purpose.MAIL: mended.mail, Purpose.OPENS: mended.opens, Purpose.CLICKS: mended.clicks}
    answers = {purpose: answer for purpose, answer in wanted.items() if answer is not None}
    given = {name: getattr(mended, name) for name in _MENDED}
    values = {name: getattr(before, name) if value is None else value for name, value in given.items()}
    how = mended.how.strip()
    use.record_answers(contact_id, answers, how and f"{how} (by {user.name})")
    use.mend(contact_id, values, before.lists if mended.lists is None else mended.lists)
    note(desk, user, "contact", f"contact {contact_id}", "mended")
    return ContactOut.model_validate(use.show(contact_id).contact)


@router.get("/contacts/{contact_id}/export")
def export_contact(contact_id: Id, desk: AnyDesk, user: Approver) -> dict[str, Any]:
    """Everything that is kept about one contact, for them to have."""
    found = desk.pipeline.contacts.export(contact_id)
    note(desk, user, "export", f"contact {contact_id}", "exported")
    return found


@router.delete("/contacts/{contact_id}")
def erase_contact(contact_id: Id, desk: AnyDesk, user: Approver) -> CountOut:
    """Forget a person: nothing that names them stays but a salted hash that keeps the opt-out."""
    address = desk.pipeline.contacts.show(contact_id).contact.address
    desk.pipeline.contacts.erase(address)
    note(desk, user, "erase", f"contact {contact_id}", "erased")
    return CountOut(changed=1)


@router.get("/suppressions")
def list_suppressions(
    desk: AnyDesk,
    user: Viewer,
    prefix: Annotated[Word, Query(description="What the address starts with.")] = "",
    after: Word = "",
    limit: Limit = 100,
) -> SuppressionPage:
    """Addresses that are never written to, a page at a time."""
    rows, more = desk.pipeline.store.page_suppressions(prefix.strip().casefold(), limit, after)
    return SuppressionPage(suppressions=[SuppressionOut.model_validate(row) for row in rows], after=more)


@router.post("/suppressions")
def suppress(wanted: SuppressIn, desk: AnyDesk, user: Approver) -> CountOut:
    """Never write to an address again."""
    new = desk.pipeline.contacts.suppress(wanted.address, f"{wanted.detail.strip()} (by {user.name})")
    note(desk, user, "suppression", "an address", "suppressed")
    return CountOut(changed=int(new))


@router.post("/suppressions/release")
def release(wanted: AddressIn, desk: AnyDesk, user: Approver) -> CountOut:
    """Let an address be written to again; who said no themselves stays out."""
    address = normalise_address(wanted.address)
    if not address:
        raise NotFoundError("This address is not suppressed.")
    desk.pipeline.contacts.release(address)
    note(desk, user, "suppression", "an address", "released")
    return CountOut(changed=1)


@router.get("/segments")
def list_segments(desk: AnyDesk, user: Viewer) -> list[SegmentOut]:
    """The segments of the configuration with how many contacts each selects."""
    count = desk.pipeline.store.count_rule
    segments = sorted(desk.pipeline.settings.segments.items())
    return [SegmentOut(name=name, count=count(rule.as_rule())) for name, rule in segments]
