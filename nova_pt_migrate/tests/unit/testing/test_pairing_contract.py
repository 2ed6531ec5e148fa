# SPDX-License-Identifier: Apache-2.0
"""Each rule of the suite is broken once, by a pairing that keeps the others.

All are a bond, but for one thing.
"""

import itertools
import os
import time
from typing import Any

import testtools

from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import text
from nova_pt_migrate.pairing import bond
from nova_pt_migrate.testing import hostile
from nova_pt_migrate.testing import pairing_contract
from nova_pt_migrate.testing import views
from nova_pt_migrate.tests.unit.testing import suites

SUITE = pairing_contract.PairingContract
Sentences = tuple[str, ...]
Names = tuple[str, str] | None


class Counts(bond.BondPairing):
    """It remembers, and tells of it."""

    def __init__(self) -> None:
        self._asked = itertools.count()

    def doubts(self, view: pairs.View) -> Sentences:
        return (f'Port {view.pair.port}: asked {next(self._asked)} times.',)


class WantsArguments(bond.BondPairing):
    def __init__(self, uplink: str) -> None:
        self._uplink = uplink


class TeamsTwoPorts(bond.BondPairing):
    teaming = True


class Marks(bond.BondPairing):
    """It writes down what it has seen where it has seen it."""

    def not_ready(self, view: pairs.View) -> Sentences:
        if view.guest:
            view.guest.interfaces['seen'] = None
        return super().not_ready(view)


class Reads(bond.BondPairing):
    def not_ready(self, view: pairs.View) -> Sentences:
        os.listdir('/')
        return super().not_ready(view)


class Waits(bond.BondPairing):
    def unfit(self, view: pairs.View) -> Sentences:
        time.sleep(0)
        return super().unfit(view)


class Doubts(bond.BondPairing):
    """It has one doubt about every pair.

    :cvar words: of the doubt
    """

    words: Any = 'Port {view.pair.port} may be slow: look at it.'

    def doubts(self, view: pairs.View) -> Any:
        return (self.words.format(view=view),)


class NamesNoPort(Doubts):
    words = 'A port may be slow: look at it.'


class SaysNoCure(Doubts):
    words = 'Port {view.pair.port} is slow.'


class Shouts(Doubts):
    words = 'port {view.pair.port} may be slow: look at it'


class Draws(Doubts):
    words = 'Port {view.pair.port} is slow:\n  look at it.'


class RepeatsItself(Doubts):
    def doubts(self, view: pairs.View) -> Any:
        return 2 * super().doubts(view)


class Talks(Doubts):
    words = f'Port {{view.pair.port}} is {"very " * 300}slow: look at it.'


class ListsReasons(Doubts):
    """An answer is a tuple, which nobody changes."""

    def doubts(self, view: pairs.View) -> Any:
        return list(super().doubts(view))


class NamesABond(bond.BondPairing):
    """It takes the guest's word for harmless."""

    def doubts(self, view: pairs.View) -> Sentences:
        return tuple(
            f'Port {view.pair.port} is in {each.name}: look at it.'
            for each in (view.guest.bonds or () if view.guest else ())
        )[:1]


class GivesACommand(bond.BondPairing):
    def doubts(self, view: pairs.View) -> Sentences:
        return tuple(
            f'Run "ip link show {text.shown(each.name)}": port '
            f'{view.pair.port} may be slow.'
            for each in (view.guest.bonds or () if view.guest else ())
        )[:1]


class TellsOfEverySlave(bond.BondPairing):
    def doubts(self, view: pairs.View) -> Sentences:
        return tuple(
            f'Slave {number} of port {view.pair.port} is down: look at it.'
            for each in (view.guest.bonds or () if view.guest else ())
            for number, slave in enumerate(each.slaves)
            if not slave.up
        )


class KnowsAllModes(bond.BondPairing):
    """Guests say what they like, and it raises."""

    def doubts(self, view: pairs.View) -> Sentences:
        knows = {'active-backup': (), 'balance-rr': ()}
        for each in view.guest.bonds or () if view.guest else ():
            return knows[each.mode]
        return ()


class NamesWhatItIsTold(bond.BondPairing):
    def link(self, view: pairs.View, primary: bool) -> Names:
        for each in view.guest.bonds or () if view.guest else ():
            if len(each.slaves) > 1:
                return each.name, each.slaves[int(not primary)].name
        return None


class KnowsBetter(bond.BondPairing):
    """It need not be told what the guest has."""

    def link(self, view: pairs.View, primary: bool) -> Names:
        return ('bond0', 'ens5' if primary else 'ens6')


class OneWay(bond.BondPairing):
    def link(self, view: pairs.View, primary: bool) -> Names:
        return None if primary else super().link(view, primary)


class OwnOnly(bond.BondPairing):
    """Its bond is over a standby of ours alone; nobody would switch it."""

    second_port = False


class RefusesAll(bond.BondPairing):
    def not_ready(self, view: pairs.View) -> Sentences:
        return (f'Port {view.pair.port} stays: choose another pairing.',)


class MovesWithout(bond.BondPairing):
    def not_ready(self, view: pairs.View) -> Sentences:
        return ()


class HangsAnywhere(bond.BondPairing):
    def unfit(self, view: pairs.View) -> Sentences:
        return ()


class AsksTheGuest(bond.BondPairing):
    """It has a standby made for some guests only."""

    def unfit(self, view: pairs.View) -> Sentences:
        if view.guest is None:
            return (f'Port {view.pair.port} has no agent: install one.',)
        return super().unfit(view)


RULES = {
    'test_it_is_made_without_arguments': (WantsArguments,),
    'test_what_it_says_of_itself_goes_together': (TeamsTwoPorts,),
    'test_asked_twice_it_says_the_same': (Counts,),
    'test_it_leaves_what_it_is_shown_as_it_was': (Marks,),
    'test_it_only_looks': (Reads, Waits),
    'test_its_reasons_say_where_what_and_what_to_do': (
        NamesNoPort, SaysNoCure, Shouts, Draws, RepeatsItself, Talks,
        ListsReasons,
    ),
    'test_a_pair_that_is_well_is_refused_nothing': (RefusesAll,),
    'test_without_its_standby_a_pair_is_not_ready': (MovesWithout,),
    'test_no_standby_hangs_on_the_function_that_the_guest_gets': (
        HangsAnywhere,
    ),
    'test_whether_it_is_fit_does_not_hang_on_the_guest': (AsksTheGuest,),
    'test_it_names_nothing_that_the_guest_has_not_told': (KnowsBetter,),
    'test_both_ways_lead_through_one_bond': (OneWay, OwnOnly),
    'test_a_guest_that_lies_does_no_harm': (
        NamesABond, GivesACommand, TellsOfEverySlave, KnowsAllModes,
        NamesWhatItIsTold,
    ),
}  # fmt: skip
"""Who breaks each rule of the suite."""
WIDELY = (WantsArguments, Draws, Talks)
"""Those that break others as well."""


class TestSuite(testtools.TestCase):
    def test_every_rule_can_be_broken(self) -> None:
        self.assertEqual(suites.names(SUITE), set(RULES))
        for rule, breakers in RULES.items():
            for plugin in breakers:
                found = suites.broken(SUITE, plugin=plugin)
                self.assertIn(rule, found, plugin.__name__)
                if plugin not in WIDELY:
                    self.assertEqual({rule}, found, plugin.__name__)

    def test_what_hostile_guests_say_is_no_name(self) -> None:
        for word in hostile.WORDS:
            self.assertFalse(text.is_interface(word), word[:20])

    def test_the_bond_that_is_shown_is_one(self) -> None:
        for kind in (views.OWN, views.SECOND):
            of = views.pair(kind)
            slaves = views.bond(of).slaves
            self.assertEqual(
                [of.mac, of.standby_mac], [slave.mac for slave in slaves]
            )
