# SPDX-License-Identifier: Apache-2.0
"""Collect what hosts, guests, Nova and the wire tell."""
