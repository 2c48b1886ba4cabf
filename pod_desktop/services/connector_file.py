"""Connector files and secrets as people give them to the program: strict JSON, refused in words."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from pod_desktop.core import limits
from pod_desktop.core.definition import SECRET_TITLES, Connector, check_secret, connector_from_file
from pod_desktop.core.faults import UserFault
from pod_desktop.core.secret import Secret

SECRETS_BYTES: Final = 4 * limits.SECRET_CHARS


def read_connector_file(path: Path, taken: Iterable[str] = ()) -> Connector:
    """The connector of either kind that a file defines.

    Args:
        path: A JSON file of at most limits.CONNECTOR_FILE_BYTES.
        taken: Names of connectors that exist.

    Raises:
        UserFault: it cannot be read, is no strict JSON object, or holds unknown, missing or unfit values.
    """
    return connector_from_file(read_json_file(path), taken)


def read_connector(data: bytes, where: str, taken: Iterable[str] = ()) -> Connector:
    """The connector that these bytes define, for example from standard input. Raises as read_connector_file()."""
    if len(data) > limits.CONNECTOR_FILE_BYTES:
        raise _too_large(where)
    return connector_from_file(_object(data, where), taken)


def check_ca_file(text: str) -> str:
    """The absolute path of a file of CA certificates, or '' for the system's own.

    Raises:
        UserFault: no such file, not readable, or no PEM certificates in it.
    """
    from pod_desktop.core.tls import client_context

    text = text.strip()
    if not text:
        return ""
    hint = "Choose a file of certificates in PEM form, or leave it empty."
    try:
        path = Path(text).expanduser().absolute()
        if not stat.S_ISREG(path.stat().st_mode):
            raise UserFault("The CA file is no plain file.", "ca_file", hint)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "no such path"
        raise UserFault(f"The CA file cannot be read ({reason}).", "ca_file", hint) from None
    client_context(str(path))
    return str(path)


def read_json_file(path: Path) -> dict[str, Any]:
    """The one JSON object that a file holds.

    Raises:
        UserFault: no plain file, too large, no UTF-8, no JSON object, a key that is there twice,
            deeper than limits.JSON_DEPTH. `where` is the file.
    """
    where = str(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UserFault("This is no plain file.", where, "Give a JSON file that defines a connector.")
        with path.open("rb") as file:
            data = file.read(limits.CONNECTOR_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such path"
        raise UserFault(f"The file cannot be read ({reason}).", where) from None
    if len(data) > limits.CONNECTOR_FILE_BYTES:
        raise _too_large(where)
    return _object(data, where)


def _too_large(where: str) -> UserFault:
    most = limits.CONNECTOR_FILE_BYTES // limits.KIB
    return UserFault(f"The file is larger than {most:,} KiB; that is no connector.", where)


def read_secrets(data: bytes) -> dict[str, Secret]:
    """The secrets that come as one JSON object, for example on standard input: `{"api_key": "…"}`,
    or `{"client_id": "…", "client_secret": "…"}`.

    Raises:
        UserFault: no such object, or a value that cannot be that secret. The words never hold a value.
    """
    where = "standard input"
    if len(data) > SECRETS_BYTES:
        raise UserFault("That is too long for secrets.", where)
    found: dict[str, Secret] = {}
    for name, value in _object(data, where).items():
        if name not in SECRET_TITLES:
            raise UserFault(
                "There is a secret of an unknown name.", where, f"Known: {', '.join(SECRET_TITLES)}."
            )
        if not isinstance(value, str):
            raise UserFault(f"{name!r} must be text.", where)
        found[name] = Secret(check_secret(name, value))
    if not found:
        raise UserFault("There is no secret in it.", where, f"Known: {', '.join(SECRET_TITLES)}.")
    return found


class _Refused(Exception):
    """Why text is no strict JSON; always words of ours."""


def _object(data: bytes, where: str) -> dict[str, Any]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserFault("This is no UTF-8 text.", where) from None
    try:
        _check_depth(text)
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except _Refused as refused:
        raise UserFault(str(refused), where) from None
    except json.JSONDecodeError as error:
        # Only the place: the library's text could hold what stands there.
        raise UserFault(f"This is no JSON: line {error.lineno}, column {error.colno}.", where) from None
    except ValueError:
        raise UserFault("This holds a number that no connector has.", where) from None
    if not isinstance(value, dict):
        raise UserFault("This is JSON, but no object.", where, "It starts with { and names its values.")
    return value


def _check_depth(text: str) -> None:
    """Before parsing, because a parser's own recursion is what deep nesting breaks."""
    depth, quoted, escaped = 0, False, False
    for char in text:
        if quoted:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                quoted = False
        elif char == '"':
            quoted = True
        elif char in "[{":
            depth += 1
            if depth > limits.JSON_DEPTH:
                raise _Refused(f"This is nested deeper than {limits.JSON_DEPTH} levels.")
        elif char in "]}":
            depth -= 1


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Refused(f"The key {key[:80]!r} is there twice.")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise _Refused(f"{name} is no JSON value.")
