# SPDX-License-Identifier: Apache-2.0
"""Those in the lab run where only what nova-compute needs is installed."""
