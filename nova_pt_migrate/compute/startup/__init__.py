# SPDX-License-Identifier: Apache-2.0
"""Options, plug-ins and checks, before the service is there."""
