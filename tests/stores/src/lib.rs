//! Nothing: the test target `stores` is what this package is for. `tests/stores/run.sh` runs it.
