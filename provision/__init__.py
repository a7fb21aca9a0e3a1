"""Postgres and RabbitMQ for the demo, the tests and the benchmarks, from whatever the machine has.

Standard library only: it runs before anything is installed.
"""
