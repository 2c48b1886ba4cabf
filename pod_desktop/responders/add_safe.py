"""Template: Proofpoint on Demand Add to Org Safe List."""

from pod_desktop.core.action import ADD, SAFE
from pod_desktop.responders.org_list import Responder

RESPONDER = Responder(action=ADD, list=SAFE)
