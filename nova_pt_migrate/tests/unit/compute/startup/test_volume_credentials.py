# SPDX-License-Identifier: Apache-2.0

from typing import Any

from cinderclient import exceptions as cinder_exception
from nova import conf as nova_conf
from nova import context as nova_context
from nova import service_auth
from nova.volume import cinder
from oslo_config import fixture as config
import testtools

from nova_pt_migrate.compute.startup import volume_credentials


class TestCheck(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.conf = self.useFixture(config.Config(nova_conf.CONF))
        self.addCleanup(service_auth.reset_globals)
        service_auth.reset_globals()

    def configure(self, **cinder_options: Any) -> None:
        self.conf.config(group='cinder', **cinder_options)

    def assert_warned(self, words: str) -> None:
        (warning,) = volume_credentials.check()
        self.assertIn(words, warning)
        self.assertIn('stay in task state migrating', warning)
        self.assertIn('as in [neutron]', warning)

    def test_nobody(self) -> None:
        self.assert_warned('[cinder] auth_type is not set')
        self.assertRaises(
            cinder_exception.Unauthorized,
            cinder._get_auth,
            nova_context.get_admin_context(),
        )

    def test_a_user(self) -> None:
        self.configure(auth_type='none')
        self.assertEqual([], volume_credentials.check())
        cinder._get_auth(nova_context.get_admin_context())

    def test_one_that_cannot_be_loaded(self) -> None:
        self.configure(auth_type='no-such-way')
        self.assert_warned('names no user')

    def test_an_endpoint_of_a_project(self) -> None:
        self.configure(
            auth_type='none',
            endpoint_template='http://cinder.test/v3/%(project_id)s',
        )
        self.assert_warned('endpoint_template')
