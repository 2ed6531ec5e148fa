# SPDX-License-Identifier: Apache-2.0
"""A real kernel keeps the contract of netdevs; runs in a compute host.

Nothing of its own is left there.
"""

import contextlib
import json
import pathlib
import select
import socket
import subprocess
from typing import Any

from nova_pt_migrate.core import uplinks
from nova_pt_migrate.host import links
from nova_pt_migrate.host import privileged
from nova_pt_migrate.testing import link_contract
from nova_pt_migrate.tests.lab import test_contract

FUNCTION = test_contract.PHYSICAL_FUNCTION
BRIDGE = 'br-contract'
VLAN = 77
UPLINK = f'{FUNCTION}.{VLAN}'
SECONDS = 5.0
SIBLING = 'sibling'
GROUPS = (
    '33:33:ff:00:00:32',  # solicited-node (RFC 4291, 2.7.1)
    '33:33:00:00:00:01',  # all nodes
    '01:00:5e:00:00:12',  # VRRP (RFC 5798, 5.1.1.2)
    '01:00:5e:00:00:05',  # OSPF
    '33:33:00:00:00:12',  # VRRP over IPv6
)
BROADCAST = b'\xff' * 6
LOCAL_EXPERIMENTAL = b'\x88\xb5'
"""An EtherType that nobody answers (IEEE 802, clause 9.2.3)."""


def _ip(*words: str) -> None:
    subprocess.run(['ip', *words], check=True, timeout=30)


class KernelAdapter:
    """The first VF of the PF, and a bridge on a VLAN of that PF."""

    function = FUNCTION
    bridge = BRIDGE
    uplink = UPLINK

    def __init__(self, test: Any) -> None:
        self.links = links.HostLinks()
        self.device = test_contract._vfs()[0]
        self._test = test

    def give_address(self, mac: str) -> None:
        _ip('link', 'set', FUNCTION, 'vf', '0', 'mac', mac)

    def make_foreign(self, name: str, words: str) -> None:
        _ip('link', 'add', name, 'type', 'dummy')
        self._test.addCleanup(_ip, 'link', 'del', name)
        _ip('link', 'set', name, 'alias', words)


class KernelContractTest(link_contract.LinkContract):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        # No process of its own: this one is root.
        privileged.context.set_client_mode(False)
        _ip('link', 'add', BRIDGE, 'type', 'bridge')
        cls.addClassCleanup(_ip, 'link', 'del', BRIDGE)
        _ip('link', 'add', UPLINK, 'link', FUNCTION, 'type', 'vlan',
            'id', str(VLAN))  # fmt: skip
        cls.addClassCleanup(_ip, 'link', 'del', UPLINK)
        _ip('link', 'set', UPLINK, 'master', BRIDGE, 'up')
        _ip('link', 'set', BRIDGE, 'up')

    def setUp(self) -> None:
        super().setUp()
        self.adapter = KernelAdapter(self)

    def test_a_guarded_standby_passes_only_its_own_address(self) -> None:
        for guarded in (False, True):
            with self.subTest(guarded=guarded):
                new = links.NewLink(
                    link_contract.NAME, link_contract.MAC,
                    uplinks.Kind.MACVTAP, FUNCTION, None, None, guarded,
                )  # fmt: skip
                self.adapter.links.make(new)
                self.addCleanup(self.adapter.links.remove, new.name, new.kind)
                privileged.set_link(new.name, True)
                sources = self._pass(new.name)
                self.assertIn(link_contract.MAC, sources)
                self.assertIs(guarded, link_contract.OTHER not in sources)
                self.adapter.links.remove(new.name, new.kind)

    def test_the_host_itself_says_nothing_by_a_standby(self) -> None:
        for kind, on in (
            (uplinks.Kind.MACVTAP, FUNCTION),
            (uplinks.Kind.BRIDGE, BRIDGE),
        ):
            with self.subTest(kind=kind):
                new = links.NewLink(
                    link_contract.NAME, link_contract.MAC, kind,
                    on, None, None, False,
                )  # fmt: skip
                self.adapter.links.make(new)
                self.addCleanup(self.adapter.links.remove, new.name, new.kind)
                privileged.set_link(new.name, True)
                silent = privileged.IPV6 / new.name / 'disable_ipv6'
                self.assertEqual('1', silent.read_text().strip())
                self.adapter.links.remove(new.name, new.kind)

    def test_a_macvtap_that_is_on_hears_every_group(self) -> None:
        new = links.NewLink(
            link_contract.NAME, link_contract.MAC, uplinks.Kind.MACVTAP,
            FUNCTION, None, None, False,
        )  # fmt: skip
        self.adapter.links.make(new)
        self.addCleanup(self.adapter.links.remove, new.name, new.kind)
        _ip('link', 'add', 'link', FUNCTION, 'name', SIBLING, 'type',
            'macvlan', 'mode', 'bridge')  # fmt: skip
        self.addCleanup(_ip, 'link', 'del', SIBLING)
        _ip('link', 'set', SIBLING, 'up')
        before = self._takes_all(FUNCTION)
        privileged.set_link(new.name, True)
        self.assertEqual(set(GROUPS), self._heard(new.name))
        self.assertEqual(before + 1, self._takes_all(FUNCTION))
        privileged.set_link(new.name, False)
        self.assertEqual(before, self._takes_all(FUNCTION))

    def _takes_all(self, name: str) -> int:
        """Return how many want every multicast frame of a netdev."""
        shown = subprocess.run(
            ['ip', '-j', '-d', 'link', 'show', 'dev', name],
            check=True, timeout=30, capture_output=True, text=True,
        )  # fmt: skip
        return int(json.loads(shown.stdout)[0]['allmulti'])

    def _heard(self, name: str) -> set[str]:
        """Send to groups from a sibling; return those that came."""
        index = pathlib.Path(f'/sys/class/net/{name}/ifindex').read_text()
        tap = open(f'/dev/tap{index.strip()}', 'rb', buffering=0)  # noqa: SIM115
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        found: set[str] = set()
        with contextlib.closing(sender), contextlib.closing(tap):
            sender.bind((SIBLING, 0))
            for group in GROUPS:
                target = bytes.fromhex(group.replace(':', ''))
                frame = target + bytes(6) + LOCAL_EXPERIMENTAL
                sender.send(frame.ljust(60, b'\0'))
            while found < set(GROUPS):
                if not select.select([tap], [], [], SECONDS)[0]:
                    break
                frame = tap.read(2048)[10:]
                if frame[12:14] == LOCAL_EXPERIMENTAL:
                    found.add(frame[:6].hex(':'))
        return found

    def _pass(self, name: str) -> set[str]:
        """Send from two addresses, and return those seen on the PF.

        The frame from the standby's own address is sent last.
        """
        index = pathlib.Path(f'/sys/class/net/{name}/ifindex').read_text()
        tap = open(f'/dev/tap{index.strip()}', 'wb', buffering=0)  # noqa: SIM115
        sniffer = socket.socket(
            socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003)
        )
        with contextlib.closing(sniffer), contextlib.closing(tap):
            sniffer.bind((FUNCTION, 0))
            for mac in (link_contract.OTHER, link_contract.MAC):
                source = bytes.fromhex(mac.replace(':', ''))
                frame = BROADCAST + source + LOCAL_EXPERIMENTAL
                # A header of virtio-net comes first.
                with contextlib.suppress(OSError):
                    tap.write(bytes(10) + frame.ljust(60, b'\0'))
            return self._sources(sniffer)

    def _sources(self, sniffer: Any) -> set[str]:
        """Return the sources until the standby's own was seen."""
        found: set[str] = set()
        while link_contract.MAC not in found:
            if not select.select([sniffer], [], [], SECONDS)[0]:
                break
            frame = sniffer.recv(2048)
            if frame[12:14] == LOCAL_EXPERIMENTAL:
                found.add(frame[6:12].hex(':'))
        return found
