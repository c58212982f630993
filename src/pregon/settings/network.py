"""Who is speaking: `network.yaml`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from pregon.settings.part import Part, PerLanguage
from pregon.types import Kind


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error
    return name


def _known_address(address: str) -> str:
    # Late, since it costs a command that never comes here a part of its start.
    from email_validator import EmailNotValidError, validate_email

    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        raise ValueError(f"{address!r} is no e-mail address") from error
    return address


def _plain_address(address: str) -> str:
    # SendGrid, published limitation: no Unicode in the address that a mail is from. It refuses every mail for good.
    if not address.isascii():
        raise ValueError(f"{address!r} has letters that no mail can be from: use a-z, and the domain's xn-- form")
    return address


class SenderIdentity(Part):
    """The From and Reply-To of every newsletter."""

    name: str
    address: Annotated[str, AfterValidator(_known_address), AfterValidator(_plain_address)]
    reply_to: Annotated[str, AfterValidator(_known_address)] | None = None


class Brand(Part):
    """Colours as #rrggbb; `colour` carries white text, so it must be dark."""

    colour: str = Field(default="#0b4f6c", pattern=r"^#[0-9a-fA-F]{6}$")
    accent: str = Field(default="#b33f12", pattern=r"^#[0-9a-fA-F]{6}$")


class Partner(Part):
    """Somebody we work with. Their handle per channel is used only once they agreed to it, on `agreed_on`."""

    name: str
    handles: dict[str, str] = {}
    agreed_on: date | None = None


class Translation(Part):
    """A machine translator for languages that a source does not have; off unless one is named.

    `address` is that of the server: needed for LibreTranslate, DeepL knows its own.
    """

    provider: Literal["none", "deepl", "libretranslate"] = "none"
    address: str | None = None
    timeout_seconds: float = Field(default=20, gt=0, le=120)

    @model_validator(mode="after")
    def _address_given(self) -> Translation:
        if self.provider == "libretranslate" and not self.address:
            raise ValueError("LibreTranslate needs the address of its server")
        return self


class ReservePeriod(Part):
    """Days before an election on which public bodies may not praise what they achieved (in Spain LOREG, article 50).

    `places` are the names under which the jurisdiction appears in texts: cities, regions, the country.
    """

    name: str
    start: date
    end: date
    places: tuple[str, ...] = Field(min_length=1)
    kinds: tuple[Kind, ...] = (Kind.PRACTICE, Kind.STUDY, Kind.VIDEO, Kind.NEWS)

    @model_validator(mode="after")
    def _in_order(self) -> ReservePeriod:
        if self.end < self.start:
            raise ValueError("the reserve period ends before it starts")
        return self


class Network(Part):
    """Who is speaking."""

    name: PerLanguage
    short_name: PerLanguage
    former_names: tuple[str, ...] = ()
    chair: PerLanguage
    about: PerLanguage
    sender: SenderIdentity
    postal_address: str
    website: PerLanguage
    privacy_notice: PerLanguage
    social: dict[str, str] = {}
    languages: tuple[str, ...] = Field(min_length=1)
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "Europe/Madrid"
    brand: Brand = Brand()
    legacy_hosts: dict[str, str] = {}
    hashtags: dict[str, PerLanguage] = {}
    partners: tuple[Partner, ...] = ()
    event_retention_days: int = Field(default=395, ge=1)
    translation: Translation = Translation()
    reserve_periods: tuple[ReservePeriod, ...] = ()
    check_links: bool = True
    topics: dict[str, PerLanguage] = {}

    @model_validator(mode="after")
    def _every_language_named(self) -> Network:
        for key in ("name", "short_name", "chair", "about", "website", "privacy_notice"):
            missing = [language for language in self.languages if language not in getattr(self, key)]
            if missing:
                raise ValueError(f"{key} has no text for {', '.join(missing)}")
        return self

    def day_of(self, at: datetime) -> date:
        """The day that it is there at a time."""
        return at.astimezone(ZoneInfo(self.time_zone)).date()
