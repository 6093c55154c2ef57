"""The book of executed lessons. Its pages need no network: no remote scripts, styles or fonts, formulas as pictures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "facelab"
author = "the facelab authors"
html_title = "facelab: give faces back"

extensions = ["myst_nb", "formulas"]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the lessons were run, and their runs judged, before they came here
nb_ipywidgets_js = {}  # the labs' pictures stay; the scripts behind live sliders would come from the network
nb_merge_streams = True

html_theme = "sphinx_book_theme"
html_static_path = ["static"]
html_css_files = ["book.css"]
html_math_renderer = "formulas"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "use_issues_button": False,
    "use_repository_button": False,
    "show_toc_level": 2,
}
suppress_warnings = ["mystnb.unknown_mime_type", "myst.xref_missing"]
