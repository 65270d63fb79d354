"""Signed documents: canonical JSON with an Ed25519 signature, which can be trusted without asking the bus."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = "Ed25519"


def canonical(value: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sign(document: Mapping[str, Any], key: bytes) -> dict[str, str]:
    """A signature over a document. key: 32 secret bytes."""
    private = Ed25519PrivateKey.from_private_bytes(key)
    public = private.public_key().public_bytes_raw()
    return {
        "algorithm": ALGORITHM,
        "key_id": hashlib.sha256(public).hexdigest()[:16],
        "public_key": public.hex(),
        "value": private.sign(canonical(document)).hex(),
    }


def is_signed(document: Mapping[str, Any], signature: Mapping[str, str], public_key: str | None = None) -> bool:
    """Whether the signature is that of the document. public_key: hex of the key that is trusted; None takes its own."""
    try:
        public = bytes.fromhex(public_key if public_key is not None else signature["public_key"])
        value = bytes.fromhex(signature["value"])
        Ed25519PublicKey.from_public_bytes(public).verify(value, canonical(document))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return False
    return signature.get("algorithm") == ALGORITHM
