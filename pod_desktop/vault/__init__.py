"""Where secrets live: keychain, credentials folder, memory. Other rooms import what stands here."""

from pod_desktop.vault.choose import open_vault
from pod_desktop.vault.folder import FolderVault
from pod_desktop.vault.keychain import KeychainVault
from pod_desktop.vault.memory import MemoryVault
from pod_desktop.vault.port import Vault
from pod_desktop.vault.session import SessionVault

__all__ = ["FolderVault", "KeychainVault", "MemoryVault", "SessionVault", "Vault", "open_vault"]
