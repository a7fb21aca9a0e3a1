#!/bin/sh
# Starts a node of the cluster. RabbitMQ takes the cookie only from a file that nobody else may read.
set -eu
cookie=/var/lib/rabbitmq/.erlang.cookie
rm -f "$cookie"
(umask 377 && cat /run/secrets/rabbitmq/cookie > "$cookie")
exec docker-entrypoint.sh rabbitmq-server
