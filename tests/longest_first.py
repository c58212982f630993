"""Files that start servers or browsers come first, so that the last worker is not left alone with them.

A plugin for runs with several workers: `python -m pytest -p tests.longest_first --no-loadscope-reorder`.
"""

from __future__ import annotations

import pytest

LONG = ("test_whole_way", "test_crash", "test_cli", "test_browser", "test_hostile")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))
