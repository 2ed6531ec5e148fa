# SPDX-License-Identifier: Apache-2.0
"""The phases of a migration, read from the log of nova-compute.

The driver logs one line when it enters a phase and one when it leaves it.
A compute host has its own clock, so each log comes with how far that clock
is ahead of the clock of the machine that runs the lab.
"""

import collections.abc
import dataclasses
import datetime
import re

from lab.judge import record

_LINE = re.compile(
    r'(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) .*?'
    r'pt_migrate (?P<fields>phase=\S.*)$'
)
_FIELD = re.compile(r'(\w+)=(\S+)')


@dataclasses.dataclass(frozen=True)
class Mark:
    """One line: a phase was entered or left."""

    time: float
    host: str
    fields: dict[str, str]

    @property
    def key(self) -> tuple[str, str, tuple[str, ...]]:
        """Tell which end belongs to which start."""
        return self.host, self.fields['phase'], self.devices

    @property
    def devices(self) -> tuple[str, ...]:
        listed = self.fields.get('devices', '-')
        return () if listed == '-' else tuple(listed.split(','))


def read(
    lines: collections.abc.Iterable[str],
    host: str,
    server: str,
    ahead: float = 0.0,
) -> list[Mark]:
    """Give the marks of one server in the log of one host (in UTC)."""
    marks = []
    for line in lines:
        match = _LINE.search(line.rstrip())
        if match is None:
            continue
        fields = dict(_FIELD.findall(match['fields']))
        if fields.get('server') == server:
            time = _epoch(match['time']) - ahead
            marks.append(Mark(time, host, fields))
    return marks


def pair(
    marks: collections.abc.Iterable[Mark], start: float, end: float
) -> tuple[record.Phase, ...]:
    """Join starts and ends between two times; what never ended says so."""
    entered: dict[tuple[str, str, tuple[str, ...]], Mark] = {}
    found = []
    for mark in sorted(marks, key=lambda mark: mark.time):
        if not start <= mark.time <= end:
            continue
        if mark.fields['event'] == 'start':
            entered[mark.key] = mark
        elif mark.key in entered:
            found.append(_phase(entered.pop(mark.key), mark))
    for mark in entered.values():
        found.append(_unfinished(mark, end))
    return tuple(sorted(found, key=lambda phase: phase.start))


def _epoch(text: str) -> float:
    naive = datetime.datetime.fromisoformat(text)
    return naive.replace(tzinfo=datetime.UTC).timestamp()


def _phase(start: Mark, end: Mark) -> record.Phase:
    return record.Phase(
        name=start.fields['phase'],
        host=start.host,
        start=start.time,
        end=end.time,
        result=end.fields.get('result', '-'),
        devices=start.devices,
    )


def _unfinished(mark: Mark, end: float) -> record.Phase:
    return record.Phase(
        name=mark.fields['phase'],
        host=mark.host,
        start=mark.time,
        end=end,
        result='never left',
        devices=mark.devices,
    )
