# SPDX-License-Identifier: Apache-2.0
"""What the plug-in of a guest's network manager must keep to.

::

    class WickedTest(network_contract.GuestNetworkContract, unittest.TestCase):
        plugin = wicked.Wicked
        against = {
            '/etc/sysconfig/network/ifcfg-bond0': 'BONDING_SLAVE_0=ens5'
        }

The bond is :data:`BOND`. Nothing of Nova is imported.
"""

from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses
import functools
import re
import shlex
import time
from typing import Any

from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import text
from nova_pt_migrate.guest import agent
from nova_pt_migrate.guest.networks import contract
from nova_pt_migrate.testing import hostile
from nova_pt_migrate.testing import plugin_rules

MAC = 'fa:16:3e:00:00:01'
BOND = contract.WantedBond(
    name=contract.bond_name(MAC),
    mac=MAC,
    standby_mac=pairs.twin(MAC),
    device='ens5',
    standby='ens6',
)
"""The bond that the plug-in is asked for."""
OTHER = contract.WantedBond(
    name='pt-bond0000ff',
    mac='fa:16:3e:00:00:ff',
    standby_mac=pairs.twin('fa:16:3e:00:00:ff'),
    device='enp7s0',
    standby='enp8s0',
)
"""Another bond of the same guest."""
ODD = dataclasses.replace(BOND, device='a@b.c-d_9', standby='_Z-0.9@x')
"""The first one, whose NICs have names as odd as Linux lets them be."""
GONE = dataclasses.replace(BOND, device='none', standby='none')
"""The first one, where its NICs are not in the guest."""
SHELLS = frozenset({'ash', 'bash', 'dash', 'env', 'eval', 'sh', 'zsh'})
_UNIT = re.compile(r'[A-Za-z0-9_][A-Za-z0-9:_.@-]*\.service')
_PROGRAM = re.compile(r'(/usr)?(/s?bin/)?[A-Za-z0-9_][A-Za-z0-9_.-]*')
_REPEATED = ('\n', '\t', ' ', 'x', '(', '=', '\\', '#')


class GuestNetworkContract(plugin_rules.PluginRules):
    """Tests of one network manager's plug-in, for a ``unittest.TestCase``.

    :cvar plugin: its class
    :cvar against: content of files by path, each of which alone works against
        :data:`BOND`
    :cvar beside: content of files by path that does not, all together
    :cvar quick: seconds of computing that a look at the largest file may take
    """

    plugin: type[contract.GuestNetwork]
    against: Mapping[str, str] = {}
    beside: Mapping[str, str] = {}
    quick = 1.0

    def test_it_is_made_without_arguments(self) -> None:
        """The service makes it, once, by the name in ``[pt_migrate]``."""
        self.assertIsInstance(self.plugin(), contract.GuestNetwork)

    def test_its_unit_is_one_of_systemd(self) -> None:
        """It is asked whether it is active, to find who is in charge."""
        self.assertRegex(self.plugin.unit, _whole(_UNIT))

    def test_its_folders_are_plain_paths(self) -> None:
        """They are listed in the guest, and what is in them is read."""
        self.assertIsInstance(self.plugin.folders, tuple)
        for path in self.plugin.folders:
            self.assertTrue(text.is_path(path), path)

    def test_asked_twice_it_says_the_same(self) -> None:
        """A file that is other than it should be is written anew.

        The manager is then told to act on it, each time.
        """
        made = self.plugin()
        for bond in (BOND, OTHER, ODD):
            first = self._answers(made, bond)
            self.assertEqual(first, self._answers(made, bond))
            self.assertEqual(first, self._answers(self.plugin(), bond))

    def test_it_leaves_what_it_is_shown_as_it_was(self) -> None:
        """Others are shown the same."""
        for shown in self._shown():
            before = dict(shown)
            self.plugin().conflicts(BOND, shown)
            self.assertEqual(before, shown)

    def test_it_only_looks(self) -> None:
        """It opens, starts and waits for nothing: others act, in the guest.

        What it imports it imports with its module.
        """
        made = self.plugin()
        self.assert_only_looks(functools.partial(self._answers, made, BOND))

    def test_its_files_are_told_from_those_of_others(self) -> None:
        """So they can be found, and deleted, and those of others left."""
        made = self.plugin()
        paths = [file.path for file in made.files(BOND)]
        self.assertNotEqual([], paths)
        self.assertEqual(len(set(paths)), len(paths), paths)
        self.assertEqual(set(paths), made.are_ours(paths))
        self.assertEqual(set(), made.are_ours([*self.against, '/etc/hosts']))
        for path in paths:
            self.assertTrue(text.is_path(path), path)
            self.assertIn(BOND.name, path)

    def test_two_bonds_share_no_file(self) -> None:
        """The bond of another pair is made, and undone, by itself."""
        made = self.plugin()
        ours, others = (
            {file.path for file in made.files(bond)} for bond in (BOND, OTHER)
        )
        self.assertEqual(set(), ours & others)

    def test_its_files_are_plain_text(self) -> None:
        """The guest agent writes each at once, and only root may change it."""
        made = self.plugin()
        for file in (*made.files(BOND), *made.files(ODD)):
            data = file.content.encode()
            self.assertLessEqual(len(data), agent.LONGEST_FILE)
            self.assertRegex(file.content, r'\A[ -~\t\n]+\n\Z')
            self.assertEqual(0o600, file.mode & 0o7622, oct(file.mode))

    def test_its_files_make_an_active_backup_bond_of_both_nics(self) -> None:
        """By their permanent addresses, or by names that the guest keeps."""
        made = self.plugin()
        for bond in (BOND, OTHER, ODD):
            content = '\n'.join(file.content for file in made.files(bond))
            for word in (bond.name, bond.mac, 'active-backup'):
                self.assertIn(word, content)
            for ways in (
                (bond.mac, bond.device), (bond.standby_mac, bond.standby),
            ):  # fmt: skip
                self.assertTrue([w for w in ways if w in content], ways)

    def test_it_takes_the_words_of_a_bond_as_they_are(self) -> None:
        """A guest that boots for the first time fills them in by itself."""
        tokens = contract.WantedBond(
            **{
                field.name: f'@{field.name.upper()}@'
                for field in dataclasses.fields(contract.WantedBond)
            }
        )
        made = self.plugin()
        for asked in (made.files, made.apply, made.leave, made.undo):
            filled = repr(asked(tokens))
            for field in dataclasses.fields(BOND):
                filled = filled.replace(
                    f'@{field.name.upper()}@', getattr(BOND, field.name)
                )
            self.assertEqual(repr(asked(BOND)), filled)

    def test_its_programs_need_no_shell(self) -> None:
        """They are started as they are, and no word is more than a word."""
        made = self.plugin()
        for bond in (BOND, OTHER, ODD, GONE):
            apply = made.apply(bond)
            self.assertNotEqual((), apply)
            for programs in (apply, made.leave(bond), made.undo(bond)):
                self.assertIsInstance(programs, tuple)
                for program in programs:
                    self._check_program(program)

    def test_a_guest_without_other_configuration_is_taken(self) -> None:
        """As one is from the image of a distribution."""
        self.assertEqual((), self.plugin().conflicts(BOND, {}))
        self.assertEqual((), self.plugin().conflicts(BOND, {**self.beside}))

    def test_what_works_against_the_bond_is_named(self) -> None:
        """A guest's administrator has nothing but the sentence."""
        made = self.plugin()
        if self.plugin.conflicts is not contract.GuestNetwork.conflicts:
            self.assertTrue(self.against, 'Give one to find in "against".')
            self.assertTrue(made.folders, 'Nothing is read to find it in.')
        for path, content in self.against.items():
            found = made.conflicts(BOND, {**self.beside, path: content})
            self.assertNotEqual((), found, path)
            self.assert_sentences(found, path)

    def test_a_guest_that_lies_does_no_harm(self) -> None:
        """Its words raise nothing and are told escaped."""
        made = self.plugin()
        for word, shown in self._lies():
            found = made.conflicts(BOND, shown)
            self.assertIsInstance(found, tuple)
            self.assert_harmless(found, word)

    def test_the_largest_file_is_looked_through_in_a_moment(self) -> None:
        """Whoever looks after the servers of a host waits for it."""
        made = self.plugin()
        for shown in self._large():
            began = time.thread_time()
            made.conflicts(BOND, shown)
            self.assertLess(time.thread_time() - began, self.quick)

    def _answers(
        self, made: contract.GuestNetwork, bond: contract.WantedBond
    ) -> list[Any]:
        """Return all that a plug-in says of a bond."""
        asked = (made.files, made.apply, made.leave, made.undo)
        return [each(bond) for each in asked] + [
            made.conflicts(bond, shown) for shown in self._shown()
        ]

    def _check_program(self, program: Any) -> None:
        self.assertIsInstance(program, tuple)
        self.assertRegex(program[0], _whole(_PROGRAM))
        self.assertNotIn(program[0].rpartition('/')[2], SHELLS)
        for word in program:
            self.assertEqual(word, shlex.quote(word))

    def _shown(self) -> Iterator[dict[str, str]]:
        """Yield what an honest guest may have."""
        yield {}
        yield {**self.beside}
        yield {**self.beside, **self.against}

    def _paths(self) -> list[str]:
        return [*self.against, *self.beside, *self.plugin.folders]

    def _lies(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield files with a word in each place where there may be one."""
        for word in hostile.WORDS:
            yield word, dict.fromkeys(self._paths(), word)
            for path, content in self.against.items():
                for changed in (
                    '\n'.join(
                        f'{line} {word}' for line in content.splitlines()
                    ),
                    *(
                        f'{content[: match.start()]}{word}'
                        f'{content[match.end() :]}'
                        for match in re.finditer(r'[^\s=]+', content)
                    ),
                ):
                    yield word, {path: changed}

    def _large(self) -> Iterator[dict[str, str]]:
        """Yield files of the size that is read at the most."""
        for sample in (*_REPEATED, *self.against.values()):
            content = sample * (agent.LONGEST_FILE // max(1, len(sample)))
            yield dict.fromkeys(self._paths(), content)


def _whole(pattern: re.Pattern[str]) -> str:
    return rf'\A{pattern.pattern}\Z'
