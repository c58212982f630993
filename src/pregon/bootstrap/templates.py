"""The files of `templates/`, read and checked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from pregon.errors import ConfigError, Finding, RenderError
from pregon.settings import Settings
from pregon.types import ChannelName


def read_templates(root: Path) -> Mapping[str, str]:
    """Every text file below `root`/templates, by its path there; read again only when one of them has changed."""
    folder = root / "templates"
    return _read_files(folder, tuple(_stamp_files(folder)))


def check_templates(settings: Settings) -> None:
    """Raise `ConfigError` with every template that a playbook names and nobody wrote, and every one that is broken."""
    # Late, since only the commands that check need it.
    from pregon.drafts import find_template_problems, read_words

    templates = read_templates(settings.root)
    findings = [*_find_missing(settings, templates)]
    for name, problem in find_template_problems(templates):
        hint = "correct it there, or take the shipped one"
        findings.append(Finding("template.broken", f"templates/{name}", "", problem, hint))
    for language in settings.network.languages:
        try:
            read_words(templates, language)
        except RenderError as error:
            hint = "docs/configuration.md says what is in it"
            findings.append(Finding("template.words", f"templates/words.{language}.yaml", "", str(error), hint))
    if findings:
        raise ConfigError(tuple(findings))


def _find_missing(settings: Settings, templates: Mapping[str, str]) -> Iterator[Finding]:
    for key, file in _list_named(settings):
        if file not in templates:
            hint = f"write it, or name another one of templates/{file.partition('/')[0]}"
            yield Finding("template.missing", "playbooks.yaml", key, f"templates/{file} is missing", hint)


def _list_named(settings: Settings) -> Iterator[tuple[str, str]]:
    """(key, file) of each template that a rule names."""
    for kind, playbook in settings.playbooks.items():
        for channel in playbook.channels():
            named = getattr(getattr(playbook, channel.value), "template", None)
            key = f"playbooks.{kind}.{channel}.template"
            if named is not None and channel is ChannelName.EMAIL:
                yield from _list_mail_files(key, named)
            elif named is not None:
                yield key, f"social/{named}.txt.j2"
    if settings.digest:
        yield from _list_mail_files("digest.email.template", settings.digest.email.template)


def _list_mail_files(key: str, named: str) -> Iterator[tuple[str, str]]:
    yield from ((key, f"email/{named}.{ending}") for ending in ("mjml.j2", "txt.j2"))


def _stamp_files(folder: Path) -> Iterator[tuple[str, int, int]]:
    """(path, size, time of the last change in ns) of each file below a folder."""
    for at, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not name.startswith("."):
                path = os.path.join(at, name)
                known = os.stat(path)
                yield path, known.st_size, known.st_mtime_ns


@lru_cache(maxsize=4)
def _read_files(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> Mapping[str, str]:
    paths = (Path(path) for path, _, _ in stamps)
    return MappingProxyType({path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths})
