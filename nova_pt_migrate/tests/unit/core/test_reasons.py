# SPDX-License-Identifier: Apache-2.0

import pathlib

import testtools

from nova_pt_migrate.core import reasons

DOCUMENT = pathlib.Path(__file__).parents[4] / 'doc/source/user/reasons.rst'


class TestReasons(testtools.TestCase):
    def test_every_code_says_what_to_do(self) -> None:
        self.assertEqual(set(reasons.Reason), set(reasons.MEANING))

    def test_every_code_is_documented_and_no_other(self) -> None:
        lines = DOCUMENT.read_text().splitlines()
        documented = [
            line.strip().removeprefix('* - ``').removesuffix('``')
            for line in lines
            if line.strip().startswith('* - ``pt_migrate_')
        ]
        self.assertEqual([each.value for each in reasons.Reason], documented)

    def test_the_document_says_what_the_code_says(self) -> None:
        text = ' '.join(DOCUMENT.read_text().split())
        for meaning in reasons.MEANING.values():
            self.assertIn(meaning, text)
