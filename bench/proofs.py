"""What it costs intake to know who sent an event, on one core: the gateway's stamp, a place in a signed batch of 500,
and a signature for each event.

The thread's CPU time counts; each is the best of several rounds, in turn, since a machine's speed changes.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from datetime import date

from creditbus.bus.signing import KeyPair, verifies
from creditbus.core.batches import batch_of, direct_statement, headers_of
from creditbus.core.rules import Span
from creditbus.core.signers import SigningKey
from creditbus.intake.proofs import Proofs, Proven

_BATCH, _EVENT_BYTES, _ROUNDS = 500, 600, 10
_STAMP_KEY, _SENDER, _TODAY = b"k" * 32, "150100-scjg", date(2026, 11, 24)
_PAIR = KeyPair.from_bytes(b"d" * 32)
_KEY = SigningKey(
    kid=_PAIR.kid,
    public=_PAIR.public,
    department=_SENDER,
    span=Span(since=_TODAY),
    revoked_on=None,
    roles=frozenset({"producer"}),
)


def measure() -> dict[str, float]:
    """Microseconds an event."""
    values = [number.to_bytes(_EVENT_BYTES, "big") for number in range(_BATCH)]
    stamped = [{"sender": _SENDER.encode(), "kid": b"gateway-1", "sig": _stamp(value)} for value in values]
    signed, own = _signed(values), [_PAIR.sign(value) for value in values]
    ways: dict[str, Callable[[], bool]] = {
        "gateway's stamp": lambda: _all_proven(values, stamped),
        f"place in a signed batch of {_BATCH}": lambda: _all_proven(values, signed),
        "signature of its own": lambda: all(verifies(_PAIR.public, one, v) for one, v in zip(own, values, strict=True)),
    }
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(_ROUNDS):
        for name, way in ways.items():
            best[name] = min(best[name], _spent(way))
    return {f"proof of the sender, µs an event: {name}": spent / _BATCH * 1e6 for name, spent in best.items()}


def _stamp(value: bytes) -> bytes:
    return hmac.digest(_STAMP_KEY, _SENDER.encode() + b"\x00" + value, "sha256").hex().encode()


def _signed(values: list[bytes]) -> list[dict[str, bytes]]:
    tree = batch_of(_SENDER, values)
    signature = _PAIR.sign(direct_statement(tree.root, _SENDER, len(values)))
    return [dict(one) for one in headers_of(_SENDER, _PAIR.kid, tree, signature)]


def _all_proven(values: list[bytes], headers: list[dict[str, bytes]]) -> bool:
    """By an intake that has not seen the batch before."""
    proofs = Proofs({"gateway-1": _STAMP_KEY}, {_KEY.kid: _KEY}.get)
    return all(isinstance(proofs.of(one, v, _TODAY), Proven) for one, v in zip(headers, values, strict=True))


def _spent(way: Callable[[], bool]) -> float:
    began = time.thread_time()
    assert way()
    return time.thread_time() - began
