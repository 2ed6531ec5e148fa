# SPDX-License-Identifier: Apache-2.0
"""nova-compute's own main finds the driver, or stops with one sentence."""

import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys

import fixtures
import nova
from setuptools.command import editable_wheel
import testtools

import nova_pt_migrate
from nova_pt_migrate.tests.functional import compute_main

LOADED = {'driver': 'nova_pt_migrate.compute.driver.PassthroughLibvirtDriver'}
SITE = pathlib.Path(nova.__file__).parent.parent
PACKAGE = pathlib.Path(nova_pt_migrate.__file__).parent


class NovaComputeTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def run_main(
        self,
        options: str = '',
        driver: str = 'pt_migrate.PassthroughLibvirtDriver',
        path: list[pathlib.Path] | None = None,
        prelude: str = '',
        arguments: tuple[str, ...] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run nova-compute's main in a process of its own.

        :param path: what sys.path begins with; None for that of this process
        :param prelude: Python to run first
        """
        conf = self.folder / 'nova.conf'
        conf.write_text(
            f'[DEFAULT]\ncompute_driver = {driver}\n'
            f'transport_url = fake://\nstate_path = {self.folder}\n'
            f'{options}'
        )
        entries = [str(entry) for entry in path or sys.path]
        code = (
            f'import sys; sys.path[:0] = {entries!r}\n{prelude}\n'
            f'import runpy; runpy.run_path({compute_main.__file__!r}, '
            f'run_name="__main__")'
        )
        return subprocess.run(
            [sys.executable, '-S', '-c', code,
             '--config-file', str(conf), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
            cwd=self.folder,
            env={'HOME': str(self.folder), 'PATH': os.environ['PATH']},
        )  # fmt: skip

    def assert_loaded(self, run: subprocess.CompletedProcess[str]) -> None:
        self.assertEqual(0, run.returncode, run.stdout)
        self.assertEqual(LOADED, json.loads(run.stdout.splitlines()[-1]))

    def assert_stopped(
        self, run: subprocess.CompletedProcess[str], *words: str
    ) -> None:
        """The service ended, with one CRITICAL line that has the words."""
        self.assertEqual(1, run.returncode, run.stdout)
        sentences = [
            line for line in run.stdout.splitlines() if 'CRITICAL' in line
        ]
        self.assertEqual(1, len(sentences), run.stdout)
        for word in words:
            self.assertIn(word, sentences[0])
        self.assertNotIn('Traceback', run.stdout)


class FindingTest(NovaComputeTest):
    def other_site(self) -> pathlib.Path:
        """Return a site directory with this package and nothing else."""
        site = self.folder / 'other-site'
        site.mkdir()
        (site / 'nova_pt_migrate').symlink_to(PACKAGE)
        info = site / 'nova_pt_migrate-0.dist-info'
        info.mkdir()
        distribution = importlib.metadata.distribution('nova-pt-migrate')
        for name in ('METADATA', 'entry_points.txt'):
            (info / name).write_text(distribution.read_text(name) or '')
        return site

    def site_without(self, *names: str) -> pathlib.Path:
        """Return a copy, by links, of Nova's site directory with less."""
        site = self.folder / 'site'
        site.mkdir()
        for entry in SITE.iterdir():
            if not entry.name.startswith(names):
                (site / entry.name).symlink_to(entry)
        return site

    def test_nova_in_the_same_site_directory(self) -> None:
        site = self.site_without('nova_pt_migrate', 'zz_', '__editable__')
        for entry in self.other_site().iterdir():
            (site / entry.name).symlink_to(entry)
        self.assert_loaded(self.run_main(path=[site]))

    def test_nova_in_another_site_directory(self) -> None:
        site = self.site_without('nova_pt_migrate', 'zz_', '__editable__')
        self.assert_loaded(self.run_main(path=[self.other_site(), site]))

    def test_an_editable_nova(self) -> None:
        finder = editable_wheel._finder_template(
            'editable_nova', {'nova': str(SITE / 'nova')}, {}
        )
        (self.folder / 'editable_finder.py').write_text(finder)
        site = self.site_without(
            'nova_pt_migrate', 'zz_', '__editable__', 'nova'
        )
        for entry in SITE.glob('nova-*.dist-info'):
            (site / entry.name).symlink_to(entry)
        self.assert_loaded(
            self.run_main(
                path=[self.folder, self.other_site(), site],
                prelude='import editable_finder; editable_finder.install()',
            )
        )

    def test_stock_nova_is_not_disturbed(self) -> None:
        run = self.run_main(driver='libvirt.LibvirtDriver')
        self.assertEqual(
            {'driver': 'nova.virt.libvirt.driver.LibvirtDriver'},
            json.loads(run.stdout.splitlines()[-1]),
        )


class StoppingTest(NovaComputeTest):
    def test_a_misspelt_driver(self) -> None:
        self.assert_stopped(
            self.run_main(driver='pt_migrate.LibvirtDriver'),
            'compute_driver',
            'pt_migrate.LibvirtDriver',
            'pt_migrate.PassthroughLibvirtDriver',
        )

    def test_a_misspelt_module_of_the_driver(self) -> None:
        run = self.run_main(driver='pt_migrat.PassthroughLibvirtDriver')
        self.assertEqual(1, run.returncode)
        (sentence,) = [
            line for line in run.stdout.splitlines() if 'CRITICAL' in line
        ]
        self.assertIn('pt_migrat.PassthroughLibvirtDriver', sentence)
        self.assertIn('pt_migrate.PassthroughLibvirtDriver', sentence)

    def test_an_unknown_option(self) -> None:
        self.assert_stopped(
            self.run_main('[pt_migrate]\nunplug_timout = 20\n'),
            'unplug_timout = 20',
            'unplug_timeout',
        )

    def test_an_option_out_of_range(self) -> None:
        self.assert_stopped(
            self.run_main('[pt_migrate]\nunplug_timeout = 0\n'),
            'unplug_timeout = 0',
            '0.1 to 3600',
        )

    def test_an_unknown_pairing(self) -> None:
        self.assert_stopped(
            self.run_main('[pt_migrate]\npairings = team\n'), 'team', 'none'
        )

    def test_no_libvirt(self) -> None:
        self.assert_stopped(
            self.run_main(arguments=('--without-libvirt',)),
            'libvirt-python',
        )

    def test_a_nova_that_changed(self) -> None:
        self.assert_stopped(
            self.run_main(
                prelude=(
                    'from nova_pt_migrate.compute.loading '
                    'import nova_interface\n'
                    'nova_interface.PARTS["nova.virt.libvirt.host:Host.get_guest"]'
                    ' = ("self", "uuid")'
                )
            ),
            'nova.virt.libvirt.host.Host.get_guest',
            '(self, instance)',
        )

    def test_an_attribute_of_nova_that_is_gone(self) -> None:
        self.assert_stopped(
            self.run_main(
                prelude=(
                    'from nova_pt_migrate.compute.loading '
                    'import nova_attributes\n'
                    'nova_attributes.ATTRIBUTES["nova.virt.libvirt.guest:Guest"]'
                    ' = ("_teleporter",)'
                )
            ),
            'nova.virt.libvirt.guest.Guest',
            '_teleporter',
        )

    def test_eventlet(self) -> None:
        self.assert_stopped(
            self.run_main('concurrency_backend = eventlet\n'),
            'eventlet',
            'concurrency_backend = threading',
        )

    def test_volumes_that_could_not_be_recovered_are_warned_of(self) -> None:
        run = self.run_main()
        self.assert_loaded(run)
        (warning,) = [
            line
            for line in run.stdout.splitlines()
            if 'starts all the same' in line
        ]
        self.assertIn('[cinder] auth_type is not set', warning)
        run = self.run_main('[cinder]\nauth_type = none\n')
        self.assert_loaded(run)
        self.assertNotIn('starts all the same', run.stdout)

    def test_an_untested_nova_is_warned_about_and_used(self) -> None:
        run = self.run_main(
            prelude=(
                'from nova_pt_migrate.compute.loading '
                'import nova_interface\n'
                'nova_interface.TESTED = ("33",)'
            )
        )
        self.assert_loaded(run)
        self.assertIn('has not been tested with nova', run.stdout)
