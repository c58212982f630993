"""The outreach report as one HTML file that needs nothing else: to be sent, printed or put on a site."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pregon.metrics import click_rate
from pregon.pipeline import FEWEST_PEOPLE, Report
from pregon.settings import Network
from pregon.web import language, wording
from pregon.web.charts import build_bars

_PAGES = Path(__file__).parent / "pages"


def render_report(report: Report, network: Network) -> str:
    """The HTML of a report, in the language of this context."""
    pages = Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(wording.build_filters(network.time_zone))
    pages.add_extension("jinja2.ext.i18n")
    pages.install_gettext_callables(  # type: ignore[attr-defined]
        language.translate, language.translate_plural, newstyle=True
    )
    spoken = language.spoken()
    name = network.name.get(spoken) or next(iter(network.name.values()))
    return pages.get_template("report.html").render(
        report=report,
        name=name,
        spoken=spoken,
        network=network,
        click_rate=click_rate,
        build_bars=build_bars,
        few=FEWEST_PEOPLE,
    )
