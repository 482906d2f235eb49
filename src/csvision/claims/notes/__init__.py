"""The claims of the notes, one file each, named by the claim's number; each has a CLAIM."""
