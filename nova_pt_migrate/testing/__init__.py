# SPDX-License-Identifier: Apache-2.0
"""Fakes and contract suites, for us and for authors of plug-ins.

:mod:`fixture`
    A libvirt double on top of Nova's own test fixture: hot-plug, events,
    live and persistent XML and migration behave as those of libvirt 11.3 did
    with QEMU 10.0. Start there.
:mod:`guests`
    How the guest answers a request to release a device.
:mod:`calls`, :mod:`faults`
    What was called, and what shall go wrong at which call.
:mod:`clock`
    Real time, or a virtual one that passes only while somebody waits.
:mod:`contract`, :mod:`carrier_contract`, :mod:`state_contract`
    What the double and a real libvirt both must do.
:mod:`pairing_contract`, :mod:`network_contract`
    What every pairing, and every plug-in of a guest's network manager, must
    keep to; for authors of plug-ins, and nothing of Nova is imported.
:mod:`views`
    Pairs as a pairing is shown them.

The double imports Nova's test fixtures, which choose between threads and
eventlet: set ``OS_NOVA_DISABLE_EVENTLET_PATCHING=True`` and import
``nova.tests.functional`` before anything else of Nova.
"""
