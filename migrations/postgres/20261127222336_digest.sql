-- +goose Up
-- modify "individuals" table
ALTER TABLE "individuals" ADD COLUMN "digest" bytea NULL;
-- create index "individual_without_digest" to table: "individuals"
CREATE INDEX "individual_without_digest" ON "individuals" ("id") WHERE (digest IS NULL);

-- +goose Down
-- reverse: create index "individual_without_digest" to table: "individuals"
DROP INDEX "individual_without_digest";
-- reverse: modify "individuals" table
ALTER TABLE "individuals" DROP COLUMN "digest";
