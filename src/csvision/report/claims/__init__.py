"""The page and the table of the claims, made from their records alone."""
