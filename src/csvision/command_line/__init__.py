"""Between the shell and csvision's functions: arguments in, one line an error, exit codes out."""
