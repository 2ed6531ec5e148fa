# SPDX-License-Identifier: Apache-2.0
"""How Sphinx builds the documents."""

import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE / '_exts'), str(HERE.parents[1])]

project = 'nova-pt-migrate'
copyright = 'nova-pt-migrate contributors'  # noqa: A001
extensions = [
    'openstackdocstheme',
    'oslo_config.sphinxconfiggen',
    'oslo_config.sphinxext',
    'pt_migrate_pictures',
    'pt_migrate_tables',
]
master_doc = 'index'
html_theme = 'openstackdocs'
openstackdocs_auto_name = False
config_generator_config_file = (
    '../../etc/nova-pt-migrate/config-generator.conf'
)
sample_config_basename = '_static/nova-pt-migrate'
