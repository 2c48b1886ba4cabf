"""Template: Proofpoint on Demand Delete From Org Safe List."""

from pod_desktop.core.action import DELETE, SAFE
from pod_desktop.responders.org_list import Responder

RESPONDER = Responder(action=DELETE, list=SAFE)
