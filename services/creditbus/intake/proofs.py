"""Who sent a message, as its headers prove: the gateway's stamp, or the signature of a department's batch."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import msgspec

from creditbus.bus.signing import verifies
from creditbus.core.batches import direct_statement, is_in_batch, proof_in
from creditbus.core.outcome import Reason
from creditbus.core.signers import Registered, SigningKey

_REMEMBERED_SIGNATURES = 8_192
"""Verified and refused ones alike, the latest used: a batch is verified once, and so is a forged one."""
_KEY_ID = re.compile("[0-9a-f]{16}")


class Proven(msgspec.Struct, frozen=True, gc=False):
    """The department that sent a message."""

    sender: str
    key: SigningKey | None = None
    """Its own, when the message did not come through the gateway."""


class Unproven(msgspec.Struct, frozen=True, gc=False):
    """Why nobody is proven, or why the proof does not count."""

    reason: Reason
    shown: str
    sender: str = ""
    """Whom the refusal is told; "" where nobody is known."""


class Proofs:
    """Reads proofs. Called for each message, from one thread."""

    def __init__(self, gateway_keys: Mapping[str, bytes], registered: Registered) -> None:
        """gateway_keys: keys that stamps are made with, by key id."""
        self._stamps = {kid.encode(): hmac.new(key, digestmod="sha256") for kid, key in gateway_keys.items()}
        self._registered = registered
        self._is_signed = lru_cache(_REMEMBERED_SIGNATURES)(verifies)

    def of(self, headers: Mapping[str, bytes], value: bytes, today: date) -> Proven | Unproven:
        """What the headers of a message prove about its bytes on that day."""
        sender = headers.get("sender") or b""
        kid = headers.get("kid") or b""
        begun = self._stamps.get(kid)
        if begun is not None:
            stamp = begun.copy()  # a third less than to begin with the key each time
            stamp.update(sender + b"\x00" + value)
            if hmac.compare_digest(stamp.hexdigest().encode(), headers.get("sig") or b""):
                return Proven(sender.decode(errors="replace"))
        elif kid:
            return self._signed(headers, value, today)
        return Unproven(Reason.FORGED, "-")

    def _signed(self, headers: Mapping[str, bytes], value: bytes, today: date) -> Proven | Unproven:
        kid = headers["kid"].decode(errors="replace")
        key = self._registered(kid)
        if key is None:
            return Unproven(Reason.UNKNOWN_KEY, kid if _KEY_ID.fullmatch(kid) else "-")
        if not self._has_signed(key, headers, value):
            return Unproven(Reason.FORGED, "-")
        if not key.counts_on(today):
            # who has a key that was taken back is not known
            return Unproven(Reason.KEY_NOT_VALID, kid, key.department if key.revoked_on is None else "")
        return Proven(key.department, key)

    def _has_signed(self, key: SigningKey, headers: Mapping[str, bytes], value: bytes) -> bool:
        """Whether the event stands in a batch that the key signed for its department, and nobody else is named."""
        proof = proof_in(headers)
        if proof is None or headers.get("sender") != key.department.encode():
            return False
        if not is_in_batch(key.department, value, proof):
            return False
        statement = direct_statement(proof.root, key.department, proof.place.count)
        return self._is_signed(key.public, proof.signature, statement)
