"""A fuzzer guided by coverage for every reader of files, what it starts from and what it found."""
