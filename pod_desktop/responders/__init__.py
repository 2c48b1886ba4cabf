"""What can be done, one file a template: name, path, body, inverse, how to judge the answer."""

from typing import Final

from pod_desktop.responders import add_block, add_safe, delete_block, delete_safe
from pod_desktop.responders.org_list import (
    API_PATH,
    LIST_PATHS,
    LIST_TITLES,
    Responder,
    is_duplicate,
    message_of,
    read_entries,
)

RESPONDERS: Final = {
    module.RESPONDER.type: module.RESPONDER for module in (add_block, add_safe, delete_block, delete_safe)
}
"""By type, in the order in which people see them."""

__all__ = [
    "API_PATH",
    "LIST_PATHS",
    "LIST_TITLES",
    "RESPONDERS",
    "Responder",
    "is_duplicate",
    "message_of",
    "read_entries",
]
