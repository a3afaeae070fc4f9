-- +goose Up
-- add column "look_at" to table: "individuals"
ALTER TABLE `individuals` ADD COLUMN `look_at` datetime NULL;
-- create index "individual_look_at" to table: "individuals"
CREATE INDEX `individual_look_at` ON `individuals` (`look_at`) WHERE look_at IS NOT NULL;
-- create "decisions" table
CREATE TABLE `decisions` (`id` uuid NOT NULL, `individual_id` uuid NOT NULL, `owner` uuid NOT NULL, `experience_id` uuid NOT NULL, `variant` text NOT NULL DEFAULT (''), `decided_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "decision_individual_id_experience_id_decided_at" to table: "decisions"
CREATE INDEX `decision_individual_id_experience_id_decided_at` ON `decisions` (`individual_id`, `experience_id`, `decided_at`);
-- create index "decision_experience_id_individual_id" to table: "decisions"
CREATE INDEX `decision_experience_id_individual_id` ON `decisions` (`experience_id`, `individual_id`);
-- create "deliveries" table
CREATE TABLE `deliveries` (`id` uuid NOT NULL, `individual_id` uuid NOT NULL, `destination_id` uuid NOT NULL, `change_id` uuid NOT NULL, `membership_id` uuid NOT NULL, `sequence` integer NOT NULL, `state` integer NOT NULL, `attempts` integer NOT NULL DEFAULT (0), `next_attempt_at` datetime NULL, `leased_until` datetime NULL, `status` integer NOT NULL DEFAULT (0), `error` text NOT NULL DEFAULT (''), `created_at` datetime NOT NULL, `attempted_at` datetime NULL, PRIMARY KEY (`id`));
-- create index "delivery_destination_id_next_attempt_at" to table: "deliveries"
CREATE INDEX `delivery_destination_id_next_attempt_at` ON `deliveries` (`destination_id`, `next_attempt_at`);
-- create index "delivery_individual_id_destination_id_sequence" to table: "deliveries"
CREATE INDEX `delivery_individual_id_destination_id_sequence` ON `deliveries` (`individual_id`, `destination_id`, `sequence`);
-- create index "delivery_destination_id_id" to table: "deliveries"
CREATE INDEX `delivery_destination_id_id` ON `deliveries` (`destination_id`, `id`);
-- create "destinations" table
CREATE TABLE `destinations` (`id` uuid NOT NULL, `name` text NOT NULL, `url` text NOT NULL, `purpose_id` uuid NOT NULL, `segments` text NULL, `traits` text NULL, `secret` text NOT NULL, `retired_secret` text NOT NULL DEFAULT (''), `retired_until` datetime NULL, `created_at` datetime NOT NULL, `failing_since` datetime NULL, `succeeded_at` datetime NULL, `disabled_at` datetime NULL, `disabled_because` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create "experiences" table
CREATE TABLE `experiences` (`id` uuid NOT NULL, `key` text NOT NULL, `name` text NOT NULL, `description` text NOT NULL DEFAULT (''), `purpose_id` uuid NOT NULL, `salt` text NOT NULL, `holdout` real NOT NULL, `variants` text NOT NULL, `cap_count` integer NOT NULL DEFAULT (0), `cap_per` integer NOT NULL DEFAULT (0), `archived` bool NOT NULL DEFAULT (false), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "experiences_key_key" to table: "experiences"
CREATE UNIQUE INDEX `experiences_key_key` ON `experiences` (`key`);
-- create "memberships" table
CREATE TABLE `memberships` (`id` uuid NOT NULL, `individual_id` uuid NOT NULL, `segment_id` uuid NOT NULL, `entered_at` datetime NOT NULL, `exited_at` datetime NULL, `since_edition` integer NOT NULL, `until_edition` integer NULL, `announced` bool NOT NULL, PRIMARY KEY (`id`));
-- create index "membership_individual_id_segment_id" to table: "memberships"
CREATE INDEX `membership_individual_id_segment_id` ON `memberships` (`individual_id`, `segment_id`);
-- create index "membership_segment_id_entered_at_id" to table: "memberships"
CREATE INDEX `membership_segment_id_entered_at_id` ON `memberships` (`segment_id`, `entered_at`, `id`) WHERE exited_at IS NULL;
-- create index "membership_unannounced" to table: "memberships"
CREATE INDEX `membership_unannounced` ON `memberships` (`segment_id`, `id`) WHERE (exited_at IS NULL) AND ((NOT announced) OR (until_edition IS NOT NULL));
-- create "membership_changes" table
CREATE TABLE `membership_changes` (`id` uuid NOT NULL, `sequence` integer NOT NULL, `individual_id` uuid NOT NULL, `segment_id` uuid NOT NULL, `membership_id` uuid NOT NULL, `entered` bool NOT NULL, `at` datetime NOT NULL, `recorded_at` datetime NOT NULL, `because` text NOT NULL, PRIMARY KEY (`id`));
-- create index "membershipchange_sequence" to table: "membership_changes"
CREATE INDEX `membershipchange_sequence` ON `membership_changes` (`sequence`);
-- create index "membershipchange_segment_id_sequence" to table: "membership_changes"
CREATE INDEX `membershipchange_segment_id_sequence` ON `membership_changes` (`segment_id`, `sequence`);
-- create index "membershipchange_individual_id_sequence" to table: "membership_changes"
CREATE INDEX `membershipchange_individual_id_sequence` ON `membership_changes` (`individual_id`, `sequence`);
-- create index "membershipchange_recorded_at" to table: "membership_changes"
CREATE INDEX `membershipchange_recorded_at` ON `membership_changes` (`recorded_at`);
-- create "segments" table
CREATE TABLE `segments` (`id` uuid NOT NULL, `key` text NOT NULL, `name` text NOT NULL, `description` text NOT NULL DEFAULT (''), `purpose_id` uuid NOT NULL, `version` integer NOT NULL, `rule` text NOT NULL, `min_confidence` real NOT NULL DEFAULT (0), `archived` bool NOT NULL DEFAULT (false), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `edition` integer NOT NULL DEFAULT (0), `live_at` datetime NULL, `live_rule` text NOT NULL DEFAULT (''), `live_min_confidence` real NOT NULL DEFAULT (0), `live_models` text NOT NULL DEFAULT (''), `announced` bool NOT NULL DEFAULT (true), `drafting` bool NOT NULL DEFAULT (false), `draft_models` text NOT NULL DEFAULT (''), `draft_through` uuid NULL, `draft_seen` integer NOT NULL DEFAULT (0), `draft_total` integer NOT NULL DEFAULT (0), PRIMARY KEY (`id`));
-- create index "segments_key_key" to table: "segments"
CREATE UNIQUE INDEX `segments_key_key` ON `segments` (`key`);

-- +goose Down
-- reverse: create index "segments_key_key" to table: "segments"
DROP INDEX `segments_key_key`;
-- reverse: create "segments" table
DROP TABLE `segments`;
-- reverse: create index "membershipchange_recorded_at" to table: "membership_changes"
DROP INDEX `membershipchange_recorded_at`;
-- reverse: create index "membershipchange_individual_id_sequence" to table: "membership_changes"
DROP INDEX `membershipchange_individual_id_sequence`;
-- reverse: create index "membershipchange_segment_id_sequence" to table: "membership_changes"
DROP INDEX `membershipchange_segment_id_sequence`;
-- reverse: create index "membershipchange_sequence" to table: "membership_changes"
DROP INDEX `membershipchange_sequence`;
-- reverse: create "membership_changes" table
DROP TABLE `membership_changes`;
-- reverse: create index "membership_unannounced" to table: "memberships"
DROP INDEX `membership_unannounced`;
-- reverse: create index "membership_segment_id_entered_at_id" to table: "memberships"
DROP INDEX `membership_segment_id_entered_at_id`;
-- reverse: create index "membership_individual_id_segment_id" to table: "memberships"
DROP INDEX `membership_individual_id_segment_id`;
-- reverse: create "memberships" table
DROP TABLE `memberships`;
-- reverse: create index "experiences_key_key" to table: "experiences"
DROP INDEX `experiences_key_key`;
-- reverse: create "experiences" table
DROP TABLE `experiences`;
-- reverse: create "destinations" table
DROP TABLE `destinations`;
-- reverse: create index "delivery_destination_id_id" to table: "deliveries"
DROP INDEX `delivery_destination_id_id`;
-- reverse: create index "delivery_individual_id_destination_id_sequence" to table: "deliveries"
DROP INDEX `delivery_individual_id_destination_id_sequence`;
-- reverse: create index "delivery_destination_id_next_attempt_at" to table: "deliveries"
DROP INDEX `delivery_destination_id_next_attempt_at`;
-- reverse: create "deliveries" table
DROP TABLE `deliveries`;
-- reverse: create index "decision_experience_id_individual_id" to table: "decisions"
DROP INDEX `decision_experience_id_individual_id`;
-- reverse: create index "decision_individual_id_experience_id_decided_at" to table: "decisions"
DROP INDEX `decision_individual_id_experience_id_decided_at`;
-- reverse: create "decisions" table
DROP TABLE `decisions`;
-- reverse: create index "individual_look_at" to table: "individuals"
DROP INDEX `individual_look_at`;
-- reverse: add column "look_at" to table: "individuals"
ALTER TABLE `individuals` DROP COLUMN `look_at`;
