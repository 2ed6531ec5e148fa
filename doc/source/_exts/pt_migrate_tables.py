# SPDX-License-Identifier: Apache-2.0
"""Directives for the tables whose words are in the code.

``pt-reasons`` gives the codes of :mod:`nova_pt_migrate.core.reasons` to users,
``pt-commands`` to operators, ``pt-phases`` and ``pt-results`` the names of
:mod:`nova_pt_migrate.core.phase_names`, ``pt-stages`` the order of
:mod:`nova_pt_migrate.core.order`. ``pt-message`` is one message with
what to do about it; a unit test sees that each message of the code has one.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import docutils

from nova_pt_migrate.core import order
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.core import reasons

Row = tuple[str, ...]


def list_table(widths: str, rows: Iterable[Row]) -> Iterator[str]:
    """Return a list-table whose first row is its header."""
    yield from ('.. list-table::', '   :header-rows: 1')
    yield from (f'   :widths: {widths}', '')
    for row in rows:
        yield from (
            f'   {"  - " if number else "* - "}{cell}'
            for number, cell in enumerate(row)
        )


def reason_rows() -> Iterator[Row]:
    """For users: every code, its meaning and what to do."""
    yield 'code', 'meaning', 'what to do'
    for reason, advice in reasons.ADVICE.items():
        yield f'``{reason.value}``', advice.meaning, advice.remedy


def phase_rows() -> Iterator[Row]:
    """Every phase that the log, the events and the notifications name."""
    yield 'phase', 'host', 'what happens'
    for name, phase in phase_names.PHASES.items():
        yield f'``{name.value}``', phase.host, phase.meaning


def result_rows() -> Iterator[Row]:
    """Every result of a phase but the names of exceptions."""
    yield 'result', 'meaning'
    for name, meaning in phase_names.RESULTS.items():
        yield f'``{name.value}``', meaning


def stage_rows() -> Iterator[Row]:
    """Every stage of every place, in order, with its reason."""
    yield 'place', 'stage', 'what is done', 'why then'
    for place, rows in order.ORDER.items():
        for number, row in enumerate(rows):
            yield (
                '' if number else f'``{place.value}``',
                f'``{row.stage.value}``',
                row.what,
                row.why,
            )


TABLES = {
    'pt-reasons': ('26 42 32', reason_rows),
    'pt-phases': ('12 18 70', phase_rows),
    'pt-results': ('20 80', result_rows),
    'pt-stages': ('10 10 38 42', stage_rows),
}


class Table(docutils.SphinxDirective):
    """One of the tables, by the name of the directive."""

    def run(self) -> list[nodes.Node]:
        """Return the table; a change of the code makes it anew."""
        for source in (order, phase_names, reasons):
            self.env.note_dependency(source.__file__)
        self.env.note_dependency(__file__)
        widths, rows = TABLES[self.name]
        return self.parse_text_to_nodes('\n'.join(list_table(widths, rows())))


class Item(docutils.SphinxDirective):
    """Something with what it means and the commands that help."""

    def item(
        self,
        terms: Iterable[str],
        after: str,
        body: list[nodes.Node],
        check: str,
        run: str,
    ) -> nodes.Node:
        """Return one item of a definition list.

        :param after: is written behind each term
        """
        made = nodes.definition_list_item()
        for term in terms:
            made += nodes.term(
                '', '', nodes.literal(term, term), nodes.Text(after)
            )
        made += nodes.definition(
            '',
            *body,
            *self.parse_text_to_nodes(
                f':check: ``{" ".join(check.split())}``\n'
                f':run: ``{" ".join(run.split())}``'
            ),
        )
        return made


class Message(Item):
    """A message or several, of the same cause."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = dict.fromkeys(
        ('level', 'check', 'run'), directives.unchanged_required
    )

    def run(self) -> list[nodes.Node]:
        """Return a list of one item."""
        level = self.options['level']
        item = self.item(
            ' '.join(self.arguments[0].split()).split(' | '),
            '' if level == 'REASON' else f' {level}',
            self.parse_content_to_nodes(),
            self.options['check'],
            self.options['run'],
        )
        return [nodes.definition_list('', item)]


class Commands(Item):
    """Every reason with what to do."""

    def run(self) -> list[nodes.Node]:
        """Return a list of all; a change of the code makes it anew."""
        self.env.note_dependency(reasons.__file__)
        items = (
            self.item(
                [reason.value],
                '',
                self.parse_text_to_nodes(f'{advice.meaning} {advice.remedy}'),
                advice.check,
                advice.run,
            )
            for reason, advice in reasons.ADVICE.items()
        )
        return [nodes.definition_list('', *items)]


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    for name in TABLES:
        app.add_directive(name, Table)
    app.add_directive('pt-commands', Commands)
    app.add_directive('pt-message', Message)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
