"""A newsletter's fields as a compiled mail: Jinja2 first, then MJML, and a plain-text part equal in content.

Deterministic: the same fields and context give the same bytes, so a sender can compare digests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from mjml import mjml2html

from pregon.drafts.audience import audience_for, explain_fallback
from pregon.drafts.context import DraftContext
from pregon.drafts.inline import Run, parse_runs, spell_link
from pregon.drafts.links import host_of
from pregon.drafts.palette import choose_palette
from pregon.drafts.shapes import fill_template
from pregon.drafts.tokens import UNSUBSCRIBE_URL, VIEW_URL
from pregon.drafts.utm import Campaign, tag_link
from pregon.drafts.words import read_words
from pregon.errors import RenderError
from pregon.types import Audience, MailBody, MailFields

_SOCIAL_NAMES = {"x": "X", "youtube": "YouTube", "linkedin": "LinkedIn", "mastodon": "Mastodon", "bluesky": "Bluesky"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A paragraph, quotation or list as the templates get it: `lines` of runs (one line unless it is a list)."""

    kind: str
    lines: tuple[tuple[Run, ...], ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """Each line for the plain-text part, addresses spelled out."""
        return tuple(
            "".join(spell_link(run.text, run.url) if run.url else run.text for run in line) for line in self.lines
        )


@dataclass(frozen=True, slots=True)
class Part:
    """A section as the templates get it."""

    heading: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class _Tagger:
    """Puts the campaign's parameters on a link of one block of one mail."""

    campaign: str
    language: str

    def tag(self, url: str, block: str) -> str:
        return tag_link(url, Campaign("newsletter", "email", self.campaign, f"{self.language}-{block}"))


def render_mail(fields: MailFields, language: str, context: DraftContext) -> MailBody:
    """The compiled mail. Raises RenderError when a template or a word is missing or MJML refuses the result."""
    rule = context.playbook.email
    template = rule.template if rule else "circular"
    values = _collect_values(fields, language, context)
    mjml = _tidy_markup(fill_template(context.templates, f"email/{template}.mjml.j2", values))
    text = fill_template(context.templates, f"email/{template}.txt.j2", values)
    text = re.sub(r"\n{3,}", "\n\n", text.strip())
    return MailBody(fields.subject, fields.preheader, compile_mjml(mjml), f"{text}\n", mjml, fields.calendar)


def compile_mjml(mjml: str) -> str:
    """The HTML of an MJML document. No font is fetched from anywhere: the templates use the reader's own."""
    try:
        html = mjml2html(mjml, disable_comments=True, fonts={})
    except (OSError, ValueError, RuntimeError) as error:
        raise RenderError(f"MJML refuses the mail: {error}") from error
    return _mark_main(str(html))


def _mark_main(html: str) -> str:
    """The mail with one landmark: a <main> without style inside MJML's wrapper, so a mailbox may strip it unseen.

    MJML says role="article" of the wrapper, and checkers ask for the element instead of the role.
    """
    html = re.sub(r' aria-label="[^"]*" aria-roledescription="email"| role="article"', "", html, count=2)
    opening = re.search(r"<body[^>]*>.*?<div [^>]*lang=[^>]*>", html, re.DOTALL)
    if opening is None or "</div></body>" not in html:
        return html
    start, end = opening.end(), html.rindex("</div></body>")
    return f"{html[:start]}<main>{html[start:end]}</main>{html[end:]}"


def _tidy_markup(mjml: str) -> str:
    """One line break between MJML elements: the compiler refuses blanks there that hold no line break."""
    return re.sub(r">\s+(?=</?mj)", ">\n", mjml).strip()


def choose_figures(facts: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The facts that are plain numbers, to be shown large side by side; a single one stays in the list."""
    figures = tuple(fact for fact in facts if fact[1].isdigit())
    return figures if 1 < len(figures) <= 4 else ()


def parse_pieces(paragraphs: tuple[str, ...], tagger: _Tagger, block: str) -> tuple[Piece, ...]:
    """The paragraphs as pieces: neighbouring list entries become one list."""
    pieces: list[Piece] = []
    for kind, group in groupby(_split_lists(paragraphs), key=_kind_of):
        lines = tuple(_parse_line(paragraph, kind, tagger, block) for paragraph in group)
        pieces += [Piece(kind, lines)] if kind == "list" else [Piece(kind, (line,)) for line in lines]
    return tuple(pieces)


def _split_lists(paragraphs: tuple[str, ...]) -> Iterator[str]:
    """Each paragraph; of one whose lines are all list entries, each line (an officer writes lists without blanks)."""
    for paragraph in paragraphs:
        lines = paragraph.splitlines()
        yield from lines if len(lines) > 1 and all(_kind_of(line) == "list" for line in lines) else [paragraph]


def _kind_of(paragraph: str) -> str:
    return {"- ": "list", "> ": "quote"}.get(paragraph[:2], "paragraph")


def _parse_line(paragraph: str, kind: str, tagger: _Tagger, block: str) -> tuple[Run, ...]:
    text = paragraph if kind == "paragraph" else paragraph[2:]
    return tuple(Run(run.text, tagger.tag(run.url, block) if run.url else None) for run in parse_runs(text))


def _collect_values(fields: MailFields, language: str, context: DraftContext) -> dict[str, object]:
    network = context.network
    tagger = _Tagger(context.campaign, language)
    figures = choose_figures(fields.facts)
    return {
        "fields": fields,
        "words": read_words(context.templates, language),
        "language": language,
        "palette": choose_palette(network.brand.colour, network.brand.accent),
        "lead": parse_pieces((fields.lead,) if fields.lead else (), tagger, "lead"),
        "call": parse_pieces(tuple(fields.call.split("\n")) if fields.call else (), tagger, "call"),
        "parts": tuple(
            Part(section.heading, parse_pieces(section.paragraphs, tagger, "body")) for section in fields.sections
        ),
        "figures": figures,
        "facts": tuple(
            (label, parse_pieces((value,), tagger, "facts"))
            for label, value in fields.facts
            if (label, value) not in figures
        ),
        "notice": parse_pieces((fields.notice,) if fields.notice else (), tagger, "notice"),
        "closing": tuple(line for line in fields.closing.split("\n") if line.strip()),
        "button_url": tagger.tag(fields.button_url, "button"),
        "links": tuple((text, tagger.tag(url, "links")) for text, url in fields.links),
        "network": _describe_network(language, context, tagger, fields.audience),
        "fallbacks": explain_fallback(context, language),
        "view_url": VIEW_URL,
        "unsubscribe_url": UNSUBSCRIBE_URL,
    }


def _describe_network(
    language: str, context: DraftContext, tagger: _Tagger, chosen: Audience | None
) -> dict[str, object]:
    network = context.network
    audience = audience_for(context, language, chosen)
    return {
        "name": network.name[language],
        "short_name": network.short_name[language],
        "about": network.about[language],
        "chair": network.chair[language],
        "website": tagger.tag(network.website[language], "footer"),
        "website_host": host_of(network.website[language]),
        "privacy_notice": tagger.tag(network.privacy_notice[language], "footer"),
        "postal_address": network.postal_address,
        "sender": network.sender,
        "social": tuple((_SOCIAL_NAMES.get(name, name.title()), url) for name, url in network.social.items()),
        "audience": audience.name if audience else "",
    }
