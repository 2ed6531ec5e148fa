# SPDX-License-Identifier: Apache-2.0

import pathlib
from unittest import mock

import testtools

from nova_pt_migrate.core import whereabouts

HERE, THERE, UNKNOWN = (
    whereabouts.Guest.HERE,
    whereabouts.Guest.THERE,
    whereabouts.Guest.UNKNOWN,
)
DECIDED_BY_SOURCE = {
    whereabouts.Source.RUNNING: HERE,
    whereabouts.Source.MOVING: UNKNOWN,
    whereabouts.Source.ABSENT: THERE,
    whereabouts.Source.SILENT: UNKNOWN,
}
DECIDED_BY_DESTINATION = {
    whereabouts.Destination.RUNNING: THERE,
    whereabouts.Destination.NOT_RUNNING: HERE,
    whereabouts.Destination.SILENT: UNKNOWN,
}

DOCUMENT = (
    pathlib.Path(__file__).parents[4] / 'doc/source/admin/interrupted.rst'
)


class TestFind(testtools.TestCase):
    def test_the_destination_is_not_asked_where_the_source_knows(self) -> None:
        for source, guest in DECIDED_BY_SOURCE.items():
            self.assertIs(
                guest, whereabouts.find(source, lambda: self.fail('asked'))
            )

    def test_of_a_guest_that_is_off_the_destination_decides(self) -> None:
        for answer, guest in DECIDED_BY_DESTINATION.items():
            self.assertIs(
                guest,
                whereabouts.find(
                    whereabouts.Source.OFF, mock.Mock(return_value=answer)
                ),
            )

    def test_a_completed_job_is_believed_if_the_guest_runs_there(self) -> None:
        for answer in whereabouts.Destination:
            runs = answer is whereabouts.Destination.RUNNING
            self.assertIs(
                THERE if runs else UNKNOWN,
                whereabouts.find(
                    whereabouts.Source.MOVED, mock.Mock(return_value=answer)
                ),
            )

    def test_every_state_is_decided(self) -> None:
        self.assertEqual(
            set(whereabouts.Source),
            {
                *DECIDED_BY_SOURCE,
                whereabouts.Source.OFF,
                whereabouts.Source.MOVED,
            },
        )
        self.assertEqual(
            set(whereabouts.Destination), set(DECIDED_BY_DESTINATION)
        )

    def test_what_is_waited_for_is_documented(self) -> None:
        text = ' '.join(DOCUMENT.read_text().split())
        for source in whereabouts.Source:
            if source not in (
                whereabouts.Source.RUNNING,
                whereabouts.Source.ABSENT,
            ):
                self.assertIn(f'``{source.value}``', text)
        self.assertIn(whereabouts.Guest.UNKNOWN.value, text)
