"""Provides Postgres and RabbitMQ for the demo, the tests and the benchmarks.

Uses only the standard library, because it runs before anything is installed.
"""
