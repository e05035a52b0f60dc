"""Names that a voter cannot tell apart, whatever they are written with.

Not by their spelling: an А may be Cyrillic. Each name is reduced to what the eye keeps of it, once
whatever the size of its letters, and once as drawn, where I, l and 1 are one stroke. Vietnamese
marks stay, because they tell names apart: Hà is not Hạ, and Dũng is not Đũng.
"""

import unicodedata
from collections.abc import Iterator, Sequence

_LETTERS = {
    "a": "АаΑαɑ",
    "b": "ВвΒ",
    "c": "СсϹϲ",
    "d": "Ԁԁ",
    "e": "ЕеΕ",
    "g": "Ԍԍɡ",
    "h": "НнΗҺһհ",
    "i": "ІіΙιı",
    "j": "ЈјͿϳ",
    "k": "КкΚκ",
    "l": "Ӏӏ",
    "m": "МмΜ",
    "n": "Νո",
    "o": "ОоΟοՕօ",
    "p": "РрΡρ",
    "q": "Ԛԛ",
    "s": "ЅѕՏ",
    "t": "ТтΤτ",
    "u": "Սսυ",
    "v": "Ѵѵν",
    "w": "Ԝԝ",
    "x": "ХхΧχ",
    "y": "УуΥүҮ",
    "z": "Ζ",
    "đ": "ÐðƉɖ",
}
"""Latin letters, and letters of other scripts that are drawn like them."""

_SIGNS = {"'": "’‘ʼ`´ʹ′", '"': "“”„″", ".": "․·•"}

_SHAPES = {
    ord(twin): letter.upper() if twin.isupper() else letter
    for letter, twins in (_LETTERS | _SIGNS).items()
    for twin in twins
}

_STROKES = str.maketrans({"I": "l", "1": "l", "|": "l", "0": "O"})

_BARS = frozenset("\u0335\u0336\u0337\u0338")
"""Marks through a letter: with one, d is đ."""

_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that leave nothing on the page."""


def look_alikes(names: Sequence[str]) -> tuple[str, str] | None:
    """The first two of the names that look the same, if any do."""
    seen: dict[str, str] = {}
    for name in names:
        keys = _looks(name)
        for key in keys:
            if key in seen:
                return seen[key], name
        seen |= dict.fromkeys(keys, name)
    return None


def _looks(name: str) -> set[str]:
    """How a name looks, in two ways that share no value."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", name))
    shapes = " ".join("".join(_drawn(plain)).split())
    return {f"any size {shapes.casefold()}", f"as drawn {shapes.translate(_STROKES)}"}


def _drawn(plain: str) -> Iterator[str]:
    """Each letter as a Latin one if it looks like one, and its marks in one order, each once."""
    letter, marks = "", set[str]()
    for character in plain:
        if _leaves_nothing(character):
            continue
        if unicodedata.combining(character):
            marks.add(character)
            continue
        yield _with_marks(letter, marks)
        letter, marks = _shape(character), set()
    yield _with_marks(letter, marks)


def _leaves_nothing(character: str) -> bool:
    is_selector = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    return unicodedata.category(character) == "Cf" or is_selector or character in _UNSEEN


def _shape(character: str) -> str:
    if unicodedata.category(character) == "Pd":
        return "-"
    return _SHAPES.get(ord(character), character)


def _with_marks(letter: str, marks: set[str]) -> str:
    if letter in {"d", "D"} and marks & _BARS:
        letter = "đ" if letter == "d" else "Đ"
        marks = marks - _BARS
    return letter + "".join(sorted(marks))
