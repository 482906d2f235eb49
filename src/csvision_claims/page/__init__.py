"""The claims page and the table in docs/claims.md, rendered from recorded claims."""
