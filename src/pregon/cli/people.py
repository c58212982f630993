"""pregon contacts, user, report."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click

from pregon.cli.shared import as_json, open_pipeline, print_json, print_table, say
from pregon.errors import PregonError
from pregon.types import ChannelName, Role

_FIGURES = (
    *("planned", "sent", "failed", "suppressed", "unknown", "held", "pending", "delivered", "bounced"),
    *("trackable", "clickers", "clicks", "machine_clicks", "unsubscribed"),
)


@click.group()
def contacts() -> None:
    """Members and subscribers."""


@contacts.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen, change nothing.")
@as_json
def import_contacts(file: Path, dry_run: bool, json_wanted: bool) -> None:
    """Take contacts from a CSV file; each rejected row gets a line."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PregonError(f"{file} is not UTF-8; save it as CSV UTF-8 and import that.") from error
    with open_pipeline() as pipeline:
        result = pipeline.people.import_contacts(text, dry_run=dry_run)
    if json_wanted:
        rejected = [{"line": line, "reason": reason} for line, reason in result.rejected]
        print_json({"accepted": result.accepted, "rejected": rejected, "dry_run": dry_run})
        return
    for line, reason in result.rejected:
        click.echo(f"line {line}: {reason}")
    verb = "would be taken" if dry_run else "taken"
    click.echo(f"{result.accepted} contacts {verb}, {len(result.rejected)} rows rejected.")


@contacts.command("export")
@as_json
def export_contacts(json_wanted: bool) -> None:
    """Every contact as CSV (or JSON)."""
    columns = (
        "address",
        "name",
        "language",
        "state",
        "organisation",
        "city",
        "country",
        "open_tracking",
        "click_tracking",
    )
    with open_pipeline() as pipeline:
        everybody = pipeline.store.list_contacts()
    rows = [{name: getattr(c, name) for name in columns} | {"lists": ";".join(c.lists)} for c in everybody]
    if json_wanted:
        print_json(rows)
        return
    writer = csv.DictWriter(sys.stdout, (*columns, "lists"))
    writer.writeheader()
    writer.writerows(rows)


@click.group()
def user() -> None:
    """People of the desk."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.EDITOR.value, show_default=True)
@click.password_option(help="Asked for when it is not given.")
def add_user(name: str, role: str, password: str) -> None:
    """Add a person, or give a known one another password and role."""
    with open_pipeline() as pipeline:
        pipeline.people.add_user(name, password, Role(role))
    say(f"{name} can sign in as {role}.")


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


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write CSV to this file.")
@as_json
def report(out: Path | None, json_wanted: bool) -> None:
    """What each campaign reached, per channel."""
    with open_pipeline() as pipeline:
        campaigns = pipeline.measuring.funnels()
    rows = [
        {"campaign": c.campaign.slug, "channel": name} | {column: getattr(c.total(name), column) for column in _FIGURES}
        for c in campaigns
        for name in ChannelName
        if c.total(name).planned
    ]
    if json_wanted:
        print_json(rows)
    elif out:
        with out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ("campaign", "channel", *_FIGURES))
            writer.writeheader()
            writer.writerows(rows)
        say(f"{len(rows)} lines in {out}")
    else:
        print_table(("campaign", "channel", *_FIGURES), [tuple(row.values()) for row in rows])
