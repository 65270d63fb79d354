"""Ed25519 signatures: of batches of events, and of documents, which can be trusted without asking the bus.

A signed document is canonical JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from creditbus.core.batches import key_id

ALGORITHM = "Ed25519"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key with what is public of it."""

    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def from_bytes(cls, secret: bytes) -> KeyPair:
        """The pair of 32 secret bytes. Raises ValueError for another number of them."""
        return cls(Ed25519PrivateKey.from_private_bytes(secret))

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def kid(self) -> str:
        """Its key id."""
        return key_id(self.public)

    def sign(self, statement: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self.private.sign(statement)


def verifies(public: bytes, signature: bytes, statement: bytes) -> bool:
    """Whether the owner of the public key signed the statement. Takes an eighth of a millisecond."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def canonical(value: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


_NOBODY_S = (1).to_bytes(32, "little") + bytes(32)
"""The neutral point and zero: a signature that anybody can write, and that keys of small order verify by chance."""


def is_weak(public: bytes) -> bool:
    """Whether others than its owner can sign for a key: one of small order, which no honest program makes."""
    return any(verifies(public, _NOBODY_S, bytes([number])) for number in range(256))


def sign(document: Mapping[str, Any], key: bytes) -> dict[str, str]:
    """A signature over a document. key: 32 secret bytes."""
    pair = KeyPair.from_bytes(key)
    return {
        "algorithm": ALGORITHM,
        "key_id": pair.kid,
        "public_key": pair.public.hex(),
        "value": pair.sign(canonical(document)).hex(),
    }


def is_signed(document: Mapping[str, Any], signature: Mapping[str, str], public_key: str | None = None) -> bool:
    """Whether the signature is that of the document. public_key: hex of the key that is trusted; None takes its own."""
    try:
        public = bytes.fromhex(public_key if public_key is not None else signature["public_key"])
        value = bytes.fromhex(signature["value"])
    except (ValueError, KeyError, TypeError):
        return False
    return verifies(public, value, canonical(document)) and signature.get("algorithm") == ALGORITHM
