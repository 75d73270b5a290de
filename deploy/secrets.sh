#!/bin/sh
# Makes what compose.yaml reads from secrets/: each secret once, random, never overwritten. The folder is
# closed to everybody else; the files in it can be read by the accounts the containers run as.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
keep() {
    if [ ! -s "secrets/$1" ]; then
        printf '%s\n' "$2" > "secrets/$1"
        chmod 444 "secrets/$1"
        echo "secrets/$1"
    fi
}
of() { cat "secrets/$1"; }

keep secret_key "$(random)$(random)"
keep credentials_keys "$(head -c 32 /dev/urandom | base64 | tr '+/' '-_')"
for who in postgres owner service redis; do
    keep "${who}_password" "$(random)"
done
keep owner_database_url "postgresql://hub_owner:$(of owner_password)@postgres:5432/hub"
keep database_url "postgresql://hub_service:$(of service_password)@postgres:5432/hub"
keep redis_url "redis://:$(of redis_password)@valkey:6379/0"
keep valkey.conf "requirepass $(of redis_password)"
