-- +goose Up
-- drop index "membershipchange_sequence" from table: "membership_changes"
DROP INDEX `membershipchange_sequence`;

-- +goose Down
-- reverse: drop index "membershipchange_sequence" from table: "membership_changes"
CREATE INDEX `membershipchange_sequence` ON `membership_changes` (`sequence`);
