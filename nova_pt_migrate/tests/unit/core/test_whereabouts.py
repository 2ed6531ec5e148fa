# SPDX-License-Identifier: Apache-2.0
"""Every cell of the table is expected here once more, in another form."""

import functools
import itertools
import pathlib

import testtools

from nova_pt_migrate.core import whereabouts

Domain = whereabouts.Domain
Guest = whereabouts.Guest
HERE, THERE, UNKNOWN, STUCK = (
    Guest.HERE, Guest.THERE, Guest.UNKNOWN, Guest.STUCK,
)  # fmt: skip
DOCUMENT = (
    pathlib.Path(__file__).parents[4] / 'doc/source/admin/interrupted.rst'
)
ALONE = {
    Domain.RUNS: HERE,
    Domain.LEFT: THERE,
    Domain.ABSENT: THERE,
    Domain.BUSY: UNKNOWN,
    Domain.CHANGES: UNKNOWN,
    Domain.POST_COPY: UNKNOWN,
    Domain.SILENT: UNKNOWN,
    Domain.UNASKED: UNKNOWN,
}
"""By the source's head, where the destination is not asked."""
TOGETHER = """
            PAUSED  HELD    MOVED   BROKEN  OFF
RUNS        there   there   there   there   there
PAUSED      there   there   there   there   there
HELD        stuck   stuck   unknown stuck   stuck
BUSY        unknown unknown unknown unknown unknown
CHANGES     unknown unknown unknown unknown unknown
MOVED       unknown unknown unknown unknown unknown
POST_COPY   unknown unknown unknown unknown unknown
BROKEN      stuck   stuck   unknown stuck   stuck
LEFT        stuck   stuck   unknown stuck   stuck
OFF         stuck   stuck   unknown stuck   stuck
ABSENT      here    stuck   unknown stuck   here
SILENT      unknown unknown unknown unknown unknown
UNASKED     stuck   stuck   unknown stuck   stuck
"""
"""The source's head on top, the destination's at the left."""
STATES: dict[tuple[int, int], str] = {
    (whereabouts.State.RUNNING, whereabouts.Running.POSTCOPY): 'post-copy',
    (whereabouts.State.RUNNING, whereabouts.Running.POSTCOPY_FAILED): 'broken',
    (whereabouts.State.PAUSED, whereabouts.Paused.POSTCOPY): 'post-copy',
    (whereabouts.State.PAUSED, whereabouts.Paused.POSTCOPY_FAILED): 'broken',
}
HELD_BY = ('MIGRATION', 'UNKNOWN', 'STARTING_UP')
REASONS = range(20)


def cells() -> dict[tuple[Domain, Domain], Guest]:
    """Return what follows from the source's head and the destination's."""
    top, *rows = TOGETHER.strip().splitlines()
    heads, guests = Domain.__members__, Guest.__members__
    return {
        (heads[source], heads[row.split()[0]]): guests[guest.upper()]
        for row in rows
        for source, guest in zip(top.split(), row.split()[1:], strict=True)
    }


def expected_head(state: int, reason: int, job: int) -> Domain:
    """Say in other words what is expected of an active domain."""
    special = STATES.get((state, reason))
    if special == 'broken' or (special and not job):
        return Domain.BROKEN
    if special:
        return Domain.POST_COPY
    if job:
        completed = job == whereabouts.Job.COMPLETED
        return Domain.MOVED if completed else Domain.BUSY
    if state in (whereabouts.State.RUNNING, whereabouts.State.BLOCKED):
        return Domain.RUNS
    if state in (whereabouts.State.CRASHED, whereabouts.State.PMSUSPENDED):
        return Domain.PAUSED
    if state == whereabouts.State.NOSTATE:
        return Domain.HELD
    if state == whereabouts.State.PAUSED and reason in [*whereabouts.Paused]:
        held = whereabouts.Paused(reason).name in HELD_BY
        return Domain.HELD if held else Domain.PAUSED
    return Domain.CHANGES


class TestHead(testtools.TestCase):
    def test_every_active_one(self) -> None:
        for state, reason, job in itertools.product(
            range(10), REASONS, whereabouts.Job
        ):
            word = whereabouts.Word(True, state, reason, job)
            self.assertIs(
                expected_head(state, reason, job),
                whereabouts.head(word),
                str(word),
            )

    def test_every_other_one(self) -> None:
        for state, reason, job in itertools.product(
            range(10), REASONS, whereabouts.Job
        ):
            word = whereabouts.Word(False, state, reason, job)
            moved = (state, reason) == (whereabouts.State.SHUTOFF, 4)
            self.assertIs(
                Domain.LEFT if moved else Domain.OFF,
                whereabouts.head(word),
                str(word),
            )

    def test_all_of_libvirt_s_words_are_known(self) -> None:
        self.assertEqual(
            set(whereabouts.State) - {whereabouts.State.PAUSED},
            set(whereabouts.IN_STATE),
        )
        self.assertEqual(
            set(whereabouts.Paused)
            - {
                whereabouts.Paused.POSTCOPY,
                whereabouts.Paused.POSTCOPY_FAILED,
            },
            set(whereabouts.PAUSED_BY),
        )


class TestFind(testtools.TestCase):
    def test_every_cell(self) -> None:
        together = cells()
        for source, destination in itertools.product(Domain, Domain):
            asked: list[None] = []

            def ask(
                answer: Domain = destination, seen: list[None] = asked
            ) -> Domain:
                seen.append(None)
                return answer

            found = whereabouts.find(source, ask)
            alone = ALONE.get(source)
            expected = alone or together[source, destination]
            self.assertIs(expected, found.guest, f'{source}, {destination}')
            self.assertEqual(0 if alone else 1, len(asked))
            self.assertIs(source, found.source)
            self.assertIs(None if alone else destination, found.destination)

    def test_every_head_has_a_row_and_a_column(self) -> None:
        self.assertEqual(set(Domain), set(whereabouts.ROWS))
        self.assertEqual(
            set(itertools.product(set(Domain) - set(ALONE), Domain)),
            set(cells()),
        )

    def test_nothing_is_here_that_a_migration_has_paused(self) -> None:
        """Only who runs, is paused by its user or is off may be here."""
        self.assertEqual(
            {Domain.RUNS, Domain.PAUSED, Domain.OFF},
            {
                source
                for source, destination in itertools.product(Domain, Domain)
                if whereabouts.find(
                    source, functools.partial(Domain, destination)
                ).guest
                is HERE
            },
        )

    def test_what_is_removed_from_the_source_is_not_what_runs_there(
        self,
    ) -> None:
        for source in whereabouts.STALE:
            self.assertNotIn(
                source, (Domain.RUNS, Domain.BUSY, Domain.POST_COPY)
            )

    def test_both_words_are_told(self) -> None:
        found = whereabouts.find(Domain.HELD, lambda: Domain.ABSENT)
        self.assertIn(Domain.HELD.value, str(found))
        self.assertIn(Domain.ABSENT.value, str(found))
        self.assertIn(
            'not asked',
            str(whereabouts.find(Domain.RUNS, lambda: Domain.RUNS)),
        )

    def test_what_is_waited_for_is_documented(self) -> None:
        text = ' '.join(DOCUMENT.read_text().split())
        for domain in Domain:
            self.assertIn(f'``{domain.value}``', text)
        for guest in Guest:
            self.assertIn(guest.value, text)
