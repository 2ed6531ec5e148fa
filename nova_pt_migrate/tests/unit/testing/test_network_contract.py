# SPDX-License-Identifier: Apache-2.0
"""Each rule of the suite is broken once, by a plug-in that keeps the others.

All are systemd-networkd's, but for one thing.
"""

import dataclasses
import itertools
import os
import time
from typing import Any

import testtools

from nova_pt_migrate.guest.networks import contract
from nova_pt_migrate.guest.networks import networkd
from nova_pt_migrate.testing import network_contract
from nova_pt_migrate.tests.unit.testing import suites

SUITE = network_contract.GuestNetworkContract
AGAINST = {f'{networkd.FOLDER}/00-all.network': '[Match]\nName=*\n'}
Bond = contract.WantedBond
Files = tuple[contract.File, ...]
Programs = tuple[tuple[str, ...], ...]
Sentences = tuple[str, ...]
Others = dict[str, str]


class WantsArguments(networkd.Networkd):
    def __init__(self, folder: str) -> None:
        self._folder = folder


class NamesNoUnit(networkd.Networkd):
    unit = 'systemd-networkd'


class LooksElsewhere(networkd.Networkd):
    folders = ('/etc/systemd/network/../../../root',)


class Counts(networkd.Networkd):
    """It remembers, and tells of it."""

    def __init__(self) -> None:
        self._asked = itertools.count()

    def conflicts(self, bond: Bond, others: Others) -> Sentences:
        number = next(self._asked)
        found = super().conflicts(bond, others)
        return tuple(f'{each} Seen {number} times.' for each in found)


class Takes(networkd.Networkd):
    """What it has looked at nobody looks at again."""

    def conflicts(self, bond: Bond, others: Others) -> Sentences:
        seen = dict(others)
        others.clear()
        return super().conflicts(bond, seen)


class Reads(networkd.Networkd):
    def files(self, bond: Bond) -> Files:
        os.listdir('/')
        return super().files(bond)


class Changes(networkd.Networkd):
    """It has other files.

    :cvar members: in which they are other
    """

    def changed(self, bond: Bond, file: contract.File) -> dict[str, Any]:
        raise NotImplementedError

    def files(self, bond: Bond) -> Files:
        return tuple(
            dataclasses.replace(file, **self.changed(bond, file))
            for file in super().files(bond)
        )


class HasNoPrefix(Changes):
    def changed(self, bond: Bond, file: contract.File) -> dict[str, Any]:
        return {'path': file.path.replace(contract.PREFIX, 'bond')}


class SharesAFile(Changes):
    def changed(self, bond: Bond, file: contract.File) -> dict[str, Any]:
        shared = network_contract.BOND.name
        return {'path': file.path.replace(bond.name, shared)}


class LetsAnyoneWrite(Changes):
    def changed(self, bond: Bond, file: contract.File) -> dict[str, Any]:
        return {'mode': 0o666}


class IsNoText(Changes):
    def changed(self, bond: Bond, file: contract.File) -> dict[str, Any]:
        return {'content': f'{file.content}\0\n'}


class IsTooLong(Changes):
    def changed(self, bond: Bond, file: contract.File) -> dict[str, Any]:
        return {'content': file.content + 66_000 * '\n'}


class Balances(Changes):
    def changed(self, bond: Bond, file: contract.File) -> dict[str, Any]:
        return {'content': file.content.replace('active-backup', '802.3ad')}


class ForgetsTheStandby(Changes):
    def changed(self, bond: Bond, file: contract.File) -> dict[str, Any]:
        return {'content': file.content.replace(bond.standby_mac, bond.mac)}


class WritesCapitals(Changes):
    def changed(self, bond: Bond, file: contract.File) -> dict[str, Any]:
        return {'content': f'# {bond.mac.upper()}\n{file.content}'}


class Runs(networkd.Networkd):
    """It has another program to run.

    :cvar program: that
    """

    program: Any

    def apply(self, bond: Bond) -> Programs:
        return (self.program,)


class RunsAShell(Runs):
    program = ('/bin/sh', '/etc/reload')


class RunsWords(Runs):
    program = ('networkctl', 'reload; reboot')


class RunsFromAnywhere(Runs):
    program = ('../networkctl', 'reload')


class RunsALine(Runs):
    program = 'networkctl'


class RunsNothing(networkd.Networkd):
    def apply(self, bond: Bond) -> Programs:
        return ()


class WantsConfiguration(networkd.Networkd):
    def conflicts(self, bond: Bond, others: Others) -> Sentences:
        found = super().conflicts(bond, others)
        return found or (f'{networkd.FOLDER} has no file: write one.',)


class Overlooks(networkd.Networkd):
    def conflicts(self, bond: Bond, others: Others) -> Sentences:
        return ()


class NamesNoFile(networkd.Networkd):
    def conflicts(self, bond: Bond, others: Others) -> Sentences:
        found = super().conflicts(bond, others)
        return ('A file takes a NIC elsewhere: delete it.',) if found else ()


class Quotes(networkd.Networkd):
    """It takes what is in a file for harmless."""

    def conflicts(self, bond: Bond, others: Others) -> Sentences:
        found = super().conflicts(bond, others)
        first = ''.join(others.values()).partition('\n')[0]
        return tuple(f'{each} It has {first}.' for each in found)


class Understands(networkd.Networkd):
    """It takes what is in a file for a configuration."""

    def conflicts(self, bond: Bond, others: Others) -> Sentences:
        for content in others.values():
            name = content.partition('Name=')[2].partition('\n')[0]
            assert name in ('', '*')
        return super().conflicts(bond, others)


class TakesItsTime(networkd.Networkd):
    def conflicts(self, bond: Bond, others: Others) -> Sentences:
        if max(map(len, others.values()), default=0) > 32_000:
            end = time.thread_time() + 0.2
            while time.thread_time() < end:
                pass
        return super().conflicts(bond, others)


RULES = {
    'test_it_is_made_without_arguments': (WantsArguments,),
    'test_its_unit_is_one_of_systemd': (NamesNoUnit,),
    'test_its_folders_are_plain_paths': (LooksElsewhere,),
    'test_asked_twice_it_says_the_same': (Counts,),
    'test_it_leaves_what_it_is_shown_as_it_was': (Takes,),
    'test_it_only_looks': (Reads,),
    'test_its_files_are_told_from_those_of_others': (HasNoPrefix,),
    'test_two_bonds_share_no_file': (SharesAFile,),
    'test_its_files_are_plain_text': (
        LetsAnyoneWrite, IsNoText, IsTooLong,
    ),
    'test_its_files_make_an_active_backup_bond_of_both_nics': (
        Balances, ForgetsTheStandby,
    ),
    'test_it_takes_the_words_of_a_bond_as_they_are': (WritesCapitals,),
    'test_its_programs_need_no_shell': (
        RunsAShell, RunsWords, RunsFromAnywhere, RunsALine, RunsNothing,
    ),
    'test_a_guest_without_other_configuration_is_taken': (
        WantsConfiguration,
    ),
    'test_what_works_against_the_bond_is_named': (Overlooks, NamesNoFile),
    'test_a_guest_that_lies_does_no_harm': (Quotes, Understands),
    'test_the_largest_file_is_looked_through_in_a_moment': (TakesItsTime,),
}  # fmt: skip
"""Who breaks each rule of the suite."""
WIDELY = (WantsArguments, HasNoPrefix, SharesAFile)
"""Those that break others as well."""


class TestSuite(testtools.TestCase):
    def test_every_rule_can_be_broken(self) -> None:
        self.assertEqual(suites.names(SUITE), set(RULES))
        for rule, breakers in RULES.items():
            for plugin in breakers:
                found = suites.broken(
                    SUITE, plugin=plugin, against=AGAINST, quick=0.15
                )
                self.assertIn(rule, found, plugin.__name__)
                if plugin not in WIDELY:
                    self.assertEqual({rule}, found, plugin.__name__)

    def test_who_looks_for_conflicts_has_to_show_one(self) -> None:
        self.assertEqual(
            {'test_what_works_against_the_bond_is_named'},
            suites.broken(SUITE, plugin=networkd.Networkd),
        )
