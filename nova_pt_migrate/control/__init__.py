# SPDX-License-Identifier: Apache-2.0
"""Cells, and the client of the hosts' endpoint. Nothing is here yet."""
