# SPDX-License-Identifier: Apache-2.0
"""Directives for the tables whose words are in the code.

``pt-message`` is one message with what to do about it; a unit test sees that
each message of the code has one.
``pt-reasons`` and ``pt-commands`` give the codes of
:mod:`nova_pt_migrate.core.reasons`, ``pt-phases`` and ``pt-results`` the
names of :mod:`nova_pt_migrate.core.phase_names`.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import docutils

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


def command_rows() -> Iterator[Row]:
    """For operators: every code with its commands."""
    yield 'code', 'check', 'run'
    for reason, advice in reasons.ADVICE.items():
        yield (
            f'``{reason.value}``', f'``{advice.check}``', f'``{advice.run}``',
        )  # fmt: skip


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


TABLES = {
    'pt-reasons': ('26 42 32', reason_rows),
    'pt-commands': ('24 38 38', command_rows),
    'pt-phases': ('12 18 70', phase_rows),
    'pt-results': ('20 80', result_rows),
}


class Table(docutils.SphinxDirective):
    """One of the tables, by the name of the directive."""

    def run(self) -> list[nodes.Node]:
        """Return the table; a change of the code makes it anew."""
        for module in (phase_names, reasons):
            self.env.note_dependency(module.__file__)
        widths, rows = TABLES[self.name]
        return self.parse_text_to_nodes('\n'.join(list_table(widths, rows())))


class Message(docutils.SphinxDirective):
    """A message or several, what they mean and the commands that help."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = dict.fromkeys(
        ('level', 'check', 'run'), directives.unchanged_required
    )

    def run(self) -> list[nodes.Node]:
        """Return one item of a definition list."""
        texts = ' '.join(self.arguments[0].split()).split(' | ')
        level = self.options['level']
        item = nodes.definition_list_item()
        for text in texts:
            item += nodes.term(
                '', '', nodes.literal(text, text),
                nodes.Text('' if level == 'REASON' else f' {level}'),
            )  # fmt: skip
        body = nodes.definition('', *self.parse_content_to_nodes())
        commands = '\n'.join(
            f':{name}: ``{" ".join(self.options[name].split())}``'
            for name in ('check', 'run')
        )
        body += self.parse_text_to_nodes(commands)
        item += body
        return [nodes.definition_list('', item)]


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    for name in TABLES:
        app.add_directive(name, Table)
    app.add_directive('pt-message', Message)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
