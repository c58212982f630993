"""Do once, when the desk starts, what the first look at each page would otherwise wait for. Changes nothing."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime

from pregon.errors import PregonError
from pregon.types import CampaignSearch
from pregon.web import language, wording
from pregon.web.desk import Desk

_log = logging.getLogger(__name__)


def warm_desk(desk: Desk) -> float:
    """Compile the templates, read the catalogues and the forms of dates, count the contacts. Returns the seconds it took.

    Best on a thread of its own. What fails here fails again where somebody sees it, so it is only logged.
    """
    started = time.perf_counter()
    try:
        for name in desk.pages.list_templates(extensions=["html"]):
            desk.pages.get_template(name)
        for code in language.LANGUAGES:
            language.speak(code)
            _say_something(desk)
        language.speak("en")
        _look(desk)
    except PregonError as error:
        _log.warning("the desk could not be warmed up: %s", error)
    return time.perf_counter() - started


def _say_something(desk: Desk) -> None:
    language.say_sentence("warm-up")
    moment = wording.build_filters(desk.pipeline.settings.network.time_zone)["moment"]
    moment(datetime.now(UTC))
    wording.plural(2, "mail")
    wording.percent(0.5)
    for code in language.LANGUAGES:
        wording.language_name(code)


def _look(desk: Desk) -> None:
    pipeline = desk.pipeline
    pipeline.store.count_contacts_by()
    for segment in pipeline.settings.segments.values():
        pipeline.store.count_rule(segment.as_rule())
    page = pipeline.inbox.search(CampaignSearch(waiting=True, limit=1))
    for row in page.rows:
        pipeline.reviewing.show_campaign(row.campaign.slug)
    pipeline.measuring.totals()
