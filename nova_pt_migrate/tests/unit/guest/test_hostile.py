# SPDX-License-Identifier: Apache-2.0
"""Whatever a guest says: an answer or a GuestError, soon, and printable."""

import json
from typing import Any

import hypothesis
from hypothesis import strategies
import testtools

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import text
from nova_pt_migrate.guest import agent
from nova_pt_migrate.guest import bonds
from nova_pt_migrate.guest import replies
from nova_pt_migrate.tests.unit.guest import fakes

JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(),
    lambda inner: (
        strategies.lists(inner)
        | strategies.dictionaries(
            strategies.sampled_from(
                ['return', 'error', 'name', 'enabled', 'hardware-address',
                 'supported_commands', 'buf-b64', 'eof', 'count', 'pid',
                 'exited', 'exitcode', 'out-data', 'desc'],
            ) | strategies.text(),
            inner,
        )
    ),
)  # fmt: skip
LINES = strategies.lists(
    strategies.tuples(
        strategies.sampled_from(
            ['Bonding Mode', 'Slave Interface', 'MII Status',
             'Currently Active Slave', 'Permanent HW addr'],
        ) | strategies.text(),
        strategies.text(),
    )
)  # fmt: skip
# To make one smaller may take longer than a test may.
QUICK = hypothesis.settings(
    deadline=None,
    max_examples=150,
    database=None,
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
)
WIDE = '\U0010ffff' * text.LONGEST_SHOWN
"""Characters that take the most space when they are escaped."""


def harmless(call: Any, *arguments: Any) -> Any:
    """Return what a call gives, or None where it refuses in proper words."""
    try:
        return call(*arguments)
    except errors.GuestError as exc:
        assert str(exc).isprintable()
        assert len(str(exc)) < 300
        return None


class HostileTest(testtools.TestCase):
    @QUICK
    @hypothesis.example(json.dumps({'error': WIDE}))
    @hypothesis.given(strategies.text() | JSON.map(json.dumps))
    def test_replies(self, reply: str) -> None:
        answer = harmless(replies.returned, reply)
        for form in replies.FORMS:
            harmless(form, answer)

    @QUICK
    @hypothesis.given(JSON)
    def test_interfaces_have_names_that_are_harmless(self, value: Any) -> None:
        for interface in harmless(replies.interfaces, value) or ():
            self.assertTrue(text.is_interface(interface.name))
            self.assertNotIn('/', interface.name)

    @QUICK
    @hypothesis.given(LINES)
    def test_bonds(self, lines: list[tuple[str, str]]) -> None:
        words = '\n'.join(f'{key}: {value}' for key, value in lines)
        bond = harmless(bonds.parse, 'bond0', words)
        if bond is not None:
            self.assertLessEqual(len(bond.slaves), bonds.MOST)
            for slave in bond.slaves:
                self.assertTrue(text.is_interface(slave.name))

    @QUICK
    @hypothesis.example(WIDE)
    @hypothesis.given(strategies.text())
    def test_what_is_shown(self, words: str) -> None:
        shown = text.shown(words)
        self.assertTrue(shown.isprintable())
        self.assertTrue(shown.isascii())
        self.assertLessEqual(len(shown), text.LONGEST_SHOWN + len("''..."))

    @QUICK
    @hypothesis.given(
        strategies.dictionaries(
            strategies.sampled_from(fakes.ALL + ['guest-info']),
            JSON | strategies.text(),
        )
    )
    def test_a_whole_look_ends(self, said: dict[str, Any]) -> None:
        guest = fakes.Guest()
        guest.said = said
        asked = guest.agent(10.0)
        harmless(asked.degree)
        harmless(asked.interfaces)
        harmless(bonds.observe, asked)
        harmless(bonds.activate, asked, 'bond0', 'ens5')
        harmless(asked.run, ['/bin/true'])
        self.assertLess(guest.now, 20.0)
        self.assertIsInstance(asked.degree(), agent.Degree)
