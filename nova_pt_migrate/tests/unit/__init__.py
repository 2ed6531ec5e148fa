# SPDX-License-Identifier: Apache-2.0
"""Tests of one module each, none of which lasts for ever."""

from nova_pt_migrate.tests import limit

limit.impose()
