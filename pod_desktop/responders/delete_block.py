"""Template: Proofpoint on Demand Delete From Org Block List."""

from pod_desktop.core.action import BLOCK, DELETE
from pod_desktop.responders.org_list import Responder

RESPONDER = Responder(action=DELETE, list=BLOCK)
