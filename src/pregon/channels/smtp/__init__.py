"""Newsletters through any mail server, by SMTP."""

from pregon.channels.smtp.channel import SmtpChannel
from pregon.channels.smtp.reports import PROVIDER

__all__ = ["PROVIDER", "SmtpChannel"]
