# SPDX-License-Identifier: Apache-2.0

import subprocess
import sys

import testtools

PROGRAM = """
import threading
from nova_pt_migrate.compute.startup import failure

threading.Thread(target=threading.Event().wait).start()
failure.end_with_main_thread()
raise ValueError('the start failed')
"""


class TestEndWithMainThread(testtools.TestCase):
    def test_a_thread_that_stays_does_not_keep_the_process(self) -> None:
        done = subprocess.run(
            [sys.executable, '-c', PROGRAM],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(1, done.returncode)
        self.assertIn('the start failed', done.stderr)
