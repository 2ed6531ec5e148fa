# SPDX-License-Identifier: Apache-2.0
"""Run the tests below one folder in workers that are handed them in turn."""

import collections
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import datetime
import pathlib
import queue
import time
from typing import Any

from stestr import selection
from stestr.repository import abstract
from stestr.repository import util
import testtools

from tools.runner import crew
from tools.runner import results
from tools.runner import screen
from tools.runner import sharing
from tools.runner import worker as worker_program

TICK = 0.2
"""Seconds between two looks at the clock and at the processes."""


@dataclasses.dataclass
class Job:
    """What is to be run, and when it is ended.

    :ivar top: where the workers run and stestr's records are.
    :ivar folder: of the tests, seen from there.
    :ivar patterns: regular expressions; a test whose name has one is run.
    :ivar workers: how many processes run tests.
    :ivar deadline: of the whole, on the monotonic clock.
    :ivar silence: seconds after which a worker is ended that says nothing.
    :ivar guess: seconds of a test where nothing is recorded.
    """

    top: pathlib.Path
    folder: str
    environment: Mapping[str, str]
    patterns: Sequence[str]
    workers: int
    deadline: float
    silence: float
    guess: float


class Suite:
    """One run of a suite."""

    def __init__(self, job: Job, show: screen.Screen) -> None:
        self.tally = results.Tally()
        self._job = job
        self._show = show
        self._events: queue.Queue[crew.Event] = queue.Queue()
        self._workers: list[crew.Worker] = []
        self._started = 0
        self._seconds: dict[str, float] | None = None
        self._shared = time.monotonic()
        self._waiting: collections.deque[list[str]] = collections.deque()
        self._stopped = False
        self._repository = _repository(job.top)
        self._stream = testtools.CopyStreamResult(
            [
                self._repository.get_inserter(),
                testtools.StreamToDict(self._note),
            ]
        )

    def run(self) -> results.Tally:
        """Run all tests; what fails is shown at once.

        No worker is left, whatever happens. A keyboard interrupt ends them
        and is told in what is returned.
        """
        self._stream.startTestRun()
        try:
            for _ in range(self._job.workers):
                self._start()
            while self._workers:
                try:
                    self._step()
                except KeyboardInterrupt:
                    self.tally.stopped = True
                    self._stop('was ended from outside')
        finally:
            for worker in self._workers:
                worker.kill()
            self._stream.stopTestRun()
        ended = {result.test for result in self.tally.results}
        self.tally.not_run += [
            test for test in self._seconds or {} if test not in ended
        ]
        return self.tally

    def _start(self) -> None:
        self._started += 1
        self._workers.append(
            crew.Worker(
                self._started,
                self._job.top,
                self._job.folder,
                self._job.environment,
                self._show.file,
                self._events,
            )
        )

    def _step(self) -> None:
        try:
            worker, said = self._events.get(timeout=TICK)
        except queue.Empty:
            pass
        else:
            self._hear(worker, said)
        self._watch()
        if self._show.due():
            self._show.progress(self._progress())

    def _hear(self, worker: crew.Worker, said: dict[str, Any] | None) -> None:
        if said is None:
            self._lost(worker)
            return
        worker.heard = time.monotonic()
        if said['test_id'] is None:
            self._word(worker, said['file_name'], said['file_bytes'] or b'')
        elif said['test_status'] == 'exists':
            worker.tests.append(said['test_id'])
        else:
            worker.follow(said['test_id'], said['test_status'])
            said['test_tags'] = {f'worker-{worker.number}'}
            self._stream.status(**said)

    def _word(self, worker: crew.Worker, name: str, text: bytes) -> None:
        if (name, text) == (worker_program.NAME, worker_program.READY):
            worker.ready = True
            if self._seconds is None:
                self._share(worker.tests)
            self._next(worker)
        elif (name, text) == (worker_program.NAME, worker_program.FREE):
            for test in worker.group:
                self._end(worker, test, worker.passed_over(), 'See its class.')
            self._next(worker)
        else:
            self._problem(f'{name}:\n{text.decode(errors="replace")}')

    def _share(self, tests: list[str]) -> None:
        job = self._job
        chosen = selection.construct_list(tests, regexes=list(job.patterns))
        ordered = [test for test in tests if test in chosen]
        self._shared = time.monotonic()
        times = self._repository.get_test_times(ordered)['known']
        self._seconds = sharing.expected(ordered, times, job.guess)
        self._waiting.extend(sharing.groups(self._seconds, job.workers))
        self._show.say(f'{len(ordered)} tests; workers: {job.workers}')
        if not ordered:
            named = f' named {" or ".join(job.patterns)}' * bool(job.patterns)
            self._problem(f'There is no test{named} in {job.folder}.')

    def _next(self, worker: crew.Worker) -> None:
        worker.hand(self._waiting.popleft() if self._waiting else [])

    def _lost(self, worker: crew.Worker) -> None:
        self._workers.remove(worker)
        why = f'Worker {worker.number} {worker.why or worker.end()}'
        text = f'{why}; what it wrote is in {self._show.path}.\n'
        text += worker.stacks()
        if worker.group:
            blamed = worker.current or worker.group[0]
            rest = [test for test in worker.group if test != blamed]
            self._end(worker, blamed, 'fail', text)
            if rest and not self._stopped:
                self._waiting.appendleft(rest)
        elif not worker.ended_well() and not self.tally.problems:
            self._problem(text)
        if self._waiting and worker.ready:
            self._start()

    def _watch(self) -> None:
        if time.monotonic() > self._job.deadline:
            self._stop('was ended by the time limit of the whole run')
        most = self._job.silence
        for worker in self._workers:
            if worker.process.poll() is not None:
                worker.kill()
            elif worker.silence() > most:
                worker.abort(f'was ended: nothing was heard for {most:.0f} s')

    def _stop(self, why: str) -> None:
        if self._stopped:
            return
        self._stopped = True
        self._waiting.clear()
        for worker in self._workers:
            worker.abort(why)

    def _end(
        self, worker: crew.Worker, test: str, status: str, text: str
    ) -> None:
        """Say of a test, in the worker's place, how it ended."""
        self._stream.status(
            test_id=test,
            test_status=status,
            test_tags={f'worker-{worker.number}'},
            file_name='reason',
            file_bytes=text.encode(),
            mime_type='text/plain;charset=utf8',
            eof=True,
            timestamp=datetime.datetime.now(datetime.UTC),
        )

    def _note(self, test: Mapping[str, Any]) -> None:
        result = results.read(test)
        self.tally.results.append(result)
        if result.failed:
            self._show.failure(result)

    def _problem(self, text: str) -> None:
        if text not in self.tally.problems:
            self.tally.problems.append(text)
            self._show.say(f'FAILED: {text}', 'red')

    def _progress(self) -> screen.Progress:
        seconds = self._seconds or {}
        waiting = sum(seconds[t] for group in self._waiting for t in group)
        return screen.Progress(
            done=sum(result.test in seconds for result in self.tally.results),
            total=len(seconds),
            failed=self.tally.failed,
            left=sharing.left(
                sum(seconds.values()),
                waiting,
                [worker.before_it(seconds) for worker in self._workers],
                time.monotonic() - self._shared,
                self._job.workers,
            ),
            running=[
                (worker.current, worker.silence())
                for worker in self._workers
                if worker.current
            ],
        )


def _repository(top: pathlib.Path) -> Any:
    try:
        return util.get_repo_open(repo_url=str(top))
    except abstract.RepositoryNotFound:
        return util.get_repo_initialise(repo_url=str(top))
