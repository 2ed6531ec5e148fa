# SPDX-License-Identifier: Apache-2.0
"""The messages between our drivers, and how they are read."""

import dataclasses
from typing import Any

from nova_pt_migrate.core import domain_words

NAMESPACE = 'pt_migrate'
VERSION = '1.1'
"""1.1: a server's guest has stopped, or goes on."""
Message = dict[str, Any]
"""Of what JSON has."""
_DOMAIN = 'domain'
_TYPES = {'active': bool, 'state': int, 'reason': int, 'job': int}


def of_word(word: domain_words.Word | None) -> Message:
    """Return the answer to who asks for a domain.

    :param word: what libvirt says of it; None if it does not know it
    """
    return {_DOMAIN: None if word is None else dataclasses.asdict(word)}


def word_of(answer: Any) -> domain_words.Word | None:
    """Read such an answer; whoever sent it may be anybody.

    :raises ValueError: it is none
    """
    if not isinstance(answer, dict) or set(answer) != {_DOMAIN}:
        raise ValueError(f'{answer!r} is no word on a domain')
    said = answer[_DOMAIN]
    if said is None:
        return None
    # Not isinstance: for Python a truth value is a number.
    if (
        not isinstance(said, dict)
        or {name: type(value) for name, value in said.items()} != _TYPES
    ):
        raise ValueError(f'{said!r} is said of no domain')
    return domain_words.Word(**said)
