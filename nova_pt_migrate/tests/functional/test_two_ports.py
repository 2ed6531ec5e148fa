# SPDX-License-Identifier: Apache-2.0
"""An ordinary port of the server is the standby of a pass-through port."""

from nova_pt_migrate.compute import couples
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import paired


class NamingTest(paired.Paired):
    """Two pass-through ports with one ordinary port between them."""

    def assert_alone(self, which: int, tagged: int | None, tag: str) -> None:
        """One of the pass-through ports has a standby of our own.

        :param which: this one
        :param tagged: the one that the ordinary port's tag names
        """
        direct, (ordinary,) = self.ports.direct(2), self.ports.beside()
        ports = [*direct, ordinary]
        named = '' if tagged is None else direct[tagged]
        server = self.paired(
            ports, tags={ordinary: tag.format(named)}, pairing='bond'
        )
        whole = always.Always(self, server, ports, own=1)
        own = [couples.link_name(direct[which])]
        self.assertEqual(own, self.standbys(server, base.SOURCE))
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertEqual(own, self.standbys(server, base.DESTINATION))

    def test_by_itself(self) -> None:
        self.assert_alone(1, None, 'nic1')

    def test_by_the_device_tag_of_the_standby(self) -> None:
        self.assert_alone(0, 1, 'pt-standby:{}')

    def test_by_the_begin_of_a_uuid(self) -> None:
        self.assert_alone(0, 1, 'pt-standby:{:.11}')


class AttachTest(paired.Paired):
    def test_a_device_that_comes_to_a_standby(self) -> None:
        (ordinary,), (port,) = self.ports.beside(), self.ports.direct()
        server = self.paired([ordinary], pairing='bond')
        self.api.attach_interface(
            server['id'], {'interfaceAttachment': {'port_id': port}}
        )
        self.assertEqual([], self.standbys(server, base.SOURCE))
        whole = always.Always(self, server, [ordinary, port])
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
