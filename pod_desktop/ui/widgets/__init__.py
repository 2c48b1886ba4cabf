"""Small parts that every page is built of; all of them show their text as it is (ui.text).

Button("Save", kind="primary")            kinds: plain, primary, danger, link, flat, pill
MenuButton("Last 15 minutes", menu)       shows a ▾ and opens the menu
Card(), hairline(), PageHeader("Connectors", Button(…)), EmptyState("Title", "words", buttons)
Notice("words", tone="bad", title="401")  tones as in core.blocks: good, warn, bad, info, muted
Chip("Quarantined", tone="bad"), Dot("good")
Field("Cluster ID", edit, required=True, note="…"); field.fault("what", "hint"), field.fault("") clears
"""

from pod_desktop.ui.widgets.buttons import Button, MenuButton
from pod_desktop.ui.widgets.fields import Field
from pod_desktop.ui.widgets.notices import Chip, Dot, Notice
from pod_desktop.ui.widgets.surfaces import Card, EmptyState, PageHeader, hairline

__all__ = [
    "Button",
    "Card",
    "Chip",
    "Dot",
    "EmptyState",
    "Field",
    "MenuButton",
    "Notice",
    "PageHeader",
    "hairline",
]
