"""The mail that a person asked for themselves, e.g. to confirm an address: from the officer's template, as text and HTML.

The template is plain text, `templates/email/notice-<kind>.<language>.txt.j2`: the first line is the subject, the rest
are paragraphs, and a paragraph `-> words: address` is a button.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pregon.drafts.mail import compile_mjml
from pregon.drafts.palette import choose_palette
from pregon.drafts.shapes import fill_template
from pregon.errors import RenderError
from pregon.settings import Network
from pregon.types import MailBody

_BUTTON = "-> "


@dataclass(frozen=True, slots=True)
class NoticePart:
    """A paragraph, or a button when `url` is given."""

    text: str
    url: str = ""


def render_notice(
    templates: Mapping[str, str], network: Network, kind: str, language: str, link: str, topics: Sequence[str] = ()
) -> MailBody:
    """The mail of one notice. In the network's first language where the template has no other. Raises RenderError."""
    known = language if f"email/notice-{kind}.{language}.txt.j2" in templates else network.languages[0]
    values = {
        "network": network.name[known],
        "link": link,
        "topics": list(topics),
        "privacy": network.privacy_notice[known],
        "postal_address": network.postal_address,
    }
    filled = fill_template(templates, f"email/notice-{kind}.{known}.txt.j2", values)
    subject, _, rest = filled.strip().partition("\n")
    parts = [_read_part(paragraph) for paragraph in rest.split("\n\n") if paragraph.strip()]
    if not any(part.url == link for part in parts):
        raise RenderError(
            f"templates/email/notice-{kind}.{known}.txt.j2 has no button with the link; write -> words: {{{{ link }}}}"
        )
    view = {
        "language": known,
        "network": network,
        "palette": choose_palette(network.brand.colour, network.brand.accent),
        "subject": subject,
        "parts": parts,
    }
    mjml = fill_template(templates, "email/notice.mjml.j2", view)
    text = "\n\n".join(f"{part.text}:\n{part.url}" if part.url else part.text for part in parts)
    return MailBody(subject.strip(), "", compile_mjml(mjml), text + "\n", mjml)


def _read_part(paragraph: str) -> NoticePart:
    text = " ".join(paragraph.split())
    if text.startswith(_BUTTON):
        label, _, url = text.removeprefix(_BUTTON).partition(": ")
        return NoticePart(label, url)
    return NoticePart(text)
