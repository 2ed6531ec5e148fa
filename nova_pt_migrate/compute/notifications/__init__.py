# SPDX-License-Identifier: Apache-2.0
"""What is told of a migration: log, instance actions, notifications."""
