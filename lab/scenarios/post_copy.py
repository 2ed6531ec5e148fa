# SPDX-License-Identifier: Apache-2.0
"""A post-copy whose connection is cut, and whose halves are joined again."""

import json
import time

from lab.hosts import changes
from lab.scenarios import fault_cases
from lab.scenarios import fault_run

RUNS = 30.0
"""Seconds in post-copy until QEMU itself has what it uses of the memory.

One that waits for memory it does not get answers nobody, so that nothing can
join its half to the other.
"""
LOOKS = 45.0
"""Seconds in which nova-compute looks several times at what is unsettled."""
FIRST_PORT = 49152
"""Of those that QEMU takes migrations at (libvirt's qemu.conf)."""
PORT = FIRST_PORT - 1
MONITOR = '/var/lib/libvirt/qemu/domain-{}-'

_TELL = """
import ctypes, os, re, signal, socket, subprocess, sys
monitor, command = sys.argv[1:]
shown = subprocess.check_output(['ss', '-Hxp'], text=True).splitlines()
(peer,) = [line.split()[7] for line in shown
           if monitor in line and 'ESTAB' in line]
(line,) = [line for line in shown if line.split()[5] == peer]
pid, fd = map(int, re.search('pid=(\\d+),fd=(\\d+)', line).groups())
libvirtd = os.pidfd_open(pid)
signal.pidfd_send_signal(libvirtd, signal.SIGSTOP)
try:
    PIDFD_GETFD = 438
    got = ctypes.CDLL(None).syscall(PIDFD_GETFD, libvirtd, fd, 0)
    said = socket.socket(fileno=got)
    said.settimeout(120)
    said.sendall(command.encode())
    answer = b''
    while not re.search(rb'{"(return|error)".*\\n', answer):
        answer += said.recv(65536)
finally:
    signal.pidfd_send_signal(libvirtd, signal.SIGCONT)
if b'{"error"' in answer:
    sys.exit(answer.decode())
"""


def cut(case: fault_run.Case) -> None:
    """The two halves of a guest's memory lose each other.

    Nobody may end either. An operator joins them again.
    """
    with changes.post_copy(case.setup):
        case.start()
        case.copy_slowly()
        case.virsh(case.source, 'migrate-setspeed --postcopy --bandwidth 1')
        case.cloud('complete')
        case.until_state(case.destination, 'running (post-copy)')
        time.sleep(RUNS)
        case.on(
            case.source,
            f'ss -K dst {case.destination.address} dport ge {FIRST_PORT}',
        )
        # qemuMigrationDstPostcopyFailed leaves the guest running.
        broken = {
            case.source: 'paused (post-copy failed)',
            case.destination: 'running (post-copy failed)',
        }
        for host, state in broken.items():
            case.until_state(host, state)
        time.sleep(LOOKS)
        for host, state in broken.items():
            seen = case.virsh(host, 'domstate --reason').strip()
            case.check(f'{host.name} keeps its half', seen == state, seen)
        found, _ = case.collect()
        case.check(
            'it is not given up',
            found.task_state == 'migrating',
            str(found.task_state),
        )
        _join(case)
        fault_cases.wait_for_end(case)


def _join(case: fault_run.Case) -> None:
    """Let QEMU of both hosts go on; libvirt ends it when all is copied.

    That is what VIR_MIGRATE_POSTCOPY_RESUME does, of which libvirtd 11.2 and
    11.3 of a destination die: qemuMigrationDstPrepareResume has no descriptor
    for qemuProcessIncomingDefNew, which reads it.

    While a domain comes in libvirt lets nobody use its monitor, and libvirtd
    must not end either: QEMU tells the guest that its agent's channel is
    closed, and waits for the memory that it writes that to. So the monitor is
    used while libvirtd is held.
    """
    number = case.virsh(case.destination, 'domid').strip()
    listen = _command('migrate-recover', uri=f'tcp:0:{PORT}')
    case.on(
        case.destination,
        f"python3 - '{MONITOR.format(number)}' '{listen}' <<'END'\n{_TELL}END",
    )
    uri = f'tcp:{case.destination.address}:{PORT}'
    go_on = _command('migrate', uri=uri, resume=True)
    case.virsh(
        case.source, f"qemu-monitor-command --return-value --cmd '{go_on}'"
    )


def _command(name: str, **words: str | bool) -> str:
    return json.dumps({'execute': name, 'arguments': words})
