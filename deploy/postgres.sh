#!/bin/sh
# The role and the database of forestall, made once with the cluster: an ordinary role, so that
# row-level security binds it (docs/operations.md, "PostgreSQL").
set -eu
psql --username postgres --set=password="$DATABASE_PASSWORD" <<'SQL'
CREATE ROLE forestall LOGIN PASSWORD :'password';
CREATE DATABASE forestall OWNER forestall ENCODING 'UTF8' TEMPLATE template0;
SQL
