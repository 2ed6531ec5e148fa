# SPDX-License-Identifier: Apache-2.0
"""Migrations that no thread of Nova looks after any more."""
