"""What providers say of our accounts before anything is sent."""

from conftest import on_sqlite  # type: ignore[import-not-found]
from test_handing import mails, with_email  # type: ignore[import-not-found]

from pregon.types import Account, ChannelName


@on_sqlite
def test_the_provider_checks_a_mail_and_sends_none(house):
    ask = house.pipeline.trying.ask_account
    assert ask(ChannelName.EMAIL) == Account(house.settings.network.sender.address)
    house.sandbox.set_fault("sendgrid", "401")
    assert "invalid" in ask(ChannelName.EMAIL).problem
    assert mails(house) == {}
    for by_smtp in with_email(house, provider="smtp"):
        assert by_smtp.pipeline.trying.ask_account(ChannelName.EMAIL).name.startswith("127.0.0.1:")


@on_sqlite
def test_live_posts_come_from_the_account_that_was_approved(house):
    ask = house.pipeline.trying.ask_account
    for mode, account, problem in (
        ("live", "@TidalCities", ""),
        ("live", "@tidalcities@social.example", ""),
        ("live", "@somebody", "the credentials are those of @tidalcities, and config/channels.yaml says @somebody"),
        ("sandbox", "@somebody", ""),
    ):
        config = house.settings.channels.x.model_copy(update={"mode": mode, "account": account})
        channels = house.settings.channels.model_copy(update={"x": config})
        house.pipeline.trying._settings = house.settings.model_copy(update={"channels": channels})
        found = ask(ChannelName.X)
        assert (problem in found.problem, bool(found.name)) == (True, not problem)
