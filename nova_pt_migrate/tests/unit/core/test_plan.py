# SPDX-License-Identifier: Apache-2.0

import testtools

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import model
from nova_pt_migrate.core import plan
from nova_pt_migrate.core import steps
from nova_pt_migrate.tests.unit.core import fakes


def found(
    live: list[int], persistent: list[int], active: bool = True
) -> model.Found:
    return model.Found(
        active=active,
        memory_gib=1.0,
        live={
            fakes.found_device(n).address: fakes.found_device(n) for n in live
        },
        persistent={
            fakes.found_device(n).address: fakes.found_device(n)
            for n in persistent
        },
    )


def wanted(place: model.Place, numbers: list[int]) -> model.Wanted:
    return model.Wanted(place, tuple(fakes.device(n) for n in numbers))


class TestLeaving(testtools.TestCase):
    def test_every_owned_device_in_the_live_domain_is_unplugged(self) -> None:
        self.assertEqual(
            (
                steps.Unplug(fakes.device(1), 'hostdev1'),
                steps.Unplug(fakes.device(2), 'hostdev2'),
            ),
            plan.plan(
                found([1, 2], [1, 2]), wanted(model.Place.LEAVING, [1, 2])
            ),
        )

    def test_what_the_record_lacks_is_kept_first(self) -> None:
        self.assertEqual(
            (
                steps.Keep(fakes.device(2), '<kept number="2"/>'),
                steps.Unplug(fakes.device(1), 'hostdev1'),
                steps.Unplug(fakes.device(2), 'hostdev2'),
            ),
            plan.plan(found([1, 2], [1]), wanted(model.Place.LEAVING, [1, 2])),
        )

    def test_a_device_of_somebody_else_stays(self) -> None:
        self.assertEqual(
            (),
            plan.plan(found([3], [3]), wanted(model.Place.LEAVING, [1])),
        )

    def test_a_live_device_without_an_alias_is_an_error(self) -> None:
        nameless = model.FoundDevice(fakes.device(1).address, '<x/>')
        state = model.Found(True, 1.0, {nameless.address: nameless}, {})
        error = self.assertRaises(
            errors.HostError,
            plan.plan, state, wanted(model.Place.LEAVING, [1]),
        )  # fmt: skip
        self.assertIn('0000:81:10.1', str(error))


class TestHome(testtools.TestCase):
    def test_a_missing_device_comes_back_as_the_persistent_xml_has_it(
        self,
    ) -> None:
        self.assertEqual(
            (
                steps.Plug(
                    fakes.device(2), '<kept number="2"/>', persist=False
                ),
            ),
            plan.plan(found([1], [1, 2]), wanted(model.Place.HOME, [1, 2])),
        )

    def test_a_device_that_is_in_neither_xml_is_persisted_again(self) -> None:
        self.assertEqual(
            (
                steps.Plug(
                    fakes.device(1), '<wanted number="1"/>', persist=True
                ),
            ),
            plan.plan(found([], []), wanted(model.Place.HOME, [1])),
        )

    def test_what_the_record_lacks_is_kept(self) -> None:
        self.assertEqual(
            (steps.Keep(fakes.device(1), '<kept number="1"/>'),),
            plan.plan(found([1], []), wanted(model.Place.HOME, [1])),
        )

    def test_nothing_is_done_when_all_is_there(self) -> None:
        self.assertEqual(
            (), plan.plan(found([1], [1]), wanted(model.Place.HOME, [1]))
        )

    def test_nothing_is_done_to_a_guest_that_is_not_here(self) -> None:
        for place in model.Place:
            self.assertEqual(
                (),
                plan.plan(found([], [1], active=False), wanted(place, [1])),
            )
