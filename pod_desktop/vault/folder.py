"""Secrets as files, for computers without a desktop: one file a secret, `<connector>.<secret>`.

$CREDENTIALS_DIRECTORY is systemd's and read-only; $POD_DESKTOP_SECRETS_DIR may be written. What an
administrator puts there holds the bare secret. What this program writes is bound to its origin by a
second file, `.<connector>.<secret>.origin`; a secret without one is the administrator's to bind.
"""

from __future__ import annotations

import os
import stat
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pod_desktop.core import limits
from pod_desktop.core.faults import Outage, UserFault
from pod_desktop.core.secret import Secret
from pod_desktop.vault.port import RESERVED, check_entry, check_size, other_origin

_ACL: Final = "system.posix_acl_access"
_ACL_USER_OBJ, _ACL_USER, _ACL_MASK = 0x01, 0x02, 0x10
_READ: Final = 4


class FolderVault:
    """Secrets as files that only their owner can read."""

    lasting = True
    why = ""

    def __init__(self, folder: Path, *, writable: bool) -> None:
        self.title = f"the folder {folder}"
        self._folder = folder
        self._writable = writable

    def get(self, connector: str, name: str, origin: str) -> Secret | None:
        place = self._place(connector, name)
        value = self._read(place)
        if value is None:
            return None
        saved = self._read(self._binding(place))
        if saved is not None and saved != origin:
            raise other_origin(connector, name, saved, origin)
        if not value:
            raise UserFault("This file of a secret is empty.", str(place), "Write the secret into it.")
        return Secret(value)

    def put(self, connector: str, name: str, origin: str, secret: Secret) -> None:
        place = self._place(connector, name)
        check_size(secret)
        self._must_be_writable()
        with self._errors(place):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The binding first: killed in between, a new secret is refused rather than sent elsewhere.
            self._write(self._binding(place), origin)
            self._write(place, secret.reveal())

    def delete(self, connector: str, name: str) -> None:
        place = self._place(connector, name)
        self._must_be_writable()
        with self._errors(place):
            place.unlink(missing_ok=True)
            self._binding(place).unlink(missing_ok=True)

    def _place(self, connector: str, name: str) -> Path:
        """The secret's file. Raises UserFault for a name that is not one file inside the folder."""
        check_entry(connector, name)
        place = self._folder / f"{connector}.{name}"
        if place.parent != self._folder or (os.name == "nt" and set(connector) & set('<>:"|?*')):
            raise UserFault("A secret cannot be kept under this connector's name.", "name")
        return place

    @staticmethod
    def _binding(place: Path) -> Path:
        return place.with_name(f".{place.name}.{RESERVED}")

    def _must_be_writable(self) -> None:
        if not self._writable:
            raise UserFault(
                "The credentials directory is read-only.",
                str(self._folder),
                "Change the secret where the service is set up, or set POD_DESKTOP_SECRETS_DIR.",
            )

    def _read(self, place: Path) -> str | None:
        """The file's text without the line break at its end; None when there is no file."""
        with self._errors(place):
            try:
                # Not blocking: opening a named pipe would wait for its writer.
                handle = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
            except FileNotFoundError:
                return None
            with os.fdopen(handle, "rb") as file:
                _refuse_if_readable_by_others(handle, place)
                data = file.read(4 * limits.SECRET_CHARS + 1)
        try:
            text = data.decode("utf-8").removeprefix("\ufeff").rstrip("\r\n")
        except UnicodeDecodeError:
            raise UserFault("This file of a secret is no UTF-8 text.", str(place)) from None
        if len(text) > limits.SECRET_CHARS:
            raise UserFault(
                f"This file holds more than the {limits.SECRET_CHARS:,} characters of a secret.", str(place)
            )
        return text

    def _write(self, place: Path, text: str) -> None:
        """Replace the file in one step; mkstemp makes it 0600 from its first byte on."""
        handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".new-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(place)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise

    @contextmanager
    def _errors(self, place: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Outage(
                f"The secret cannot be used ({error.strerror or type(error).__name__}).",
                str(place),
                "Check the folder's permissions and free space.",
            ) from None


def _refuse_if_readable_by_others(handle: int, place: Path) -> None:
    """Raises UserFault unless this is a plain file that only its owner (and this user) can read."""
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        raise UserFault("This secret is no plain file.", str(place))
    if os.name == "nt":
        return
    others = found.st_mode & 0o077
    # systemd lets a service's own user read root's credential by an access list; the group bits
    # of the mode then show that list's mask and nothing about any group.
    if others and not others & 0o007 and _only_this_user(handle):
        return
    if others:
        raise UserFault("Others can read this secret.", str(place), f"Run: chmod 600 '{place}'")


def _only_this_user(handle: int) -> bool:
    """Does the access list let nobody read but the owner and the user of this process?"""
    if not hasattr(os, "getxattr"):
        return False
    try:
        data = os.getxattr(handle, _ACL)
    except OSError:
        return False
    for tag, rights, who in struct.iter_unpack("<HHI", data[4:]):
        if tag in (_ACL_USER_OBJ, _ACL_MASK) or not rights & _READ:
            continue
        if tag != _ACL_USER or who != os.getuid():
            return False
    return True
