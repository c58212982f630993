"""A desk on a real pipeline: configuration and templates of the project, SQLite in a temporary folder, the sandbox running."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.web.builders import ORIGIN, Browser, Place, build_desk, make_settings, open_place, prepare_home


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the samples drafted: made once, copied for each test."""
    settings = make_settings(tmp_path_factory.mktemp("prepared"))
    prepare_home(settings)
    return settings.home


@pytest.fixture
def place(tmp_path: Path, prepared_home: Path) -> Iterator[Place]:
    with open_place(make_settings(tmp_path, prepared=prepared_home)) as opened:
        yield opened


@pytest.fixture
def browse(place: Place) -> Callable[[str], Browser]:
    """A signed-in browser for a person's name; with "" nobody is signed in."""
    app = build_desk(place)

    def open_browser(name: str) -> Browser:
        http = TestClient(app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False)
        browser = Browser(http)
        return browser.sign_in(name) if name else browser

    return open_browser
