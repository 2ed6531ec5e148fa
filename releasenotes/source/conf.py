# SPDX-License-Identifier: Apache-2.0
"""How Sphinx builds the release notes."""

project = 'nova-pt-migrate release notes'
copyright = 'nova-pt-migrate contributors'  # noqa: A001
extensions = ['openstackdocstheme', 'reno.sphinxext']
master_doc = 'index'
html_theme = 'openstackdocs'
html_theme_options = {'display_toc': False}
openstackdocs_auto_name = False
openstackdocs_auto_version = False
version = ''
release = ''
