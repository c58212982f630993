"""The per-recipient values of a mail. They stand in the compiled mail as tokens, so a mail is compiled once.

The form `-name-` is SendGrid's for substitutions. No other module may spell a token.
"""

from __future__ import annotations

from collections.abc import Mapping

UNSUBSCRIBE_URL = "-unsubscribe_url-"
VIEW_URL = "-view_url-"
TOKENS = (UNSUBSCRIBE_URL, VIEW_URL)


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Put values (token -> value) in the place of the tokens, as the provider does. Unknown tokens stay."""
    for token, value in values.items():
        text = text.replace(token, value)
    return text
