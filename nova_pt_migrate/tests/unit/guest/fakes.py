# SPDX-License-Identifier: Apache-2.0
"""A guest agent that answers as a test says, and time that is a number."""

import base64
from collections.abc import Callable
import json
from typing import Any

from nova_pt_migrate.core import agent_words
from nova_pt_migrate.core import errors
from nova_pt_migrate.guest import agent

ALL = sorted(agent.WRITE_FILES | agent.RUN | {agent.LIST})


class Guest:
    """The agent of a guest with a few files; provides ``AgentChannel``.

    :param enabled: the commands that it takes
    :ivar files: content by path; a write changes it
    :ivar programs: exit status and output by path of the program
    :ivar react: gives exit status and output by what is run; asked first
    :ivar interfaces: name and MAC address
    :ivar addresses: an IP address by name of the interface
    :ivar asked: the names of the commands, in order
    :ivar said: what is answered instead, by command
    """

    def __init__(self, enabled: list[str] | None = None) -> None:
        self.now = 0.0
        self.enabled = ALL if enabled is None else enabled
        self.files: dict[str, str] = {}
        self.programs: dict[str, tuple[int, str]] = {}
        self.react: Callable[[list[str]], tuple[int, str] | None] = lambda _: (
            None
        )
        self.ran: list[list[str]] = []
        self.interfaces: list[tuple[str, str]] = []
        self.addresses: dict[str, str] = {}
        self.asked: list[str] = []
        self.said: dict[str, Any] = {}
        self.seconds = 0.1
        self._denials: list[
            tuple[str, str, Callable[[dict[str, Any]], bool]]
        ] = []
        self._ended: list[tuple[int, str]] = []
        self._open: dict[int, tuple[str, str]] = {}

    def clock(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def agent(self, seconds: float = 10.0) -> agent.Agent:
        return agent.Agent(self, self.clock, seconds, self.pause)

    def deny(
        self,
        command: str,
        said: str = 'Permission denied',
        when: Callable[[dict[str, Any]], bool] = lambda arguments: True,
    ) -> None:
        """Let the guest keep its agent from what it offers.

        The words are QEMU's: qmp_guest_file_open (qga/commands-posix.c),
        qmp_guest_exec (qga/commands.c), do_qmp_dispatch
        (qapi/qmp-dispatch.c, where a command is disabled).

        :param said: what comes last in them
        :param when: tells by the arguments which are meant
        """
        self._denials.append((command, said, when))

    def _meet_denial(self, name: str, arguments: dict[str, Any]) -> None:
        for command, said, when in self._denials:
            if command != name or not when(arguments):
                continue
            raise agent_words.refusal(
                f"internal error: unable to execute QEMU agent command "
                f"'{name}': {name} {arguments}: {said}"
            )

    def ask(self, command: str, seconds: int) -> str:
        self.now += self.seconds
        words = json.loads(command)
        name = words['execute']
        self.asked.append(name)
        if name in self.said:
            said = self.said[name]
            if isinstance(said, Exception):
                raise said
            return said if isinstance(said, str) else json.dumps(said)
        answer: Callable[..., Any] = getattr(self, name.replace('-', '_'))
        arguments = {
            key.replace('-', '_'): value
            for key, value in words.get('arguments', {}).items()
        }
        self._meet_denial(name, arguments)
        return json.dumps({'return': answer(**arguments)})

    def guest_info(self) -> Any:
        return {
            'version': '10.0.0',
            'supported_commands': [
                {
                    'name': name,
                    'enabled': name in self.enabled,
                    'success-response': True,
                }
                for name in ALL
            ],
        }

    def guest_network_get_interfaces(self) -> Any:
        return [
            {
                'name': name,
                'hardware-address': mac,
                'ip-addresses': [
                    {'ip-address': ip, 'prefix': 24}
                    for interface, ip in self.addresses.items()
                    if interface == name
                ],
            }
            for name, mac in self.interfaces
        ]

    def guest_file_open(self, path: str, mode: str) -> int:
        if mode.startswith('r') and path not in self.files:
            raise errors.NoSuchFile("'No such file or directory'")
        self._open[len(self._open)] = (path, mode)
        return len(self._open) - 1

    def guest_file_read(self, handle: int, count: int) -> Any:
        path = self._opened(handle)
        data = self.files[path].encode()
        return {
            'count': len(data),
            'buf-b64': base64.b64encode(data).decode(),
            'eof': True,
        }

    def guest_file_write(self, handle: int, buf_b64: str) -> Any:
        path = self._opened(handle)
        data = base64.b64decode(buf_b64)
        self.files[path] = data.decode()
        return {'count': len(data), 'eof': False}

    def _opened(self, handle: int) -> str:
        if handle not in self._open:
            raise errors.GuestError(
                f"libvirt: handle '{handle}' has not been found"
            )
        return self._open[handle][0]

    def guest_file_close(self, handle: int) -> Any:
        return {}

    def guest_exec(
        self, path: str, arg: list[str], capture_output: bool
    ) -> Any:
        self.ran.append([path, *arg])
        self._ended.append(
            self.react(self.ran[-1]) or self.programs.get(path, (0, ''))
        )
        return {'pid': len(self.ran)}

    def guest_exec_status(self, pid: int) -> Any:
        if not 0 < pid <= len(self._ended):
            raise errors.GuestError("libvirt: Invalid parameter 'pid'")
        status, output = self._ended[pid - 1]
        return {
            'exited': True,
            'exitcode': status,
            'out-data': base64.b64encode(output.encode()).decode(),
        }
