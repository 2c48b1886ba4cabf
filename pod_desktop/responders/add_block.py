"""Template: Proofpoint on Demand Add to Org Block List."""

from pod_desktop.core.action import ADD, BLOCK
from pod_desktop.responders.org_list import Responder

RESPONDER = Responder(action=ADD, list=BLOCK)
