# ruff: noqa: F722, F821 - the types are D-Bus's own
"""A notification server for a private bus. No annotations of the future: dbus_fast reads D-Bus types from them."""

from dbus_fast.service import ServiceInterface, method


class Server(ServiceInterface):
    """org.freedesktop.Notifications as far as tests need it."""

    def __init__(self) -> None:
        super().__init__("org.freedesktop.Notifications")
        self.told: list[tuple[str, str, str]] = []
        """(application, title, words)"""

    @method()
    def Notify(
        self,
        application: "s",
        replaces: "u",
        icon: "s",
        title: "s",
        words: "s",
        actions: "as",
        hints: "a{sv}",
        timeout: "i",
    ) -> "u":
        self.told.append((application, title, words))
        return len(self.told)

    @method()
    def GetCapabilities(self) -> "as":
        return ["body", "actions"]

    @method()
    def GetServerInformation(self) -> "ssss":
        return ["test", "test", "1", "1.2"]

    @method()
    def CloseNotification(self, number: "u") -> None:
        pass
