"""What the pages without decisions of their own share: the role that an action needs, and a line in the audit log."""

from __future__ import annotations

from datetime import UTC, datetime

from pregon.errors import NotAllowedError
from pregon.types import AuditEntry, ChannelName, Role, User
from pregon.web.desk import Desk


def refuse_below(user: User, role: Role) -> None:
    """Raise `NotAllowedError` unless the person's role includes `role`."""
    if not user.role.includes(role):
        raise NotAllowedError(f"Your role, {user.role}, does not include this; an {role} can do it.")


def note(desk: Desk, user: User, action: str, subject: str, detail: str) -> None:
    """Write one line into the audit log."""
    desk.pipeline.store.add_audit(AuditEntry(datetime.now(UTC), user.name, action, subject[:120], detail))


def list_used_channels(desk: Desk) -> list[ChannelName]:
    """The channels that are not off, to choose from."""
    return [name for name in ChannelName if desk.pipeline.settings.channel(name).mode != "off"]
