"""Colour tables: matplotlib's names of colours, used in captions of scenes."""

from matplotlib.colors import CSS4_COLORS, TABLEAU_COLORS, XKCD_COLORS

COLOR_TABLES = (TABLEAU_COLORS, CSS4_COLORS, XKCD_COLORS)  # of object, spotlight, background
