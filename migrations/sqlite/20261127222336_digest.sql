-- +goose Up
-- add column "digest" to table: "individuals"
ALTER TABLE `individuals` ADD COLUMN `digest` blob NULL;
-- create index "individual_without_digest" to table: "individuals"
CREATE INDEX `individual_without_digest` ON `individuals` (`id`) WHERE digest IS NULL;

-- +goose Down
-- reverse: create index "individual_without_digest" to table: "individuals"
DROP INDEX `individual_without_digest`;
-- reverse: add column "digest" to table: "individuals"
ALTER TABLE `individuals` DROP COLUMN `digest`;
