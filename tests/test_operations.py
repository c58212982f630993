"""docs/operations.md says what to do in each case that a person can meet: unknown, held, paused. Read from the code."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pregon.channels import answers
from pregon.channels.smtp.send import SENDER

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "pregon"
# What it says up to its first value, or to where it goes on to say what to do.
_CASE = re.compile(r"[;.({]|: |, and | and may | until a ")


@functools.cache
def modules() -> tuple[ast.Module, ...]:
    """The modules that put deliveries into a state."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))
             if str(path.relative_to(PACKAGE)).startswith(("channels/", "pipeline/", "storage/", "backups.py", "deliveries.py"))]  # fmt: skip
    return tuple(ast.parse(text) for text in texts if re.search(r"DeliveryState\.(HELD|UNKNOWN)|held: ", text))


def text_of(node: ast.AST | None) -> str | None:
    """A literal, or an f-string with {} for its values."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    return None


def is_state(node: ast.AST, state: str) -> bool:
    inner = node.value if isinstance(node, ast.Attribute) and node.attr == "value" else node
    return isinstance(inner, ast.Attribute) and inner.attr == state and ast.unparse(inner.value) == "DeliveryState"


def sentences(state: str) -> set[str]:
    """What is said where something comes to this state: literals of the call, or the variable that is set before it."""
    found: set[str] = set()
    for module in modules():
        for function in [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]:
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            for call in calls:
                given = [*call.args, *(keyword.value for keyword in call.keywords)]
                if any(is_state(node, state) for node in given):
                    found |= set(said_in(given, function, call.lineno))
    return {text for text in found if " " in text}


def said_in(given: list[ast.expr], function: ast.FunctionDef, line: int) -> Iterator[str]:
    for node in given:
        if text := text_of(node):
            yield text
        if isinstance(node, ast.Name):
            assigned = [
                (each.lineno, text_of(each.value) or "")
                for each in ast.walk(function)
                if isinstance(each, ast.Assign) and each.lineno < line and ast.unparse(each.targets[0]) == node.id
            ]
            yield from [text for _, text in sorted(assigned)][-1:]


@functools.cache
def held() -> set[str]:
    literals = {text_of(node) for module in modules() for node in ast.walk(module)}
    marked = {text for text in literals if text and text.startswith("held: ")}
    return {case for case in map(case_of, marked | sentences("HELD")) if case}


def case_of(text: str) -> str:
    """The words by which the doc has to name a case: what is said, without "held:", values and what to do."""
    pieces = [piece.strip() for piece in _CASE.split(text.removeprefix("held: ").replace("{}", "{")) if piece.strip()]
    return pieces[0] if pieces else ""


def rows(heading: str, table: int = 0) -> list[list[str]]:
    """The cells of a table below a heading, without its first line."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = re.split(r"\n##+ ", text.partition(f"# {heading}\n")[2])[0]
    tables = [block for block in section.strip().split("\n\n") if block.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in tables[table].splitlines()[2:]]


@pytest.mark.parametrize("case", sorted(held()))
def test_each_held_case_says_what_to_do(case: str) -> None:
    assert [row for row in rows("Held") if case == row[0] and row[-1]]


def test_the_doc_names_no_case_that_there_is_not() -> None:
    assert {row[0] for row in rows("Held")} == held()


@pytest.mark.parametrize("sentence", sorted(sentences("UNKNOWN")))
def test_each_unknown_sentence_is_explained(sentence: str) -> None:
    said = [phrase for row in rows("Unknown") for phrase in re.findall(r'"([^"]+)"', row[0])]
    assert [phrase for phrase in said if phrase in sentence]


def test_each_provider_is_read_back_as_the_doc_says() -> None:
    folders = {path.parent.name for path in (PACKAGE / "channels").glob("*/channel.py")}
    assert {row[0].lower() for row in rows("Unknown", 1)} == folders


def test_each_pause_says_what_to_do() -> None:
    words = {value for name, value in vars(answers).items() if name.isupper() and isinstance(value, str)}
    named = {row[0].strip("`") for row in rows("Paused")}
    assert named == words | {SENDER, "anything else"}
