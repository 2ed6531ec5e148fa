# SPDX-License-Identifier: Apache-2.0
"""What an operator may read is on the page that says what to do about it."""

import ast
from collections.abc import Iterator
import pathlib
import re

import testtools

PACKAGE = pathlib.Path(__file__).parents[2]
PAGE = PACKAGE.parent / 'doc/source/admin/messages.rst'
LEVELS = {
    'warning': 'WARNING',
    'error': 'ERROR',
    'exception': 'ERROR',
    'critical': 'CRITICAL',
}
REASON = re.compile(
    r'errors\.(?!NotOurTurn\b)[A-Z]\w+|\w+\.Failure|failure\.stop'
)
"""What is called with a text that ends up in a log or an event.

Whose turn it is not looks again later, and says so on level INFO.
"""
ENTRY = re.compile(
    r'^\.\. pt-message:: (?P<texts>.*(?:\n   [^:\s].*)*)'
    r'(?P<options>(?:\n   :.*(?:\n      .*)*)+)\n\n   \S',
    re.MULTILINE,
)
Message = tuple[str, str]
"""Its level, or REASON, and its text with ``<>`` where something varies."""


def text_of(node: ast.expr, constants: dict[str, ast.expr]) -> str:
    """Return a text as it is in the code.

    :raises ValueError: it cannot be read there, or says nothing by itself
    """
    node = constants.get(getattr(node, 'id', ''), node)
    text = re.sub(r'%[srd]|<[^>]*>', '<>', ''.join(_parts(node)))
    if not re.search('[a-z]', text):
        raise ValueError(f'{ast.unparse(node)} is no text')
    return text


def _parts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        for value in node.values:
            yield from _parts(value)
    elif isinstance(node, ast.BinOp):
        yield from _parts(node.left)
        yield from _parts(node.right)
    else:
        yield str(node.value) if isinstance(node, ast.Constant) else '<>'


def messages(path: pathlib.Path) -> Iterator[Message]:
    """Yield what a module logs from WARNING on, and what it raises."""
    tree = ast.parse(path.read_text())
    constants = {
        target.id: each.value
        for each in tree.body
        if isinstance(each, ast.Assign)
        for target in each.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        room, _, name = ast.unparse(node.func).rpartition('.')
        if room == 'LOG' and name in LEVELS:
            yield LEVELS[name], text_of(node.args[0], constants)
        elif REASON.fullmatch(f'{room}.{name}') and _is_text(node.args[-1]):
            yield 'REASON', text_of(node.args[-1], constants)


def _is_text(node: ast.expr) -> bool:
    """False for what is passed on and was a text elsewhere."""
    return isinstance(node, ast.JoinedStr | ast.Constant | ast.BinOp)


def documented() -> Iterator[Message]:
    """Yield what the page has."""
    for entry in ENTRY.finditer(PAGE.read_text()):
        (level,) = re.findall(r':level: (\w+)', entry['options'])
        for text in ' '.join(entry['texts'].split()).split(' | '):
            yield level, re.sub('<[^>]*>', '<>', text)


class TestMessages(testtools.TestCase):
    def test_every_message_is_on_the_page_and_no_other(self) -> None:
        said = {
            message
            for path in PACKAGE.rglob('*.py')
            if path.relative_to(PACKAGE).parts[0] not in ('tests', 'testing')
            for message in messages(path)
        }
        found = set(documented())
        self.assertEqual([], sorted(said - found), 'not on the page')
        self.assertEqual([], sorted(found - said), 'on the page only')

    def test_each_has_a_command_to_check_and_one_to_run(self) -> None:
        page = PAGE.read_text()
        entries = list(ENTRY.finditer(page))
        self.assertEqual(page.count('.. pt-message::'), len(entries))
        for entry in entries:
            for option in (':level: ', ':check: ', ':run: '):
                self.assertIn(f'\n   {option}', entry['options'])

    def test_a_text_that_cannot_be_read_is_found(self) -> None:
        for expression in ('sentence', '"%s"', 'f"{one}: {two}"'):
            (node,) = ast.parse(expression).body
            assert isinstance(node, ast.Expr)
            self.assertRaises(ValueError, text_of, node.value, {})
