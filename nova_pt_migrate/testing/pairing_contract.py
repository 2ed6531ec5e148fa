# SPDX-License-Identifier: Apache-2.0
"""What a pairing must keep to, whoever has written it.

::

    class RoutedPairingTest(
        pairing_contract.PairingContract, unittest.TestCase
    ):
        plugin = routed.RoutedPairing

The pairs that it is shown are in :mod:`views`. Nothing of Nova is imported.
"""

from collections.abc import Iterator
import dataclasses
from typing import Any

from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import text
from nova_pt_migrate.pairing import contract
from nova_pt_migrate.testing import plugin_rules
from nova_pt_migrate.testing import views


class PairingContract(plugin_rules.PluginRules):
    """Tests of one pairing, to be mixed into a ``unittest.TestCase``.

    :cvar plugin: its class
    """

    plugin: type[contract.Pairing]

    def sound(self) -> tuple[pairs.View, ...]:
        """Return pairs that it takes; override where it needs another.

        Without a word: one with each kind of standby that it may have.
        """
        return tuple(views.view(of) for of in _pairs(self.plugin))

    def test_it_is_made_without_arguments(self) -> None:
        """The service makes it, once, by the name in ``[pt_migrate]``."""
        self.assertIsInstance(self.plugin(), contract.Pairing)

    def test_what_it_says_of_itself_goes_together(self) -> None:
        """``<teaming>`` is libvirt's for two NICs of one MAC address.

        Of a port of Neutron it knows nothing, and a pairing without a
        standby has nothing to say about one.
        """
        made = self.plugin()
        for flag in (
            made.standby, made.teaming, made.same_mac, made.second_port,
        ):  # fmt: skip
            self.assertIsInstance(flag, bool)
        if not made.standby:
            self.assertFalse(made.teaming or made.same_mac or made.second_port)
        if made.teaming:
            self.assertTrue(made.same_mac)
            self.assertFalse(made.second_port)

    def test_asked_twice_it_says_the_same(self) -> None:
        """It is asked in the pre-check, and again before the first step.

        Both answers decide over the same server, and so does what another
        nova-compute says after a restart.
        """
        made = self.plugin()
        for view, equal in zip(self._all(), self._all(), strict=True):
            first = _answers(made, view)
            self.assertEqual(first, _answers(made, equal))
            self.assertEqual(first, _answers(self.plugin(), equal))

    def test_it_leaves_what_it_is_shown_as_it_was(self) -> None:
        """Others are shown the same."""
        made = self.plugin()
        for view, equal in zip(self._all(), self._all(), strict=True):
            _answers(made, view)
            self.assertEqual(equal, view)

    def test_it_only_looks(self) -> None:
        """It opens, starts and waits for nothing: the server's lock is held.

        What it imports it imports with its module.
        """
        made = self.plugin()
        self.assert_only_looks(
            lambda: [_answers(made, view) for view in self._all()]
        )

    def test_its_reasons_say_where_what_and_what_to_do(self) -> None:
        """The operator has nothing but the sentence, among those of others."""
        made = self.plugin()
        for view in self._all():
            for found in _answers(made, view)[:3]:
                self.assert_sentences(found, view.pair.port)

    def test_a_pair_that_is_well_is_refused_nothing(self) -> None:
        """Else no server could ever be moved with it."""
        for view in self.sound():
            made = self.plugin()
            self.assertEqual((), made.unfit(view))
            self.assertEqual((), made.not_ready(view))

    def test_without_its_standby_a_pair_is_not_ready(self) -> None:
        """The guest would be offline as soon as the device is unplugged."""
        if not self.plugin.standby:
            return
        for view in self.sound():
            lacking = dataclasses.replace(view, standby_there=False)
            self.assertNotEqual((), self.plugin().not_ready(lacking))

    def test_no_standby_hangs_on_the_function_that_the_guest_gets(
        self,
    ) -> None:
        """Its netdev leaves the host with it."""
        if not self.plugin.standby:
            return
        of = views.pair(views.OWN, whole_function=True, on_own_pf=True)
        self.assertNotEqual((), self.plugin().unfit(views.view(of)))

    def test_whether_it_is_fit_does_not_hang_on_the_guest(self) -> None:
        """A standby is made when the server starts, and kept.

        So what says that there can be one is the same before the guest runs
        and when it has lied: the pair and the machine.
        """
        made = self.plugin()
        for view in self._all():
            before = pairs.View(view.pair, view.pcie, view.virtio, False)
            self.assertEqual(made.unfit(before), made.unfit(view))

    def test_it_names_nothing_that_the_guest_has_not_told(self) -> None:
        """What it says to make active is written to the guest's kernel."""
        made = self.plugin()
        for view in self._all():
            told = view.guest.bonds or () if view.guest else ()
            known = {(b.name, s.name) for b in told for s in b.slaves}
            for primary in (True, False):
                names = made.link(view, primary)
                self.assertTrue(names is None or names in known, names)

    def test_both_ways_lead_through_one_bond(self) -> None:
        """What is switched to the standby is switched back to the device.

        The guest is asked for it only where the pairing has
        :attr:`~contract.Pairing.second_port`.
        """
        for view in self.sound():
            made = self.plugin()
            there, back = made.link(view, False), made.link(view, True)
            if there is None or back is None:
                self.assertEqual(there, back)
                continue
            self.assertTrue(made.second_port)
            self.assertEqual(there[0], back[0])
            self.assertNotEqual(there[1], back[1])

    def test_a_guest_that_lies_does_no_harm(self) -> None:
        """Its words are told escaped, and make no path and no command."""
        made = self.plugin()
        for word, view in self._lies():
            *sentences, there, back = _answers(made, view)
            for found in sentences:
                self.assert_harmless(found, word)
            for names in (there, back):
                for name in names or ():
                    self.assertTrue(text.is_interface(name), repr(name))

    def _all(self) -> Iterator[pairs.View]:
        """Yield the same views each time."""
        yield from self.sound()
        # One for which the host has no standby is shown before it is refused.
        yield from views.every([*_pairs(self.plugin), views.pair(views.NONE)])

    def _lies(self) -> Iterator[tuple[str, pairs.View]]:
        for view in self.sound():
            yield from views.lies(view)


def _pairs(plugin: type[contract.Pairing]) -> list[pairs.Pair]:
    """Return a pair with each kind of standby that a pairing may have."""
    if not plugin.standby:
        return [views.pair(views.NONE)]
    mac = views.MAC if plugin.same_mac else pairs.twin(views.MAC)
    own = views.pair(views.OWN, standby_mac=mac)
    return [own, views.pair(views.SECOND)] if plugin.second_port else [own]


def _answers(made: contract.Pairing, view: pairs.View) -> tuple[Any, ...]:
    """Return all that a pairing says of a pair: sentences, then names."""
    return (
        made.unfit(view),
        made.not_ready(view),
        made.doubts(view),
        made.link(view, False),
        made.link(view, True),
    )
