"""A sphinx extension that draws formulas as SVG with matplotlib, so that a page needs neither LaTeX nor a script.

Each line of an aligned block is drawn by itself. A formula that cannot be drawn is shown as its source, with a warning.
"""

from __future__ import annotations

import base64
import html
import io
import re
from functools import lru_cache

import matplotlib
from docutils import nodes
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image
from sphinx.util import logging

POINTS = 12  # the size of the text around
ENVIRONMENT = re.compile(r"\\(begin|end)\{(aligned|align|split|gather|gathered|equation|multline)\*?\}")
SAME = {  # what the drawing library lacks, in its own words
    r"\\[lr]Vert": r"\\|",
    r"\\[lr]vert": "|",
    r"\\[td]frac": r"\\frac",
    r"\\operatorname\*": r"\\operatorname",
    r"\\lbrace": r"\\{",
    r"\\rbrace": r"\\}",
    r"\\(?:nonumber|notag|displaystyle|limits)(?![a-zA-Z])": "",
    r"\\(?:tag|label)\{[^}]*\}": "",
    r"\\[Bb]igg?[lrm]?(?=[\W_]|\\)": "",
    r"\\colon(?![a-zA-Z])": ":",
    r"\\mid(?![a-zA-Z])": r"\\,|\\,",
    r"\\coloneqq(?![a-zA-Z])": r":=",
    r"(?<!\\)&": "",
}


def rows(latex: str) -> list[str]:
    """The lines of a formula, in words the drawing library knows."""
    text = ENVIRONMENT.sub("", latex)
    for old, new in SAME.items():
        text = re.sub(old, new, text)
    return [" ".join(row.split()) for row in re.split(r"\\\\(?:\[[^\]]*\])?", text) if row.strip()]


@lru_cache(maxsize=4096)
def draw(row: str, points: float = POINTS) -> str:
    """One line as an ``<img>`` that carries its own SVG and stands on the baseline of the text.

    Raises:
        ValueError: the drawing library does not know a command.
    """
    target = io.BytesIO()
    with matplotlib.rc_context({"mathtext.fontset": "cm", "svg.fonttype": "path", "svg.hashsalt": "facelab"}):
        depth = math_to_image(f"${row}$", target, prop=FontProperties(size=points), dpi=72, format="svg")
    picture = base64.b64encode(target.getvalue()).decode()
    style = f"vertical-align:-{float(depth):.1f}pt"
    return f'<img class="formula" alt="{html.escape(row)}" style="{style}" src="data:image/svg+xml;base64,{picture}"/>'


def formula(self, latex: str, node: nodes.Node, points: float) -> str:
    """All lines of a formula, or its source where one cannot be drawn."""
    try:
        return "".join(draw(row, points) for row in rows(latex))
    except ValueError as error:
        reason = str(error).strip().splitlines()[-1]
        logging.getLogger(__name__).warning("formula not drawn (%s): %s", reason, latex, location=node)
        return f'<code class="formula">{html.escape(latex)}</code>'


def inline(self, node: nodes.math) -> None:
    """A formula within a line of text."""
    self.body.append(formula(self, node.astext(), node, POINTS))
    raise nodes.SkipNode


def block(self, node: nodes.math_block) -> None:
    """A formula by itself."""
    self.body.append(self.starttag(node, "div", CLASS="formula"))
    self.body.append(formula(self, node.astext(), node, POINTS * 1.1) + "</div>")
    raise nodes.SkipNode


def setup(app) -> dict:
    """Offer the renderer to sphinx under the name ``formulas``."""
    app.add_html_math_renderer("formulas", (inline, None), (block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
