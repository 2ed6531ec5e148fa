# SPDX-License-Identifier: Apache-2.0
"""A DHCP server on the data bridge, and a client in a guest."""

import collections.abc
import contextlib
import pathlib

from lab import settings
from lab import shell
from lab.network import namespace

NAME = 'dnsmasq'
SECONDS = 3600  # of a lease, so that none is renewed without being asked
CLIENT = """
printf '#!/bin/sh\\n[ -z "$ip" ] || echo "$1 $ip" >> /run/lease\\n' > /run/told
chmod +x /run/told
udhcpc -i {link} -p /run/udhcpc.pid -s /run/told -b > /dev/null 2>&1
"""
"""The client takes down what it is told, and configures nothing."""
RENEW = 'kill -USR1 $(cat /run/udhcpc.pid)'
TOLD = 'cat /run/lease'


class Server:
    """The server for one port, as its log shows it."""

    def __init__(self, log: pathlib.Path, mac: str, address: str) -> None:
        self._log = log
        self._ack = f'DHCPACK(br-data) {address} {mac}'

    def acks(self) -> int:
        """Return how often it has given the port its address."""
        return len(self._lines())

    def last(self) -> str:
        """Return the last line that says so, with its time."""
        return (self._lines() or ['no acknowledgement'])[-1]

    def _lines(self) -> list[str]:
        text = self._log.read_text() if self._log.exists() else ''
        return [line for line in text.splitlines() if self._ack in line]


@contextlib.contextmanager
def serving(
    setup: settings.Settings, folder: pathlib.Path, mac: str, address: str
) -> collections.abc.Iterator[Server]:
    """Serve one port until the block ends."""
    log = folder / 'dnsmasq.txt'
    argv = [
        'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null',
        '--user=root', '--pid-file=', '--port=0', '--interface=br-data',
        '--dhcp-authoritative', '--no-ping',
        f'--dhcp-range={namespace.NETS[0]}.0,static,255.255.255.0,{SECONDS}',
        f'--dhcp-host={mac},{address}', f'--log-facility={log}',
        f'--dhcp-leasefile={folder / "leases.txt"}',
    ]  # fmt: skip
    shell.spawn(setup, NAME, shell.inside(setup, argv))
    try:
        yield Server(log, mac, address)
    finally:
        shell.stop(setup, NAME)
