-- +goose Up
-- modify "individuals" table
ALTER TABLE "individuals" ADD COLUMN "whole" bigint NOT NULL DEFAULT 0, ADD COLUMN "decided" boolean NOT NULL DEFAULT false, ADD COLUMN "lapses_at" timestamptz NULL;
-- until now nobody could decide, so what covers a person has always covered them
UPDATE "individuals" SET "whole" = "permitted";
-- create index "individual_lapses_at" to table: "individuals"
CREATE INDEX "individual_lapses_at" ON "individuals" ("lapses_at") WHERE (lapses_at IS NOT NULL);
-- modify "purposes" table
ALTER TABLE "purposes" ADD COLUMN "inverted" boolean NOT NULL DEFAULT false;
-- create "access_entries" table
CREATE TABLE "access_entries" ("id" uuid NOT NULL, "individual_id" uuid NOT NULL, "purpose_id" uuid NOT NULL, "subject" character varying NOT NULL, "operation" character varying NOT NULL, "read_at" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- create index "accessentry_individual_id_read_at_id" to table: "access_entries"
CREATE INDEX "accessentry_individual_id_read_at_id" ON "access_entries" ("individual_id", "read_at", "id");
-- create "consents" table
CREATE TABLE "consents" ("id" uuid NOT NULL, "owner" uuid NOT NULL, "sequence" bigint NOT NULL, "covers" jsonb NULL, "decision" smallint NOT NULL, "effective_at" timestamptz NOT NULL, "recorded_at" timestamptz NOT NULL, "expires_at" timestamptz NULL, "source" character varying NOT NULL, "method" character varying NOT NULL, "policy_version" character varying NOT NULL DEFAULT '', "jurisdiction" character varying NOT NULL DEFAULT '', "evidence" text NOT NULL DEFAULT '', "hash" character varying NOT NULL, "previous_hash" character varying NOT NULL, "individual_id" uuid NOT NULL, "purpose_id" uuid NOT NULL, PRIMARY KEY ("id"));
-- create index "consent_individual_id_owner_sequence" to table: "consents"
CREATE UNIQUE INDEX "consent_individual_id_owner_sequence" ON "consents" ("individual_id", "owner", "sequence");
-- create index "consent_individual_id_recorded_at_id" to table: "consents"
CREATE INDEX "consent_individual_id_recorded_at_id" ON "consents" ("individual_id", "recorded_at", "id");
-- create "ledgers" table
CREATE TABLE "ledgers" ("id" uuid NOT NULL, "length" bigint NOT NULL, "last" uuid NOT NULL, "hash" character varying NOT NULL, "individual_id" uuid NOT NULL, PRIMARY KEY ("id"));
-- create index "ledger_individual_id" to table: "ledgers"
CREATE INDEX "ledger_individual_id" ON "ledgers" ("individual_id");
-- create "purpose_versions" table
CREATE TABLE "purpose_versions" ("id" uuid NOT NULL, "at" timestamptz NOT NULL, "legal_basis" character varying NOT NULL, "retroactive" boolean NOT NULL, "purpose_id" uuid NOT NULL, PRIMARY KEY ("id"));
-- create index "purposeversion_purpose_id_at" to table: "purpose_versions"
CREATE UNIQUE INDEX "purposeversion_purpose_id_at" ON "purpose_versions" ("purpose_id", "at");
-- create "requests" table
CREATE TABLE "requests" ("id" uuid NOT NULL, "individual_id" uuid NULL, "kind" character varying NOT NULL, "requested_by" character varying NOT NULL, "requested_at" timestamptz NOT NULL, "completed_at" timestamptz NULL, "digest" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- create index "request_individual_id" to table: "requests"
CREATE INDEX "request_individual_id" ON "requests" ("individual_id");
-- create index "request_requested_at_id" to table: "requests"
CREATE INDEX "request_requested_at_id" ON "requests" ("requested_at", "id");
-- create "suppressions" table
CREATE TABLE "suppressions" ("id" uuid NOT NULL, "since" timestamptz NOT NULL, PRIMARY KEY ("id"));

-- +goose Down
-- reverse: create "suppressions" table
DROP TABLE "suppressions";
-- reverse: create index "request_requested_at_id" to table: "requests"
DROP INDEX "request_requested_at_id";
-- reverse: create index "request_individual_id" to table: "requests"
DROP INDEX "request_individual_id";
-- reverse: create "requests" table
DROP TABLE "requests";
-- reverse: create index "purposeversion_purpose_id_at" to table: "purpose_versions"
DROP INDEX "purposeversion_purpose_id_at";
-- reverse: create "purpose_versions" table
DROP TABLE "purpose_versions";
-- reverse: create index "ledger_individual_id" to table: "ledgers"
DROP INDEX "ledger_individual_id";
-- reverse: create "ledgers" table
DROP TABLE "ledgers";
-- reverse: create index "consent_individual_id_recorded_at_id" to table: "consents"
DROP INDEX "consent_individual_id_recorded_at_id";
-- reverse: create index "consent_individual_id_owner_sequence" to table: "consents"
DROP INDEX "consent_individual_id_owner_sequence";
-- reverse: create "consents" table
DROP TABLE "consents";
-- reverse: create index "accessentry_individual_id_read_at_id" to table: "access_entries"
DROP INDEX "accessentry_individual_id_read_at_id";
-- reverse: create "access_entries" table
DROP TABLE "access_entries";
-- reverse: modify "purposes" table
ALTER TABLE "purposes" DROP COLUMN "inverted";
-- reverse: create index "individual_lapses_at" to table: "individuals"
DROP INDEX "individual_lapses_at";
-- reverse: modify "individuals" table
ALTER TABLE "individuals" DROP COLUMN "lapses_at", DROP COLUMN "decided", DROP COLUMN "whole";
