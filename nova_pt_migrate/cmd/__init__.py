# SPDX-License-Identifier: Apache-2.0
"""The operator's command; imports no Nova. Nothing is here yet."""
