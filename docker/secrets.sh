#!/bin/sh
# Makes the secrets of this installation once, and from passwords the URLs that hold them. Each folder
# is a volume that only those who need it mount, so the files may be read by any user in there.
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
# The owner's address, for `migrate` and the commands, and one for each process; docker/roles.sh makes
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
