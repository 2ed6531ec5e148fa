# SPDX-License-Identifier: Apache-2.0
"""Run a contract suite on a plug-in, to see what it says of it."""

from typing import Any
import unittest


def names(suite: type[Any]) -> set[str]:
    """Return the names of the suite's tests."""
    return set(unittest.defaultTestLoader.getTestCaseNames(suite))


def broken(suite: type[Any], **members: Any) -> set[str]:
    """Return the names of the tests that a plug-in does not pass.

    :param members: of the class that mixes the suite in, as ``plugin``
    """
    case = type('PluginTest', (suite, unittest.TestCase), members)
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(case)
    result = tests.run(unittest.TestResult())
    assert result.testsRun == len(names(suite)) > 0
    return {
        test.id().rpartition('.')[2]
        for test, _ in [*result.failures, *result.errors]
    }
