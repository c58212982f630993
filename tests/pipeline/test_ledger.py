"""Looking somebody up in a campaign's ledger: by a whole address, by a part of it, by a reason."""

import pytest
from conftest import CLEAN  # type: ignore[import-not-found]

from pregon.types import DeliverySearch


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
        found, count = house.pipeline.store.search_deliveries(DeliverySearch(campaign.id, text=text))
        assert count == len(found)
        return [row.id for row in found]

    assert find(wanted.address) == find(wanted.address.upper()) == [wanted.id]
    assert wanted.id in find(wanted.address.split("@")[0][1:])
    assert find("nobody@nowhere.example") == []
    assert len(find("@tidalcities")) == len([row for row in house.pipeline.reviewing.who(slug) if row.channel == "x"])
