"""A figure in a host name belongs to the address, not to the text."""

from pathlib import Path

import pytest

from pregon.bootstrap import build_composing
from pregon.settings import load_settings
from pregon.types import ChannelName, Document, Kind

TEXT = "Circular 7\n\nPortamar, 9 November 2026\n\nThe harbour guide is ready.\n\nDear members,\n\nThe guide has 12 chapters and can be read on the site of the network.\n"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "web2.tidalcities.example"])
def test_the_host_of_the_documents_own_address_is_traced_to_it(host: str) -> None:
    composing = build_composing(load_settings(Path(__file__).parents[2], {}))
    document = Document(TEXT, "text/plain", "feed", canonical_url=f"https://{host}/circular")
    proposals = composing.compose(composing.read(document, Kind.CIRCULAR), "test")
    mail = next(proposal for proposal in proposals if proposal.channel is ChannelName.EMAIL)
    name = host.partition(":")[0]
    assert name in mail.content.body.text  # type: ignore[union-attr]
    assert [check.id for check in mail.checks if check.id == "fact.untraced"] == []
    assert [trace.origin for trace in mail.trace if trace.text == name] == ["document:address"]
