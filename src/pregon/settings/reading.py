"""Read `config/*.yaml` and the environment into settings; every finding is reported at once. Reads files, writes none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pregon.errors import ConfigError, Finding
from pregon.settings.channels import Channels
from pregon.settings.checking import cross_check
from pregon.settings.desk import DeskConfig
from pregon.settings.files import load_file
from pregon.settings.network import Network
from pregon.settings.places import read_places
from pregon.settings.playbooks import DigestRule, Playbook, SegmentRule
from pregon.settings.settings import SECRET_FIELDS, Secrets, Settings
from pregon.settings.sources import Polling, SourceConfig
from pregon.source_rules import find_secret_problem
from pregon.types import Kind, SourceKind

T = TypeVar("T", bound=BaseModel)
_HINTS = {
    "extra_forbidden": ("config.unknown-key", "remove the key or correct its spelling"),
    "missing": ("config.missing-key", "add the key; docs/configuration.md lists every one"),
}


def _validate(model: type[T], value: Any, file: str, prefix: str, findings: list[Finding]) -> T | None:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for problem in error.errors():
            identity, hint = _HINTS.get(problem["type"], ("config.bad-value", "correct the value"))
            key = ".".join([prefix, *map(str, problem["loc"])]).strip(".")
            message = problem["msg"].removeprefix("Value error, ")
            findings.append(Finding(identity, file, key, message, hint))
        return None


def _validate_file(model: type[T], folder: Path, file: str, findings: list[Finding]) -> T | None:
    value = load_file(folder, file, findings)
    # A file that cannot be read is one finding, not one for each key that it would have.
    return None if value is None else _validate(model, value, file, "", findings)


def load_settings(root: Path, environment: Mapping[str, str]) -> Settings:
    """Read and validate `root`/config and the environment.

    `root` is the folder that holds config/ and templates/. Raises `ConfigError` with every finding.
    """
    findings: list[Finding] = []
    folder = root / "config"
    network = _validate_file(Network, folder, "network.yaml", findings)
    channels = _validate_file(Channels, folder, "channels.yaml", findings)
    sources, polling = _load_sources(folder, findings)
    source_secrets = read_source_secrets(sources, environment, findings)
    playbooks, segments = _load_playbooks(folder, findings)
    digest = _load_digest(folder, segments, findings)
    desk = _load_desk(folder, findings)
    secrets = Secrets(**{field: environment.get(variable, "") for field, variable in SECRET_FIELDS.items()})
    places = read_places(root, environment, findings)
    host = environment.get("PREGON_HOST", "127.0.0.1")
    base_url = (environment.get("PREGON_BASE_URL") or f"http://{host}:{places.port}").rstrip("/")
    if network and channels:
        findings += cross_check(network, channels, sources, playbooks, secrets, base_url)
    if findings or network is None or channels is None:
        raise ConfigError(tuple(findings))
    return Settings(
        root=root,
        home=places.home,
        database_url=places.database_url,
        base_url=base_url,
        host=host,
        port=places.port,
        secret_key=environment.get("PREGON_SECRET_KEY", ""),
        network=network,
        sources=sources,
        polling=polling,
        playbooks=playbooks,
        digest=digest,
        segments=segments,
        channels=channels,
        desk=desk,
        secrets=secrets,
        source_secrets=source_secrets,
    )


def _load_sources(folder: Path, findings: list[Finding]) -> tuple[tuple[SourceConfig, ...], Polling]:
    file = load_file(folder, "sources.yaml", findings) or {}
    entries = file.get("sources") or []
    polling = _validate(Polling, file.get("polling") or {}, "sources.yaml", "polling", findings) or Polling()
    read = [_validate(SourceConfig, entry, "sources.yaml", f"sources.{n}", findings) for n, entry in enumerate(entries)]
    sources = tuple(source for source in read if source)
    for source in sources:
        if sum(other.id == source.id for other in sources) > 1:
            findings.append(
                Finding("config.twice", "sources.yaml", source.id, "two sources have this id", "rename one")
            )
    return sources, polling


def read_source_secrets(
    sources: tuple[SourceConfig, ...], environment: Mapping[str, str], findings: list[Finding]
) -> dict[str, str]:
    """The secret of each active source that needs one, by the source's id; a finding for each that is missing or weak."""
    found: dict[str, str] = {}
    for source in sources:
        if not source.active or source.kind not in (SourceKind.MAILBOX, SourceKind.WEBHOOK):
            continue
        secret, variable = environment.get(source.secret_variable, ""), source.secret_variable
        problem = find_secret_problem(source.kind, secret)
        if problem:
            message, hint = problem
            findings.append(Finding("env.missing-secret", "environment", variable, message, hint.format(variable)))
        found[source.id] = secret
    return found


def _load_playbooks(folder: Path, findings: list[Finding]) -> tuple[dict[Kind, Playbook], dict[str, SegmentRule]]:
    file = load_file(folder, "playbooks.yaml", findings) or {}
    entries = file.get("playbooks") or {}
    segments = _load_segments(file.get("segments") or {}, findings)
    playbooks: dict[Kind, Playbook] = {}
    for kind, entry in entries.items():
        if kind not in set(Kind):
            hint = f"use one of {', '.join(Kind)}"
            findings.append(
                Finding("config.unknown-kind", "playbooks.yaml", str(kind), "there is no such kind of item", hint)
            )
            continue
        playbook = _validate(Playbook, entry, "playbooks.yaml", f"playbooks.{kind}", findings)
        if playbook:
            playbooks[Kind(kind)] = _with_segment(playbook, segments, f"playbooks.{kind}.email.audience", findings)
    return playbooks, segments


def _load_digest(folder: Path, segments: dict[str, SegmentRule], findings: list[Finding]) -> DigestRule | None:
    entry = (load_file(folder, "playbooks.yaml", []) or {}).get("digest")
    return None if entry is None else _validate(DigestRule, entry, "playbooks.yaml", "digest", findings)


def _load_desk(folder: Path, findings: list[Finding]) -> DeskConfig:
    """desk.yaml; every key has a default, so the file may be missing."""
    if not (folder / "desk.yaml").exists():
        return DeskConfig()
    return _validate_file(DeskConfig, folder, "desk.yaml", findings) or DeskConfig()


def _load_segments(entries: Any, findings: list[Finding]) -> dict[str, SegmentRule]:
    if not isinstance(entries, dict):
        hint = "write the name of each segment with its rule below it"
        findings.append(Finding("config.not-a-mapping", "playbooks.yaml", "segments", "expected names and rules", hint))
        return {}
    read = {
        str(name): _validate(SegmentRule, rule, "playbooks.yaml", f"segments.{name}", findings)
        for name, rule in entries.items()
    }
    return {name: rule for name, rule in read.items() if rule}


def _with_segment(playbook: Playbook, segments: dict[str, SegmentRule], key: str, findings: list[Finding]) -> Playbook:
    """The playbook with the rule of the segment that its audience names."""
    if playbook.email is None or not playbook.email.audience.segment:
        return playbook
    audience = playbook.email.audience
    if audience.segment not in segments:
        hint = f"use one of {', '.join(segments)}" if segments else "write it under segments in playbooks.yaml"
        message = f"there is no segment {audience.segment!r}"
        findings.append(Finding("config.unknown-segment", "playbooks.yaml", f"{key}.segment", message, hint))
        return playbook
    # Frozen into what is approved: a segment that is changed later makes the sender hold the mail.
    audience = audience.model_copy(update={"rule": segments[audience.segment]})
    return playbook.model_copy(update={"email": playbook.email.model_copy(update={"audience": audience})})
