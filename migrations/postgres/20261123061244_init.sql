-- +goose Up
-- create "individuals" table
CREATE TABLE "individuals" ("id" uuid NOT NULL, "first_seen_at" timestamptz NOT NULL, "last_seen_at" timestamptz NOT NULL, "acted" boolean NOT NULL DEFAULT false, "identified" boolean NOT NULL DEFAULT false, "contested" boolean NOT NULL DEFAULT false, "permitted" bigint NOT NULL, PRIMARY KEY ("id"));
-- create index "individual_first_seen_at_id" to table: "individuals"
CREATE INDEX "individual_first_seen_at_id" ON "individuals" ("first_seen_at", "id");
-- create index "individual_last_seen_at_id" to table: "individuals"
CREATE INDEX "individual_last_seen_at_id" ON "individuals" ("last_seen_at", "id");
-- create "interactions" table
CREATE TABLE "interactions" ("id" uuid NOT NULL, "owner" uuid NOT NULL, "stream" uuid NOT NULL, "message_id" character varying NOT NULL, "type" character varying NOT NULL, "direction" smallint NOT NULL, "occurred_at" timestamptz NOT NULL, "received_at" timestamptz NOT NULL, "value" double precision NULL, "currency" character varying NOT NULL DEFAULT '', "campaign" jsonb NULL, "properties" jsonb NULL, "identities" jsonb NULL, "permitted" bigint NOT NULL, "channel_id" uuid NOT NULL, "individual_id" uuid NOT NULL, "source_id" uuid NOT NULL, PRIMARY KEY ("id"));
-- create index "interaction_individual_id_occurred_at_id" to table: "interactions"
CREATE INDEX "interaction_individual_id_occurred_at_id" ON "interactions" ("individual_id", "occurred_at", "id");
-- create "purposes" table
CREATE TABLE "purposes" ("id" uuid NOT NULL, "key" character varying NOT NULL, "name" character varying NOT NULL, "description" character varying NOT NULL, "bit" smallint NOT NULL, "legal_basis" character varying NOT NULL, "retroactive" boolean NOT NULL DEFAULT false, "retention" bigint NOT NULL DEFAULT 0, "floor" bigint NOT NULL DEFAULT 10, "consent_mode" jsonb NULL, "tcf" jsonb NULL, "gpp" jsonb NULL, "categories" jsonb NULL, PRIMARY KEY ("id"));
-- create index "purposes_bit_key" to table: "purposes"
CREATE UNIQUE INDEX "purposes_bit_key" ON "purposes" ("bit");
-- create index "purposes_key_key" to table: "purposes"
CREATE UNIQUE INDEX "purposes_key_key" ON "purposes" ("key");
-- create "settings" table
CREATE TABLE "settings" ("id" character varying NOT NULL, "value" bytea NOT NULL, PRIMARY KEY ("id"));
-- create "identifiers" table
CREATE TABLE "identifiers" ("id" uuid NOT NULL, "kind" smallint NOT NULL, "value" character varying NOT NULL, "origin" uuid NOT NULL, "user_key" uuid NULL, "shared" boolean NOT NULL DEFAULT false, "first_seen_at" timestamptz NOT NULL, "last_seen_at" timestamptz NOT NULL, "first_acted_at" timestamptz NULL, "last_acted_at" timestamptz NULL, "individual_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "identifiers_individuals_identifiers" FOREIGN KEY ("individual_id") REFERENCES "individuals" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- create index "identifier_individual_id" to table: "identifiers"
CREATE INDEX "identifier_individual_id" ON "identifiers" ("individual_id");
-- create index "identifiers_origin_key" to table: "identifiers"
CREATE UNIQUE INDEX "identifiers_origin_key" ON "identifiers" ("origin");
-- create "channels" table
CREATE TABLE "channels" ("id" uuid NOT NULL, "key" character varying NOT NULL, "name" character varying NOT NULL, "kind" character varying NOT NULL, PRIMARY KEY ("id"));
-- create index "channels_key_key" to table: "channels"
CREATE UNIQUE INDEX "channels_key_key" ON "channels" ("key");
-- create "sources" table
CREATE TABLE "sources" ("id" uuid NOT NULL, "name" character varying NOT NULL, "write_key_hash" bytea NULL, "session_timeout" bigint NOT NULL, "default_channel_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "sources_channels_sources" FOREIGN KEY ("default_channel_id") REFERENCES "channels" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- create index "sources_name_key" to table: "sources"
CREATE UNIQUE INDEX "sources_name_key" ON "sources" ("name");
-- create index "sources_write_key_hash_key" to table: "sources"
CREATE UNIQUE INDEX "sources_write_key_hash_key" ON "sources" ("write_key_hash");
-- create "identity_links" table
CREATE TABLE "identity_links" ("id" uuid NOT NULL, "a" uuid NOT NULL, "b" uuid NOT NULL, "operator" boolean NOT NULL DEFAULT false, "message_id" character varying NOT NULL DEFAULT '', "observed_at" timestamptz NOT NULL, "revoked_at" timestamptz NULL, "reason" character varying NOT NULL DEFAULT '', "source_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "identity_links_sources_links" FOREIGN KEY ("source_id") REFERENCES "sources" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- create index "identitylink_a" to table: "identity_links"
CREATE INDEX "identitylink_a" ON "identity_links" ("a");
-- create index "identitylink_b" to table: "identity_links"
CREATE INDEX "identitylink_b" ON "identity_links" ("b");
-- create "sessions" table
CREATE TABLE "sessions" ("id" uuid NOT NULL, "stream" uuid NOT NULL, "started_at" timestamptz NOT NULL, "ended_at" timestamptz NOT NULL, "interactions" bigint NOT NULL, "views" bigint NOT NULL, "conversions" bigint NOT NULL, "campaign" jsonb NULL, "channel_id" uuid NOT NULL, "individual_id" uuid NOT NULL, "source_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "sessions_channels_sessions" FOREIGN KEY ("channel_id") REFERENCES "channels" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "sessions_individuals_sessions" FOREIGN KEY ("individual_id") REFERENCES "individuals" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "sessions_sources_sessions" FOREIGN KEY ("source_id") REFERENCES "sources" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- create index "session_individual_id_started_at_id" to table: "sessions"
CREATE INDEX "session_individual_id_started_at_id" ON "sessions" ("individual_id", "started_at", "id");
-- create "traits" table
CREATE TABLE "traits" ("id" uuid NOT NULL, "owner" uuid NOT NULL, "key" character varying NOT NULL, "value" jsonb NOT NULL, "provenance" smallint NOT NULL, "confidence" double precision NOT NULL, "sensitivity" smallint NOT NULL, "observed_at" timestamptz NOT NULL, "observation" uuid NOT NULL, "individual_id" uuid NOT NULL, "source_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "traits_individuals_traits" FOREIGN KEY ("individual_id") REFERENCES "individuals" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "traits_sources_traits" FOREIGN KEY ("source_id") REFERENCES "sources" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- create index "trait_individual_id_key" to table: "traits"
CREATE INDEX "trait_individual_id_key" ON "traits" ("individual_id", "key");

-- +goose Down
-- reverse: create index "trait_individual_id_key" to table: "traits"
DROP INDEX "trait_individual_id_key";
-- reverse: create "traits" table
DROP TABLE "traits";
-- reverse: create index "session_individual_id_started_at_id" to table: "sessions"
DROP INDEX "session_individual_id_started_at_id";
-- reverse: create "sessions" table
DROP TABLE "sessions";
-- reverse: create index "identitylink_b" to table: "identity_links"
DROP INDEX "identitylink_b";
-- reverse: create index "identitylink_a" to table: "identity_links"
DROP INDEX "identitylink_a";
-- reverse: create "identity_links" table
DROP TABLE "identity_links";
-- reverse: create index "sources_write_key_hash_key" to table: "sources"
DROP INDEX "sources_write_key_hash_key";
-- reverse: create index "sources_name_key" to table: "sources"
DROP INDEX "sources_name_key";
-- reverse: create "sources" table
DROP TABLE "sources";
-- reverse: create index "channels_key_key" to table: "channels"
DROP INDEX "channels_key_key";
-- reverse: create "channels" table
DROP TABLE "channels";
-- reverse: create index "identifiers_origin_key" to table: "identifiers"
DROP INDEX "identifiers_origin_key";
-- reverse: create index "identifier_individual_id" to table: "identifiers"
DROP INDEX "identifier_individual_id";
-- reverse: create "identifiers" table
DROP TABLE "identifiers";
-- reverse: create "settings" table
DROP TABLE "settings";
-- reverse: create index "purposes_key_key" to table: "purposes"
DROP INDEX "purposes_key_key";
-- reverse: create index "purposes_bit_key" to table: "purposes"
DROP INDEX "purposes_bit_key";
-- reverse: create "purposes" table
DROP TABLE "purposes";
-- reverse: create index "interaction_individual_id_occurred_at_id" to table: "interactions"
DROP INDEX "interaction_individual_id_occurred_at_id";
-- reverse: create "interactions" table
DROP TABLE "interactions";
-- reverse: create index "individual_last_seen_at_id" to table: "individuals"
DROP INDEX "individual_last_seen_at_id";
-- reverse: create index "individual_first_seen_at_id" to table: "individuals"
DROP INDEX "individual_first_seen_at_id";
-- reverse: create "individuals" table
DROP TABLE "individuals";
