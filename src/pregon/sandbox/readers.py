"""What the readers of the sandbox do with a mail, by a seeded plan. Pure: the same seed, address and campaign act the same.

A mail goes to one of the fates below, with the stated share. A tag in the address chooses one outright, so that a
sample list can show each: ana+click@example.org. Opens and clicks become events only where tracking was on.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from pregon.sandbox.state import Record


class Fate(StrEnum):
    """What becomes of a mail."""

    BOUNCE = "bounce"
    BLOCK = "block"
    COMPLAIN = "complain"
    UNSUBSCRIBE = "unsubscribe"
    SCANNER = "scanner"
    CLICK = "click"
    OPEN = "open"
    MACHINE = "machine"
    IGNORE = "ignore"


# Shares in percent, in this order; the rest ignore the mail.
_SHARES = (
    (Fate.BOUNCE, 3),
    (Fate.BLOCK, 1),
    (Fate.COMPLAIN, 0.1),
    (Fate.UNSUBSCRIBE, 2),
    (Fate.SCANNER, 8),
    (Fate.CLICK, 22),
    (Fate.OPEN, 14),
    (Fate.MACHINE, 20),
)
_HUMAN = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_APPLE = "Mozilla/5.0"
_SCANNER = "Mozilla/5.0 (compatible; MailGuard-LinkCheck/2.1)"
_LINK = re.compile(r"<a\b[^>]*>", re.IGNORECASE)
_HREF = re.compile(r"""\bhref\s*=\s*["']([^"']+)["']""", re.IGNORECASE)
_UNTRACKED = re.compile(r"""\sclicktracking\s*=\s*["']?off\b""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one reader does: events as (seconds after acceptance, fields), and when to unsubscribe or look, if ever."""

    events: tuple[tuple[float, Record], ...]
    unsubscribe_after: float | None = None
    scan_after: float | None = None


def choose_fate(seed: str, campaign: str, address: str) -> Fate:
    """The fate of a mail: the tag of its address, else its share of the hash.

    Delivery ids are random and stay out of the hash, so that two runs of the same campaign read alike.
    """
    _, _, tag = address.split("@", 1)[0].partition("+")
    if tag in set(Fate):
        return Fate(tag)
    point = draw(seed, campaign, address, "fate") * 100
    for fate, share in _SHARES:
        point -= share
        if point < 0:
            return fate
    return Fate.IGNORE


def draw(*parts: str) -> float:
    """A number from 0 to 1 that depends on the parts alone."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def plan_reading(seed: str, mail: Record, html: str) -> Plan:
    """What the reader of this mail does; one that SendGrid drops has none."""
    if mail.get("drop"):
        return Plan(((0, {"event": "dropped", "reason": mail["drop"]}),))
    address, campaign = str(mail["to_email"]), str((*mail["categories"], "")[0])
    delay = draw(seed, campaign, address, "delay")
    reading = _Reading(mail, find_links(html, _unsubscribe_url(mail)), delay)
    fate = choose_fate(seed, campaign, address)
    reading.add(0, "processed")
    if fate is Fate.BOUNCE:
        return reading.bounce("bounce", "5.1.1", "550 5.1.1 The mailbox does not exist", "Invalid Address")
    if fate is Fate.BLOCK:
        return reading.bounce("blocked", "4.7.1", "421 4.7.1 Try again later", "Reputation")
    reading.add(1, "delivered", response="250 2.0.0 OK", ip="192.0.2.10", tls=1)
    return reading.act(fate)


def find_links(html: str, unsubscribe_url: str | None) -> list[str]:
    """The links that SendGrid would count clicks on: no mailto, no clicktracking="off", not the unsubscribe link."""
    links = []
    for tag in _LINK.findall(html):
        match = _HREF.search(tag)
        if match is None or _UNTRACKED.search(tag):
            continue
        url = match[1].replace("&amp;", "&")
        if urlsplit(url).scheme in ("http", "https") and url != unsubscribe_url:
            links.append(url)
    return list(dict.fromkeys(links))


def fill_tokens(text: str, substitutions: dict[str, str]) -> str:
    """A mail's text with the recipient's own values."""
    for token, value in substitutions.items():
        text = text.replace(token, value)
    return text


def _unsubscribe_url(mail: Record) -> str | None:
    return str(mail["headers"].get("List-Unsubscribe", "")).strip("<>") or None


@dataclass(slots=True)
class _Reading:
    mail: Record
    links: list[str]
    delay: float
    events: list[tuple[float, Record]] = field(default_factory=list)

    def add(self, after: float, event: str, **fields: Any) -> None:
        self.events.append((after, {"event": event, **fields}))

    def bounce(self, kind: str, status: str, reason: str, classification: str) -> Plan:
        self.add(2, "bounce", type=kind, status=status, reason=reason, bounce_classification=classification, tls=1)
        return Plan(tuple(self.events))

    def act(self, fate: Fate) -> Plan:
        start = 60 + self.delay * 540
        unsubscribe, scan = None, None
        if fate is Fate.SCANNER:
            scan = 2.0
            for number, url in enumerate(self.links):
                self._click(2 + (number % 2), url, _SCANNER, "198.51.100.7", number)
        elif fate is Fate.MACHINE:
            self._open(5, _APPLE, sg_machine_open=True)
        elif fate is not Fate.IGNORE:
            self._open(start, _HUMAN)
        if fate is Fate.CLICK and self.links:
            number = int(self.delay * len(self.links)) % len(self.links)
            self._click(start + 20, self.links[number], _HUMAN, "203.0.113.5", number)
        if fate is Fate.COMPLAIN:
            self.add(start + 30, "spamreport")
        if fate is Fate.UNSUBSCRIBE:
            unsubscribe = start + 30
        return Plan(tuple(self.events), unsubscribe, scan)

    def _open(self, after: float, agent: str, **fields: Any) -> None:
        if self._tracks("open_tracking"):
            self.add(after, "open", useragent=agent, ip="203.0.113.5", sg_content_type="html", **fields)

    def _click(self, after: float, url: str, agent: str, ip: str, number: int) -> None:
        if self._tracks("click_tracking"):
            offset = {"index": number, "type": "html"}
            self.add(after, "click", url=url, url_offset=offset, useragent=agent, ip=ip)

    def _tracks(self, name: str) -> bool:
        return bool(self.mail["tracking"].get(name, {}).get("enable"))


def count_post(post_id: str, rounds: int) -> dict[str, int]:
    """A post's public counters after so many rounds of reading: they grow and never shrink."""
    impressions = int(rounds * (200 + draw(post_id, "impressions") * 800))
    likes = int(impressions * 0.02 * draw(post_id, "likes"))
    names = ("like_count", "retweet_count", "reply_count", "quote_count", "bookmark_count")
    return {"impression_count": impressions} | {name: likes // (2**index) for index, name in enumerate(names)}


def count_video(video_id: str, rounds: int) -> dict[str, str]:
    """A video's statistics, numbers as strings as YouTube gives them."""
    views = int((rounds + 1) * (50 + draw(video_id, "views") * 150))
    likes = int(views * 0.05)
    return {"viewCount": str(views), "likeCount": str(likes), "favoriteCount": "0", "commentCount": str(likes // 5)}
