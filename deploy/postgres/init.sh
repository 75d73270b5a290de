#!/bin/sh
# Run once by the image of PostgreSQL, when its data are new: makes the hub's two roles.
set -eu
here=${ROLES:-/docker-entrypoint-initdb.d/roles}
secrets=${SECRETS:-/run/secrets}

as_superuser() {
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB"
}

as_superuser < "$here/roles.sql"
for role in owner service; do
    # By stdin: a command line can be read by every process beside this one.
    printf "ALTER ROLE hub_%s PASSWORD '%s';\n" "$role" "$(cat "$secrets/${role}_password")" | as_superuser
done
