"""The desktop's own notifications, for a process without a window. The one door of desktop_notifier.

Loaded when it is first asked for. Where there is no desktop (a service without a session, a server) nothing is
told and nothing is logged again and again: `problem` says why.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pod_desktop.core.resources import resource

if TYPE_CHECKING:
    from desktop_notifier import DesktopNotifier

APP: Final = "POD Desktop"
SECONDS: Final = 5.0
"""The most that one notification may take."""
_BUS: Final = "DBUS_SESSION_BUS_ADDRESS"
_UNMARKED: Final = str.maketrans({"<": "‹", ">": "›", "&": "+"})
_LIBRARY: Final = logging.getLogger("desktop_notifier")


def unmarked(text: str) -> str:
    """The text for desktops that read markup in notifications."""
    return text.translate(_UNMARKED)


class Desktop:
    """Tells on this desktop. Used on one event loop, which goes on turning while it is open."""

    def __init__(self) -> None:
        self.problem = ""
        """Why nothing can be told here, in words; '' while it can or nobody has tried."""
        self._notifier: DesktopNotifier | None = None
        self._arrived = False

    async def ready(self) -> bool:
        """Whether something can be told; sees for itself, and may start the desktop's notification server."""
        if self._notifier is not None:
            return True
        if self.problem_of_session():
            self.problem = self.problem_of_session()
            return False
        try:
            async with asyncio.timeout(SECONDS):
                allowed = await self._open()
        except Exception as error:
            # Whatever a library or a desktop may raise: a notification is never worth more than a word.
            await self.close()
            self.problem = f"The desktop shows no notifications ({type(error).__name__})."
            return False
        self.problem = "" if allowed else "The desktop does not allow notifications."
        return allowed

    async def tell(self, title: str, words: str) -> bool:
        """Show it; whether the desktop has taken it."""
        if not await self.ready() or self._notifier is None:
            return False
        self._arrived = False
        try:
            async with asyncio.timeout(SECONDS):
                await self._notifier.send(title=unmarked(title), message=unmarked(words))
        except TimeoutError:
            pass
        if not self._arrived:
            await self.close()  # a desktop that was started anew is reached anew
            self.problem = "The desktop did not take the last notification."
        return self._arrived

    async def close(self) -> None:
        """Let go of the desktop; what it shows stays."""
        notifier, self._notifier = self._notifier, None
        # The library has no word for it, and an open bus would outlive the loop.
        bus = getattr(getattr(notifier, "_backend", None), "bus", None)
        if bus is not None:
            bus.disconnect()
            await asyncio.sleep(0)

    @staticmethod
    def problem_of_session() -> str:
        """Why there can be no desktop, as far as that is known without a try."""
        if sys.platform != "linux":
            return ""
        if address := os.environ.get(_BUS):
            return "Notifications are switched off here." if address.startswith("disabled") else ""
        # Where a systemd session has it; the library knows the variable only.
        bus = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent", "bus")
        if bus.is_socket():
            os.environ[_BUS] = f"unix:path={bus}"
            return ""
        return "There is no desktop session here (no session bus)."

    async def _open(self) -> bool:
        """Reach the desktop; whether it allows notifications. Raises whatever the library does."""
        await asyncio.to_thread(importlib.import_module, "desktop_notifier")
        from desktop_notifier import DesktopNotifier, Icon

        # It writes a traceback of each failure; what failed is in `problem`.
        _LIBRARY.setLevel(logging.CRITICAL)
        icon = Icon(path=resource("icons/pod-desktop.svg"))
        notifier = self._notifier = DesktopNotifier(app_name=APP, app_icon=icon)
        notifier.on_dispatched = self._dispatched
        await notifier.get_capabilities()  # asks the desktop, where asking is possible
        if await notifier.request_authorisation():
            return True
        await self.close()
        return False

    def _dispatched(self, _identifier: str) -> None:
        """Called by the library for what has arrived, and for nothing else."""
        self._arrived = True
