# SPDX-License-Identifier: Apache-2.0
"""The closed network's side of a VLAN on the data bridge.

Kernels without VLANs can run the lab as well, so a program puts the tags on
and off, between a port of the bridge and a tap that has the address. Run
inside the lab's network namespace, until it is ended:

    python3 -m lab.network.vlan
"""

import collections.abc
import contextlib
import fcntl
import os
import select
import struct
import subprocess
import sys

from lab import settings
from lab import shell
from lab.network import namespace

TRUNK, ACCESS = 'vl-trunk', 'vl-access'
NAME = 'vlan'
TAG = 0x8100  # IEEE 802.1Q
ID = 0x0FFF
HEAD = 12  # bytes of addresses before the tag
MOST = 65535

TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
"""From linux/if_tun.h."""


@contextlib.contextmanager
def known(setup: settings.Settings) -> collections.abc.Iterator[None]:
    """Let the closed network take part in the VLAN until the block ends."""
    argv = [sys.executable, '-m', 'lab.network.vlan']
    shell.spawn(setup, NAME, shell.in_netns(setup, argv))
    try:
        yield
    finally:
        shell.stop(setup, NAME)


def tagged(frame: bytes, vlan: int) -> bytes:
    """Return an Ethernet frame with a tag."""
    return frame[:HEAD] + struct.pack('!HH', TAG, vlan) + frame[HEAD:]


def untagged(frame: bytes, vlan: int) -> bytes | None:
    """Return a frame without its tag; None if it is not of the VLAN."""
    if len(frame) < HEAD + 4:
        return None
    kind, control = struct.unpack_from('!HH', frame, HEAD)
    if (kind, control & ID) != (TAG, vlan):
        return None
    return frame[:HEAD] + frame[HEAD + 4 :]


def _tap(name: str) -> int:
    """Make a tap that vanishes with this process."""
    tap = os.open('/dev/net/tun', os.O_RDWR)
    flags = IFF_TAP | IFF_NO_PI
    fcntl.ioctl(tap, TUNSETIFF, struct.pack('16sH22x', name.encode(), flags))
    return tap


def main() -> None:
    trunk, access = _tap(TRUNK), _tap(ACCESS)
    for words in (
        f'link set {TRUNK} master br-data up',
        f'link set {ACCESS} up',
        f'addr add {namespace.VLAN_NET}.1/24 dev {ACCESS}',
    ):
        subprocess.run(['ip', *words.split()], check=True)
    while True:
        ready, _, _ = select.select([trunk, access], [], [])
        if access in ready:
            os.write(trunk, tagged(os.read(access, MOST), namespace.VLAN))
        if trunk in ready:
            frame = untagged(os.read(trunk, MOST), namespace.VLAN)
            if frame is not None:
                os.write(access, frame)


if __name__ == '__main__':
    main()
