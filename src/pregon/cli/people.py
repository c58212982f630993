"""pregon contacts, user."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pregon.cli.shared import as_json, open_pipeline, print_json, print_table, say
from pregon.errors import PregonError
from pregon.types import AuditEntry, Role, User

if TYPE_CHECKING:
    from pregon.pipeline import ImportResult, Pipeline

_COLUMNS = (
    *("address", "name", "language", "state", "organisation", "city", "country"),
    *("open_tracking", "click_tracking"),
)


# Who can run commands on this machine looks after its people.
_OPERATOR = User(0, "pregon", Role.ADMIN)


def _note(pipeline: Pipeline, action: str, subject: str, detail: str) -> None:
    """Write a line into the audit log, in the name of the command."""
    from pregon.bootstrap import now

    pipeline.store.add_audit(AuditEntry(now(), _OPERATOR.name, action, subject, detail))


@click.group()
def contacts() -> None:
    """Members and subscribers."""


@contacts.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen, change nothing.")
@click.option("--language", default="", help="For rows that name no language.")
@click.option("--list", "lists", multiple=True, help="Put everybody on this list, too; may be given again.")
@click.option(
    "--rejected", type=click.Path(dir_okay=False, path_type=Path), help="Write rejected rows to this CSV file instead."
)
@as_json
def import_contacts(
    file: Path, dry_run: bool, language: str, lists: tuple[str, ...], rejected: Path | None, json_wanted: bool
) -> None:
    """Take contacts from a CSV file; each rejected row gets a line."""
    refused: list[dict[str, Any]] = []
    if rejected and rejected.exists() and rejected.samefile(file):
        raise PregonError(f"{rejected} is the file of contacts itself; name another one for the rejected rows.")
    with ExitStack() as stack:
        pipeline = stack.enter_context(open_pipeline())
        if rejected:
            writer = csv.writer(stack.enter_context(rejected.open("w", encoding="utf-8", newline="")))
            writer.writerow(("line", "reason"))

        def reject(line: int, reason: str) -> None:
            if rejected:
                writer.writerow((line, reason))
            elif json_wanted:
                refused.append({"line": line, "reason": reason})
            else:
                click.echo(f"line {line}: {reason}")

        result = pipeline.contacts.import_file(
            stack.enter_context(file.open("rb")),
            name=file.name,
            dry_run=dry_run,
            language=language,
            lists=lists,
            reject=reject,
        )
        if not dry_run:
            detail = f"{result.accepted} accepted, {result.rejected_count} rejected"
            _note(pipeline, "import", "contacts", detail)
    if json_wanted:
        print_json(_describe_import(result, dry_run) | {"rejected": refused})
        return
    columns = ", ".join(f"{title} as {meaning}" for meaning, title in result.file.columns.items())
    say(f"Read {columns}{'; not used: ' + ', '.join(result.file.ignored) if result.file.ignored else ''}.")
    verb = "would be taken" if dry_run else "taken"
    kept = f", {result.kept} had unsubscribed and stay so" if result.kept else ""
    click.echo(
        f"{result.accepted} contacts {verb} ({result.added} new, {result.updated} known{kept}), "
        f"{result.rejected_count} rows rejected."
    )


def _describe_import(result: ImportResult, dry_run: bool) -> dict[str, Any]:
    return {
        "accepted": result.accepted,
        "added": result.added,
        "updated": result.updated,
        "kept_unsubscribed": result.kept,
        "rejected_count": result.rejected_count,
        "columns": result.file.columns,
        "ignored": result.file.ignored,
        "encoding": result.file.encoding,
        "delimiter": result.file.delimiter,
        "dry_run": dry_run,
    }


@contacts.command("export")
@as_json
def export_contacts(json_wanted: bool) -> None:
    """Every contact as CSV (or JSON)."""
    with open_pipeline() as pipeline:
        everybody = (
            {name: getattr(c, name) for name in _COLUMNS} | {"lists": ";".join(c.lists)}
            for c in pipeline.store.walk_contacts()
        )
        if json_wanted:
            _print_json_lines(everybody)
            return
        writer = csv.DictWriter(sys.stdout, (*_COLUMNS, "lists"))
        writer.writeheader()
        writer.writerows(everybody)


def _print_json_lines(rows: Iterator[dict[str, Any]]) -> None:
    """One JSON list, written as it is read: a million contacts need no memory."""
    mark = "["
    for row in rows:
        click.echo(mark + json.dumps(row, ensure_ascii=False, default=str), nl=False)
        mark = ",\n "
    click.echo("]" if mark != "[" else "[]")


@contacts.command("erase")
@click.argument("address")
@as_json
def erase_contact(address: str, json_wanted: bool) -> None:
    """Forget a person, here and at the mail provider; a salted hash keeps their opt-out."""
    with open_pipeline() as pipeline:
        contact_id = pipeline.contacts.erase(address)
        _note(pipeline, "erase", f"contact {contact_id}" if contact_id else "an address", "erased")
        pipeline.duties.tell_due()
    if json_wanted:
        print_json({"erased": bool(contact_id), "kept_out": True})
        return
    known = "is erased" if contact_id else "was no contact"
    click.echo(f"{address} {known}; no import brings them back, and the mail provider is told to forget them.")


@click.group()
def user() -> None:
    """People of the desk."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.EDITOR.value, show_default=True)
@click.password_option(help="Asked for when it is not given.")
@as_json
def add_user(name: str, role: str, password: str, json_wanted: bool) -> None:
    """Add a person, or give a known one another password and role."""
    with open_pipeline() as pipeline:
        pipeline.people.add_user(name, password, Role(role))
        _note(pipeline, "person", name.strip(), f"role {role}")
    _tell(name.strip(), "can sign in as {role}", json_wanted, role=role, active=True)


@user.command("deactivate")
@click.argument("name")
@as_json
def deactivate_user(name: str, json_wanted: bool) -> None:
    """Let a person in no longer; their sessions and tokens end at once. The last admin stays."""
    with open_pipeline() as pipeline:
        pipeline.people.access.deactivate(name, _OPERATOR)
    _tell(name, "can no longer come in", json_wanted, active=False)


@user.command("reactivate")
@click.argument("name")
@as_json
def reactivate_user(name: str, json_wanted: bool) -> None:
    """Let a person in again."""
    with open_pipeline() as pipeline:
        pipeline.people.access.reactivate(name, _OPERATOR)
    _tell(name, "can come in again", json_wanted, active=True)


def _tell(name: str, what: str, json_wanted: bool, **values: Any) -> None:
    if json_wanted:
        print_json({"name": name, **values})
    else:
        say(f"{name} {what.format(**values)}.")


@user.command("list")
@as_json
def list_users(json_wanted: bool) -> None:
    """Everybody who can sign in."""
    with open_pipeline() as pipeline:
        everybody = pipeline.store.list_users()
    if json_wanted:
        print_json([{"name": person.name, "role": person.role} for person in everybody])
    else:
        print_table(("name", "role"), [(person.name, person.role) for person in everybody])
