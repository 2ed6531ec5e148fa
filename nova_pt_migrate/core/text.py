# SPDX-License-Identifier: Apache-2.0
"""Words of a guest: which are names, and how they may be shown."""

import re

LONGEST_SHOWN = 80
"""Characters of a guest's words that a log or a message may have, escaped."""
_NAME = re.compile(r'[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}')
_PATH = re.compile(r'(/[A-Za-z0-9_][A-Za-z0-9_. @-]{0,99}){1,9}')
_MAC = re.compile(r'([0-9a-f]{2}:){5}[0-9a-f]{2}')


def shown(words: object) -> str:
    """Return a guest's words fit for a log: short, printable, quoted."""
    text = str(words)
    cut = _fitting(text[:LONGEST_SHOWN], slice(None, -1))
    return ascii(cut) if cut == text else f'{ascii(cut)}...'


def shown_end(words: str) -> str:
    """Return the end of a guest's words, fit for a log likewise."""
    return ascii(_fitting(words[-LONGEST_SHOWN:], slice(1, None)))


def _fitting(words: str, less: slice) -> str:
    """Return words that are no longer than may be shown, escaped.

    :param less: leaves out one character, at the end that is cut
    """
    while len(ascii(words)) > LONGEST_SHOWN + len("''"):
        words = words[less]
    return words


def is_interface(name: object) -> bool:
    """True for a name that Linux gives to interfaces and that is harmless.

    The kernel takes up to 15 bytes without "/", ":" and white space
    (net/core/dev.c, dev_valid_name); of those only letters, digits and
    ``_.@-`` are taken here, and none that begins with a dash or a dot, so
    that a name can be part of a path or of an argument.
    """
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def is_path(words: str) -> bool:
    """True for a path that can be part of a message and of an argument.

    None of its parts begins with a dot or a dash.
    """
    return _PATH.fullmatch(words) is not None


def mac(value: object) -> str | None:
    """Return a MAC address as we write it, or None if it is none."""
    if not isinstance(value, str) or len(value) != 17:
        return None
    lower = value.lower()
    return lower if _MAC.fullmatch(lower) else None
