# SPDX-License-Identifier: Apache-2.0
"""Each way of making a bond in the guest of each network manager.

It needs no OpenStack and no nested virtualisation: a guest is a plain QEMU
machine whose agent and devices the lab itself speaks to.
"""
