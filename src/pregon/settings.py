"""What a secretariat configures: `config/*.yaml` and the environment, validated once.

Every finding has an id, the file, the key and a hint; all are reported together. Secrets come from the
environment only, so nothing in `config/` needs to be kept from anybody. Reads files, writes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from ipaddress import ip_network
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pregon.errors import ConfigError, Finding
from pregon.source_rules import find_address_problem, find_secret_problem
from pregon.types import ChannelName, Kind, Role, Rule, SendWindow, SourceKind

PerLanguage = dict[str, str]
PLAYLIST_FACTS = frozenset({"axis", "year"})
# Some systems have PyYAML without the C library, which reads ten times as fast.
_YamlLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
T = TypeVar("T", bound=BaseModel)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error
    return name


def _known_network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no address or network, e.g. 10.0.0.0/8") from error
    return text


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SenderIdentity(_Part):
    """The From and Reply-To of every newsletter."""

    name: str
    address: str
    reply_to: str | None = None


class Brand(_Part):
    """Colours as #rrggbb; `colour` carries white text, so it must be dark."""

    colour: str = Field(default="#0b4f6c", pattern=r"^#[0-9a-fA-F]{6}$")
    accent: str = Field(default="#b33f12", pattern=r"^#[0-9a-fA-F]{6}$")


class Partner(_Part):
    """Somebody we work with. Their handle per channel is used only once they agreed to it, on `agreed_on`."""

    name: str
    handles: dict[str, str] = {}
    agreed_on: date | None = None


class Translation(_Part):
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


class ReservePeriod(_Part):
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


class Network(_Part):
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


class SourceConfig(_Part):
    """One watched source. `max_age_days` bounds what the first poll of a source with a past takes."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    kind: SourceKind
    address: str = ""
    item_kind: Kind | None = None
    language: str | None = None
    max_age_days: float = Field(default=7, gt=0)
    every_minutes: float = Field(default=15, gt=0)
    allow_private: bool = False
    websub: bool = True
    active: bool = True

    @model_validator(mode="after")
    def _address_fits(self) -> SourceConfig:
        problem = find_address_problem(self.kind, self.id, self.address)
        if problem:
            raise ValueError(problem)
        return self

    @property
    def secret_variable(self) -> str:
        """The environment variable that holds its secret: the mailbox's password, or what a push is signed with."""
        return f"PREGON_SOURCE_{self.id.upper().replace('-', '_')}_SECRET"


class Polling(_Part):
    """How hosts are spared: so many of them asked at a time, each one at a time, with a pause between two visits."""

    in_flight: int = Field(default=8, ge=1, le=64)
    host_gap_seconds: float = Field(default=1, ge=0, le=60)


class SegmentRule(_Part):
    """A rule that selects contacts: every part that is given must hold. See `pregon.types.Rule`."""

    lists: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    all: tuple[SegmentRule, ...] = ()
    any: tuple[SegmentRule, ...] = ()
    none: tuple[SegmentRule, ...] = Field(default=(), alias="not")

    def as_rule(self) -> Rule:
        """The same as a noun of the pipeline."""
        names = ("lists", "languages", "countries", "cities", "organisations")
        values = {name: getattr(self, name) for name in names}
        parts = {name: tuple(part.as_rule() for part in getattr(self, name)) for name in ("all", "any", "none")}
        return Rule(**values, **parts)


class AudienceConfig(_Part):
    """Whom a newsletter addresses: who is on any of the lists, and within the segment when one is named."""

    name: str
    lists: tuple[str, ...] = ()
    segment: str = ""
    rule: SegmentRule | None = None

    @model_validator(mode="after")
    def _addresses_somebody(self) -> AudienceConfig:
        if not (self.lists or self.segment or self.rule):
            raise ValueError("name the lists, or a segment")
        if self.segment and self.rule:
            raise ValueError("name a segment or write a rule, not both")
        return self


class MailRule(_Part):
    """How an item of this kind becomes a newsletter."""

    template: str = "circular"
    audience: AudienceConfig


class PostRule(_Part):
    """How an item of this kind becomes a post or thread."""

    template: str = "circular"
    max_parts: int = Field(default=4, ge=1, le=25)
    reply_fallback: bool = False


class TopicRule(_Part):
    """A topic on the forum: its tags, and categories other than those of channels.yaml, by language."""

    tags: tuple[str, ...] = Field(default=(), max_length=5)
    categories: dict[str, int] = {}


class PlaylistTarget(_Part):
    """One playlist: the one with this `id`, else the one called `title`, created when the channel has none so called.

    Texts may say `{axis}` and `{year}`, which stand for what the item states. With `id` and a text, the playlist is
    retitled when it is called otherwise. `titles` and `descriptions` are its texts in further languages.
    """

    id: str = ""
    title: str = Field(default="", max_length=150)
    description: str = Field(default="", max_length=5000)
    titles: PerLanguage = {}
    descriptions: PerLanguage = {}
    position: Literal["first", "last"] | None = None
    privacy: Literal["public", "unlisted", "private"] = "public"

    @model_validator(mode="before")
    @classmethod
    def _id_alone(cls, value: Any) -> Any:
        return {"id": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _findable(self) -> PlaylistTarget:
        if not self.id and not self.title:
            raise ValueError("a playlist needs an id or a title")
        for text in (self.title, self.description, *self.titles.values(), *self.descriptions.values()):
            unknown = {name for _, name, _, _ in Formatter().parse(text) if name is not None} - PLAYLIST_FACTS
            if unknown:
                raise ValueError(f"{{{sorted(unknown)[0]}}} is not a fact of an item; use {{axis}} or {{year}}")
        return self


class PlaylistRule(_Part):
    """Which playlist takes the videos of such an item: per language, and for an axis instead of that.

    `exclusive`: a video leaves the rule's other playlists when it enters its own.
    """

    playlists: dict[str, PlaylistTarget]
    axes: dict[str, dict[str, PlaylistTarget]] = {}
    exclusive: bool = False


class ApprovalRule(_Part):
    """Who has to say yes: how many different persons, and whether the one who wrote the revision may be among them."""

    persons: int = Field(default=1, ge=1, le=5)
    not_last_editor: bool = False


class Playbook(_Part):
    """The standing rule for one kind of item. `languages` source: only the item's own language."""

    languages: Literal["source"] | tuple[str, ...] = "source"
    email: MailRule | None = None
    x: PostRule | None = None
    mastodon: PostRule | None = None
    bluesky: PostRule | None = None
    discourse: TopicRule | None = None
    youtube: PlaylistRule | None = None
    approval: ApprovalRule = ApprovalRule()
    active: bool = True

    def channels(self) -> tuple[ChannelName, ...]:
        """The channels that this playbook asks for, in the order people read them."""
        return tuple(name for name in ChannelName if getattr(self, name.value) is not None)


class DigestRule(_Part):
    """One newsletter about what was announced in a week or a month, where there is enough of it in a language."""

    every: Literal["week", "month"] = "week"
    minimum: int = Field(default=3, ge=2)
    email: MailRule
    approval: ApprovalRule = ApprovalRule()


class SendWindowRule(_Part):
    """On which days and between which hours a channel sends; what falls due outside waits for the next opening.

    `zone: recipient` means the time zone of each reader's country, for mail.
    """

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ("mon", "tue", "wed", "thu", "fri")
    opens: time = Field(default=time(8), alias="from")
    closes: time = Field(default=time(19), alias="to")
    zone: Literal["network", "recipient"] = "network"

    @field_validator("opens", "closes", mode="before")
    @classmethod
    def _hours(cls, value: Any) -> Any:
        # YAML 1.1 reads 19:00 without quotes as the number 1140.
        return f"{value // 60:02}:{value % 60:02}" if isinstance(value, int) and 0 <= value < 1440 else value

    @model_validator(mode="after")
    def _opens_once_a_day(self) -> SendWindowRule:
        if not self.days:
            raise ValueError("a send window needs at least one day")
        if self.opens >= self.closes:
            raise ValueError("a send window opens before it closes, on the same day")
        return self

    def window(self) -> SendWindow:
        """The rule as the stages know it."""
        days = frozenset(_WEEK.index(day) for day in self.days)
        return SendWindow(days, self.opens, self.closes, self.zone == "recipient")


class ChannelConfig(_Part):
    """One way out. In sandbox mode the channel speaks to the stand-in on this machine and to nothing else; off, not at all.

    `auth` is for X: its OAuth 1.0a keys, or OAuth 2 with a refresh token. `daily_quota` is in the provider's own
    units, for YouTube 10,000 where nothing is said. `in_flight` requests of `batch_size` mails are on their way to SendGrid
    at once. For SMTP: `port` (587, for tls 465), `security`, `connections`
    at a time, `return_path` the mailbox that bounces come to and `bounces` where it is read (imaps://USER@HOST/FOLDER).
    """

    provider: str
    mode: Literal["sandbox", "live", "off"] = "sandbox"
    account: str = ""
    timeout_seconds: float = Field(default=10, gt=0, le=120)
    batch_size: int = Field(default=1000, ge=1, le=1000)
    in_flight: int = Field(default=4, ge=1, le=32)
    max_attempts: int = Field(default=5, ge=1)
    settle_hours: float = Field(default=24, gt=0)
    host: str | None = None
    auth: Literal["oauth1", "oauth2"] = "oauth1"
    daily_quota: int | None = Field(default=None, ge=1)
    send_window: SendWindowRule | None = None
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    connections: int = Field(default=4, ge=1, le=50)
    return_path: str = Field(default="", pattern=r"^$|^[A-Za-z0-9._-]{1,16}@[A-Za-z0-9.-]+$")
    bounces: str = Field(default="", pattern=r"^$|^imaps?://[^/@]+@[^/@]+")


class ForumConfig(ChannelConfig):
    """A Discourse forum: `account` writes there, `categories` says the number of the category of each language.

    The lengths are Discourse's own settings min_ and max_topic_title_length, min_first_post_length, max_post_length;
    they stand here so that a draft that the forum would refuse is an error before it is approved.
    """

    categories: dict[str, int] = {}
    title_min: int = Field(default=15, ge=1)
    title_max: int = Field(default=255, ge=5, le=255)
    body_min: int = Field(default=20, ge=1)
    body_max: int = Field(default=32_000, ge=1, le=32_000)


class Channels(_Part):
    """Every way out, and the age beyond which work that was due is held instead of sent."""

    email: ChannelConfig
    x: ChannelConfig
    youtube: ChannelConfig
    mastodon: ChannelConfig = ChannelConfig(provider="mastodon", mode="off")
    bluesky: ChannelConfig = ChannelConfig(provider="bluesky", mode="off")
    discourse: ForumConfig = ForumConfig(provider="discourse", mode="off")
    hold_after_hours: float = Field(default=48, gt=0)


class OpenId(_Part):
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


class HookRules(_Part):
    """How hooks are told: within how long, and whether they may stand on a private network."""

    allow_private: bool = False
    timeout_seconds: float = Field(default=10, gt=0, le=60)


class DeskConfig(_Part):
    """How people get to the desk.

    `trusted_proxies` are the networks whose X-Forwarded-For is believed; without any, nobody's is.
    """

    require_totp_for: tuple[Role, ...] = ()
    session_hours: float = Field(default=12, gt=0, le=24 * 31)
    idle_minutes: float = Field(default=120, gt=0)
    trusted_proxies: tuple[Annotated[str, AfterValidator(_known_network)], ...] = ()
    openid: OpenId | None = None
    hooks: HookRules = HookRules()


class Secrets(_Part):
    """What only the environment holds. Empty strings: not given."""

    sendgrid_api_key: str = ""
    sendgrid_webhook_key: str = ""
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_bounces_password: str = ""
    x_consumer_key: str = ""
    x_consumer_secret: str = ""
    x_access_token: str = ""
    x_access_token_secret: str = ""
    x_client_id: str = ""
    x_client_secret: str = ""
    x_refresh_token: str = ""
    youtube_client_id: str = ""
    youtube_client_secret: str = ""
    youtube_refresh_token: str = ""
    mastodon_token: str = ""
    bluesky_password: str = ""
    discourse_key: str = ""
    translation_key: str = ""
    openid_secret: str = ""


class Settings(_Part):
    """Everything, validated. `home` is where the database, the inbox and the logs live."""

    root: Path
    home: Path
    database_url: str
    base_url: str
    host: str = "127.0.0.1"
    port: int = 8321
    secret_key: str = ""
    network: Network
    sources: tuple[SourceConfig, ...]
    polling: Polling = Polling()
    playbooks: dict[Kind, Playbook]
    segments: dict[str, SegmentRule] = {}
    channels: Channels
    digest: DigestRule | None = None
    desk: DeskConfig = DeskConfig()
    secrets: Secrets = Field(default=Secrets(), repr=False)
    source_secrets: dict[str, str] = Field(default={}, repr=False)

    def sandboxed(self) -> bool:
        """Whether nothing at all can leave this machine."""
        return all(self.channel(name).mode != "live" for name in ChannelName)

    def channel(self, name: ChannelName) -> ChannelConfig:
        """The configuration of one way out."""
        value: ChannelConfig = getattr(self.channels, name.value)
        return value


_HINTS = {
    "extra_forbidden": ("config.unknown-key", "remove the key or correct its spelling"),
    "missing": ("config.missing-key", "add the key; docs/configuration.md lists every one"),
}
_SECRET_FIELDS = {name: f"PREGON_{name.upper()}" for name in Secrets.model_fields}


def _load(folder: Path, name: str, findings: list[Finding]) -> dict[str, Any]:
    path = folder / name
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), _YamlLoader)  # noqa: S506 - either is a safe loader
    except FileNotFoundError:
        findings.append(Finding("config.no-file", name, "", "the file is missing", f"create {path}"))
        return {}
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else ""
        findings.append(
            Finding("config.unreadable", name, where, "this is not readable YAML", "check indentation and quotes")
        )
        return {}
    if not isinstance(value, dict):
        findings.append(
            Finding("config.not-a-mapping", name, "", "expected keys and values", "see docs/configuration.md")
        )
        return {}
    return value


def _validate(model: type[T], value: Any, file: str, prefix: str, findings: list[Finding]) -> T | None:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for problem in error.errors():
            identity, hint = _HINTS.get(problem["type"], ("config.bad-value", "correct the value"))
            key = ".".join([prefix, *map(str, problem["loc"])]).strip(".")
            message = problem["msg"].removeprefix("Value error, ")
            findings.append(Finding(identity, file, key, message, hint))
        return None


def load_settings(root: Path, environment: Mapping[str, str]) -> Settings:
    """Read and validate `root`/config and the environment.

    `root` is the folder that holds config/ and templates/. Raises `ConfigError` with every finding.
    """
    findings: list[Finding] = []
    folder = root / "config"
    network = _validate(Network, _load(folder, "network.yaml", findings), "network.yaml", "", findings)
    channels = _validate(Channels, _load(folder, "channels.yaml", findings), "channels.yaml", "", findings)
    sources, polling = _load_sources(folder, findings)
    source_secrets = read_source_secrets(sources, environment, findings)
    playbooks, segments = _load_playbooks(folder, findings)
    digest = _load_digest(folder, segments, findings)
    desk = _load_desk(folder, findings)
    secrets = Secrets(**{field: environment.get(variable, "") for field, variable in _SECRET_FIELDS.items()})
    if network and channels:
        findings += _cross_check(network, channels, sources, playbooks, secrets)
    if findings or network is None or channels is None:
        raise ConfigError(tuple(findings))
    home = Path(environment.get("PREGON_HOME") or root / "data").absolute()
    port = _port(environment)
    host = environment.get("PREGON_HOST", "127.0.0.1")
    return Settings(
        root=root,
        home=home,
        database_url=environment.get("PREGON_DATABASE_URL") or f"sqlite:///{home / 'pregon.db'}",
        base_url=(environment.get("PREGON_BASE_URL") or f"http://{host}:{port}").rstrip("/"),
        host=host,
        port=port,
        secret_key=environment.get("PREGON_SECRET_KEY", ""),
        network=network,
        sources=sources,
        polling=polling,
        playbooks=playbooks,
        digest=digest,
        segments=segments,
        channels=channels,
        desk=desk,
        secrets=secrets,
        source_secrets=source_secrets,
    )


def _port(environment: Mapping[str, str]) -> int:
    value = environment.get("PREGON_PORT", "8321")
    if not value.isdigit() or not 0 < int(value) < 65536:
        finding = Finding(
            "env.port", "environment", "PREGON_PORT", f"{value!r} is not a port", "give a number from 1 to 65535"
        )
        raise ConfigError((finding,))
    return int(value)


def _load_sources(folder: Path, findings: list[Finding]) -> tuple[tuple[SourceConfig, ...], Polling]:
    file = _load(folder, "sources.yaml", findings)
    entries = file.get("sources") or []
    polling = _validate(Polling, file.get("polling") or {}, "sources.yaml", "polling", findings) or Polling()
    read = [_validate(SourceConfig, entry, "sources.yaml", f"sources.{n}", findings) for n, entry in enumerate(entries)]
    sources = tuple(source for source in read if source)
    for source in sources:
        if sum(other.id == source.id for other in sources) > 1:
            findings.append(
                Finding("config.twice", "sources.yaml", source.id, "two sources have this id", "rename one")
            )
    return sources, polling


def read_source_secrets(
    sources: tuple[SourceConfig, ...], environment: Mapping[str, str], findings: list[Finding]
) -> dict[str, str]:
    """The secret of each active source that needs one, by the source's id; a finding for each that is missing or weak."""
    found: dict[str, str] = {}
    for source in sources:
        if not source.active or source.kind not in (SourceKind.MAILBOX, SourceKind.WEBHOOK):
            continue
        secret, variable = environment.get(source.secret_variable, ""), source.secret_variable
        problem = find_secret_problem(source.kind, secret)
        if problem:
            message, hint = problem
            findings.append(Finding("env.missing-secret", "environment", variable, message, hint.format(variable)))
        found[source.id] = secret
    return found


def _load_playbooks(folder: Path, findings: list[Finding]) -> tuple[dict[Kind, Playbook], dict[str, SegmentRule]]:
    file = _load(folder, "playbooks.yaml", findings)
    entries = file.get("playbooks") or {}
    segments = _load_segments(file.get("segments") or {}, findings)
    playbooks: dict[Kind, Playbook] = {}
    for kind, entry in entries.items():
        if kind not in set(Kind):
            hint = f"use one of {', '.join(Kind)}"
            findings.append(
                Finding("config.unknown-kind", "playbooks.yaml", str(kind), "there is no such kind of item", hint)
            )
            continue
        playbook = _validate(Playbook, entry, "playbooks.yaml", f"playbooks.{kind}", findings)
        if playbook:
            playbooks[Kind(kind)] = _with_segment(playbook, segments, f"playbooks.{kind}.email.audience", findings)
    return playbooks, segments


def _load_digest(folder: Path, segments: dict[str, SegmentRule], findings: list[Finding]) -> DigestRule | None:
    entry = _load(folder, "playbooks.yaml", []).get("digest")
    return None if entry is None else _validate(DigestRule, entry, "playbooks.yaml", "digest", findings)


def _load_desk(folder: Path, findings: list[Finding]) -> DeskConfig:
    """desk.yaml; every key has a default, so the file may be missing."""
    if not (folder / "desk.yaml").exists():
        return DeskConfig()
    return _validate(DeskConfig, _load(folder, "desk.yaml", findings), "desk.yaml", "", findings) or DeskConfig()


def _load_segments(entries: Any, findings: list[Finding]) -> dict[str, SegmentRule]:
    if not isinstance(entries, dict):
        hint = "write the name of each segment with its rule below it"
        findings.append(Finding("config.not-a-mapping", "playbooks.yaml", "segments", "expected names and rules", hint))
        return {}
    read = {
        str(name): _validate(SegmentRule, rule, "playbooks.yaml", f"segments.{name}", findings)
        for name, rule in entries.items()
    }
    return {name: rule for name, rule in read.items() if rule}


def _with_segment(playbook: Playbook, segments: dict[str, SegmentRule], key: str, findings: list[Finding]) -> Playbook:
    """The playbook with the rule of the segment that its audience names."""
    if playbook.email is None or not playbook.email.audience.segment:
        return playbook
    audience = playbook.email.audience
    if audience.segment not in segments:
        hint = f"use one of {', '.join(segments)}" if segments else "write it under segments in playbooks.yaml"
        message = f"there is no segment {audience.segment!r}"
        findings.append(Finding("config.unknown-segment", "playbooks.yaml", f"{key}.segment", message, hint))
        return playbook
    # Frozen into what is approved: a segment that is changed later makes the sender hold the mail.
    audience = audience.model_copy(update={"rule": segments[audience.segment]})
    return playbook.model_copy(update={"email": playbook.email.model_copy(update={"audience": audience})})


_CREDENTIALS: dict[ChannelName, dict[str, tuple[str, ...]]] = {
    ChannelName.EMAIL: {"sendgrid": ("sendgrid_api_key", "sendgrid_webhook_key"), "smtp": ()},
    ChannelName.X: {"x": ("x_consumer_key", "x_consumer_secret", "x_access_token", "x_access_token_secret")},
    ChannelName.YOUTUBE: {"youtube": ("youtube_client_id", "youtube_client_secret", "youtube_refresh_token")},
    ChannelName.MASTODON: {"mastodon": ("mastodon_token",)},
    ChannelName.BLUESKY: {"bluesky": ("bluesky_password",)},
    ChannelName.DISCOURSE: {"discourse": ("discourse_key",)},
}

# X over OAuth 2. A client secret is needed by confidential clients only.
_OAUTH2 = ("x_client_id", "x_refresh_token")


def _check_smtp(config: ChannelConfig, secrets: Secrets) -> list[Finding]:
    """What a live mail server needs besides what each channel needs."""
    if config.provider != "smtp" or config.mode != "live":
        return []
    wrong: list[tuple[str, str, str]] = []
    if not config.host:
        wrong.append(("host", "a mail server needs its host", "add host: mail.example.org"))
    if not config.return_path:
        hint = "add return_path: bounce@mail.example.org, a mailbox that takes +anything before its @"
        wrong.append(("return_path", "bounces have nowhere to go", hint))
    is_here = config.host in ("127.0.0.1", "::1", "localhost")
    if config.security == "none" and not is_here:
        wrong.append(("security", "mail would leave unencrypted", "use starttls or tls"))
    findings = [Finding("config.smtp", "channels.yaml", f"email.{key}", text, hint) for key, text, hint in wrong]
    if config.bounces and not secrets.smtp_bounces_password:
        variable = _SECRET_FIELDS["smtp_bounces_password"]
        text, hint = "the mailbox of bounces has no password", f"set {variable}, or take email.bounces out"
        findings.append(Finding("env.missing-secret", "environment", variable, text, hint))
    return findings


def _check_used(channels: Channels, playbooks: dict[Kind, Playbook]) -> list[Finding]:
    """A playbook needs the channels that it names; a server of one's own needs its address."""
    off = {name for name in ChannelName if getattr(channels, name.value).mode == "off"}
    findings = [
        Finding(
            "config.channel-off",
            "playbooks.yaml",
            f"playbooks.{kind}.{name}",
            f"the channel {name} is off",
            f"add {name} with its mode to channels.yaml, or take it out of the playbook",
        )
        for kind, playbook in playbooks.items()
        for name in playbook.channels()
        if name in off
    ]
    if channels.bluesky.mode == "live" and not channels.bluesky.account:
        hint = "add account: name.bsky.social"
        findings.append(Finding("config.no-account", "channels.yaml", "bluesky.account", "nobody is named", hint))
    if channels.mastodon.mode == "live" and not (channels.mastodon.host or "").startswith("https://"):
        hint = "add host: https://social.example.org"
        findings.append(Finding("config.no-host", "channels.yaml", "mastodon.host", "the server is not named", hint))
    return findings + _check_forum(channels.discourse)


def _check_forum(forum: ForumConfig) -> list[Finding]:
    if forum.mode != "live":
        return []
    wrong = []
    if not (forum.host or "").startswith("https://"):
        wrong.append(("no-host", "host", "the forum is not named", "add host: https://forum.example.org"))
    if not forum.account:
        wrong.append(("no-account", "account", "nobody is named", "add account: the forum user that the key writes as"))
    return [Finding(f"config.{id_}", "channels.yaml", f"discourse.{key}", text, hint) for id_, key, text, hint in wrong]


def _cross_check(
    network: Network,
    channels: Channels,
    sources: tuple[SourceConfig, ...],
    playbooks: dict[Kind, Playbook],
    secrets: Secrets,
) -> list[Finding]:
    findings = []
    known = set(network.languages)
    for kind, playbook in playbooks.items():
        for language in playbook.languages if playbook.languages != "source" else ():
            if language not in known:
                hint = "add it to languages in network.yaml"
                key = f"playbooks.{kind}.languages"
                findings.append(
                    Finding(
                        "config.unknown-language",
                        "playbooks.yaml",
                        key,
                        f"the network does not work in {language!r}",
                        hint,
                    )
                )
    for source in sources:
        if source.language is not None and source.language not in known:
            hint = "add it to languages in network.yaml"
            findings.append(
                Finding(
                    "config.unknown-language",
                    "sources.yaml",
                    source.id,
                    f"the network does not work in {source.language!r}",
                    hint,
                )
            )
    if network.translation.provider == "deepl" and not secrets.translation_key:
        variable, hint = _SECRET_FIELDS["translation_key"], "set PREGON_TRANSLATION_KEY, or provider: none"
        findings.append(Finding("env.missing-secret", "environment", variable, "DeepL asks for a key", hint))
    findings += _check_smtp(channels.email, secrets)
    findings += _check_used(channels, playbooks)
    for name, providers in _CREDENTIALS.items():
        channel: ChannelConfig = getattr(channels, name.value)
        if channel.provider not in providers:
            hint = f"use one of {', '.join(providers)}"
            findings.append(
                Finding(
                    "config.unknown-provider",
                    "channels.yaml",
                    f"{name}.provider",
                    f"there is no provider {channel.provider!r}",
                    hint,
                )
            )
        elif channel.mode == "live":
            for secret in _OAUTH2 if channel.auth == "oauth2" else providers[channel.provider]:
                if not getattr(secrets, secret):
                    variable = _SECRET_FIELDS[secret]
                    hint = f"set {variable}, or mode: sandbox"
                    findings.append(
                        Finding(
                            "env.missing-secret", "environment", variable, f"{name} is live and has no credential", hint
                        )
                    )
    return findings
