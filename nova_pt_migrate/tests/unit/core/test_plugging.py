# SPDX-License-Identifier: Apache-2.0

import testtools

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import plugging
from nova_pt_migrate.core import reasons
from nova_pt_migrate.core import steps
from nova_pt_migrate.tests.unit.core import fakes


def unplug(
    domain: fakes.Domain,
    wiring: fakes.Wiring,
    numbers: list[int],
    stop_at: float = 999.0,
) -> plugging.Outcome:
    return plugging.unplug(
        domain,
        wiring,
        [steps.Unplug(fakes.device(n), f'hostdev{n}') for n in numbers],
        seconds=30.0,
        retry=4.0,
        clock=domain.clock,
        stop=lambda: domain.now >= stop_at,
    )


def failure(code: str, text: str) -> reasons.Failure:
    return reasons.Failure(reasons.Reason[code], text)


class TestWaitForRelease(testtools.TestCase):
    def wait(self, domain: fakes.Domain, stop_at: float = 999.0) -> float:
        """Return how long it waited for two devices."""
        plugging.wait_for_release(
            domain,
            [fakes.device(n).address for n in (1, 2)],
            seconds=20.0,
            clock=domain.clock,
            stop=lambda: domain.now >= stop_at,
        )
        return domain.now

    def test_the_guest_has_all_the_time_and_is_asked_for_nothing(self) -> None:
        domain = fakes.Domain([1, 2])
        self.assertEqual(20.0, self.wait(domain))
        self.assertEqual([], domain.requests)

    def test_it_is_over_when_all_have_been_released(self) -> None:
        domain = fakes.Domain([1, 2, 3])
        domain.release(2.0, 'hostdev2')
        domain.release(6.0, 'hostdev1')
        self.assertEqual(6.0, self.wait(domain))

    def test_it_is_over_when_somebody_stops_it(self) -> None:
        domain = fakes.Domain([1, 2])
        domain.wake(4.0)
        self.assertEqual(4.0, self.wait(domain, stop_at=4.0))

    def test_what_cannot_be_seen_is_waited_for(self) -> None:
        domain = fakes.Domain([])
        domain.observe_errors = [errors.HostError('no connection')]
        domain.wake(4.0)
        self.assertEqual(4.0, self.wait(domain))


class TestUnplug(testtools.TestCase):
    def test_all_are_asked_before_any_is_waited_for(self) -> None:
        domain = fakes.Domain([1, 2, 3])
        outcome = unplug(domain, fakes.Wiring(), [1, 2, 3])
        self.assertEqual(
            [(0.0, 'hostdev1'), (0.0, 'hostdev2'), (0.0, 'hostdev3')],
            domain.requests,
        )
        self.assertEqual({}, outcome.failures)
        self.assertEqual(3, len(outcome.done))
        self.assertEqual(1.0, domain.now)

    def test_the_hosts_side_is_undone_only_for_what_left(self) -> None:
        domain = fakes.Domain([1, 2], {'hostdev2': 999.0})
        wiring = fakes.Wiring()
        unplug(domain, wiring, [1, 2])
        self.assertEqual([('disconnect', 'port-1')], wiring.calls)

    def test_one_deadline_holds_for_all(self) -> None:
        domain = fakes.Domain([1, 2], {'hostdev1': 999.0, 'hostdev2': 999.0})
        outcome = unplug(domain, fakes.Wiring(), [1, 2])
        self.assertEqual(30.0, domain.now)
        self.assertEqual(
            ['0000:81:10.1', '0000:81:10.2'], sorted(outcome.failures)
        )
        self.assertIn('within 30 s', str(outcome.failures['0000:81:10.1']))

    def test_only_what_is_still_there_is_asked_for_again(self) -> None:
        domain = fakes.Domain([1, 2], {'hostdev2': 9.0})
        unplug(domain, fakes.Wiring(), [1, 2])
        self.assertEqual(
            [
                (0.0, 'hostdev1'),
                (0.0, 'hostdev2'),
                (4.0, 'hostdev2'),
                (8.0, 'hostdev2'),
            ],
            domain.requests,
        )

    def test_a_guest_that_refuses_is_not_waited_for(self) -> None:
        domain = fakes.Domain([1, 2], {'hostdev1': None, 'hostdev2': 2.0})
        outcome = unplug(domain, fakes.Wiring(), [1, 2])
        self.assertEqual(2.0, domain.now)
        (failure,) = outcome.failures.values()
        self.assertEqual(reasons.Reason.UNPLUG_REFUSED, failure.reason)

    def test_the_live_xml_is_proof_where_the_event_is_lost(self) -> None:
        domain = fakes.Domain([1])
        domain.silent = True
        self.assertEqual({}, unplug(domain, fakes.Wiring(), [1]).failures)

    def test_an_error_at_the_request_is_not_the_end(self) -> None:
        domain = fakes.Domain([1], {'hostdev1': errors.HostError('busy')})
        self.assertEqual({}, unplug(domain, fakes.Wiring(), [1]).failures)
        self.assertEqual(5.0, domain.now)

    def test_the_last_answer_of_libvirt_is_reported(self) -> None:
        domain = fakes.Domain([1], {'hostdev1': errors.HostError('busy')})
        outcome = plugging.unplug(
            domain,
            fakes.Wiring(),
            [steps.Unplug(fakes.device(1), 'hostdev1')],
            seconds=3.0,
            retry=4.0,
            clock=domain.clock,
            stop=lambda: False,
        )
        self.assertIn('busy', str(outcome.failures['0000:81:10.1']))

    def test_the_event_is_proof_while_libvirt_does_not_answer(self) -> None:
        domain = fakes.Domain([1])
        domain.observe_errors = [errors.HostError('no connection')]
        self.assertEqual({}, unplug(domain, fakes.Wiring(), [1]).failures)

    def test_it_waits_no_longer_than_it_is_wanted(self) -> None:
        domain = fakes.Domain([1, 2], {'hostdev2': 999.0})
        outcome = unplug(domain, fakes.Wiring(), [1, 2], stop_at=4.0)
        self.assertEqual(4.0, domain.now)
        self.assertEqual([fakes.device(1)], list(outcome.done))
        self.assertEqual(['0000:81:10.2'], list(outcome.failures))

    def test_nothing_to_do_asks_nobody(self) -> None:
        domain = fakes.Domain([])
        self.assertEqual(
            plugging.Outcome((), {}), unplug(domain, fakes.Wiring(), [])
        )
        self.assertEqual([], domain.requests)


def plug(
    domain: fakes.Domain, wiring: fakes.Wiring, numbers: list[int]
) -> plugging.Outcome:
    return plugging.plug(
        domain,
        wiring,
        [steps.Plug(fakes.device(n), f'<x{n}/>', False) for n in numbers],
        seconds=7.0,
    )


class TestPlug(testtools.TestCase):
    def test_each_device_is_prepared_and_plugged(self) -> None:
        domain, wiring = fakes.Domain([]), fakes.Wiring()
        outcome = plug(domain, wiring, [1, 2])
        self.assertEqual({}, outcome.failures)
        self.assertEqual(
            [('<x1/>', False, 7.0), ('<x2/>', False, 7.0)], domain.plugged
        )
        self.assertEqual(
            [('connect', 'port-1'), ('connect', 'port-2')], wiring.calls
        )

    def test_a_failure_does_not_stop_the_others(self) -> None:
        domain, wiring = fakes.Domain([]), fakes.Wiring()
        domain.plug_errors = {'<x1/>': errors.PlugFailed('no slot')}
        outcome = plug(domain, wiring, [1, 2])
        self.assertEqual(
            {'0000:81:10.1': failure('PLUG_FAILED', 'no slot')},
            outcome.failures,
        )
        self.assertEqual([fakes.device(2)], list(outcome.done))
        self.assertIn(('disconnect', 'port-1'), wiring.calls)

    def test_only_an_unfit_device_may_be_replaced(self) -> None:
        domain, wiring = fakes.Domain([]), fakes.Wiring()
        domain.plug_errors = {
            '<x1/>': errors.PlugFailed('no slot'),
            '<x2/>': errors.UnfitDevice('in use'),
        }
        outcome = plug(domain, wiring, [1, 2])
        self.assertEqual({'0000:81:10.2'}, outcome.unfit)
        self.assertIn(('disconnect', 'port-2'), wiring.calls)

    def test_a_device_that_may_still_come_keeps_its_wiring(self) -> None:
        domain, wiring = fakes.Domain([]), fakes.Wiring()
        domain.plug_errors = {'<x1/>': errors.PlugTimeout('late')}
        outcome = plug(domain, wiring, [1])
        self.assertEqual(
            {'0000:81:10.1': failure('PLUG_TIMEOUT', 'late')}, outcome.failures
        )
        self.assertEqual([('connect', 'port-1')], wiring.calls)

    def test_a_device_that_cannot_be_prepared_is_not_plugged(self) -> None:
        domain, wiring = fakes.Domain([]), fakes.Wiring()
        wiring.errors = {'port-1': errors.HostError('no netdev')}
        outcome = plug(domain, wiring, [1])
        self.assertEqual(
            {'0000:81:10.1': failure('HOST_ERROR', 'no netdev')},
            outcome.failures,
        )
        self.assertEqual([], domain.plugged)


class TestKeep(testtools.TestCase):
    def test_one_that_cannot_be_kept_does_not_stop_the_others(self) -> None:
        domain = fakes.Domain([1, 2])
        domain.plug_errors = {'<1/>': errors.HostError('taken')}
        self.assertEqual(
            {'0000:81:10.1': 'taken'},
            plugging.keep(
                domain,
                [steps.Keep(fakes.device(n), f'<{n}/>') for n in (1, 2)],
            ),
        )
        self.assertEqual(['<2/>'], domain.kept)


class TestErrors(testtools.TestCase):
    def test_all_reasons_of_a_refusal_are_in_its_text(self) -> None:
        self.assertEqual('One. Two.', str(errors.Refused(['One.', 'Two.'])))

    def test_each_device_that_stayed_is_named(self) -> None:
        self.assertEqual(
            'device a: x; device b: y',
            str(
                errors.NotUnplugged(
                    {
                        'b': failure('UNPLUG_TIMEOUT', 'y'),
                        'a': failure('UNPLUG_REFUSED', 'x'),
                    }
                )
            ),
        )
