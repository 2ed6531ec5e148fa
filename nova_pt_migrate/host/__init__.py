# SPDX-License-Identifier: Apache-2.0
"""The compute host: libvirt domains and their devices."""
