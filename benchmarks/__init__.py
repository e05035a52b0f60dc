"""Programs that measure, run by `make bench`; docs/benchmarks.md holds their last results."""
