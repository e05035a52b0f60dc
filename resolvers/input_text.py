"""What people write."""

import unicodedata

from rules.refusals import Reason, Refusal


def read_text(text: str, maximum: int, what: str) -> str:
    """The text without white space around it, composed, so that what reads the same is the same.

    Raises INVALID_INPUT for none, for more than `maximum` characters, and for characters that
    cannot be printed (lone surrogates, controls) but line feeds and tabs.
    """
    plain = unicodedata.normalize("NFC", text.strip())
    if not 0 < len(plain) <= maximum or not all(c.isprintable() or c in "\n\t" for c in plain):
        raise Refusal(Reason.INVALID_INPUT, f"The {what} has 1 to {maximum} characters.")
    return plain
