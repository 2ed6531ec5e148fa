# SPDX-License-Identifier: Apache-2.0
"""The closed network, and what is put into it."""
