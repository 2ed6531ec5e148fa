# SPDX-License-Identifier: Apache-2.0
"""What the programs and the tests find in their environment."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.prefix) / 'bin'


def of_programs() -> dict[str, str]:
    """Return the environment of a program of the virtual environment.

    Nova's tests speak to services in their own process only, so no proxy.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.lower() not in ('http_proxy', 'https_proxy')
    }
    return {**kept, 'PATH': f'{BIN}:{os.environ["PATH"]}'}


def of_tests(kind: str, limit: float) -> dict[str, str]:
    """Return the environment of the tests of one kind.

    :param limit: seconds that one test may take.
    """
    native = {'OS_NOVA_DISABLE_EVENTLET_PATCHING': 'True'}
    return {
        **of_programs(),
        'PYTHONWARNINGS': 'ignore',
        'OS_TEST_TIMEOUT': f'{limit:.0f}',
        **(native if kind == 'functional' else {}),
    }
