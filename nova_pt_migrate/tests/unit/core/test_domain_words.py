# SPDX-License-Identifier: Apache-2.0
"""Each word of libvirt comes under the head that is expected here."""

import itertools

import testtools

from nova_pt_migrate.core import domain_words

Domain = domain_words.Domain
STATES: dict[tuple[int, int], str] = {
    (domain_words.State.RUNNING, domain_words.Running.POSTCOPY): 'post-copy',
    (
        domain_words.State.RUNNING,
        domain_words.Running.POSTCOPY_FAILED,
    ): 'broken',
    (domain_words.State.PAUSED, domain_words.Paused.POSTCOPY): 'post-copy',
    (domain_words.State.PAUSED, domain_words.Paused.POSTCOPY_FAILED): 'broken',
}
HELD_BY = ('MIGRATION', 'UNKNOWN', 'STARTING_UP')
REASONS = range(20)


def expected_head(state: int, reason: int, job: int) -> Domain:
    """Say in other words what is expected of an active domain."""
    special = STATES.get((state, reason))
    if special == 'broken' or (special and not job):
        return Domain.BROKEN
    if special:
        return Domain.POST_COPY
    if job:
        completed = job == domain_words.Job.COMPLETED
        return Domain.MOVED if completed else Domain.BUSY
    if state in (domain_words.State.RUNNING, domain_words.State.BLOCKED):
        return Domain.RUNS
    if state in (domain_words.State.CRASHED, domain_words.State.PMSUSPENDED):
        return Domain.PAUSED
    if state == domain_words.State.NOSTATE:
        return Domain.HELD
    if state == domain_words.State.PAUSED and reason in [*domain_words.Paused]:
        held = domain_words.Paused(reason).name in HELD_BY
        return Domain.HELD if held else Domain.PAUSED
    return Domain.CHANGES


class TestHead(testtools.TestCase):
    def test_every_active_one(self) -> None:
        for state, reason, job in itertools.product(
            range(10), REASONS, domain_words.Job
        ):
            word = domain_words.Word(True, state, reason, job)
            self.assertIs(
                expected_head(state, reason, job),
                domain_words.head(word),
                str(word),
            )

    def test_every_other_one(self) -> None:
        for state, reason, job in itertools.product(
            range(10), REASONS, domain_words.Job
        ):
            word = domain_words.Word(False, state, reason, job)
            moved = (state, reason) == (domain_words.State.SHUTOFF, 4)
            self.assertIs(
                Domain.LEFT if moved else Domain.OFF,
                domain_words.head(word),
                str(word),
            )

    def test_all_of_libvirt_s_words_are_known(self) -> None:
        self.assertEqual(
            set(domain_words.State) - {domain_words.State.PAUSED},
            set(domain_words.IN_STATE),
        )
        self.assertEqual(
            set(domain_words.Paused)
            - {
                domain_words.Paused.POSTCOPY,
                domain_words.Paused.POSTCOPY_FAILED,
            },
            set(domain_words.PAUSED_BY),
        )
