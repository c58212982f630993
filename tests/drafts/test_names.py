"""A name that an officer or a translator brought in is pointed out; those of source and configuration are not."""

from dataclasses import replace

import pytest

from drafts.builders import build_circular, build_context
from pregon.drafts import compose_drafts, propose


def names_of(text, **changes):
    item, context = build_circular(), replace(build_context(), **changes)
    (mail, *_) = compose_drafts(item, context)
    fields = replace(mail.fields, lead=text)
    checks = propose(mail.channel, mail.language, fields, item, context).checks
    return [check.message.split("”")[0][1:] for check in checks if check.id == "name.untraced"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The survey was opened by Marie Skłodowska de la Tour yesterday.", ["Marie Skłodowska de la Tour"]),
        ("The survey was opened in Atlantis, and all members came.", ["Atlantis"]),
        ("Members have answered. Nobody was left out.", []),
        ("See https://Example.org/Some-Page and write to Somebody@Else.example.", []),
    ],
)
def test_only_names_that_nothing_states_are_pointed_out(text, names):
    assert names_of(text) == names


def test_what_composing_makes_names_nobody_new():
    item, context = build_circular(), build_context()
    for proposal in compose_drafts(item, context):
        assert not [check for check in proposal.checks if check.id == "name.untraced"]
