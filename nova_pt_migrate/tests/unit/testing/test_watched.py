# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
from time import sleep

import testtools

from nova_pt_migrate.testing import watched


class TestWatched(testtools.TestCase):
    def test_whatever_leaves_the_process_is_seen(self) -> None:
        for act in (
            lambda: os.listdir('/'),
            lambda: pathlib.Path('/proc/version').read_text(),
            lambda: socket.socket().close(),
            lambda: subprocess.run(['/bin/true'], check=True),
            lambda: time.sleep(0),
        ):
            with watched.watched() as done:
                act()
            self.assertNotEqual([], done)

    def test_computing_is_nothing(self) -> None:
        with watched.watched() as done:
            sorted(str(number) for number in range(1000))
        self.assertEqual([], done)

    def test_it_sees_this_thread_and_this_moment_alone(self) -> None:
        now = threading.Event()
        listed: list[list[str]] = []

        def elsewhere() -> None:
            now.wait(60)
            listed.append(os.listdir('/'))

        other = threading.Thread(target=elsewhere)
        other.start()
        with watched.watched() as done:
            now.set()
            other.join()
        os.listdir('/')
        self.assertEqual(1, len(listed))
        self.assertEqual([], done)
        self.assertIs(sleep, time.sleep)


class TestImports(testtools.TestCase):
    def test_the_suites_need_nothing_that_an_author_has_not(self) -> None:
        """Who writes a plug-in has this package, and no Nova."""
        program = (
            'import sys\n'
            'from nova_pt_migrate.testing import network_contract\n'
            'from nova_pt_migrate.testing import pairing_contract\n'
            'lacks = {"fixtures", "hypothesis", "libvirt", "nova",\n'
            '         "testtools"}\n'
            'sys.exit(", ".join(lacks & set(sys.modules)) or 0)\n'
        )
        done = subprocess.run(
            [sys.executable, '-c', program],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual((0, ''), (done.returncode, done.stderr))
