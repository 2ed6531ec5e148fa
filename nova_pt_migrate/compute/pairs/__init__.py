# SPDX-License-Identifier: Apache-2.0
"""From Nova's VIFs and the operator's options to the pairs of a server."""
