"""How actions leave: the request, the token, the sending (only user of httpx)."""

from pod_desktop.webhook.request import build, check_path_and_query, digest, encode_value
from pod_desktop.webhook.send import ACTION_SECONDS, ANSWER_BYTES, Credentials, NoToken, Sender

__all__ = [
    "ACTION_SECONDS",
    "ANSWER_BYTES",
    "Credentials",
    "NoToken",
    "Sender",
    "build",
    "check_path_and_query",
    "digest",
    "encode_value",
]
