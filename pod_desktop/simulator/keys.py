"""Keys and secrets that look like the service's; the same for the same seed."""

from __future__ import annotations

import base64
import json
from random import Random

from pod_desktop.simulator.chance import seed_of


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def api_key(seed: int, cluster_id: str, number: int) -> str:
    """A token like the Log API's: a JWT of more than 200 characters. Its signature is random bytes."""
    rng = Random(seed_of(seed, "key", cluster_id, number))
    header = json.dumps({"alg": "RS256", "typ": "JWT", "kid": f"sim-{number}"}).encode()
    claims = json.dumps(
        {"sub": cluster_id, "aud": "logstream", "jti": rng.randbytes(16).hex(), "scope": "pod.logs"}
    )
    return ".".join((_part(header), _part(claims.encode()), _part(rng.randbytes(128))))


def client(seed: int, cluster_id: str) -> tuple[str, str]:
    """Client ID and Client Secret for the token endpoint."""
    rng = Random(seed_of(seed, "client", cluster_id))
    return rng.randbytes(16).hex(), _part(rng.randbytes(36)) + "+/%&="
