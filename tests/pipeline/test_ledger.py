"""Looking somebody up in a campaign's ledger: by a whole address, by a part of it, by a reason."""

from dataclasses import replace

import pytest
from conftest import CLEAN  # type: ignore[import-not-found]

from pregon.types import Decision, DeliverySearch, DeliveryState


@pytest.mark.parametrize("erased", [False, True])
def test_a_whole_address_and_a_part_of_it_find_the_same_rows(house, erased):
    slug = house.open_campaign(CLEAN)
    for channel in ("email", "x"):
        house.approve(slug, channel)
    campaign = house.pipeline.reviewing.show_campaign(slug).campaign
    rows = [row for row in house.pipeline.reviewing.who(slug) if row.channel == "email"]
    wanted = rows[3]
    if erased:
        # A contact that is gone, e.g. after a restore of part of the data: the row still says whom it was written to.
        with house.pipeline.store.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE deliveries SET contact_id = NULL")

    def find(text):
        found = house.pipeline.store.search_deliveries(DeliverySearch(campaign.id, text=text))
        assert found.count == len(found.page)
        assert found.is_all
        return [row.id for row in found.page]

    assert find(wanted.address) == find(wanted.address.upper()) == [wanted.id]
    assert wanted.id in find(wanted.address.split("@")[0][1:])
    assert find("nobody@nowhere.example") == []
    assert len(find("@tidalcities")) == len([row for row in house.pipeline.reviewing.who(slug) if row.channel == "x"])


def test_a_reason_is_found_and_a_text_that_too_many_hold_says_so(house, monkeypatch):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    campaign = house.pipeline.reviewing.show_campaign(slug).campaign
    store, rows = house.pipeline.store, house.pipeline.reviewing.who(slug)
    left_out = [row for row in rows if row.state is DeliveryState.SUPPRESSED]
    reason = left_out[0].reason
    found = store.search_deliveries(DeliverySearch(campaign.id, text=reason[1:].upper(), limit=1))
    assert found.count == len([row for row in left_out if reason[1:] in row.reason])
    assert [row.reason for row in found.page] == [reason]
    waiting = store.search_deliveries(DeliverySearch(campaign.id, (DeliveryState.PENDING,), text=".example"))
    assert waiting.count == len(rows) - len(left_out)
    monkeypatch.setattr("pregon.storage.ledger_search.MOST_PEOPLE", 2)
    found = store.search_deliveries(DeliverySearch(campaign.id, text=".example"))
    assert (found.count, found.is_all) == (2, False)


def test_what_an_approval_that_lapsed_had_planned_is_on_no_page_as_it_is_in_no_figure(house):
    slug = house.open_campaign(CLEAN)
    view = house.draft(slug, "email")
    house.approve(slug, "email")
    house.pipeline.reviewing.decide(view.draft.id, Decision.WITHDRAWN, view.revision.digest, house.officer)
    store, (figures,) = house.pipeline.store, house.pipeline.measuring.funnels(slug)
    everything = DeliverySearch(figures.campaign.id, limit=1000)
    assert figures.rows == ()
    assert (store.page_deliveries(everything), store.search_deliveries(everything).count) == ((), 0)
    assert len(house.pipeline.reviewing.who(slug)) > 10, "the whole ledger tells them with the reason"
    fields = replace(view.revision.fields, subject="Another subject")
    house.pipeline.reviewing.edit_draft(view.draft.id, view.draft.revision, fields, house.officer)
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    (row,) = house.pipeline.measuring.funnels(slug)[0].rows
    assert len(store.page_deliveries(everything)) == row.planned
    assert store.search_deliveries(everything).count == row.planned
    left_out = DeliverySearch(figures.campaign.id, (DeliveryState.SUPPRESSED,), limit=1000)
    assert len(store.page_deliveries(left_out)) == row.suppressed
