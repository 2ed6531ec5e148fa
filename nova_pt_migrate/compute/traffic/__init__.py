# SPDX-License-Identifier: Apache-2.0
"""Who carries the traffic of a pair: the host's side and the guest's."""
