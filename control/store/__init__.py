"""SQL, one file per aggregate, as named functions that answer a question. asyncpg is imported nowhere else."""
