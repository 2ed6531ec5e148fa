# SPDX-License-Identifier: Apache-2.0
"""One set of Nova's services for the tests of a class that leave it whole.

The services belong to a *carrier*, an object of the class that runs no test.
Each test has what the carrier has, and fixtures of its own. After each test
its servers are deleted, nothing may be left of them, and what it has set on
the doubles is as it was. A test that has failed, or has changed the services,
is the last one that has this carrier.
"""

from __future__ import annotations

import contextlib
from typing import Any
from typing import Self

from nova import objects
from nova.objects import fields
import testtools
from testtools import testcase

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.tests import limit
from nova_pt_migrate.tests.functional import ours


class Shared(ours.OurMigrations):
    """To be put before the class that sets the services up.

    The services are set up as by the classes behind this one; what is in the
    ``setUp`` of a class before it is done for each test.
    """

    _carriers: list[Self]
    _carrier: Self | None = None
    _spoilt = False

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls._carriers = []

    @classmethod
    def tearDownClass(cls) -> None:
        cls._throw_away()
        super().tearDownClass()

    @classmethod
    def _throw_away(cls) -> None:
        while cls._carriers:
            carrier = cls._carriers.pop()
            with limit.limited(carrier, limit.seconds()):
                carrier._clean_up()

    def setUp(self) -> None:
        # Not Nova's, which would set everything up.
        testtools.TestCase.setUp(self)
        if not self._carriers:
            self._set_up_carrier()
        (self._carrier,) = self._carriers
        own = set(vars(self))
        borrowed = {
            name: value
            for name, value in vars(self._carrier).items()
            if name not in own
        }
        self.__dict__.update(borrowed)
        self._logs = self.stdlog
        self.addOnException(self._note_failure)
        # Not oslotest's, which would stop the carrier's mocks as well.
        testtools.TestCase.addCleanup(self, self._give_back, list(borrowed))
        self._messages = len(self.processes.messages)

    def _set_up_carrier(self) -> None:
        carrier = type(self)(self._testMethodName)
        self._carriers.append(carrier)
        try:
            super(Shared, carrier).setUp()
        except BaseException:
            self._throw_away()
            raise

    def _note_failure(self, _exc_info: Any) -> None:
        self._spoilt = True
        testcase.gather_details(self._logs.getDetails(), self.getDetails())

    def _give_back(self, borrowed: list[str]) -> None:
        try:
            if not self._spoilt:
                self._put_back()
        except BaseException:
            self._spoilt = True
            raise
        finally:
            if self._spoilt:
                self._throw_away()
            for name in borrowed:
                self.__dict__.pop(name, None)

    def _put_back(self) -> None:
        """Delete the test's servers, and see that nothing is left of them."""
        self.check_hosts()
        self._set_back()
        servers = self.api.get_servers(detail=False)
        for server in servers:
            self.api.delete_server(server['id'])
        for server in servers:
            self._wait_until_deleted(server)
        # Nova frees what it did not know to be here when it looks again.
        self._run_periodics()
        left: list[str] = []

        def is_all_free() -> bool:
            left[:] = self._left()
            return not left

        self.wait_for(is_all_free, 'what is left to be free', left)
        self.check_hosts()
        self.assertEqual([], self.deadly)
        self.notifier.reset()

    def _set_back(self) -> None:
        self.double.reset()
        self.processes.meet = lambda point, after: None
        del self.processes.messages[self._messages :]
        self.memory.clear()
        self.mock_filter.reset_mock()

    def _left(self) -> list[str]:
        """Return what hypervisors, trackers and placement still have."""
        devices = [
            device.address
            for name in self.computes
            for device in objects.PciDeviceList.get_by_compute_node(
                self.ctxt,
                objects.ComputeNode.get_by_nodename(self.ctxt, name).id,
            )
            if device.status
            not in (
                fields.PciDeviceStatus.AVAILABLE,
                fields.PciDeviceStatus.UNAVAILABLE,
            )
        ]
        claims = [
            server
            for compute in self.computes.values()
            for server in pci_tracker.held(compute.manager.rt)
        ]
        guests = [
            server
            for hypervisor in self.double.hypervisors.values()
            for server in hypervisor.machines
        ]
        allocations = [
            consumer
            for provider in self.compute_rp_uuids.values()
            for consumer in self._get_allocations_by_provider_uuid(provider)
        ]
        return devices + claims + guests + allocations

    def _clean_up(self) -> None:
        """Do what a runner does after a test; all of it, if some fails."""
        with contextlib.ExitStack() as stack:
            todo: list[Any] = self.__dict__.pop('_cleanups')
            for function, args, kwargs in todo:
                stack.callback(function, *args, **kwargs)

    def _changes_services(self) -> None:
        """Called by what a test does, and by what sets a carrier up."""
        if self._carrier is not None:
            self._spoilt = True

    def flags(self, **how: Any) -> None:
        self._changes_services()
        super().flags(**how)

    def start_compute(self, *args: Any, **how: Any) -> str:
        self._changes_services()
        return super().start_compute(*args, **how)

    def kill(self, host: str) -> None:
        self._changes_services()
        super().kill(host)

    def restart_compute_service(self, *args: Any, **how: Any) -> None:
        self._changes_services()
        super().restart_compute_service(*args, **how)
