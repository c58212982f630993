"""The docs name everything that there is."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from pregon.cli import _COMMANDS
from pregon.settings import ChannelConfig, Channels, MailRule, Network, Playbook, PostRule, Secrets, SourceConfig
from pregon.types import ContactState, DeliveryState, DraftState, EventType, Label, Role, SuppressionReason

ROOT = Path(__file__).parents[1]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("model", [Network, SourceConfig, Playbook, MailRule, PostRule, ChannelConfig, Channels])
def test_every_setting_is_documented(model: type[BaseModel]) -> None:
    text = read("docs/configuration.md")
    assert [name for name in model.model_fields if f"`{name}`" not in text and name not in text] == []


def test_every_variable_is_documented() -> None:
    text = read("docs/configuration.md")
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    read_ones = set(re.findall(r"\"(PREGON_[A-Z_]+)\"", source)) - {"PREGON_ROOT"}
    read_ones |= {f"PREGON_{name.upper()}" for name in Secrets.model_fields}
    assert sorted(name for name in read_ones if name not in text) == []


@pytest.mark.parametrize("states", [DraftState, DeliveryState, ContactState, SuppressionReason, EventType, Label])
def test_every_state_is_in_the_glossary(states) -> None:
    text = read("docs/glossary.md")
    assert [state.value for state in states if state.value not in text] == []


def test_every_link_and_picture_of_the_readme_is_there() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", read("README.md"))
    assert len(targets) > 8
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_command_explains_itself() -> None:
    from click.testing import CliRunner

    from pregon.cli import cli

    for name in _COMMANDS:
        done = CliRunner().invoke(cli, [name, "--help"])
        assert done.exit_code == 0
        assert len(done.output.split("Options:")[0].strip().splitlines()) > 1, name


def test_roles_are_told_apart() -> None:
    assert [role.value for role in Role] == ["viewer", "editor", "approver", "admin"]
    assert Role.ADMIN.includes(Role.EDITOR)
    assert not Role.EDITOR.includes(Role.APPROVER)
