"""What a database refuses is logged as it is, so it must not say of whom it was, or what they were to read."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from pregon.storage import head_revision, make_database, open_store


def test_an_error_of_the_database_carries_no_address(url):
    store = open_store(url)
    try:
        with pytest.raises(SQLAlchemyError) as caught, store.engine.begin() as connection:
            connection.execute(text("INSERT INTO nowhere VALUES (:address)"), {"address": "ana@city.example"})
    finally:
        store.close()
    assert "nowhere" in str(caught.value)
    assert "ana@city.example" not in str(caught.value)


def test_an_error_of_a_restore_carries_no_address(url):
    row = {"id": 1, "address": "ana@city.example"}
    with pytest.raises(SQLAlchemyError) as caught, make_database(url, head_revision()) as load:
        load("contacts", iter([row | {"language": None}]))
    assert "ana@city.example" not in str(caught.value)
