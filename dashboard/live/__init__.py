"""The live board: who comes, who is in, who is late."""
