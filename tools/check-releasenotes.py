#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check that reno will take every release note."""

import pathlib
import re
import sys

import yaml

NOTES = pathlib.Path(__file__).resolve().parent.parent / 'releasenotes/notes'
NAME = re.compile(r'[a-z0-9-]+-[0-9a-f]{16}\.yaml')
SECTIONS = (
    'critical',
    'deprecations',
    'features',
    'fixes',
    'issues',
    'other',
    'prelude',
    'security',
    'upgrade',
)


def complaints(note: pathlib.Path) -> list[str]:
    """Return a sentence for whatever is wrong with a note."""
    found = []
    if not NAME.fullmatch(note.name):
        found.append(
            'the name must be words-with-hyphens, 16 hex digits and .yaml; '
            'use "reno new <words>"'
        )
    try:
        content = yaml.safe_load(note.read_text())
    except yaml.YAMLError as exc:
        return [*found, f'not YAML: {exc}']
    if not isinstance(content, dict) or not content:
        return [*found, 'there is no section in it']
    for section, entries in content.items():
        found += _of_section(section, entries)
    return found


def _of_section(section: str, entries: object) -> list[str]:
    if section not in SECTIONS:
        return [f'no section {section}; allowed are {", ".join(SECTIONS)}']
    if section == 'prelude':
        return [] if isinstance(entries, str) else ['prelude must be a text']
    if isinstance(entries, list) and all(
        isinstance(entry, str) and entry.strip() for entry in entries
    ):
        return []
    return [f'{section} must be a list of texts']


def main() -> int:
    """Check all notes; 1 if one is wrong."""
    notes = sorted(path for path in NOTES.iterdir() if path.is_file())
    wrong = [f'{note}: {text}' for note in notes for text in complaints(note)]
    print('\n'.join(wrong), end='\n' if wrong else '')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
