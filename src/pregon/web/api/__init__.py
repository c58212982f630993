"""The API of the desk below `/api`: the same actions as the pages, for programs, by the same use cases.

An application of its own beside the pages: it takes a Bearer token and never a cookie, so no other site's page can act
through a browser, and a token opens no page.
"""

from pregon.web.api.app import build_api

__all__ = ["build_api"]
