# SPDX-License-Identifier: Apache-2.0
"""What pairs rely on in a host's netdevs; run on the double and on a kernel.

Mix :class:`LinkContract` into a ``unittest.TestCase`` that provides
``adapter``, an :class:`Adapter`.
"""

from typing import Any
from typing import Protocol
import unittest

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import steps
from nova_pt_migrate.core import uplinks
from nova_pt_migrate.host import links

MAC = 'fa:16:3e:0a:09:fd'
OTHER = 'fa:16:3e:0a:09:fe'
NAME = 'pts01234567-89'
PORT = '01234567-89ab-4cde-8f01-23456789abcd'
SERVER = '33333333-2222-4333-8444-555555555555'


class Adapter(Protocol):
    """A host.

    :ivar links: its netdevs
    :ivar function: the netdev of a PF
    :ivar device: the PCI address of a VF of it that no guest has
    :ivar bridge: a Linux bridge that hangs on that PF
    :ivar uplink: the port by which that bridge hangs there
    """

    links: Any
    function: str
    device: str
    bridge: str
    uplink: str

    def give_address(self, mac: str) -> None:
        """Give the VF a MAC address, as libvirt does for a guest."""

    def make_foreign(self, name: str, words: str) -> None:
        """Make a netdev as others do, with words for its alias.

        It is gone when the test has ended.
        """


class LinkContract(unittest.TestCase):
    """Tests of one standby's netdev and of a PF's filter."""

    adapter: Adapter

    def standby(self, name: str = NAME) -> handover.Standby:
        return handover.Standby(name, MAC, self.adapter.function, None)

    def observe(self, device: str | None = None) -> handover.Found:
        found: handover.Found = self.adapter.links.observe(
            self.standby(), device
        )
        return found

    def make(self, kind: uplinks.Kind = uplinks.Kind.MACVTAP) -> None:
        on = (
            self.adapter.bridge
            if kind is uplinks.Kind.BRIDGE
            else self.adapter.function
        )
        self.adapter.links.make(
            links.NewLink(NAME, MAC, kind, on, None, None, False)
        )
        self.addCleanup(self.adapter.links.remove, NAME, kind)

    def run_step(self, step: steps.LinkStep) -> None:
        self.adapter.links.run(step)

    def test_a_standby_is_made_off_and_kept(self) -> None:
        for kind in (uplinks.Kind.MACVTAP, uplinks.Kind.BRIDGE):
            with self.subTest(kind):
                self.assertIsNone(self.observe().up)
                self.make(kind)
                self.assertIs(False, self.observe().up)
                self.run_step(steps.LinkUp(NAME))
                self.make(kind)
                self.assertIs(True, self.observe().up)
                self.assertIn(NAME, self.adapter.links.names('pts'))
                self.adapter.links.remove(NAME, kind)
                self.adapter.links.remove(NAME, kind)
                self.assertIsNone(self.observe().up)
                self.assertNotIn(NAME, self.adapter.links.names('pts'))

    def test_on_and_off_as_often_as_one_likes(self) -> None:
        self.make()
        for step, up in (
            (steps.LinkUp(NAME), True),
            (steps.LinkUp(NAME), True),
            (steps.LinkDown(NAME), False),
            (steps.LinkDown(NAME), False),
        ):
            self.run_step(step)
            self.assertIs(up, self.observe().up)

    def test_what_is_not_there_cannot_be_switched(self) -> None:
        for step in (steps.LinkUp(NAME), steps.LinkDown(NAME)):
            with self.assertRaisesRegex(errors.HostError, NAME):
                self.run_step(step)

    def test_a_filter_entry_is_there_once_or_not_at_all(self) -> None:
        add = steps.AddFilter(self.adapter.function, MAC)
        remove = steps.RemoveFilter(self.adapter.function, MAC)
        self.addCleanup(self.run_step, remove)
        for step, filtered in (
            (add, True), (add, True), (remove, False), (remove, False),
        ):  # fmt: skip
            self.run_step(step)
            self.assertIs(filtered, self.observe().filtered)
        self.run_step(steps.AddFilter(self.adapter.function, OTHER))
        self.addCleanup(
            self.run_step, steps.RemoveFilter(self.adapter.function, OTHER)
        )
        self.assertFalse(self.observe().filtered)

    def test_a_forgotten_standby_leaves_nothing(self) -> None:
        self.make(uplinks.Kind.BRIDGE)
        self.run_step(steps.LinkUp(NAME))
        other = steps.AddFilter(self.adapter.function, OTHER)
        self.run_step(steps.AddFilter(self.adapter.function, MAC))
        self.run_step(other)
        self.addCleanup(
            self.run_step, steps.RemoveFilter(self.adapter.function, OTHER)
        )
        for _ in range(2):
            self.adapter.links.forget(NAME)
            self.assertEqual(handover.Found(None, False), self.observe())
        others = handover.Standby(NAME, OTHER, self.adapter.function, None)
        self.assertTrue(self.adapter.links.observe(others, None).filtered)

    def test_what_is_written_down_tells_whose_it_is(self) -> None:
        self.assertEqual('', self.adapter.links.written(NAME))
        self.adapter.links.make(
            links.NewLink(
                NAME, MAC, uplinks.Kind.BRIDGE, self.adapter.bridge, None,
                None, False, PORT, SERVER,
            )
        )  # fmt: skip
        self.addCleanup(self.adapter.links.remove, NAME, uplinks.Kind.BRIDGE)
        words = self.adapter.links.written(NAME)
        self.assertEqual(f'ua-pts-{PORT} {MAC} {SERVER}', words)
        self.assertEqual(
            pairs.Words(MAC, PORT, SERVER), pairs.read_words(words)
        )

    def test_a_netdev_of_others_is_not_forgotten(self) -> None:
        for name, words in (
            ('pts0', ''),
            ('pts1', 'a tap of the test lab'),
            (f'{NAME[:-1]}a', f'ua-pts-{PORT} {MAC} {SERVER}'),
        ):
            with self.subTest(name):
                self.adapter.make_foreign(name, words)
                with self.assertRaisesRegex(errors.HostError, name):
                    self.adapter.links.forget(name)
                self.assertIn(name, self.adapter.links.names('pts'))

    def test_an_unused_vf_that_kept_the_address_is_seen_and_cleared(
        self,
    ) -> None:
        device = self.adapter.device
        self.assertIsNone(self.observe(device).stale)
        self.adapter.give_address(MAC)
        stale = self.observe(device).stale
        assert stale is not None
        self.run_step(steps.ClearVf(self.adapter.function, stale))
        self.assertIsNone(self.observe(device).stale)

    def test_what_hangs_where(self) -> None:
        here = self.adapter.links
        function = self.adapter.function
        self.assertEqual(function, here.physical_function(self.adapter.device))
        self.assertEqual([], here.netdevs(self.adapter.device))
        self.assertTrue(
            here.lies_on(uplinks.Kind.BRIDGE, self.adapter.bridge, function)
        )
        self.assertFalse(
            here.lies_on(uplinks.Kind.BRIDGE, 'br-none', function)
        )
        self.assertEqual(
            self.adapter.uplink,
            here.way_out(uplinks.Kind.BRIDGE, self.adapter.bridge),
        )
