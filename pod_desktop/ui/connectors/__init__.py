"""Connectors on the screen: the table, the wizard that adds and edits them, their tests, what one says of itself."""

from pod_desktop.ui.connectors.guide import GuideDialog
from pod_desktop.ui.connectors.page import ConnectorsPage
from pod_desktop.ui.connectors.runner import Runner
from pod_desktop.ui.connectors.wizard import AddConnector, open_wizard

__all__ = ["AddConnector", "ConnectorsPage", "GuideDialog", "Runner", "open_wizard"]
