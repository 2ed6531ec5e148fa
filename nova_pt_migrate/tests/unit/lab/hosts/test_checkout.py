# SPDX-License-Identifier: Apache-2.0

import pathlib
import tempfile
import unittest
from unittest import mock

from lab import settings
from lab import shell
from lab.hosts import checkout
from lab.hosts import machine


class CheckoutTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        self.setup = settings.Settings(root / '.lab', checkout=root)
        self.module = root / 'nova_pt_migrate/core/plan.py'
        self.module.parent.mkdir(parents=True)
        for name in (*checkout.SOURCES, *checkout.TEXTS):
            if '.' in name or name.isupper():
                (root / name).write_text(name)
        self.module.write_text('one = 1\n')
        self.before = checkout.content(self.setup)

    def test_a_changed_source_changes_the_content(self):
        self.module.write_text('one = 2\n')
        self.assertNotEqual(self.before, checkout.content(self.setup))

    def test_a_new_source_changes_the_content(self):
        self.module.with_name('new.py').touch()
        self.assertNotEqual(self.before, checkout.content(self.setup))

    def test_what_python_caches_does_not(self):
        cache = self.module.parent / '__pycache__'
        cache.mkdir()
        (cache / 'plan.cpython-313.pyc').write_bytes(b'\xff')
        self.assertEqual(self.before, checkout.content(self.setup))

    def test_tests_that_do_not_run_in_the_hosts_do_not(self):
        test = self.setup.checkout / 'nova_pt_migrate/tests/unit/test_a.py'
        test.parent.mkdir(parents=True)
        test.touch()
        self.assertEqual(self.before, checkout.content(self.setup))

    def _synced(self, *answers: object) -> bool:
        with mock.patch.object(
            machine, 'ssh', side_effect=answers, autospec=True
        ):
            return checkout.synced(self.setup)

    def test_synced_when_every_host_has_it(self):
        self.assertTrue(self._synced(self.before, self.before))

    def test_not_synced_when_one_has_another(self):
        self.assertFalse(self._synced(self.before, 'other'))

    def test_not_synced_when_one_has_none(self):
        self.assertFalse(self._synced(self.before, shell.Failed('cat')))
