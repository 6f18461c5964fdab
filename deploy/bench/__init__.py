"""`attendance bench`: every figure of docs/performance.md, measured on the machine at hand."""
