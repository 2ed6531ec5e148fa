# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import shutil
import tempfile
import unittest
from unittest import mock

from lab import settings
from lab import shell
from lab.build import mirror
from lab.build import tree

SETUP = settings.Settings(pathlib.Path('/lab'))
ONE_LINE = """\
# deb http://commented.example/debian trixie main
deb-src http://source.example/debian trixie main
deb http://other.example/apt trixie main
deb [arch=amd64] http://security.example/security trixie-security main
deb [arch=amd64] http://line.example/debian/ {suite} main contrib
"""
DEB822 = """\
Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main

Types: deb deb-src
URIs: http://paragraph.example/debian
Suites: {suite} {suite}-updates
Components: main
"""
RELEASE = """\
Origin: {label}
Label: {label}
Codename: {codename}
Date: Sun, 01 Nov 2026 00:00:00 UTC
Components: main
Architectures: amd64
SHA256:
 {digest} 0 main/binary-amd64/Packages
"""
LABELS = {'other.example': 'Other', 'security.example': 'Debian-Security'}
CONFIG = """\
Dir::State::lists "{folder}/lists";
Dir::State::status "/dev/null";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{folder}/parts";
APT::Architecture "amd64";
APT::Architectures "amd64";
"""


class ChooseTest(unittest.TestCase):
    def _chosen(self, *lines: str, suite: str = 'trixie') -> str | None:
        printed = ''.join(f'{line}\n' for line in lines)
        with mock.patch.object(
            shell, 'run', autospec=True, return_value=printed
        ):
            return mirror.choose(SETUP, suite)

    def test_one_with_the_suite_goes_before_others(self):
        lines = ('bookworm http://a/debian/', 'trixie http://b/debian/')
        self.assertEqual('http://b/debian', self._chosen(*lines))
        self.assertEqual('http://a/debian', self._chosen(*lines, suite='sid'))

    def test_what_the_tree_cannot_reach_is_passed_over(self):
        lines = ('trixie file:/srv/debian/', 'bookworm https://a/debian/')
        self.assertEqual('https://a/debian', self._chosen(*lines))

    def test_without_any_there_is_none(self):
        self.assertIsNone(self._chosen())

    def test_one_that_is_set_needs_no_apt(self):
        setup = settings.Settings(pathlib.Path('/lab'), mirror='http://set/d')
        with mock.patch.object(shell, 'run', autospec=True) as run:
            self.assertEqual('http://set/d', mirror.choose(setup, 'trixie'))
        run.assert_not_called()


@unittest.skipUnless(shutil.which('apt-get'), 'this machine has no apt')
class SourcesTest(unittest.TestCase):
    """The machine's apt reads sources that are made up, and their lists."""

    def setUp(self):
        super().setUp()
        name = self.enterContext(tempfile.TemporaryDirectory())
        self.folder = pathlib.Path(name)
        for part in ('lists/partial', 'cache/archives/partial', 'parts'):
            (self.folder / part).mkdir(parents=True)
        config = self.folder / 'apt.conf'
        config.write_text(CONFIG.format(folder=self.folder))
        self.enterContext(
            mock.patch.dict(os.environ, {'APT_CONFIG': str(config)})
        )

    def _fetched(self, host: str, folder: str, suite: str) -> None:
        """Put there what apt keeps of a suite that it has fetched."""
        start = self.folder / 'lists' / f'{host}_{folder}_dists_{suite}_'
        packages = pathlib.Path(f'{start}main_binary-amd64_Packages')
        packages.touch()
        text = RELEASE.format(
            label=LABELS.get(host, 'Debian'), codename=suite, digest='0' * 64
        )
        pathlib.Path(f'{start}InRelease').write_text(text)

    def test_sources_of_one_line_each(self):
        for suite in ('trixie', 'bookworm'):
            text = ONE_LINE.format(suite=suite)
            (self.folder / 'parts/a.list').write_text(text)
            self._fetched('commented.example', 'debian', 'trixie')
            self._fetched('other.example', 'apt', 'trixie')
            self._fetched('security.example', 'security', 'trixie-security')
            self._fetched('line.example', 'debian', suite)
            self.assertEqual(
                'http://line.example/debian', mirror.choose(SETUP, 'trixie')
            )

    def test_sources_in_paragraphs(self):
        for suite in ('trixie', 'bookworm'):
            text = DEB822.format(suite=suite)
            (self.folder / 'parts/a.sources').write_text(text)
            self._fetched('off.example', 'debian', 'trixie')
            self._fetched('paragraph.example', 'debian', suite)
            self.assertEqual(
                'http://paragraph.example/debian',
                mirror.choose(SETUP, 'trixie'),
            )

    def test_those_of_others_are_none_of_debian(self):
        text = ONE_LINE.format(suite='trixie')
        (self.folder / 'parts/a.list').write_text(text)
        self._fetched('other.example', 'apt', 'trixie')
        self._fetched('security.example', 'security', 'trixie-security')
        self.assertIsNone(mirror.choose(SETUP, 'trixie'))


class BootstrapTest(unittest.TestCase):
    def _words(self, chosen):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        with (
            mock.patch.object(
                mirror, 'choose', autospec=True, return_value=chosen
            ),
            mock.patch.object(
                shutil, 'which', autospec=True, return_value='debootstrap'
            ),
            mock.patch.object(tree, '_configure_clients', autospec=True),
            mock.patch.object(shell, 'run', autospec=True) as run,
        ):
            setup = settings.Settings(folder)
            tree.bootstrap(setup, pathlib.Path('/target'), '/debs')
        return run.call_args.args[0]

    def test_debootstrap_is_given_the_mirror_or_takes_its_own(self):
        self.assertEqual(
            [tree.SUITE, '/target', 'http://a/debian'],
            self._words('http://a/debian')[-3:],
        )
        self.assertEqual([tree.SUITE, '/target'], self._words(None)[-2:])
