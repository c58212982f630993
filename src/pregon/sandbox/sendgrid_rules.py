"""SendGrid's published rules for a Mail Send request. Pure: a request body in, the errors that SendGrid would name out.

Sources: the OpenAPI description of POST /v3/mail/send and the pages on its limitations and errors.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

Problem = tuple[str, str]  # message, field

MAX_RECIPIENTS = 1000
MAX_ARGUMENT_BYTES = 10_000
_ADDRESS = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_TOP = {
    "personalizations", "from", "reply_to", "reply_to_list", "subject", "content", "attachments", "template_id",
    "headers", "categories", "custom_args", "send_at", "batch_id", "asm", "ip_pool_name", "mail_settings",
    "tracking_settings",
}  # fmt: skip
_PERSONAL = {
    "from", "to", "cc", "bcc", "subject", "headers", "substitutions", "dynamic_template_data", "custom_args", "send_at",
}  # fmt: skip
_ATTACHMENT = {"content", "type", "filename", "disposition", "content_id"}
_RESERVED_HEADERS = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to", "from",
    "subject", "reply-to", "cc", "bcc",
}  # fmt: skip


def find_problems(payload: Any) -> list[Problem]:
    """Every rule that the request breaks, as (message, field); none when it would be accepted."""
    if not isinstance(payload, dict):
        return [("Bad Request", "")]
    problems = [(f"Unrecognized field: {name}", name) for name in payload if name not in _TOP]
    problems += _check_sender(payload)
    problems += _check_personalizations(payload)
    problems += _check_content(payload)
    problems += _check_attachments(payload.get("attachments"))
    problems += _check_categories(payload.get("categories"))
    problems += _check_tracking(payload.get("tracking_settings"))
    problems += _check_headers(payload.get("headers"), "headers")
    problems += _check_settings(payload.get("mail_settings"))
    if "reply_to" in payload and "reply_to_list" in payload:
        problems.append(("Only one of reply_to and reply_to_list may be used.", "reply_to"))
    return problems


def is_only_tried(payload: dict[str, Any]) -> bool:
    """Whether SendGrid's sandbox mode is asked for: everything is checked, and nothing is sent."""
    return bool(((payload.get("mail_settings") or {}).get("sandbox_mode") or {}).get("enable", False))


def _check_settings(value: Any) -> list[Problem]:
    """The switch of the sandbox mode has to be true or false, not a text or a number."""
    mode = (value or {}).get("sandbox_mode")
    if mode is None or (isinstance(mode, dict) and isinstance(mode.get("enable", False), bool)):
        return []
    return [("The enable parameter must be a boolean.", "mail_settings.sandbox_mode.enable")]


def _check_sender(payload: dict[str, Any]) -> list[Problem]:
    problems = []
    for field, required in (("from", True), ("reply_to", False)):
        if required or field in payload:
            problems += _check_mailbox(payload.get(field), field)
    address = str((payload.get("from") or {}).get("email", ""))
    if not address.isascii():
        problems.append(("Unicode is not supported in the from address.", "from.email"))
    return problems


def _check_mailbox(value: Any, field: str) -> list[Problem]:
    if not isinstance(value, dict) or not isinstance(value.get("email"), str):
        return [
            (f"The {field.split('.', maxsplit=1)[0]} object must be provided with an email address.", f"{field}.email")
        ]
    if not _ADDRESS.match(value["email"]):
        return [("Does not contain a valid address.", f"{field}.email")]
    if any(mark in str(value.get("name", "")) for mark in ";,"):
        return [("The name may not contain a semicolon or comma.", f"{field}.name")]
    return []


def _check_personalizations(payload: dict[str, Any]) -> list[Problem]:
    entries = payload.get("personalizations")
    if not isinstance(entries, list) or not entries:
        return [("You must have at least one personalization.", "personalizations")]
    problems: list[Problem] = []
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        problems += _check_personalization(entry, f"personalizations.{index}", seen)
    if len(entries) > MAX_RECIPIENTS or len(seen) > MAX_RECIPIENTS:
        message = "There is a limit of 1000 total recipients (to + cc + bcc) per request."
        problems.append((message, "personalizations"))
    return problems


def _check_personalization(entry: Any, field: str, seen: set[str]) -> list[Problem]:
    if not isinstance(entry, dict) or not isinstance(entry.get("to"), list) or not entry["to"]:
        return [("The to array is required for all personalization objects.", f"{field}.to")]
    problems = [(f"Unrecognized field: {name}", f"{field}.{name}") for name in entry if name not in _PERSONAL]
    for kind in ("to", "cc", "bcc"):
        for index, mailbox in enumerate(entry.get(kind, [])):
            place = f"{field}.{kind}.{index}"
            problems += _check_mailbox(mailbox, place)
            address = str(mailbox.get("email", "")).lower() if isinstance(mailbox, dict) else ""
            if address in seen:
                message = "Each email address in the personalization block should be unique between to, cc, and bcc."
                problems.append((message, f"{place}.email"))
            seen.add(address)
    problems += _check_headers(entry.get("headers"), f"{field}.headers")
    for kind in ("substitutions", "custom_args"):
        problems += _check_strings(entry.get(kind), f"{field}.{kind}")
    return problems


def _check_strings(value: Any, field: str) -> list[Problem]:
    if value is None:
        return []
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        return [("Must be an object of key/value pairs where the values are strings.", field)]
    if sum(len(key.encode()) + len(text.encode()) for key, text in value.items()) > MAX_ARGUMENT_BYTES:
        return [("The total size may not exceed 10000 bytes.", field)]
    return []


def _check_headers(value: Any, field: str) -> list[Problem]:
    problems = _check_strings(value, field)
    if problems or value is None:
        return problems
    return [
        (f"The header {name} is reserved.", f"{field}.{name}") for name in value if name.lower() in _RESERVED_HEADERS
    ]


def _check_content(payload: dict[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    if not payload.get("subject") and not payload.get("template_id"):
        problems.append(("The subject is required. You can get around this with a template.", "subject"))
    content = payload.get("content")
    if not isinstance(content, list) or not content:
        return [*problems, ("Unless a valid template_id is provided, the content parameter is required.", "content")]
    for index, part in enumerate(content):
        if not isinstance(part, dict) or not part.get("type") or not part.get("value"):
            problems.append(
                ("The content value must be a string at least one character in length.", f"content.{index}")
            )
    types = [str(part.get("type")) for part in content if isinstance(part, dict)]
    if "text/plain" in types and types.index("text/plain") != 0:
        message = "If present, text/plain and text/html may only be provided once, text/plain first."
        problems.append((message, "content"))
    return problems


def _check_attachments(value: Any) -> list[Problem]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        return [("Attachments must be an array of objects.", "attachments")]
    problems: list[Problem] = []
    for index, part in enumerate(value):
        problems += _check_attachment(part, f"attachments.{index}")
    return problems


def _check_attachment(part: dict[str, Any], field: str) -> list[Problem]:
    problems = [(f"Unrecognized field: {name}", f"{field}.{name}") for name in part if name not in _ATTACHMENT]
    if not _is_base64(part.get("content")):
        problems.append(("The attachment content must be base64 encoded.", f"{field}.content"))
    problems += _check_attachment_words(part, field)
    if part.get("disposition", "attachment") not in ("attachment", "inline"):
        message = "The disposition of your attachment can be either 'inline' or 'attachment'."
        problems.append((message, f"{field}.disposition"))
    return problems


def _check_attachment_words(part: dict[str, Any], field: str) -> list[Problem]:
    """A file name is required, a type is not; neither may break the header that it becomes a part of."""
    problems = []
    for name, default in (("filename", ""), ("type", "application/octet-stream")):
        text = part.get(name, default)
        if not isinstance(text, str) or not text:
            message = f"The attachment {name} must be a string at least one character in length."
            problems.append((message, f"{field}.{name}"))
        elif any(mark in text for mark in ";\r\n"):
            problems.append((f"The attachment {name} cannot contain ';', or CRLF characters.", f"{field}.{name}"))
    return problems


def _is_base64(content: Any) -> bool:
    try:
        return isinstance(content, str) and bool(base64.b64decode(content, validate=True))
    except (binascii.Error, ValueError):
        return False


def _check_categories(value: Any) -> list[Problem]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return [("Categories must be an array of strings.", "categories")]
    if len(value) > 10 or len(set(value)) != len(value):
        return [("At most 10 unique categories.", "categories")]
    return [("A category is at most 255 characters.", "categories") for name in value if len(name) > 255][:1]


def _check_tracking(value: Any) -> list[Problem]:
    known = {"click_tracking", "open_tracking", "subscription_tracking", "ganalytics"}
    problems = []
    for name, setting in (value or {}).items():
        if name not in known:
            problems.append((f"Unrecognized field: {name}", f"tracking_settings.{name}"))
        elif not isinstance(setting, dict) or not isinstance(setting.get("enable", False), bool):
            problems.append(("The enable parameter must be a boolean.", f"tracking_settings.{name}.enable"))
    return problems
