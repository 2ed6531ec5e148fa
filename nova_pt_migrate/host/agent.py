# SPDX-License-Identifier: Apache-2.0
"""The way to the agent in a guest: through libvirt."""

import importlib
from typing import Any

from nova_pt_migrate.core import agent_words
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import text

ANSWERED = 'unable to execute QEMU agent command'
"""What libvirt says of a reply that is an error (qemuAgentCheckError).

The agent's own words follow.
"""


class LibvirtChannel:
    """Provides :class:`core.interfaces.AgentChannel`.

    libvirt takes one command at a time, synchronises with the agent before
    it, and gives up a reply of more than 10 MiB (src/qemu/qemu_agent.c).

    :param domain: a ``libvirt.virDomain``
    :param libvirt: the libvirt module
    """

    def __init__(self, domain: Any, libvirt: Any) -> None:
        self._domain = domain
        self._libvirt = libvirt

    def ask(self, command: str, seconds: int) -> str:
        """See :meth:`core.interfaces.AgentChannel.ask`."""
        try:
            libvirt_qemu = importlib.import_module('libvirt_qemu')
        except ImportError as exc:
            raise errors.GuestError('libvirt-python lacks QEMU') from exc
        try:
            return str(
                libvirt_qemu.qemuAgentCommand(
                    self._domain, command, seconds, 0
                )
            )
        except self._libvirt.libvirtError as exc:
            if ANSWERED in str(exc):
                raise agent_words.refusal(str(exc)) from exc
            raise errors.GuestError(f'libvirt: {text.shown(exc)}') from exc
