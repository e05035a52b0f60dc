"""The seed of a lot, which nobody in the vote can foresee or steer.

At opening the server draws a secret and fixes it: its hash is in the audit chain. The seed is made
of the secret and of the key of every ballot, so that neither the server alone, nor whoever casts
last, nor the moment of any act has a hand in it. Both are told when the lot is drawn.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rules.votes.record.audit import AuditKind, canonical_json

SECRET_BYTES = 32


def commitment_of(secret: bytes) -> str:
    """SHA-256 of the secret, in hex: what the chain says at opening."""
    return hashlib.sha256(secret).hexdigest()


def lot_seed(secret: bytes, keys: Iterable[str]) -> str:
    """SHA-256, in hex, of the secret and the canonical JSON of all keys in alphabetical order."""
    return hashlib.sha256(secret + canonical_json(sorted(keys))).hexdigest()


def wrong_lot(export: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the lot of an exported vote, a sentence each.

    A vote that opened before secrets were drawn fixed none; its seed is the chain's head.
    """
    tie = (export["outcome"] or {}).get("tie")
    fixed = [
        row["payload"]["lot"]
        for row in export["audit"]
        if row["kind"] == AuditKind.OPENED.value and "lot" in row["payload"]
    ]
    if not tie or tie["seed"] is None or not fixed:
        return
    secret = bytes.fromhex(tie["secret"] or "")
    if [commitment_of(secret)] != fixed:
        yield "the secret of the lot is not the one that the audit chain fixed at opening"
    if lot_seed(secret, export["keys"]) != tie["seed"]:
        yield "the seed of the lot does not come from its secret and the ballots' keys"
