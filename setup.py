# SPDX-License-Identifier: Apache-2.0
"""Kept for tools that still call it; all is in pyproject.toml."""

import setuptools

setuptools.setup(setup_requires=['pbr>=7.0.0'], pbr=True)
