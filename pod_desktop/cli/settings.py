"""settings list, get, set."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from typing import Any

from pod_desktop.cli.formats import dumps
from pod_desktop.cli.options import App
from pod_desktop.cli.terminal import Out, visible
from pod_desktop.core.settings import SETTINGS, setting

DEFAULT = "default"


def settings(options: Namespace, app: App, out: Out) -> int:
    """One of the settings commands."""
    from pod_desktop.services.settings import Settings

    with closing(app.open_home(options.data_dir)) as home:
        kept = Settings(home.ledger)
        if options.action == "list":
            _list(kept.all(), options.json, out)
            return 0
        if options.action == "set":
            declared = setting(options.key)
            if options.value.strip().casefold() == DEFAULT:
                kept.reset(options.key)
            else:
                kept.set(options.key, declared.parse(options.value))
        _one(options.key, kept.get(options.key), options.json, out)
    return 0


def _list(values: dict[str, Any], json: bool, out: Out) -> None:
    if json:
        out.bytes(dumps(values) + b"\n")
        return
    out.table(
        ("KEY", "VALUE", "WHAT IT IS"),
        [(key, SETTINGS[key].words(value), SETTINGS[key].title) for key, value in values.items()],
    )


def _one(key: str, value: Any, json: bool, out: Out) -> None:
    if json:
        out.bytes(dumps({key: value}) + b"\n")
    else:
        out.line(visible(f"{key}: {SETTINGS[key].words(value)}"))
