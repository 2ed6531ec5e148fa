# SPDX-License-Identifier: Apache-2.0

import testtools

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import model
from nova_pt_migrate.core import order
from nova_pt_migrate.core import plan
from nova_pt_migrate.core import planned
from nova_pt_migrate.core import steps
from nova_pt_migrate.tests.unit.core import fakes

Place = order.Place
Stage = order.Stage
NOTHING = planned.Known()
OFF = handover.Found(up=False, filtered=False)
ON = handover.Found(up=True, filtered=True)


def found(
    live: list[int],
    persistent: list[int],
    active: bool = True,
    links: planned.Seen = OFF,
) -> planned.Found:
    domain = model.Found(
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
    return planned.Found(domain, {f'port-{n}': links for n in range(4)})


def paired(number: int, bond: bool = False) -> planned.Paired:
    return planned.Paired(
        f'port-{number}',
        fakes.device(number).address,
        handover.Standby(f'pts{number}', f'mac-{number}', 'pf0', 'pf0'),
        bond=bond,
        required=True,
    )


def over_two(number: int) -> planned.Paired:
    device = fakes.device(number)
    return planned.Paired(device.port, device.address, None, True, False)


def key(stage: Stage, number: int) -> planned.Key:
    device = fakes.device(number)
    return planned.Key(stage, device.port, device.address)


class PlanTest(testtools.TestCase):
    place = Place.HOME

    def plan(
        self,
        there: planned.Found,
        numbers: list[int],
        *pairs: planned.Paired,
        known: planned.Known = NOTHING,
        place: Place | None = None,
    ) -> tuple[planned.Task, ...]:
        wanted = planned.Wanted(
            place or self.place,
            tuple(fakes.device(n) for n in numbers),
            pairs,
            both=True,
        )
        return plan.plan(there, wanted, known)

    def todo(self, *words: object, **more: object) -> list[steps.Step]:
        """Return the steps of the next stage, in order."""
        tasks = self.plan(*words, **more)  # type: ignore[arg-type]
        return [step for task in tasks for step in task.todo]


class TestLeaving(PlanTest):
    place = Place.LEAVING

    def test_every_owned_device_in_the_live_domain_is_unplugged(self) -> None:
        self.assertEqual(
            [
                steps.Unplug(fakes.device(1), 'hostdev1'),
                steps.Unplug(fakes.device(2), 'hostdev2'),
            ],
            self.todo(found([1, 2], [1, 2]), [1, 2]),
        )

    def test_what_the_record_lacks_is_kept_first(self) -> None:
        self.assertEqual(
            [steps.Keep(fakes.device(2), '<kept number="2"/>')],
            self.todo(found([1, 2], [1]), [1, 2]),
        )

    def test_a_device_of_somebody_else_stays(self) -> None:
        self.assertEqual((), self.plan(found([3], [3]), [1]))

    def test_a_live_device_without_an_alias_is_an_error(self) -> None:
        """Before anything is done, whatever would come first."""
        there = found([1], [])
        nameless = model.FoundDevice(fakes.device(1).address, '<x/>')
        domain = model.Found(True, 1.0, {nameless.address: nameless}, {})
        error = self.assertRaises(
            errors.HostError,
            self.plan,
            planned.Found(domain, there.links),
            [1],
        )
        self.assertIn('0000:81:10.1', str(error))

    def test_the_standby_carries_before_the_guest_is_asked(self) -> None:
        self.assertEqual(
            [
                steps.LinkUp('pts1'),
                steps.AddFilter('pf0', 'mac-1'),
                steps.Favour('port-1'),
            ],
            self.todo(found([1], [1]), [1], paired(1, bond=True)),
        )

    def test_a_second_port_is_heard_once_it_was_switched_to(self) -> None:
        there = found([1], [1])
        self.assertEqual(
            [steps.Favour('port-1')], self.todo(there, [1], over_two(1))
        )
        known = planned.Known(frozenset({key(Stage.SWITCH, 1)}))
        self.assertEqual(
            [steps.Hear('port-1')],
            self.todo(there, [1], over_two(1), known=known),
        )

    def test_what_has_failed_is_not_asked_for_again(self) -> None:
        known = planned.Known(frozenset({key(Stage.SWITCH, 1)}))
        self.assertEqual(
            [steps.Unplug(fakes.device(1), 'hostdev1')],
            self.todo(found([1], [1]), [1], paired(1), known=known),
        )

    def test_a_required_standby_that_cannot_be_seen_ends_it(self) -> None:
        (task,) = self.plan(
            found([1], [1], links=errors.HostError('no')), [1], paired(1)
        )
        self.assertEqual('no', str(task.cannot))
        self.assertTrue(task.ends)

    def test_one_that_is_not_there_cannot_carry(self) -> None:
        gone = handover.Found(up=None, filtered=False)
        (task,) = self.plan(found([1], [1], links=gone), [1], paired(1))
        self.assertEqual((), task.todo)
        self.assertIn('no netdev pts1', str(task.cannot))


class TestHome(PlanTest):
    def test_a_missing_device_comes_back_as_the_persistent_xml_has_it(
        self,
    ) -> None:
        self.assertEqual(
            [
                steps.Plug(
                    fakes.device(2), '<kept number="2"/>', persist=False
                ),
            ],
            self.todo(found([1], [1, 2]), [1, 2]),
        )

    def test_a_device_that_is_in_neither_xml_is_persisted_again(self) -> None:
        self.assertEqual(
            [
                steps.Plug(
                    fakes.device(1), '<wanted number="1"/>', persist=True
                ),
            ],
            self.todo(found([], []), [1]),
        )

    def test_what_the_record_lacks_is_kept(self) -> None:
        self.assertEqual(
            [steps.Keep(fakes.device(1), '<kept number="1"/>')],
            self.todo(found([1], []), [1]),
        )

    def test_nothing_is_done_when_all_is_there(self) -> None:
        self.assertEqual((), self.plan(found([1], [1]), [1]))

    def test_the_standby_carries_for_what_is_missing(self) -> None:
        self.assertEqual(
            [
                steps.LinkUp('pts1'),
                steps.AddFilter('pf0', 'mac-1'),
                steps.Announce('pf0', 'mac-1', 'pts1'),
            ],
            self.todo(found([], [1]), [1], paired(1)),
        )

    def test_one_pair_is_back_before_another_is_waited_for(self) -> None:
        there = found([1, 2], [1, 2], links=ON)
        pairs = paired(1), paired(2)
        self.assertEqual(
            [
                steps.Use('0000:81:10.1'),
                steps.Prefer('port-1', patient=True),
            ],
            self.todo(there, [1, 2], *pairs),
        )
        known = planned.Known(
            frozenset({key(Stage.USE, 1)}),
            {'0000:81:10.1': handover.Carrier.PRIMARY},
        )
        self.assertEqual(
            [steps.RemoveFilter('pf0', 'mac-1'), steps.LinkDown('pts1')],
            self.todo(there, [1, 2], *pairs, known=known),
        )
        known = planned.Known(
            known.ended | {key(Stage.RETURN, 1)}, known.carriers
        )
        self.assertEqual(
            [
                steps.Use('0000:81:10.2'),
                steps.Prefer('port-2', patient=True),
            ],
            self.todo(there, [1, 2], *pairs, known=known),
        )

    def test_a_standby_that_is_off_is_no_reason_for_patience(self) -> None:
        _, prefer = self.todo(found([1], [1]), [1], paired(1))
        self.assertEqual(steps.Prefer('port-1', patient=False), prefer)


class TestElsewhere(PlanTest):
    def test_a_guest_that_begins_to_run_is_heard_before_a_look(self) -> None:
        self.assertEqual(
            [steps.LinkUp('pts1')],
            self.todo(planned.Found(), [], paired(1), place=Place.ARRIVING),
        )
        known = planned.Known(frozenset({key(Stage.BEGIN, 1)}))
        up = handover.Found(up=True, filtered=False)
        self.assertEqual(
            [
                steps.AddFilter('pf0', 'mac-1'),
                steps.Announce('pf0', 'mac-1', 'pts1'),
            ],
            self.todo(
                planned.Found(None, {'port-1': up}),
                [],
                paired(1),
                place=Place.ARRIVING,
                known=known,
            ),
        )

    def test_nobody_takes_the_frames_of_a_guest_that_is_not_here(self) -> None:
        for place, there in (
            (Place.AWAY, planned.Found(None, {'port-1': ON})),
            (Place.HOME, found([], [1], active=False, links=ON)),
            (Place.LEAVING, found([], [1], active=False, links=ON)),
        ):
            self.assertEqual(
                [steps.RemoveFilter('pf0', 'mac-1'), steps.LinkDown('pts1')],
                self.todo(there, [1], paired(1), place=place),
            )


class TestOrder(testtools.TestCase):
    def test_each_stage_says_why_it_is_where_it_is(self) -> None:
        self.assertEqual(set(Place), set(order.ORDER))
        for rows in order.ORDER.values():
            stages = [row.stage for row in rows]
            self.assertEqual(len(stages), len(set(stages)))
            for row in rows:
                self.assertTrue(row.what.endswith('.') and row.why.strip())
        used = {row.stage for rows in order.ORDER.values() for row in rows}
        self.assertEqual(set(Stage), used)
