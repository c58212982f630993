"""Fields and contents as canonical JSON, and the digest over a content.

Canonical: sorted keys, no spaces, UTF-8 kept, media as base64, times in UTC. The shapes are read from the types
themselves, so a field that is added to a type is in the digest without anybody thinking of it.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import types
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from pregon.types import ChannelName, Content, Fields, MailFields, PlaylistFields, PostFields

_FIELDS: dict[ChannelName, type[Fields]] = {
    ChannelName.EMAIL: MailFields,
    ChannelName.X: PostFields,
    ChannelName.YOUTUBE: PlaylistFields,
    ChannelName.MASTODON: PostFields,
    ChannelName.BLUESKY: PostFields,
    ChannelName.DISCOURSE: PostFields,
}


def digest_content(content: Content) -> str:
    """`sha256:<hex>` over every field of the content, however deep."""
    return f"sha256:{hashlib.sha256(encode_content(content).encode()).hexdigest()}"


def encode_content(content: Content) -> str:
    """The content as canonical JSON. Raises ValueError for a time without a zone."""
    return _dump(content)


def decode_content(text: str) -> Content:
    """The content that `encode_content` wrote."""
    value = _from_plain(Content, json.loads(text))
    assert isinstance(value, Content)  # noqa: S101 - tells mypy what the type argument already says
    return value


def encode_fields(fields: Fields) -> str:
    """The fields as canonical JSON."""
    return _dump(fields)


def decode_fields(channel: ChannelName, text: str) -> Fields:
    """The fields of a channel that `encode_fields` wrote. Raises ValueError when the text is something else."""
    value = _from_plain(_FIELDS[channel], json.loads(text))
    assert isinstance(value, (MailFields, PostFields, PlaylistFields))  # noqa: S101
    return value


def _dump(value: Any) -> str:
    return json.dumps(_to_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _to_plain(value: Any) -> Any:
    plain = value
    if dataclasses.is_dataclass(value):
        fields = {field.name: _to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        plain = {"type": type(value).__name__, **fields}
    elif isinstance(value, bytes):
        plain = base64.b64encode(value).decode()
    elif isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time in a content needs a time zone")
        plain = value.astimezone(UTC).isoformat()
    elif isinstance(value, tuple):
        plain = [_to_plain(entry) for entry in value]
    return plain


@lru_cache(maxsize=64)
def _hints(shape: type) -> dict[str, Any]:
    return get_type_hints(shape)


def _from_plain(shape: Any, plain: Any) -> Any:
    origin = get_origin(shape)
    if origin in {Union, types.UnionType}:
        return _from_union(get_args(shape), plain)
    if origin is tuple:
        return _from_list(get_args(shape), plain)
    if dataclasses.is_dataclass(shape):
        return _from_object(shape, plain)
    return _from_scalar(shape, plain)


def _from_scalar(shape: Any, plain: Any) -> Any:
    if shape is bytes:
        return base64.b64decode(plain)
    if shape is datetime:
        return datetime.fromisoformat(plain)
    if issubclass(shape, StrEnum):
        return shape(plain)
    if shape is float and isinstance(plain, int):
        return float(plain)
    if not isinstance(plain, shape):
        raise ValueError(f"expected {shape.__name__}, found {type(plain).__name__}")  # noqa: TRY004 - one error kind
    return plain


def _from_union(members: tuple[Any, ...], plain: Any) -> Any:
    if plain is None and types.NoneType in members:
        return None
    shapes = [member for member in members if member is not types.NoneType]
    if len(shapes) == 1:
        return _from_plain(shapes[0], plain)
    name = plain.get("type") if isinstance(plain, dict) else None
    for shape in shapes:
        if shape.__name__ == name:
            return _from_plain(shape, plain)
    raise ValueError(f"no type is called {name!r}")


def _from_list(members: tuple[Any, ...], plain: Any) -> tuple[Any, ...]:
    if not isinstance(plain, list):
        raise ValueError("expected a list")  # noqa: TRY004
    if len(members) == 2 and members[1] is Ellipsis:
        return tuple(_from_plain(members[0], entry) for entry in plain)
    return tuple(_from_plain(member, entry) for member, entry in zip(members, plain, strict=True))


def _from_object(shape: Any, plain: Any) -> Any:
    if not isinstance(plain, dict) or plain.get("type") != shape.__name__:
        raise ValueError(f"expected {shape.__name__}")
    hints = _hints(shape)
    unknown = plain.keys() - hints.keys() - {"type"}
    if unknown:
        raise ValueError(f"{shape.__name__} has no field {', '.join(sorted(unknown))}")
    return shape(**{name: _from_plain(hints[name], value) for name, value in plain.items() if name != "type"})
