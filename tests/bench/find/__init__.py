"""Parts of bench_find.py: records, stores, what is asked of them, what else could be asked, and the table."""
