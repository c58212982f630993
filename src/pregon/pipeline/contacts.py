"""The contacts use case: import, mend, export and erase people, and record what they agreed to."""

from __future__ import annotations

from pregon.pipeline.importing import ContactImport


class Contacts(ContactImport):
    """Members and subscribers."""
