"""The documents of the web client: whoever is not signed in may send these, and few others."""

from pathlib import Path

import orjson

from server.http.files import CLIENT

MANIFEST = CLIENT / "documents.json"
"""Hashes by names of operations; `web-client/scripts/manifest.mjs` writes it."""


def read_manifest(file: Path = MANIFEST) -> list[str]:
    """The hashes of its documents, SHA-256 in hex; none where the client is not built."""
    if not file.exists():
        return []
    hashes: dict[str, str] = orjson.loads(file.read_bytes())
    return list(hashes.values())
