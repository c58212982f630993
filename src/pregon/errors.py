"""Every error that pregon raises on purpose.

    PregonError                    something could not be done; `str()` is one sentence for people (exit status 1)
    +-- ConfigError                the words or the configuration are wrong (exit status 2); carries findings
    +-- DocumentError              a document cannot be read: missing, empty, too large, not text
    +-- SourceError                a source cannot be polled; `retry_after` in seconds when the host said so
    +-- TranslationError           a translator cannot be used just now
    +-- RenderError                a template does not render, or MJML refuses it
    +-- DecisionError              an approval, edit or withdrawal that the rules do not allow
    |   +-- StaleRevisionError     somebody saved in between: nothing was overwritten
    |   +-- PastTimeError          a time of sending that has passed
    +-- NotFoundError              no such campaign, draft, contact or user
    |   +-- NoCampaignError        no such campaign
    +-- NotAllowedError            this person's role does not include that action
    +-- SignatureError             a webhook or link whose signature does not hold

What a provider answers is data, not an exception: see `types.Outcome`.
"""

from __future__ import annotations

from dataclasses import dataclass


class PregonError(Exception):
    """Something could not be done. The text is one sentence that says what to do about it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong in the configuration."""

    id: str
    file: str
    key: str
    message: str
    hint: str

    def __str__(self) -> str:
        place = f"{self.file}: {self.key}" if self.key else self.file
        return f"{place}: {self.message} ({self.hint}) [{self.id}]"


class ConfigError(PregonError):
    """The configuration is wrong; every finding is listed, not only the first."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class DocumentError(PregonError):
    """A document cannot be read."""


class SourceError(PregonError):
    """A source cannot be polled now."""

    def __init__(self, message: str, *, retry_after: float | None = None, gone: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.gone = gone


class RenderError(PregonError):
    """A template does not render."""


class DecisionError(PregonError):
    """The rules do not allow this decision or edit now."""


class TranslationError(PregonError):
    """A translator cannot be used just now; drafts keep their marks."""


class StaleRevisionError(DecisionError):
    """The draft changed since the page was opened."""

    def __init__(self, message: str, *, current: int) -> None:
        super().__init__(message)
        self.current = current


class PastTimeError(DecisionError):
    """The time of sending has passed."""


class NotFoundError(PregonError):
    """There is no such thing."""


class NoCampaignError(NotFoundError):
    """There is no such campaign."""


class NotAllowedError(PregonError):
    """The person's role does not include this action."""


class SignatureError(PregonError):
    """A signature does not hold."""
