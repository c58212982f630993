"""The desk: `desk.yaml`."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from pregon.settings.part import Part
from pregon.types import Role


def _known_network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no address or network, e.g. 10.0.0.0/8") from error
    return text


class OpenId(Part):
    """A provider that people sign in with, by OpenID Connect: `issuer` as its discovery document says it.

    `claim` holds the values that `roles` maps to a role, `name` what the person is called; `label` is on the button.
    `link_by_email`: whoever has the address of a known person, verified by the provider, is that person.
    """

    issuer: str
    client_id: str = Field(min_length=1)
    roles: dict[str, Role] = Field(min_length=1)
    claim: str = "groups"
    name: str = "preferred_username"
    label: str = "your organisation"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    link_by_email: bool = False
    timeout_seconds: float = Field(default=10, gt=0, le=60)

    @model_validator(mode="after")
    def _over_tls(self) -> OpenId:
        parts = urlsplit(self.issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")):
            raise ValueError("the issuer's address has to start with https://")
        if "openid" not in self.scopes:
            raise ValueError("the scopes have to name openid")
        return self


class HookRules(Part):
    """How hooks are told: within how long, and whether they may stand on a private network."""

    allow_private: bool = False
    timeout_seconds: float = Field(default=10, gt=0, le=60)


class DeskConfig(Part):
    """How people get to the desk.

    `trusted_proxies` are the networks whose X-Forwarded-For is believed; without any, nobody's is.
    """

    require_totp_for: tuple[Role, ...] = ()
    session_hours: float = Field(default=12, gt=0, le=24 * 31)
    idle_minutes: float = Field(default=120, gt=0)
    trusted_proxies: tuple[Annotated[str, AfterValidator(_known_network)], ...] = ()
    openid: OpenId | None = None
    hooks: HookRules = HookRules()
