# SPDX-License-Identifier: Apache-2.0
"""Pure: the figures of a run, and whether it was as it must be."""
