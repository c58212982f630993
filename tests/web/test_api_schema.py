"""The API's own description, held against it: made-up requests give no 500, and every answer is as described."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)
from tests.web.builders import Place, build_desk

from pregon.types import Role

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    ignored_auth,
]
_EXAMPLES = 12


def test_what_is_described_is_what_there_is(place: Place) -> None:
    people = place.pipeline.people
    token = people.tokens.create(people.user("approver"), "tests", Role.APPROVER, 1)[0]
    described = schemathesis.openapi.from_asgi("/api/openapi.json", build_desk(place))
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) >= 34
    for operation in operations:
        _try_operation(operation, token)


def _try_operation(operation: schemathesis.APIOperation, token: str) -> None:
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(case=operation.as_strategy())
    def run(case: schemathesis.Case) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    run()
