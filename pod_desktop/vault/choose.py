"""Which vault this process uses."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pod_desktop.core.faults import Outage
from pod_desktop.vault.folder import FolderVault
from pod_desktop.vault.keychain import KeychainVault, open_keychain
from pod_desktop.vault.memory import MemoryVault
from pod_desktop.vault.port import Vault

SECRETS_DIR: Final = "POD_DESKTOP_SECRETS_DIR"
CREDENTIALS_DIR: Final = "CREDENTIALS_DIRECTORY"


def open_vault(
    environ: Mapping[str, str],
    profile: str = "",
    *,
    platform: str = sys.platform,
    keychain: Callable[..., KeychainVault] = open_keychain,
) -> Vault:
    """The folder that a variable names, else the keychain if it works, else this session's memory.

    Takes as long as the keychain's probe (up to limits.VAULT_SECONDS when it waits for a person):
    call it in a worker thread where a window waits.

    Args:
        environ: The process's environment.
        profile: Tells the keychain entries of one data directory from those of another.
        platform: As sys.platform.
        keychain: What opens the keychain; raises Outage when there is none.
    """
    if folder := environ.get(SECRETS_DIR):
        return FolderVault(Path(folder).absolute(), writable=True)
    if folder := environ.get(CREDENTIALS_DIR):
        return FolderVault(Path(folder).absolute(), writable=False)
    try:
        return keychain(profile, platform=platform)
    except Outage as outage:
        return MemoryVault(why=outage.what)
