# SPDX-License-Identifier: Apache-2.0
"""What the guest agent answers, taken apart strictly. Pure.

Names and members as in QEMU's qga/qapi-schema.json. A reply that does not
have the form that is described there is none: no member is guessed.
"""

import base64
import binascii
from collections.abc import Mapping
import dataclasses
import ipaddress
import json
from typing import Any

from nova_pt_migrate.core import agent_words
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import text

LONGEST = 256 * 1024
"""Characters of a reply that are taken apart; longer ones are refused."""
MOST = 512
"""Members of a list that are looked at; longer lists are refused."""
Json = Any


@dataclasses.dataclass(frozen=True, slots=True)
class Interface:
    """A network interface of the guest.

    :ivar mac: the address it has now, or None
    :ivar addressed: it has an IP address that others can reach
    """

    name: str
    mac: str | None
    addressed: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Finished:
    """A program of the guest that has ended.

    :ivar status: its exit status; None if a signal ended it
    """

    status: int | None
    output: bytes
    errors: bytes


def returned(reply: object) -> Json:
    """Return what a command gives back.

    :raises errors.Denied: it is an error
    :raises errors.NoSuchFile: it is that there is no such file
    :raises errors.GuestError: it is too long, no JSON, or none of these
    """
    if not isinstance(reply, str) or len(reply) > LONGEST:
        raise errors.GuestError('the answer of the guest agent is too long')
    try:
        answer = json.loads(reply)
    except (ValueError, RecursionError) as exc:
        raise errors.GuestError(
            'the answer of the guest agent is no JSON'
        ) from exc
    if not isinstance(answer, dict):
        raise _malformed('answer')
    if 'error' in answer:
        error = answer['error']
        words = error.get('desc') if isinstance(error, dict) else error
        raise agent_words.refusal(str(words))
    if 'return' not in answer:
        raise _malformed('answer')
    return answer['return']


def commands(info: Json) -> frozenset[str]:
    """Return the commands that ``guest-info`` calls enabled."""
    return frozenset(
        _text(each, 'name')
        for each in _list(_member(info, 'supported_commands'))
        if _flag(each, 'enabled')
    )


def interfaces(listed: Json) -> tuple[Interface, ...]:
    """Return what ``guest-network-get-interfaces`` lists.

    One whose name could not be that of an interface is left out: nothing
    may be done with it.
    """
    found = []
    for each in _list(listed):
        name = _text(each, 'name')
        if text.is_interface(name):
            found.append(
                Interface(
                    name,
                    text.mac(each.get('hardware-address')),
                    any(map(_is_routable, _addresses(each))),
                )
            )
    return tuple(found)


def _addresses(interface: Json) -> list[Json]:
    listed = interface.get('ip-addresses', [])
    return listed[:MOST] if isinstance(listed, list) else []


def _is_routable(address: Json) -> bool:
    """Tell whether it is one, and no link-local one."""
    try:
        found = ipaddress.ip_address(str(_text(address, 'ip-address')))
    except (ValueError, errors.GuestError):
        return False
    return not (found.is_link_local or found.is_loopback)


def handle(opened: Json) -> int:
    """Return the handle that ``guest-file-open`` gives."""
    return _number(opened)


def content(read: Json) -> tuple[bytes, bool]:
    """Return what ``guest-file-read`` has read, and whether it is the end."""
    return _bytes(_member(read, 'buf-b64')), _flag(read, 'eof')


def written(answer: Json) -> int:
    """Return how many bytes ``guest-file-write`` has written."""
    return _number(_member(answer, 'count'))


def process(started: Json) -> int:
    """Return the process that ``guest-exec`` has started."""
    return _number(_member(started, 'pid'))


def finished(status: Json) -> Finished | None:
    """Return how a process has ended; None while it runs."""
    if not _flag(status, 'exited'):
        return None
    return Finished(
        status=_number(status['exitcode']) if 'exitcode' in status else None,
        output=_bytes(status.get('out-data', '')),
        errors=_bytes(status.get('err-data', '')),
    )


def _malformed(what: str) -> errors.GuestError:
    return errors.GuestError(f'the guest agent gives no proper {what}')


def _member(value: Json, name: str) -> Json:
    if not isinstance(value, Mapping) or name not in value:
        raise _malformed(name)
    return value[name]


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list) or len(value) > MOST:
        raise _malformed('list')
    return value


def _text(value: Json, name: str) -> str:
    member = _member(value, name)
    if not isinstance(member, str):
        raise _malformed(name)
    return member


def _flag(value: Json, name: str) -> bool:
    member = _member(value, name)
    if not isinstance(member, bool):
        raise _malformed(name)
    return member


def _number(value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _malformed('number')
    if not -(2**63) <= value < 2**63:
        raise _malformed('number')
    return value


def _bytes(value: Json) -> bytes:
    if not isinstance(value, str):
        raise _malformed('data')
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise _malformed('data') from exc


FORMS = (commands, interfaces, handle, content, written, process, finished)
"""Every form of an answer; each takes what :func:`returned` gives."""
