"""The command line: the headless front end on the same services as the window."""

from pod_desktop.cli.main import main
from pod_desktop.cli.options import (
    App,
    CollectOptions,
    Home,
    ImportOptions,
    Tell,
    WindowOptions,
)

__all__ = [
    "App",
    "CollectOptions",
    "Home",
    "ImportOptions",
    "Tell",
    "WindowOptions",
    "main",
]
