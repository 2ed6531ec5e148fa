# SPDX-License-Identifier: Apache-2.0
"""Pages, tables and drawings of a run."""
