# SPDX-License-Identifier: Apache-2.0
"""Run programs inside a guest, through its agent."""

import base64
import json
import shlex
import time
import typing

from lab import settings
from lab import shell
from lab.hosts import machine

SECONDS = 60.0


class GuestAgent:
    """The agent in the guest of one server on one host."""

    def __init__(
        self, setup: settings.Settings, host: settings.Host, server: str
    ) -> None:
        self._setup = setup
        self._host = host
        self._server = server

    def run(self, script: str) -> str:
        """Run a shell script to its end, and return what it printed.

        What it leaves running must have its output elsewhere.

        :raises shell.Failed: it fails, does not end, or the agent is silent
        """
        pid = self.begin(script)
        limit = time.monotonic() + SECONDS
        while True:
            state = self._ask('guest-exec-status', pid=pid)
            if state['exited']:
                break
            if time.monotonic() > limit:
                raise shell.Failed(
                    f'server {self._server}: no end in the guest after '
                    f'{SECONDS:g} s: {script}'
                )
            time.sleep(0.5)
        said = ''.join(
            base64.b64decode(state.get(f'{name}-data', '')).decode(
                errors='replace'
            )
            for name in ('out', 'err')
        )
        if state.get('exitcode') != 0:
            raise shell.Failed(
                f'server {self._server}: failed in the guest: {script}\n{said}'
            )
        return said

    def begin(self, script: str) -> int:
        """Start a shell script, and return its process ID.

        :raises shell.Failed: the agent is silent
        """
        begun = self._ask(
            'guest-exec',
            path='/bin/sh',
            arg=['-c', script],
            env=['PATH=/bin'],
            **{'capture-output': True},
        )
        return int(begun['pid'])

    def _ask(self, command: str, **arguments: object) -> typing.Any:
        text = json.dumps({'execute': command, 'arguments': arguments})
        answer = machine.ssh(
            self._setup,
            self._host,
            f'virsh -q qemu-agent-command --timeout 30 {self._server} '
            f'{shlex.quote(text)}',
            120,
        )
        return json.loads(answer)['return']
