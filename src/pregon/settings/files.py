"""One file of `config/` into keys and values, with a finding for what is no YAML and for a key that is written twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pregon.errors import Finding

# Some systems have PyYAML without the C library, which reads ten times as fast.
_YamlLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_file(folder: Path, name: str, findings: list[Finding]) -> dict[str, Any] | None:
    """The file's keys and values; None when it cannot be read, which is told in `findings`."""
    path = folder / name
    try:
        value, twice = _read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        findings.append(Finding("config.no-file", name, "", "the file is missing", f"create {path}"))
        return None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else ""
        findings.append(
            Finding("config.unreadable", name, where, "this is not readable YAML", "check indentation and quotes")
        )
        return None
    if not isinstance(value, dict):
        findings.append(
            Finding("config.not-a-mapping", name, "", "expected keys and values", "see docs/configuration.md")
        )
        return None
    for key, first, second in twice:
        message = f"the key is written twice, in lines {first} and {second}"
        findings.append(Finding("config.twice", name, key, message, "keep one of them"))
    return value


def _read(text: str) -> tuple[Any, list[tuple[str, int, int]]]:
    """(the document, [(key, line, line) of what is written twice]): YAML itself would silently take the last one."""
    loader = _YamlLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, []
        # Before it is constructed, which writes what a merge key names beside the keys that replace it.
        twice = list(_find_twice(node, "", set()))
        return loader.construct_document(node), twice
    finally:
        loader.dispose()


def _find_twice(node: yaml.Node, at: str, known: set[int]) -> Iterator[tuple[str, int, int]]:
    if id(node) in known:  # an alias, which may even stand inside of what it names
        return
    known.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, entry in enumerate(node.value):
            yield from _find_twice(entry, f"{at}.{number}".strip("."), known)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            name, line = f"{at}.{key.value}".strip("."), key.start_mark.line + 1
            if name in lines:
                yield name, lines[name], line
            lines.setdefault(name, line)
            yield from _find_twice(value, name, known)
