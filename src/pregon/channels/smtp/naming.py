"""The names that a mail of ours carries through the world, so that what comes back can be told to be ours. Pure.

Message-ID and return path (VERP) hold the delivery id and a signature: whoever has not got the mail cannot report it
as bounced. Lower case and short on purpose: a local part has 64 octets at most (RFC 5321, 4.5.3.1.1), and some servers
change its case.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_SIGNATURE_LENGTH = 12  # of base32, so 60 bits
_SIGNED_BYTES = 8  # which they are a part of
_NAME = re.compile(rf"([0-9a-z-]{{1,40}})\.([a-z2-7]{{{_SIGNATURE_LENGTH}}})@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Naming:
    """`return_path` is the mailbox that bounces come to, e.g. bounce@mail.example; `key` signs."""

    return_path: str
    key: bytes

    def __repr__(self) -> str:
        return f"Naming({self.return_path})"

    @property
    def domain(self) -> str:
        """Where the names live."""
        return self.return_path.rpartition("@")[2]

    def message_id(self, delivery_id: str) -> str:
        """The Message-ID of a delivery's mail, always the same."""
        return f"<{self._sign(delivery_id)}@{self.domain}>"

    def envelope_sender(self, delivery_id: str) -> str:
        """The address that this delivery's bounces come to."""
        mailbox = self.return_path.rpartition("@")[0]
        return f"{mailbox}+{self._sign(delivery_id)}@{self.domain}"

    def find_delivery(self, text: str) -> str | None:
        """The first delivery that the text names with a signature that holds."""
        return next(self._find(text), None)

    def _find(self, text: str) -> Iterator[str]:
        for match in _NAME.finditer(text):
            delivery_id, signature = match[1].lower(), match[2].lower()
            if hmac.compare_digest(signature, self._signature(delivery_id)):
                yield delivery_id

    def _sign(self, delivery_id: str) -> str:
        return f"{delivery_id}.{self._signature(delivery_id)}"

    def _signature(self, delivery_id: str) -> str:
        return _sign_id(self.key, delivery_id)


@lru_cache(maxsize=64)  # a mail names itself several times
def _sign_id(key: bytes, delivery_id: str) -> str:
    made = hmac.digest(key, b"mail:" + delivery_id.encode(), hashlib.sha256)
    return base64.b32encode(made[:_SIGNED_BYTES]).decode().lower()[:_SIGNATURE_LENGTH]
