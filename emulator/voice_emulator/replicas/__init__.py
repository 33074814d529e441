"""Several replicas behave as one emulator: each tenant has one owner, and Valkey is the log, directory and lease."""
