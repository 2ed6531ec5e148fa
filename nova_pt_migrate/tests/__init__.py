# SPDX-License-Identifier: Apache-2.0
"""The tests, none of which lasts for ever, whoever runs them."""

from nova_pt_migrate.tests import limit

limit.impose()
