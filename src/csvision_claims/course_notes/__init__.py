"""The claims of the course notes, one file each."""
