"""Look inside a trained run: analyses as arrays and dataclasses, and a page that draws them."""
