"""The messages of graphql-transport-ws, as clients send them: which of them are well-formed."""

from typing import Any

import orjson

MAXIMUM_ID = 64


def read_message(text: str | None) -> dict[str, Any] | None:
    """The message, if it is one of the protocol."""
    try:
        message = orjson.loads(text) if text is not None else None
    except orjson.JSONDecodeError:
        return None
    return message if isinstance(message, dict) and is_well_formed(message) else None


def is_well_formed(message: dict[str, Any]) -> bool:
    """Whether a message has the shape that its type needs; unknown types have none."""
    match message.get("type"):
        case "connection_init" | "ping" | "pong":
            return _is_writable(message.get("payload", {}))
        case "complete":
            return _has_id(message)
        case "subscribe":
            return _has_id(message) and _is_operation(message.get("payload"))
        case _:
            return False


def _has_id(message: dict[str, Any]) -> bool:
    operation_id = message.get("id")
    return isinstance(operation_id, str) and 0 < len(operation_id) <= MAXIMUM_ID


def _is_operation(payload: Any) -> bool:
    if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
        return False
    return _is_writable(payload.get("variables") or {}) and isinstance(
        payload.get("operationName") or "", str
    )


def _is_writable(value: Any) -> bool:
    """Whether it is an object that can be sent again: what is read may be nested deeper."""
    try:
        return isinstance(value, dict) and bool(orjson.dumps(value))
    except orjson.JSONEncodeError:
        return False
