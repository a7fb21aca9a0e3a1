#!/bin/sh
# Generates the secrets of this installation once, and the URLs that contain them. Each folder is a
# volume, mounted only by the containers that need it, so any user in them may read the files.
set -eu
umask 022
cd "${1:-/secrets}"

password() { # file
    if [ ! -s "$1" ]; then
        od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' > "$1.new"
        mv "$1.new" "$1"
        echo "made $1" >&2
    fi
    cat "$1"
}

password postgres/password > /dev/null
rabbitmq=$(password rabbitmq/password)
# Of a cluster (deploy/compose.cluster.yml): the cookie of its nodes, and the role of the replica.
password rabbitmq/cookie > /dev/null
password roles/replica > /dev/null
password unsubscribe/secret > /dev/null
password return/secret > /dev/null
# The secrets before them, while they are changed: none.
touch unsubscribe/old return/old

cat > rabbitmq/rabbitmq.conf <<CONF
default_user = ledgerpost
default_pass = $rabbitmq
default_vhost = ledgerpost
CONF
# The URL of the owner, for `migrate` and the commands, and one for each process; docker/roles.sh creates
# the roles.
for role in owner api relay mailer ledger; do
    password "roles/$role" > /dev/null
done
url() { # role, host
    echo "postgresql://lp_$1:$(cat "roles/$1")@${2:-postgres}:5432/ledgerpost"
}
url owner > database/url
for role in api relay mailer; do
    url "$role" > "$role-database/url"
done
url api postgres-replica > api-database/replica-url
echo "amqp://ledgerpost:$rabbitmq@${RABBITMQ_HOSTS:-rabbitmq:5672}/ledgerpost" > amqp/url
