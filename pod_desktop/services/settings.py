"""Settings read and changed: checked on the way in, and on the way out, for a ledger may be older or newer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from pod_desktop.core import settings
from pod_desktop.core.clock import Clock, SystemClock
from pod_desktop.core.faults import UserFault
from pod_desktop.core.guards import Surroundings
from pod_desktop.core.settings import OWN_DOMAINS, PROTECTED, SETTINGS, TENANTS
from pod_desktop.store import Ledger

RENAMED: Final = (
    "Records collected so far keep the old name, and are found under it; a responder of the new name acts on "
    "new records only."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """What renaming a tenant did."""

    connectors: tuple[str, ...]
    """Names of the connectors that have the new tenant now."""
    note: str = RENAMED


class Settings:
    """The settings of a data directory. Safe to use from several threads."""

    def __init__(self, ledger: Ledger, clock: Clock | None = None) -> None:
        self._ledger = ledger
        self._clock = clock or SystemClock()

    def get(self, key: str) -> Any:
        """The value, or the default where none was set or it does not fit any more.

        Raises:
            UserFault: there is no such setting.
        """
        declared = settings.setting(key)
        value = self._ledger.setting(key)
        if value is None:
            return declared.check(declared.default)
        try:
            return declared.check(value)
        except UserFault:
            return declared.check(declared.default)

    def all(self) -> dict[str, Any]:
        """Every setting's value, in the order in which they are shown."""
        return {key: self.get(key) for key in SETTINGS}

    def set(self, key: str, value: Any) -> Any:
        """Set it, checked and cleaned; gives what is kept.

        Raises:
            UserFault: there is no such setting, or the value does not fit.
        """
        checked = settings.setting(key).check(value)
        if key == TENANTS:
            self._check_tenants_in_use(checked)
        self._ledger.set_setting(key, checked)
        return checked

    def reset(self, key: str) -> Any:
        """Back to the default, which is given. Raises UserFault when there is no such setting."""
        declared = settings.setting(key)
        self._ledger.set_setting(key, None)
        return declared.check(declared.default)

    def surroundings(self) -> Surroundings:
        """What a value for a list is judged by, as far as it is set; learned domains come on top."""
        return Surroundings(
            own_domains=frozenset(self.get(OWN_DOMAINS)), protected=frozenset(self.get(PROTECTED))
        )

    # tenants

    def add_tenant(self, name: str) -> str:
        """Raises UserFault when the name does not fit or is there already."""
        name = settings.check_named_tenant(name)
        if name.casefold() in {tenant.casefold() for tenant in self._ledger.tenants()}:
            raise UserFault(f"There is a tenant {name} already.", "tenant", "Choose another name.")
        self.set(TENANTS, [*self.get(TENANTS), name])
        return name

    def remove_tenant(self, name: str) -> None:
        """Records keep the tenant. Raises UserFault while a connector uses it, or when there is none."""
        named = self.get(TENANTS)
        left = [tenant for tenant in named if tenant.casefold() != name.casefold()]
        if len(left) == len(named) and name.casefold() not in {t.casefold() for t in self._ledger.tenants()}:
            raise UserFault(f"There is no tenant {name[:80]!r}.", "tenant")
        if users := self._users(name):
            raise UserFault(
                f"{name} is the tenant of {', '.join(users)}.", "tenant", "Remove or duplicate these first."
            )
        self.set(TENANTS, left)

    def rename_tenant(self, old: str, new: str) -> Renamed:
        """Give a tenant and its connectors another name; records keep the old one (see Renamed.note).

        Raises:
            UserFault: there is no such tenant, or the new name does not fit or is there already.
        """
        new = settings.check_named_tenant(new)
        known = {tenant.casefold(): tenant for tenant in self._ledger.tenants()}
        if old.casefold() not in known:
            raise UserFault(f"There is no tenant {old[:80]!r}.", "tenant")
        if new.casefold() != old.casefold() and new.casefold() in known:
            raise UserFault(f"There is a tenant {new} already.", "tenant", "Choose another name.")
        users = self._users(old)
        self._ledger.update_connectors(
            [replace(self._ledger.connector(name).connector, tenant=new) for name in users],
            now=self._clock.now(),
        )
        named = [tenant for tenant in self.get(TENANTS) if tenant.casefold() != old.casefold()]
        self._ledger.set_setting(TENANTS, settings.setting(TENANTS).check([*named, new]))
        return Renamed(connectors=tuple(users))

    def _users(self, tenant: str) -> list[str]:
        return [
            entry.connector.name
            for entry in self._ledger.connectors()
            if entry.connector.tenant.casefold() == tenant.casefold()
        ]

    def _check_tenants_in_use(self, left: list[str]) -> None:
        """Taking a tenant off the list that a connector has is no way to remove it."""
        staying = {tenant.casefold() for tenant in left}
        for tenant in self.get(TENANTS):
            if tenant.casefold() not in staying and (users := self._users(tenant)):
                raise UserFault(
                    f"{tenant} is the tenant of {', '.join(users)}.",
                    TENANTS,
                    "Rename it, or remove these first.",
                )
