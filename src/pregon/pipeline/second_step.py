"""The second step of signing in: a code that changes every 30 seconds (TOTP, RFC 6238), each taken once.

Recovery codes are for the day when the telephone is lost. The secret is kept sealed, recovery codes as hashes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b32encode
from dataclasses import dataclass

import pyotp

from pregon.errors import NotAllowedError, PregonError
from pregon.pipeline.boxes import Box
from pregon.pipeline.protocols import Clock, Storage
from pregon.types import AuditEntry, Role, User

_STEP_SECONDS = 30
# One step before and one after are taken too, since clocks differ (RFC 6238, section 5.2).
_DRIFT = 1
_RECOVERY_CODES = 10
_RECOVERY_LENGTH = 12
# Without letters and digits that are taken for one another. 12 of 31 signs are 59 bits.
_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app is given: the secret as text, and the address that its QR code holds."""

    secret: str
    address: str


class SecondStep:
    """Turn it on, check its codes, turn it off."""

    def __init__(self, store: Storage, clock: Clock, key: bytes, issuer: str) -> None:
        self._store, self._clock, self._issuer = store, clock, issuer
        self._box, self._key = Box(key, "second step"), key

    def is_on(self, user: User) -> bool:
        """Whether this person is asked for a code."""
        return self._store.read_second_step(user.id)[0] is not None

    def offer(self, user: User, csrf: str) -> Enrolment:
        """A secret for this session's enrolment: the same one until it is confirmed, and kept nowhere before that."""
        digest = hmac.digest(self._key, f"enrolment {user.id} {csrf}".encode(), hashlib.sha256)
        secret = b32encode(digest[:20]).decode()
        return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=user.name, issuer_name=self._issuer))

    def turn_on(self, user: User, csrf: str, code: str) -> tuple[str, ...]:
        """Turn it on with a first code; returns the recovery codes, which are shown this once. Raises `PregonError`."""
        if self.is_on(user):
            raise PregonError("The second step is on already; turn it off before you set up another telephone.")
        secret = self.offer(user, csrf).secret
        step = self._find_step(secret, code)
        if step is None:
            raise PregonError(
                "That code is not right. Codes change every 30 seconds; check the telephone's clock, too."
            )
        codes = tuple(_make_code() for _ in range(_RECOVERY_CODES))
        self._store.save_second_step(user.id, self._box.seal(secret), step, [self._hash(code) for code in codes])
        self._audit(user.name, user.name, "turned on")
        return codes

    def turn_off(self, user: User, code: str) -> None:
        """Turn it off for oneself, which takes a code. Raises `NotAllowedError`."""
        if not self.check(user, code):
            raise NotAllowedError("That code is not right, so the second step stays on.")
        self._store.save_second_step(user.id, None, 0, ())
        self._audit(user.name, user.name, "turned off")

    def turn_off_for(self, user: User, admin: User) -> None:
        """Turn it off for somebody who has lost their telephone and their codes. Raises `NotAllowedError`."""
        if not admin.role.includes(Role.ADMIN):
            raise NotAllowedError(f"Your role, {admin.role}, does not include this; an admin can do it.")
        self._store.save_second_step(user.id, None, 0, ())
        self._store.end_sessions(user.id)
        self._audit(admin.name, user.name, "turned off by an admin")

    def check(self, user: User, code: str) -> bool:
        """Take a code of the app, or a recovery code. A code that was taken before is refused."""
        sealed, _ = self._store.read_second_step(user.id)
        secret = self._box.open(sealed) if sealed else None
        typed = "".join(code.split()).replace("-", "").casefold()
        if len(typed) == _RECOVERY_LENGTH:
            taken = self._store.take_recovery_code(user.id, self._hash(typed), self._clock())
            if taken:
                self._audit(user.name, user.name, "used a recovery code")
            return taken
        step = self._find_step(secret, typed) if secret else None
        return step is not None and self._store.take_code_step(user.id, step)

    def count_codes(self, user: User) -> int:
        """How many recovery codes are left."""
        return self._store.count_recovery_codes(user.id)

    def _find_step(self, secret: str, code: str) -> int | None:
        typed = "".join(code.split())
        if not (typed.isascii() and typed.isdigit() and len(typed) == 6):
            return None
        app, now = pyotp.TOTP(secret), int(self._clock().timestamp()) // _STEP_SECONDS
        found = [step for step in range(now - _DRIFT, now + _DRIFT + 1) if _same(app.generate_otp(step), typed)]
        return found[-1] if found else None

    def _hash(self, code: str) -> str:
        plain = code.replace("-", "")
        return hmac.digest(self._key, f"recovery {plain}".encode(), hashlib.sha256).hex()

    def _audit(self, by: str, person: str, detail: str) -> None:
        self._store.add_audit(AuditEntry(self._clock(), by, "second step", person[:120], detail))


def _same(one: str, two: str) -> bool:
    return hmac.compare_digest(one.encode(), two.encode())


def _make_code() -> str:
    signs = "".join(secrets.choice(_SIGNS) for _ in range(_RECOVERY_LENGTH))
    return "-".join(signs[start : start + 4] for start in range(0, _RECOVERY_LENGTH, 4))
