# SPDX-License-Identifier: Apache-2.0

import sys
import types
from typing import Any
from unittest import mock

import fixtures
import testtools

from nova_pt_migrate.core import errors
from nova_pt_migrate.host import agent

OPEN = (
    "internal error: unable to execute QEMU agent command 'guest-file-open': "
    "failed to open file '/sys/class/net/bonding_masters' (mode: 'r'): "
)


class LibvirtError(Exception):
    """What libvirt-python raises, which these tests do without."""


class ErrorTest(testtools.TestCase):
    def raised(self, said: str) -> errors.GuestError:
        def command(*_: Any) -> str:
            raise LibvirtError(said)

        self.useFixture(
            fixtures.MockPatchObject(
                sys,
                'modules',
                {
                    **sys.modules,
                    'libvirt_qemu': mock.Mock(qemuAgentCommand=command),
                },
            )
        )
        libvirt = types.SimpleNamespace(libvirtError=LibvirtError)
        channel = agent.LibvirtChannel(types.SimpleNamespace(), libvirt)
        return self.assertRaises(errors.GuestError, channel.ask, '{}', 5)

    def test_a_file_that_is_not_there(self) -> None:
        raised = self.raised(f'{OPEN}No such file or directory')
        self.assertIsInstance(raised, errors.NoSuchFile)

    def test_any_other_is_none_of_that_kind(self) -> None:
        raised = self.raised(f'{OPEN}Permission denied\n\x1b[31m')
        self.assertIsInstance(raised, errors.Denied)
        self.assertIn('Permission denied', str(raised))
        self.assertTrue(str(raised).isprintable())

    def test_an_agent_that_does_not_answer_denies_nothing(self) -> None:
        raised = self.raised(
            'Guest agent is not responding: QEMU guest agent is not connected'
        )
        self.assertNotIsInstance(raised, errors.Denied)
