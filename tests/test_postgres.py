"""The PostgreSQL of the tests: found however a machine has it."""

import pytest
from sqlalchemy import create_engine, text

import postgres  # type: ignore[import-not-found]

BUNDLED = "16."


@pytest.mark.postgres
@pytest.mark.parametrize("is_readable", [True, False])
def test_without_a_server_the_one_that_a_package_brings_along_is_started(tmp_path, monkeypatch, is_readable):
    monkeypatch.delenv("PREGON_TEST_POSTGRES_URL", raising=False)
    monkeypatch.setattr(postgres, "_find_installed", lambda: None)
    if not is_readable:  # as in the home of root
        monkeypatch.setattr(postgres, "_may_run", lambda *_: False)
    with postgres.running_postgres() as address:
        engine = create_engine(address)
        with engine.connect() as connection:
            assert connection.execute(text("SHOW server_version")).scalar_one().startswith(BUNDLED)
        engine.dispose()
