"""Everything in one file, and back: the database's rows, the signing key, the inbox, configuration and templates.

A backup is a ZIP of JSON lines, so one taken on SQLite can be put back on PostgreSQL and the other way round. After a
restore nothing goes out by itself: whatever was due is held until a person releases it, since it may have gone out
after the backup was taken.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from pregon.deliveries import RESTORED
from pregon.errors import PregonError
from pregon.pipeline import Planning
from pregon.settings import Settings
from pregon.storage import Store, head_revision, make_database, open_store

_FORMAT = 1
_MANIFEST, _KEY = "manifest.json", "secret.key"
_FOLDERS = ("config", "templates")

Say = Callable[[str], None]


def write_backup(
    store: Store, settings: Settings, path: Path, at: datetime, say: Say = lambda _: None
) -> dict[str, int]:
    """Write everything to a new file. Returns how many rows each table had. Raises `PregonError`."""
    if path.exists():
        raise PregonError(f"{path} exists already; name a new file.")
    counts: dict[str, int] = {}
    digests: dict[str, str] = {}
    partial = path.with_name(f"{path.name}.partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for table, rows in store.dump_tables():
                say(f"{table} ...")
                name = f"tables/{table}.jsonl"
                counts[table], digests[name] = _write_rows(archive, name, rows)
            for name, data in _list_files(settings):
                archive.writestr(name, data)
                digests[name] = hashlib.sha256(data).hexdigest()
            manifest = {"format": _FORMAT, "revision": head_revision(), "made_at": at.isoformat(), "rows": counts}
            archive.writestr(_MANIFEST, json.dumps(manifest | {"sha256": digests}, indent=1))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return counts


def restore_backup(settings: Settings, path: Path, at: datetime, say: Say = lambda _: None) -> dict[str, int]:
    """Put a backup back into an empty data folder and database. Returns the rows of each table, and `held`.

    Nothing is touched before the whole file has been read and compared with its own checksums. Configuration and
    templates are put into the data folder's `restored/`, never over the ones in use. Raises `PregonError`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _read_manifest(archive, path)
            say("comparing checksums ...")
            _verify(archive, manifest["sha256"])
            settings.home.mkdir(parents=True, exist_ok=True)
            _restore_files(archive, settings)
            with make_database(settings.database_url, manifest["revision"]) as load:
                for table in manifest["rows"]:
                    say(f"{table} ...")
                    load(table, _read_rows(archive, f"tables/{table}.jsonl"))
    except (OSError, zipfile.BadZipFile) as error:
        raise PregonError(f"{path} cannot be read as a backup ({error}).") from error
    store = open_store(settings.database_url, is_restore=True)
    try:
        Planning(store, settings, lambda: at).plan_all()
        held = store.hold_everything(RESTORED, at)
    finally:
        store.close()
    rows: dict[str, int] = manifest["rows"]
    return rows | {"held": held}


def _write_rows(archive: zipfile.ZipFile, name: str, rows: Iterator[Mapping[str, Any]]) -> tuple[int, str]:
    count, digest = 0, hashlib.sha256()
    with archive.open(name, "w", force_zip64=True) as file:
        for row in rows:
            line = json.dumps(dict(row), ensure_ascii=False, default=_plain).encode() + b"\n"
            file.write(line)
            digest.update(line)
            count += 1
    return count, digest.hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    raise TypeError(f"{type(value)} cannot be kept in a backup")


def _read_rows(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, Any]]:
    with archive.open(name) as file:
        for line in io.TextIOWrapper(file, encoding="utf-8", newline="\n"):
            yield {key: _value(value) for key, value in json.loads(line).items()}


def _value(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


def _list_files(settings: Settings) -> Iterator[tuple[str, bytes]]:
    key = settings.home / _KEY
    if key.exists():
        yield _KEY, key.read_bytes()
    folders = [(settings.root / name, name) for name in _FOLDERS] + [(settings.home / "inbox", "inbox")]
    for folder, name in folders:
        for path in sorted(folder.rglob("*")) if folder.exists() else ():
            if path.is_file() and not path.is_symlink():
                yield f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _read_manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(archive.read(_MANIFEST))
    except (KeyError, ValueError) as error:
        raise PregonError(f"{path} is no backup of pregon: it has no manifest.") from error
    if manifest.get("format") != _FORMAT:
        raise PregonError(f"{path} was made by a newer pregon; restore it with that one.")
    return manifest


def _verify(archive: zipfile.ZipFile, digests: Mapping[str, str]) -> None:
    for name, expected in digests.items():
        try:
            with archive.open(name) as file:
                found = _digest(file)
        except (KeyError, zipfile.BadZipFile) as error:
            raise PregonError(f"The backup is damaged: {name} cannot be read. Nothing was changed.") from error
        if found != expected:
            raise PregonError(f"The backup is damaged: {name} is not what was written. Nothing was changed.")


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def _restore_files(archive: zipfile.ZipFile, settings: Settings) -> None:
    for name in archive.namelist():
        top = name.partition("/")[0]
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise PregonError(f"The backup holds a file outside its folder ({name}). Nothing was changed.")
        if name == _KEY or top == "inbox":
            target = settings.home / name
        elif top in _FOLDERS:
            target = settings.home / "restored" / name
        else:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(archive.read(name))
        if name == _KEY:
            target.chmod(0o600)
