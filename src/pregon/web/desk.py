"""What every page shares: the pipeline, the templates, the hints to the engine. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pregon.drafts import post_limit
from pregon.pipeline import Pipeline, Session
from pregon.web import desk_words, language, wording
from pregon.web.assets import asset_address
from pregon.web.question_words import label_question

Hint = Callable[[str, str], None]
_PAGES = Path(__file__).parent / "pages"


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk of one pipeline. `hint` tells the engine that there is work; without an engine it is None."""

    pipeline: Pipeline
    pages: Environment
    hint: Hint | None = None
    engine_url: str | None = None

    def show(self, page: str, session: Session | None = None, /, *, status: int = 200, **values: Any) -> HTMLResponse:
        """The page as this person sees it."""
        shared = {
            "session": session,
            "user": session.user if session else None,
            "csrf": session.csrf if session else "",
            "sandboxed": self.pipeline.settings.sandboxed(),
            "network": self.pipeline.settings.network,
            "engine_url": self.engine_url,
        }
        html = self.pages.get_template(page).render(shared | values)
        return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})

    def tell(self, event: str, resource: str, otherwise: Callable[[], object]) -> bool:
        """Hint to the engine that there is work; without an engine do it here and now. Returns whether it is done."""
        if self.hint is not None:
            self.hint(event, resource)
            return False
        otherwise()
        return True


def build_desk(pipeline: Pipeline, hint: Hint | None = None, engine_url: str | None = None) -> Desk:
    """The desk with its templates ready."""
    # StrictUndefined: a misspelt name is an error in a test, not an empty place on the page.
    pages = Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.globals["asset"] = asset_address
    pages.globals["spoken"] = language.spoken
    pages.globals["this_page"] = language.this_page
    pages.globals["languages"] = language.LANGUAGES
    pages.add_extension("jinja2.ext.i18n")
    # mypy does not see what an extension adds.
    install: Any = getattr(pages, "install_gettext_callables")  # noqa: B009
    install(language.translate, language.translate_plural, newstyle=True)
    pages.filters["say"] = language.say_sentence
    pages.filters["post_limit"] = post_limit
    pages.filters["question"] = label_question
    pages.filters.update(desk_words.FILTERS)
    pages.filters.update(wording.build_filters(pipeline.settings.network.time_zone))
    return Desk(pipeline, pages, hint, engine_url)


def get_desk(request: Request) -> Desk:
    """The desk that this application serves."""
    desk: Desk = request.app.state.desk
    return desk


AnyDesk = Annotated[Desk, Depends(get_desk)]


def go(path: str, *, said: str = "") -> RedirectResponse:
    """Send the browser on after a form; `said` names a sentence of `wording.SAID` for the next page."""
    address = path
    if said:
        head, mark, fragment = path.partition("#")
        address = f"{head}{'&' if '?' in head else '?'}said={said}{mark}{fragment}"
    return RedirectResponse(address, 303)


def read_said(query: Mapping[str, str]) -> str:
    """The sentence that the page before asked to be shown; only known ones, so that no link can put words here."""
    return language.translate(wording.SAID.get(query.get("said", ""), ""))


def read_page(text: str) -> int:
    """The number of a page, from 1; 1 for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) < 7 and int(text) else 1
