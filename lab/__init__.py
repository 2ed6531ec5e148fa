# SPDX-License-Identifier: Apache-2.0
"""Two compute hosts with emulated SR-IOV and a whole OpenStack, closed."""
