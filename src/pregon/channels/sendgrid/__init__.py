"""Newsletters through SendGrid v3."""

from pregon.channels.sendgrid.channel import DEFAULT_HOST, SendGridChannel
from pregon.channels.sendgrid.events import parse_events, verify_signature

__all__ = ["DEFAULT_HOST", "SendGridChannel", "parse_events", "verify_signature"]
