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
password unsubscribe/secret > /dev/null

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
url() { # role
    echo "postgresql://lp_$1:$(cat "roles/$1")@postgres:5432/ledgerpost"
}
url owner > database/url
for role in api relay mailer; do
    url "$role" > "$role-database/url"
done
echo "amqp://ledgerpost:$rabbitmq@rabbitmq:5672/ledgerpost" > amqp/url
