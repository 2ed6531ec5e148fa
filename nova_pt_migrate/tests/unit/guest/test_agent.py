# SPDX-License-Identifier: Apache-2.0

from typing import Any

import testtools

from nova_pt_migrate.core import errors
from nova_pt_migrate.guest import agent
from nova_pt_migrate.tests.unit.guest import fakes

FILE = '/sys/class/net/bonding_masters'


class TestDegree(testtools.TestCase):
    def test_what_is_enabled_tells_how_much_it_does(self) -> None:
        for enabled, degree in (
            (fakes.ALL, agent.Degree.FULL),
            ([agent.LIST], agent.Degree.READ_ONLY),
            ([agent.LIST, *agent.READ_FILES], agent.Degree.READ_ONLY),
            (sorted({*fakes.ALL} - {agent.LIST}), agent.Degree.ABSENT),
            ([], agent.Degree.ABSENT),
        ):
            self.assertIs(degree, fakes.Guest(enabled).agent().degree())

    def test_one_that_does_not_answer_is_absent(self) -> None:
        guest = fakes.Guest()
        guest.said['guest-info'] = errors.GuestError('not connected')
        self.assertIs(agent.Degree.ABSENT, guest.agent().degree())

    def test_it_is_asked_once(self) -> None:
        guest = fakes.Guest()
        asked = guest.agent()
        asked.degree()
        asked.commands()
        self.assertEqual(['guest-info'], guest.asked)


class TestFiles(testtools.TestCase):
    def test_a_file_is_read_and_closed(self) -> None:
        guest = fakes.Guest()
        guest.files[FILE] = 'bond0 bönd1\n'
        self.assertEqual('bond0 bönd1\n', guest.agent().read(FILE))
        self.assertEqual('guest-file-close', guest.asked[-1])

    def test_bytes_that_are_no_text_are_escaped(self) -> None:
        guest = fakes.Guest()
        guest.files[FILE] = ''
        guest.said['guest-file-read'] = {
            'return': {'count': 2, 'buf-b64': '//4=', 'eof': True}
        }
        self.assertEqual('\\xff\\xfe', guest.agent().read(FILE))

    def test_a_file_without_end_is_given_up(self) -> None:
        guest = fakes.Guest()
        guest.files[FILE] = ''
        guest.said['guest-file-read'] = {
            'return': {'count': 3, 'buf-b64': 'QUFB' * 4096, 'eof': False}
        }
        error = self.assertRaises(errors.GuestError, guest.agent().read, FILE)
        self.assertIn('too long', str(error))
        self.assertLess(guest.asked.count('guest-file-read'), 10)
        self.assertEqual('guest-file-close', guest.asked[-1])

    def test_a_file_is_written(self) -> None:
        guest = fakes.Guest()
        guest.agent().write(FILE, 'eth0')
        self.assertEqual('eth0', guest.files[FILE])

    def test_one_that_is_written_in_part_is_an_error(self) -> None:
        guest = fakes.Guest()
        guest.said['guest-file-write'] = {'return': {'count': 1}}
        error = self.assertRaises(
            errors.GuestError, guest.agent().write, FILE, 'eth0'
        )
        self.assertIn('not written whole', str(error))

    def test_what_is_not_enabled_is_not_asked(self) -> None:
        guest = fakes.Guest([agent.LIST])
        error = self.assertRaises(errors.GuestError, guest.agent().read, FILE)
        self.assertIn('does not do guest-file-open', str(error))
        self.assertEqual(['guest-info'], guest.asked)


class TestDenials(testtools.TestCase):
    """What it offers the guest may deny it."""

    def assert_denied(self, words: str, call: Any, *arguments: Any) -> None:
        error = self.assertRaises(errors.Denied, call, *arguments)
        self.assertEqual(words, str(error))

    def test_each_says_what_was_denied_and_why(self) -> None:
        guest = fakes.Guest()
        guest.files[FILE] = 'bond0'
        guest.deny('guest-file-open')
        guest.deny(agent.LIST, 'the command is not allowed')
        guest.deny('guest-exec', 'no' * 500)
        asked = guest.agent()
        may_not = 'the guest agent may not'
        self.assert_denied(
            f"{may_not} read {FILE}: 'Permission denied'", asked.read, FILE
        )
        for call, arguments in (
            (asked.write, (FILE, 'ens5')),
            (asked.check_write, (FILE,)),
        ):
            self.assert_denied(
                f"{may_not} write {FILE}: 'Permission denied'",
                call,
                *arguments,
            )
        self.assert_denied(
            f'{may_not} tell the interfaces ({agent.LIST}): '
            f"'the command is not allowed'",
            asked.interfaces,
        )
        error = self.assertRaises(errors.Denied, asked.run, ['/sbin/ip'])
        self.assertIn('run /sbin/ip', str(error))
        self.assertLess(len(str(error)), 150)

    def test_an_agent_that_answers_itself(self) -> None:
        guest = fakes.Guest()
        for words, error in (
            ("failed to open file '/x' (mode: 'r'): Permission denied", True),
            ('Command guest-file-open has been disabled', True),
            ('failed to open: No such file or directory', False),
        ):
            guest.said['guest-file-open'] = {
                'error': {'class': 'GenericError', 'desc': words}
            }
            raised = self.assertRaises(
                errors.GuestError, guest.agent().read, FILE
            )
            self.assertIs(error, isinstance(raised, errors.Denied), words)

    def test_a_program_that_is_denied(self) -> None:
        """In the words of qemu-ga 7.2, whose cause comes last."""
        guest = fakes.Guest()
        guest.said['guest-exec'] = {
            'error': {
                'class': 'GenericError',
                'desc': (
                    "Guest agent command failed, error was 'Failed to "
                    'execute child process “/usr/bin/systemctl” (Permission '
                    "denied)'"
                ),
            }
        }
        error = self.assertRaises(
            errors.Denied, guest.agent().run, ['systemctl']
        )
        self.assertIn('may not run systemctl', str(error))
        self.assertIn('Permission denied', str(error))

    def test_content_that_the_guest_does_not_take_is_no_denial(self) -> None:
        guest = fakes.Guest()
        guest.deny('guest-file-write', 'Invalid argument')
        error = self.assertRaises(
            errors.GuestError, guest.agent().write, FILE, 'ens5'
        )
        self.assertNotIsInstance(error, errors.Denied)
        self.assertEqual('guest-file-close', guest.asked[-1])

    def test_whether_it_may_write_is_seen_without_writing(self) -> None:
        guest = fakes.Guest()
        guest.files[FILE] = 'bond0'
        guest.agent().check_write(FILE)
        self.assertEqual('bond0', guest.files[FILE])
        self.assertNotIn('guest-file-write', guest.asked)
        self.assertEqual('guest-file-close', guest.asked[-1])
        guest.enabled = [agent.LIST, *agent.READ_FILES]
        self.assert_denied(
            'the guest agent does not do guest-file-write',
            guest.agent().check_write,
            FILE,
        )

    def test_a_guest_of_another_language_has_no_such_file(self) -> None:
        guest = fakes.Guest()
        guest.deny(
            'guest-file-open',
            'Aucun fichier de ce nom',
            lambda arguments: arguments['path'] == FILE,
        )
        guest.files[agent.LOOPBACK] = 'unknown'
        asked = guest.agent()
        self.assertIsNone(asked.find(FILE, agent.LOOPBACK))
        guest.files[FILE] = 'bond0'
        self.assertRaises(errors.Denied, asked.find, FILE, FILE)


class TestPrograms(testtools.TestCase):
    def test_a_program_is_run_with_its_arguments_as_they_are(self) -> None:
        guest = fakes.Guest()
        guest.programs['/sbin/ip'] = (3, 'no; such $(device)')
        ended = guest.agent().run(['/sbin/ip', 'link', 'show', '; reboot'])
        self.assertEqual(
            (3, b'no; such $(device)'), (ended.status, ended.output)
        )
        self.assertEqual([['/sbin/ip', 'link', 'show', '; reboot']], guest.ran)

    def test_one_that_does_not_end_is_left(self) -> None:
        guest = fakes.Guest()
        guest.said['guest-exec-status'] = {'return': {'exited': False}}
        error = self.assertRaises(
            errors.GuestError, guest.agent(5.0).run, ['/sbin/ip']
        )
        self.assertIn('no time left', str(error))
        self.assertLess(guest.now, 6.0)


class TestTime(testtools.TestCase):
    def test_a_slow_agent_is_not_asked_again_and_again(self) -> None:
        guest = fakes.Guest()
        guest.seconds = 4.0
        asked = guest.agent(10.0)
        asked.interfaces()
        asked.interfaces()
        self.assertRaises(errors.GuestError, asked.interfaces)
        self.assertEqual(3, len(guest.asked))
