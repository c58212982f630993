"""Post a message to an address that a person named, as carefully as sources are fetched.

Public hosts only unless allowed, one deadline for everything, no redirect, and nothing of the answer read but its status.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import httpx

from pregon.errors import SourceError
from pregon.sources.network import PrivateHostError, open_transport


def post_message(
    address: str, headers: Mapping[str, str], body: bytes, *, timeout: float, allow_private: bool
) -> tuple[int | None, str]:
    """The status of the answer (None: there was none), and a sentence. Never raises for what the network does."""
    transport = open_transport(time.monotonic() + timeout, allow_private=allow_private)
    try:
        with (
            httpx.Client(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False) as http,
            http.stream("POST", address, content=body, headers=dict(headers)) as answer,
        ):
            return answer.status_code, f"answered {answer.status_code}"
    except PrivateHostError:
        return None, "not sent: the address is on a private network, which hooks.allow_private has to allow"
    except SourceError as error:
        return None, f"not sent: {str(error).partition(':')[0]}"
    except httpx.TimeoutException:
        return None, "no answer in time"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None, "not reached"
