-- Row-level security exists on PostgreSQL only; the migrations of both have the same names.
SELECT 1;
