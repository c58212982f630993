"""pregon read, draft, add."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pregon.cli.shared import as_json, open_pipeline, print_json, print_table, read_settings, say
from pregon.types import Kind

if TYPE_CHECKING:
    from pregon.types import Item, Proposal

_kind = click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    help="Take this kind instead of telling it from the text.",
)


@click.command()
@click.argument("document")
@_kind
@as_json
def read(document: str, kind: str | None, json_wanted: bool) -> None:
    """Read one document (a file or an address) into an item. Stores nothing."""
    from pregon.bootstrap import build_composing, open_document
    from pregon.items import item_to_json

    item = build_composing(read_settings()).read(open_document(document), Kind(kind) if kind else None)
    if json_wanted:
        print_json(item_to_json(item))
    else:
        _print_item(item)


@click.command()
@click.argument("document")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write the drafts into this folder.")
@click.option("--links", is_flag=True, help="Ask every link whether it leads somewhere; takes up to 20 seconds.")
@_kind
@as_json
def draft(document: str, out: Path | None, links: bool, kind: str | None, json_wanted: bool) -> None:
    """Every draft that the document's playbook asks for. Stores nothing, sends nothing."""
    from pregon.bootstrap import ask_links, build_composing, open_document
    from pregon.items import identify_item, item_to_json

    composing = build_composing(read_settings())
    source = open_document(document)
    item = composing.read(source, Kind(kind) if kind else None)
    dead = ask_links([link.url for link in item.links]) if links else {}
    proposals = composing.compose(item, identify_item(item, source), dead)
    files = [_write_proposal(proposal, out) for proposal in proposals]
    drafts = [_proposal_json(p, f) for p, f in zip(proposals, files, strict=True)]
    result = {"item": item_to_json(item), "drafts": drafts}
    if out:
        import json

        (out / "drafts.json").write_text(json.dumps(result, ensure_ascii=False, indent=2), encoding="utf-8")
    if json_wanted:
        print_json(result)
    else:
        _print_drafts(proposals, files)
    if not proposals:
        say(f"No draft: the playbook {item.kind.value} of config/playbooks.yaml names no channel.")
    if any(check.level == "error" for proposal in proposals for check in proposal.checks):
        say("Some checks failed; the drafts cannot be approved as they are.")
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("document")
@_kind
@as_json
def add(document: str, kind: str | None, json_wanted: bool) -> None:
    """Store a document and open its campaign for the officer to review."""
    from pregon.bootstrap import open_document

    with open_pipeline() as pipeline:
        saved = pipeline.watching.take(open_document(document), Kind(kind) if kind else None)
        campaign = pipeline.drafting.open_campaign(saved.id)
        result = {"item": saved.id, "new": saved.is_new, "campaign": campaign.slug if campaign else None}
    if json_wanted:
        print_json(result)
    elif campaign is None:
        click.echo("Stored; no active playbook asks for drafts of this kind.")
    else:
        known = "" if saved.is_new else " (it was known already)"
        click.echo(f"{campaign.slug}: {campaign.title}{known}")


def _print_item(item: Item) -> None:
    facts = [
        ("kind", item.kind),
        ("language", item.language),
        ("number", item.number),
        ("date", item.date),
        ("place", item.place),
        ("title", item.title),
        ("issuer", item.issuer),
        ("on behalf of", item.on_behalf_of),
        ("sections", len(item.sections)),
    ]
    facts += [
        ("call", f"{c.text} (at most {c.capacity or '?'}, deadline {c.deadline or 'not stated'})") for c in item.calls
    ]
    facts += [("event", f"{event.start} {event.title}") for event in item.events]
    facts += [("link", f"{link.url} {link.problem or ''}".rstrip()) for link in item.links]
    print_table(("what", "value"), [(name, "(not stated)" if value is None else value) for name, value in facts])
    for question in item.questions:
        click.echo(f"? {question.message} [{question.id}]")


def _print_drafts(proposals: tuple[Proposal, ...], files: list[dict[str, str]]) -> None:
    for proposal, paths in zip(proposals, files, strict=True):
        fields = proposal.fields
        what = (
            getattr(fields, "subject", None)
            or getattr(fields, "reason", None)
            or f"{len(getattr(fields, 'parts', ()))} parts"
        )
        click.echo(f"{proposal.channel} {proposal.language or '-'}: {what}  {proposal.digest}")
        for path in paths.values():
            click.echo(f"    {path}")
        for check in proposal.checks:
            click.echo(f"    {check.level}: {check.message} {check.fix} [{check.id}]")


def _write_proposal(proposal: Proposal, out: Path | None) -> dict[str, str]:
    from pregon.types import MailBody, PlaylistBody, ThreadBody

    if out is None:
        return {}
    body, name = proposal.content.body, f"{proposal.channel}.{proposal.language or 'all'}"
    if isinstance(body, MailBody):
        texts = {"mjml": body.mjml, "html": body.html, "text": body.text}
        paths = {kind: out / f"{name}.{'txt' if kind == 'text' else kind}" for kind in texts}
    elif isinstance(body, ThreadBody):
        texts, paths = {"text": "\n\n---\n\n".join(p.text for p in body.parts)}, {"text": out / f"{name}.txt"}
    elif isinstance(body, PlaylistBody):
        lines = [f"{o.op} {o.video_id} -> {o.playlist_title or o.playlist_id}" for o in body.operations]
        texts, paths = {"text": "\n".join(lines) or body.reason}, {"text": out / f"{name}.txt"}
    out.mkdir(parents=True, exist_ok=True)
    for kind, path in paths.items():
        path.write_text(texts[kind], encoding="utf-8")
    return {kind: str(path) for kind, path in paths.items()}


def _proposal_json(proposal: Proposal, files: dict[str, str]) -> dict[str, Any]:
    from pregon.types import MailBody, PlaylistBody, ThreadBody, TopicBody

    body = proposal.content.body
    common: dict[str, Any] = {"channel": proposal.channel, "language": proposal.language}
    if isinstance(body, MailBody):
        common |= {"subject": body.subject, "preheader": body.preheader}
    elif isinstance(body, ThreadBody):
        common["parts"] = [
            {
                "text": part.text,
                "weighted_length": part.weighted_length,
                "alt_text": part.media[0].alt_text if part.media else None,
            }
            for part in body.parts
        ]
        common["cost_usd"] = body.cost_usd
        if isinstance(body, TopicBody):
            common |= {"category": body.category, "tags": list(body.tags)}
    elif isinstance(body, PlaylistBody):
        common |= {"operations": [asdict(o) for o in body.operations], "reason": body.reason or None}
    return common | {
        "files": files,
        "digest": proposal.digest,
        "checks": [asdict(check) for check in proposal.checks],
        "trace": [asdict(trace) for trace in proposal.trace],
    }
