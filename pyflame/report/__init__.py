"""How tensors, layouts, graphs and results look in a notebook, and as drawings.

Every object shows itself; `tiles` and `graph_drawing` give drawings to keep.
"""

from pyflame.report.drawing import Drawing as Drawing
from pyflame.report.graphs import graph_drawing as graph_drawing
from pyflame.report.html import html_of as html_of
from pyflame.report.mesh import tiles as tiles
