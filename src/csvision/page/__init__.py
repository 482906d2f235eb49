"""Pieces that pages share, also those of other packages: style, charts as SVG, numbers."""
