# SPDX-License-Identifier: Apache-2.0
"""End nova-compute with one sentence instead of starting it half-way."""

import os
import sys
import threading
from typing import NoReturn

from oslo_log import log as logging

LOG = logging.getLogger(__name__)


def stop(sentence: str) -> NoReturn:
    """End nova-compute, as Nova does when it cannot load a driver.

    :raises SystemExit: always
    """
    LOG.critical('nova-compute does not start: %s', sentence)
    sys.exit(1)


def end_with_main_thread() -> None:
    """Let this process end when its main thread has, whatever else runs.

    libvirt's event loop and the message bus have threads that Python waits
    for, so that nova-compute would stay, and do nothing, after its start has
    failed. Returns at once; the exit status will be 1.
    """
    threading.Thread(
        target=_exit_after_main, name='pt_migrate-ending', daemon=True
    ).start()


def _exit_after_main() -> None:
    threading.main_thread().join()
    os._exit(1)
