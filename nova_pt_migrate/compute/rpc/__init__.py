# SPDX-License-Identifier: Apache-2.0
"""The endpoint for other hosts and the command. Nothing is here yet."""
