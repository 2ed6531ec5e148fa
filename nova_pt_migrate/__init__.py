# SPDX-License-Identifier: Apache-2.0
"""Live migration of Nova servers with pass-through devices."""
