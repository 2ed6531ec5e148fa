# SPDX-License-Identifier: Apache-2.0

import types
from typing import Any
from unittest import mock

from nova import exception
from nova.objects import instance as instance_obj
from nova.virt.libvirt import driver as libvirt_driver
from nova.virt.libvirt import guest as libvirt_guest
from nova.virt.libvirt import host as libvirt_host
from oslo_utils.fixture import uuidsentinel as uuids
import testtools

from nova_pt_migrate.compute import local_domain
from nova_pt_migrate.core import domain_words

Domain = domain_words.Domain


class Error(Exception):
    """A libvirtError."""

    def get_error_code(self) -> int:
        return int(self.args[0])


LIBVIRT = types.SimpleNamespace(libvirtError=Error, VIR_ERR_NO_DOMAIN=42)
SYSTEM_ERROR = 38


class TestLook(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch.object(libvirt_driver, 'libvirt', LIBVIRT)
        patch.start()
        self.addCleanup(patch.stop)
        self.calls: list[str] = []

    def look(self, found: Any = None, **answers: Any) -> Domain:
        """Look at a domain whose methods answer so, or raise."""
        domain = mock.Mock(spec=['state'])
        guest = mock.create_autospec(libvirt_guest.Guest, instance=True)
        guest._domain = domain

        def answering(name: str, answer: Any) -> Any:
            def answered() -> Any:
                self.calls.append(name)
                if isinstance(answer, Exception):
                    raise answer
                return answer

            return answered

        job = answers.get('job', 0)
        if not isinstance(job, Exception):
            job = types.SimpleNamespace(type=job)
        guest.get_job_info.side_effect = answering('job', job)
        domain.state.side_effect = answering('state', answers.get('state'))
        guest.is_active.side_effect = answering('active', 1)
        host = mock.create_autospec(libvirt_host.Host, instance=True)
        host.get_guest.side_effect = [found or guest]
        return local_domain.look(
            host, instance_obj.Instance(uuid=uuids.server)
        )

    def test_the_job_is_asked_for_first(self) -> None:
        """What the state was before the job's end would deceive."""
        self.assertIs(Domain.RUNS, self.look(state=[1, 1]))
        self.assertEqual(['job', 'state', 'active'], self.calls)

    def test_a_guest_that_is_coming(self) -> None:
        self.assertIs(
            Domain.BUSY,
            self.look(job=Error(domain_words.UNSUPPORTED), state=[3, 2]),
        )

    def test_a_domain_that_goes_while_it_is_looked_at(self) -> None:
        gone = Error(LIBVIRT.VIR_ERR_NO_DOMAIN)
        self.assertIs(Domain.ABSENT, self.look(state=gone))

    def test_no_domain_and_no_answer(self) -> None:
        for raised, domain in (
            (exception.InstanceNotFound(instance_id='one'), Domain.ABSENT),
            (exception.InternalError('no'), Domain.SILENT),
            (exception.HypervisorUnavailable(), Domain.SILENT),
        ):
            self.assertIs(domain, self.look(found=raised))
        broken = Error(SYSTEM_ERROR)
        self.assertIs(Domain.SILENT, self.look(state=broken))
        self.assertIs(Domain.SILENT, self.look(job=broken))
