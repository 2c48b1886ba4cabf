"""Where events live. Other rooms import what stands here."""

from pod_desktop.store.datadir import DataDir, Lock, default_root, lock_holder
from pod_desktop.store.journal import Journal
from pod_desktop.store.ledger import (
    CollectEntry,
    Command,
    ConnectorEntry,
    Ledger,
    RespondEntry,
    ServiceInfo,
)
from pod_desktop.store.notes import NOTES_FILE, Note, Notes, Noting
from pod_desktop.store.playbook_rows import FiringRow, Part, PlaybookEntry, Turn, Version
from pod_desktop.store.playbooks import Playbooks, counted
from pod_desktop.store.port import (
    BACKFILL,
    LIVE,
    Ask,
    Commit,
    Committed,
    FieldValues,
    Marks,
    Matches,
    Order,
    Place,
    Progress,
    Reader,
    Source,
    Spots,
    StoredRecord,
    Totals,
    Writer,
)
from pod_desktop.store.repair import Repaired, repair
from pod_desktop.store.retention import (
    Cleared,
    Doomed,
    Limits,
    Plan,
    Prepared,
    Retaining,
    prepare,
    prepare_kept,
)
from pod_desktop.store.retention import plan as plan_retention
from pod_desktop.store.segments import open_reader, open_writer
from pod_desktop.store.verify import verify

__all__ = [
    "BACKFILL",
    "LIVE",
    "NOTES_FILE",
    "Ask",
    "Cleared",
    "CollectEntry",
    "Command",
    "Commit",
    "Committed",
    "ConnectorEntry",
    "DataDir",
    "Doomed",
    "FieldValues",
    "FiringRow",
    "Journal",
    "Ledger",
    "Limits",
    "Lock",
    "Marks",
    "Matches",
    "Note",
    "Notes",
    "Noting",
    "Order",
    "Part",
    "Place",
    "Plan",
    "PlaybookEntry",
    "Playbooks",
    "Prepared",
    "Progress",
    "Reader",
    "Repaired",
    "RespondEntry",
    "Retaining",
    "ServiceInfo",
    "Source",
    "Spots",
    "StoredRecord",
    "Totals",
    "Turn",
    "Version",
    "Writer",
    "counted",
    "default_root",
    "lock_holder",
    "open_reader",
    "open_writer",
    "plan_retention",
    "prepare",
    "prepare_kept",
    "repair",
    "verify",
]
