"""What benchmarks.text_core and benchmarks.training share: texts, processes of their own, peers, rows."""
