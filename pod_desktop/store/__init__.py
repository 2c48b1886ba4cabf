"""Where events live. Other rooms import what stands here."""

from pod_desktop.store.datadir import DataDir, Lock, default_root, lock_holder
from pod_desktop.store.journal import Journal
from pod_desktop.store.ledger import Command, ConnectorEntry, Ledger, ServiceInfo

__all__ = [
    "Command",
    "ConnectorEntry",
    "DataDir",
    "Journal",
    "Ledger",
    "Lock",
    "ServiceInfo",
    "default_root",
    "lock_holder",
]
