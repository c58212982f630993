"""Newsletters through SendGrid v3."""

from pregon.channels.sendgrid.channel import SendGridChannel
from pregon.channels.sendgrid.events import parse_events, verify_signature

__all__ = ["SendGridChannel", "parse_events", "verify_signature"]
