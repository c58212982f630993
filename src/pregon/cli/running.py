"""pregon demo, serve, sandbox: what keeps running, or runs the whole way once."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pregon.cli.shared import as_json, print_json, print_table, read_settings, say
from pregon.errors import PregonError
from pregon.types import ChannelName, Decision, Role

if TYPE_CHECKING:
    from pregon.engine import Engine
    from pregon.pipeline import Pipeline
    from pregon.sandbox import Sandbox
    from pregon.settings import Settings

_DEMO_USER = "officer"


@click.command()
@click.option("--no-engine", is_flag=True, help="Only the desk: no Prefect, no schedules.")
def serve(no_engine: bool) -> None:
    """The desk, the webhooks and the embedded engine on one machine, until stopped."""
    settings = read_settings()
    _refuse_taken_port(settings)
    with _serving(settings, engine=not no_engine) as (_, run):
        say(f"The desk is at {settings.base_url}")
        run()


@click.command()
@click.option("--headless", is_flag=True, help="Approve, deliver, let the readers react, print the result and exit.")
@as_json
def demo(headless: bool, json_wanted: bool) -> None:
    """The whole main job on sample data with the sandbox's providers."""
    settings = read_settings()
    if not settings.sandboxed():
        raise PregonError("The demo needs every channel in sandbox mode; set mode: sandbox in config/channels.yaml.")
    home = settings.home / "demo"
    port = _free_port() if headless else settings.port
    changes = {"home": home, "database_url": f"sqlite:///{home / 'pregon.db'}", "port": port}
    # The demo asks nothing of the network, not even whether a link is alive.
    network = settings.network.model_copy(update={"check_links": False})
    settings = settings.model_copy(update=changes | {"base_url": f"http://127.0.0.1:{port}", "network": network})
    if headless:
        _demo_once(settings, json_wanted)
    else:
        _demo_desk(settings)


def _demo_desk(settings: Settings) -> None:
    _refuse_taken_port(settings)
    with _serving(settings, engine=True) as (pipeline, run):
        password = _prepare_demo(pipeline)
        say(f"The desk is at {settings.base_url}: sign in as {_DEMO_USER} with the password {password}")
        say(f"Drop a document into {settings.home / 'inbox'} and watch it appear. Ctrl+C ends.")
        run()


def _demo_once(settings: Settings, json_wanted: bool) -> None:
    from pregon.bootstrap import build_pipeline, running_stand_ins
    from pregon.web.app import build_app

    with running_stand_ins(settings) as sandbox:
        pipeline = build_pipeline(settings, sandbox)
        _prepare_demo(pipeline)
        with _running_app(build_app(pipeline), settings.host, settings.port):
            figures = _run_demo(pipeline, sandbox)
        pipeline.store.close()
    if json_wanted:
        print_json([{"what": name, "this_run": now, "in_all": total} for name, now, total in figures])
    else:
        print_table(("what", "this run", "in all"), figures)


def _run_demo(pipeline: Pipeline, sandbox: Sandbox | None) -> list[tuple[str, int, int]]:
    before = _figures(pipeline)
    say("watching the inbox ...")
    pipeline.watching.watch(force=True)
    say("drafting ...")
    pipeline.drafting.sweep()
    say("approving what has no open question ...")
    waiting = _approve_all(pipeline)
    say("delivering ...")
    pipeline.delivering.deliver()
    say("the sandbox's readers react ...")
    if sandbox is not None:
        sandbox.react()
    say("measuring ...")
    pipeline.measuring.measure()
    if waiting:
        say(f"{waiting} drafts wait for an answer or a correction; nobody but a person may give it.")
    after = _figures(pipeline)
    return [(name, after[name] - before[name], after[name]) for name in after]


def _approve_all(pipeline: Pipeline) -> int:
    officer, waiting = pipeline.people.user(_DEMO_USER), 0
    for row in pipeline.reviewing.list_campaigns():
        if not row.waiting:
            continue
        for view in pipeline.reviewing.show_campaign(row.campaign.slug).drafts:
            if view.obstacles:
                waiting += 1
            elif view.draft.state not in ("approved", "cancelled"):
                pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, view.revision.digest, officer)
    return waiting


def _figures(pipeline: Pipeline) -> dict[str, int]:
    rows = pipeline.reviewing.list_campaigns()
    drafts = [draft for row in rows for draft in row.drafts]
    funnels = [campaign.total(name) for campaign in pipeline.measuring.funnels() for name in ChannelName]
    mail = [funnel for funnel in funnels if funnel.channel is ChannelName.EMAIL]
    sent = {name: sum(f.sent for f in funnels if f.channel is name) for name in ChannelName}
    return {
        "items": len(rows),
        "drafts": len(drafts),
        "approved": sum(draft.state == "approved" for draft in drafts),
        "mails sent": sent[ChannelName.EMAIL],
        "mails delivered": sum(funnel.delivered for funnel in mail),
        "mails bounced": sum(funnel.bounced for funnel in mail),
        "people who clicked": sum(funnel.clickers for funnel in mail),
        "clicks by people": sum(funnel.clicks for funnel in mail),
        "clicks by machines": sum(funnel.machine_clicks for funnel in mail),
        "unsubscribes": sum(funnel.unsubscribed for funnel in mail),
        "posts": sent[ChannelName.X],
        "playlist changes": sent[ChannelName.YOUTUBE],
    }


def _prepare_demo(pipeline: Pipeline) -> str:
    """Sample documents into the inbox, members into the contacts, a user for the desk. Returns the user's password."""
    sample = resources.files("pregon.sandbox") / "sample"
    inbox = pipeline.settings.home / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    with resources.as_file(sample) as folder:
        for document in sorted((folder / "inbox").iterdir()):
            if not (inbox / document.name).exists():
                shutil.copyfile(document, inbox / document.name)
        if not pipeline.store.count_contacts():
            pipeline.contacts.import_text((folder / "members.csv").read_text(encoding="utf-8"))
    password = secrets.token_urlsafe(9)
    pipeline.people.add_user(_DEMO_USER, password, Role.APPROVER)
    return password


@click.command()
@click.option("--port", default=8322, show_default=True, help="Where the stand-ins listen, on this machine only.")
@click.option("--state", type=click.Path(dir_okay=False), help="Their memory; data/sandbox.db by default.")
def sandbox(port: int, state: str | None) -> None:
    """The stand-in providers alone."""
    from pregon.sandbox import serve_sandbox

    settings = read_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    say(f"The sandbox listens on http://127.0.0.1:{port}; Ctrl+C ends it.")
    webhook = f"{settings.base_url}/webhooks/sendgrid"
    serve_sandbox("127.0.0.1", port, Path(state) if state else settings.home / "sandbox.db", webhook_url=webhook)


@contextmanager
def _serving(settings: Settings, *, engine: bool) -> Iterator[tuple[Pipeline, Callable[[], None]]]:
    """The desk and, beside it, the engine; the second value runs until SIGTERM or SIGINT."""
    import uvicorn

    from pregon.bootstrap import build_pipeline, running_stand_ins, share_pipeline
    from pregon.engine import Engine
    from pregon.web.app import build_app
    from pregon.web.warming import warm_desk

    with running_stand_ins(settings, react_every=5) as stand_ins:
        pipeline = build_pipeline(settings, stand_ins)
        share_pipeline(pipeline)
        if stand_ins is not None:
            say(f"The sandbox's stand-ins are at {stand_ins.url}/_sandbox/accounts; nothing leaves this machine.")
        beside = Engine(settings) if engine else None
        app = build_app(pipeline, hint=beside.hint if beside else None, engine_url=beside.ui_url if beside else None)
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            timeout_graceful_shutdown=5,
            # Whose word on addresses counts is the desk's own rule (desk.trusted_proxies), not that of uvicorn.
            proxy_headers=False,
        )
        server = uvicorn.Server(config)

        def run() -> None:
            starting = threading.Thread(
                target=_start_engine, args=(beside, pipeline, server), name="engine-start", daemon=True
            )
            if beside is not None:
                starting.start()
            threading.Thread(target=warm_desk, args=(app.state.desk,), name="desk-warming", daemon=True).start()
            # uvicorn stops gracefully on these and then raises them once more, which must not end us before we clean up.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: None)
            server.run()

        try:
            yield pipeline, run
        finally:
            if beside is not None:
                beside.stop()
            share_pipeline(None)
            pipeline.store.close()


def _start_engine(engine: Engine, pipeline: Pipeline, server: Any) -> None:
    try:
        pipeline.composing.warm_up()
        engine.start()
        say(f"The engine is ready; Prefect's own pages are at {engine.ui_url}")
    except PregonError as error:
        say(str(error))
        server.should_exit = True


@contextmanager
def _running_app(app: Any, host: str, port: int) -> Iterator[None]:
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_level="warning", lifespan="on"))
    listener = socket.create_server((host, port))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="desk", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _refuse_taken_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise PregonError(
                f"Port {settings.port} of {settings.host} is taken; end what uses it, or set PREGON_PORT."
            ) from error
