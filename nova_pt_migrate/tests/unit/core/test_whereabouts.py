# SPDX-License-Identifier: Apache-2.0
"""Every cell of the table is expected here once more, in another form."""

import functools
import itertools
import pathlib

import testtools

from nova_pt_migrate.core import domain_words
from nova_pt_migrate.core import whereabouts

Domain = domain_words.Domain
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


def cells() -> dict[tuple[Domain, Domain], Guest]:
    """Return what follows from the source's head and the destination's."""
    top, *rows = TOGETHER.strip().splitlines()
    heads, guests = Domain.__members__, Guest.__members__
    return {
        (heads[source], heads[row.split()[0]]): guests[guest.upper()]
        for row in rows
        for source, guest in zip(top.split(), row.split()[1:], strict=True)
    }


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
