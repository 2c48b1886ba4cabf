"""Every setting of the program, declared once: its form, its help, its check and its command follow from here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pod_desktop.core import limits
from pod_desktop.core.connector import check_proxy, check_tenant
from pod_desktop.core.faults import UserFault
from pod_desktop.core.responder import ALL_TENANTS

CHOICE: Final = "choice"
FLAG: Final = "flag"
NUMBER: Final = "number"
TEXT: Final = "text"
TEXTS: Final = "texts"
KEYS: Final = "keys"
"""A mapping from a command's words to the keys that do it."""
ITEMS: Final = 1_000
"""Entries of a list; a form is not the place for more."""

THEME: Final = "theme"
TIME_ZONE: Final = "time_zone"
RETENTION_DAYS: Final = "retention_days"
RETENTION_GB: Final = "retention_gb"
OWN_DOMAINS: Final = "own_domains"
PROTECTED: Final = "protected_values"
TENANTS: Final = "tenants"
PROXY: Final = "proxy"
NOTIFICATIONS: Final = "notifications"
KEEP_COLLECTING: Final = "keep_collecting"
SHORTCUTS: Final = "shortcuts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting."""

    key: str
    title: str
    help: str
    type: str
    """CHOICE, FLAG, NUMBER, TEXT, TEXTS or KEYS."""
    default: Any
    choices: tuple[tuple[str, str], ...] = ()
    """(value, words) of a CHOICE."""
    least: int = 0
    most: int = 0
    unit: str = ""
    check_item: Callable[[str], str] | None = None
    """Checks and cleans TEXT, or one entry of TEXTS; raises UserFault."""

    def check(self, value: Any) -> Any:
        """The value as it is kept.

        Raises:
            UserFault: it does not fit; `where` is the key.
        """
        try:
            return _CHECKS[self.type](self, value)
        except UserFault as fault:
            raise UserFault(fault.what, self.key, fault.hint) from None

    def parse(self, text: str) -> Any:
        """A value as typed in a command: yes or no, a number, entries with commas between, JSON for KEYS.

        Raises:
            UserFault: it does not fit.
        """
        text = text.strip()
        if self.type == FLAG:
            value: Any = _FLAGS.get(text.casefold(), text)
        elif self.type == NUMBER:
            value = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text
        elif self.type == TEXTS:
            value = [part for part in re.split(r"[,\n]", text) if part.strip()]
        elif self.type == KEYS:
            value = self._json(text)
        else:
            value = text
        return self.check(value)

    def _json(self, text: str) -> Any:
        try:
            return json.loads(text or "{}")
        except (ValueError, RecursionError):
            raise UserFault("This is no JSON.", self.key, 'Write {"Command": "Ctrl+Shift+B"}.') from None

    def words(self, value: Any) -> str:
        """The value as people read it."""
        if self.type == CHOICE:
            return dict(self.choices).get(value, str(value))
        if self.type == FLAG:
            return "yes" if value else "no"
        if self.type == TEXT:
            return str(value) or "none"
        if self.type == TEXTS:
            return ", ".join(value) if value else "none"
        if self.type == KEYS:
            return ", ".join(f"{words}: {keys}" for words, keys in value.items()) if value else "as delivered"
        return f"{value:,} {self.unit}".rstrip() if value else "no limit"


def _choice(setting: Setting, value: Any) -> str:
    known = [choice for choice, _ in setting.choices]
    if not isinstance(value, str) or value.strip().casefold() not in known:
        raise UserFault(f"{setting.title} has no such choice.", "", f"Choose from {', '.join(known)}.")
    return value.strip().casefold()


def _flag(setting: Setting, value: Any) -> bool:
    if not isinstance(value, bool):
        raise UserFault(f"{setting.title} is yes or no.", "", "Write yes or no.")
    return value


def _number(setting: Setting, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not setting.least <= value <= setting.most:
        raise UserFault(
            f"{setting.title} is a whole number from {setting.least:,} to {setting.most:,}.", "", setting.help
        )
    return value


def _text(setting: Setting, value: Any) -> str:
    if not isinstance(value, str):
        raise UserFault(f"{setting.title} is a text.", "")
    return (setting.check_item or str.strip)(value)


def _texts(setting: Setting, value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise UserFault(f"{setting.title} is a list of texts.", "")
    if len(value) > ITEMS:
        raise UserFault(f"{setting.title} has {len(value):,} entries; {ITEMS:,} is the most.", "")
    check = setting.check_item or str.strip
    found: dict[str, str] = {}
    for item in value:
        clean = check(item)
        found.setdefault(clean.casefold(), clean)
    return list(found.values())


def _keys(setting: Setting, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > ITEMS:
        raise UserFault(f"{setting.title} is a mapping from commands to keys.", "")
    found: dict[str, str] = {}
    taken: dict[str, str] = {}
    for command, keys in value.items():
        if not isinstance(command, str) or not isinstance(keys, str) or len(command) + len(keys) > 200:
            raise UserFault("A command and its keys are texts.", "")
        keys = keys.strip()
        if not (command.strip() and command.isprintable() and keys.isprintable()):
            raise UserFault("A command or its keys hold control characters.", "", "Type them again.")
        if keys and (other := taken.get(keys.casefold())):
            raise UserFault(f"{keys} already does {other}.", "", "Choose other keys for one of the two.")
        taken[keys.casefold()] = command.strip()
        found[command.strip()] = keys
    return found


_CHECKS: Final[dict[str, Callable[[Setting, Any], Any]]] = {
    CHOICE: _choice,
    FLAG: _flag,
    NUMBER: _number,
    TEXT: _text,
    TEXTS: _texts,
    KEYS: _keys,
}
_FLAGS: Final = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


def check_domain(text: str) -> str:
    """A domain in lower case, an international one in its ASCII form; a leading @ or *. is taken off.

    Raises:
        UserFault: no domain.
    """
    shown = text.strip()[:80]
    name = text.strip().lower().removeprefix("*.").lstrip("@").rstrip(".")
    try:
        name = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    label = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
    if len(name) > 253 or not re.fullmatch(rf"{label}(?:\.{label})+", name):
        raise UserFault(f"{shown!r} is no domain.", "", "Write it like example.com.")
    return name


def check_protected(text: str) -> str:
    """A value that is never put on a list without a second look: an address, a domain, a host or an IP address.

    Raises:
        UserFault: empty, longer than 500 characters, or with blanks or control characters.
    """
    text = text.strip()
    if not text or len(text) > 500 or re.search(r"[\s\x00-\x1f\x7f]", text) or not text.isprintable():
        raise UserFault(
            f"{text[:80]!r} cannot be protected.", "", "Write an address, a domain, a host or an IP address."
        )
    return text.lower()


def check_usual_proxy(text: str) -> str:
    """`http://host:port`; '' for none, which may be written out. Raises UserFault when it is no HTTP proxy."""
    return "" if text.strip().casefold() == "none" else check_proxy(text)


def check_named_tenant(text: str) -> str:
    """A tenant's name; All Tenants is no tenant. Raises UserFault when it does not fit."""
    name = check_tenant(text)
    if name.casefold() == ALL_TENANTS.casefold():
        raise UserFault(
            f"{ALL_TENANTS} is what responders for every tenant have.", "", "Choose another name."
        )
    if len(name) > limits.NAME_CHARS or "," in name:
        raise UserFault("A tenant's name holds no comma.", "", "Leave it out.")
    return name


_ALL: Final = (
    Setting(
        key=THEME, title="Theme", type=CHOICE, default="system",
        choices=(("system", "As the desktop"), ("light", "Light"), ("dark", "Dark")),
        help="How the window looks.",
    ),
    Setting(
        key=TIME_ZONE, title="Times in", type=CHOICE, default="local",
        choices=(("local", "Local time"), ("utc", "UTC")),
        help="How times are shown; they are kept in UTC.",
    ),
    Setting(
        key=RETENTION_DAYS, title="Keep records for", type=NUMBER, default=30, least=0, most=36_500, unit="days",
        help="Older records are deleted; 0 is no limit.",
    ),
    Setting(
        key=RETENTION_GB, title="Keep at most", type=NUMBER, default=20, least=0, most=1_000_000, unit="GB",
        help="When the store grows beyond this, the oldest records are deleted; 0 is no limit.",
    ),
    Setting(
        key=TENANTS, title="Tenants", type=TEXTS, default=[], check_item=check_named_tenant,
        help="Tenants to choose from for connectors. Records keep the tenant that they were collected for.",
    ),
    Setting(
        key=OWN_DOMAINS, title="Own domains", type=TEXTS, default=[], check_item=check_domain,
        help="Your own mail domains: blocking one of them is refused. Those that receive mail are learned by "
        "themselves.",
    ),
    Setting(
        key=PROTECTED, title="Protected values", type=TEXTS, default=[], check_item=check_protected,
        help="Addresses, domains, hosts and IP addresses that are blocked only after a confirmation, and never "
        "by a playbook.",
    ),
    Setting(
        key=PROXY, title="HTTP proxy", type=TEXT, default="", check_item=check_usual_proxy,
        help="What new collectors are offered in their Advanced part; each keeps its own. Empty: straight to the "
        "service. Proxy variables of the environment are never used, and WebSocket is not reliable over HTTP proxies.",
    ),
    Setting(
        key=NOTIFICATIONS, title="Notifications", type=FLAG, default=True,
        help="Tell on the desktop when a connector stops or lags, and where a playbook says so. No notification holds "
        "what a record says.",
    ),
    Setting(
        key=KEEP_COLLECTING, title="Collecting goes on after the window is closed", type=FLAG, default=True,
        help="If it stops with the window, what arrives meanwhile is fetched when the program runs again.",
    ),
    Setting(
        key=SHORTCUTS, title="Keyboard shortcuts", type=KEYS, default={},
        help="Keys that differ from those delivered, by the command's words; no keys switch a shortcut off.",
    ),
)  # fmt: skip
SETTINGS: Final[Mapping[str, Setting]] = {setting.key: setting for setting in _ALL}
"""By key, in the order in which they are shown."""


def setting(key: str) -> Setting:
    """Raises UserFault when there is no such setting."""
    if key not in SETTINGS:
        raise UserFault(f"There is no setting {key[:80]!r}.", "key", f"Settings: {', '.join(SETTINGS)}.")
    return SETTINGS[key]
