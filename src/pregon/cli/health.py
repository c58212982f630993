"""pregon check, doctor: is the configuration right, and does everything that it names answer?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

import click

from pregon.cli.shared import as_json, open_pipeline, print_json, print_table, read_settings
from pregon.errors import ConfigError, SourceError, TranslationError
from pregon.types import ChannelName, SourceKind, SourceState

if TYPE_CHECKING:
    from pregon.pipeline import Poller
    from pregon.settings import Settings, SourceConfig

_Row = tuple[str, str, str]


@click.command()
@as_json
def check(json_wanted: bool) -> None:
    """Check the configuration and the templates; each finding comes with its file, key and hint."""
    from pregon.bootstrap import check_templates

    try:
        settings = read_settings()
        check_templates(settings)
    except ConfigError as error:
        if not json_wanted:
            raise
        print_json({"ok": False, "findings": [asdict(finding) for finding in error.findings]})
        raise click.exceptions.Exit(2) from error
    modes = {name.value: settings.channel(name).mode for name in ChannelName}
    if json_wanted:
        print_json({"ok": True, "findings": [], "channels": modes})
        return
    click.echo(f"The configuration is right: {len(settings.sources)} sources, {len(settings.playbooks)} playbooks.")
    print_table(("channel", "mode"), list(modes.items()))


@click.command()
@as_json
def doctor(json_wanted: bool) -> None:
    """Check the configuration, the templates, the database, and every account, source and server that they name.

    Each is asked once; nothing is sent, posted or kept.
    """
    from pregon.bootstrap import build_pollers, now
    from pregon.sources.pace import HostPace

    rows: list[_Row] = []
    with open_pipeline() as pipeline:
        settings = pipeline.settings
        rows.append(("templates", *_look_at_templates(settings)))
        rows.append(("database", "ok", f"{pipeline.store.count_contacts()} contacts"))
        broken = pipeline.store.find_broken_line()
        where = f"the line of {broken.at:%Y-%m-%d %H:%M} by {broken.person} is not as it was written" if broken else ""
        rows.append(("audit log", "failing" if broken else "ok", where or "every line is as it was written"))
        for name in ChannelName:
            pause = pipeline.store.read_pause(name)
            rows.append((f"channel {name}", "paused" if pause else "ok", pause or settings.channel(name).mode))
        for name in ChannelName:
            if account := pipeline.trying.ask_account(name):
                rows.append(
                    (f"account {name}", "failing" if account.problem else "ok", account.problem or account.name)
                )
        if troubled := pipeline.duties.list_troubled():
            detail = f"{len(troubled)} addresses that the mail provider could not be told of; see the page Suppressions"
            rows.append(("provider duties", "failing", detail))
    rows += _look_at_servers(settings)
    pollers = build_pollers(settings, HostPace(settings.polling.host_gap_seconds))
    rows += [(f"source {source.id}", *_look_at(source, pollers, now())) for source in settings.sources if source.active]
    if json_wanted:
        print_json([dict(zip(("what", "state", "detail"), row, strict=True)) for row in rows])
    else:
        print_table(("what", "state", "detail"), rows)
    if any(state in ("failing",) for _, state, _ in rows):
        raise click.exceptions.Exit(1)


def _look_at_templates(settings: Settings) -> tuple[str, str]:
    from pregon.bootstrap import check_templates

    try:
        check_templates(settings)
    except ConfigError as error:
        return "failing", "; ".join(map(str, error.findings))
    return "ok", "each can be filled"


def _look_at_servers(settings: Settings) -> Iterator[_Row]:
    """The translator, by translating a word, and the provider that people sign in with."""
    from pregon.bootstrap import build_translator

    translator, languages = build_translator(settings), settings.network.languages
    if translator and len(languages) > 1:
        try:
            translator.translate(("2027",), languages[0], languages[1])
            yield "translator", "ok", f"{translator.name} answers"
        except TranslationError as error:
            yield "translator", "failing", str(error)
    if settings.desk.openid:
        from pregon.web.openid import Provider, ProviderError

        provider = Provider(settings.desk.openid, settings.secrets.openid_secret, settings.base_url)
        try:
            provider.leave()
            yield "sign-in", "ok", settings.desk.openid.issuer
        except ProviderError as error:
            yield "sign-in", "failing", str(error)


def _look_at(source: SourceConfig, pollers: Mapping[SourceKind, Poller], now: datetime) -> tuple[str, str]:
    """Poll a source once, remembering nothing: (state, detail)."""
    poller = pollers.get(source.kind)
    if poller is None:
        return "ok", "waits for what is pushed to it"
    try:
        found = poller(source, SourceState(), now)
    except SourceError as error:
        # A folder that nobody has made yet is no fault of the configuration: the service makes it.
        return "missing" if source.kind is SourceKind.FOLDER else "failing", str(error)
    return "ok", f"{len(found.sightings)} entries"
