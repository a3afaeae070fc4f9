-- +goose Up
-- create "channels" table
CREATE TABLE `channels` (`id` uuid NOT NULL, `key` text NOT NULL, `name` text NOT NULL, `kind` text NOT NULL, PRIMARY KEY (`id`));
-- create index "channels_key_key" to table: "channels"
CREATE UNIQUE INDEX `channels_key_key` ON `channels` (`key`);
-- create "identifiers" table
CREATE TABLE `identifiers` (`id` uuid NOT NULL, `kind` integer NOT NULL, `value` text NOT NULL, `origin` uuid NOT NULL, `user_key` uuid NULL, `shared` bool NOT NULL DEFAULT (false), `first_seen_at` datetime NOT NULL, `last_seen_at` datetime NOT NULL, `first_acted_at` datetime NULL, `last_acted_at` datetime NULL, `individual_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `identifiers_individuals_identifiers` FOREIGN KEY (`individual_id`) REFERENCES `individuals` (`id`) ON DELETE NO ACTION);
-- create index "identifiers_origin_key" to table: "identifiers"
CREATE UNIQUE INDEX `identifiers_origin_key` ON `identifiers` (`origin`);
-- create index "identifier_individual_id" to table: "identifiers"
CREATE INDEX `identifier_individual_id` ON `identifiers` (`individual_id`);
-- create "identity_links" table
CREATE TABLE `identity_links` (`id` uuid NOT NULL, `a` uuid NOT NULL, `b` uuid NOT NULL, `operator` bool NOT NULL DEFAULT (false), `message_id` text NOT NULL DEFAULT (''), `observed_at` datetime NOT NULL, `revoked_at` datetime NULL, `reason` text NOT NULL DEFAULT (''), `source_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `identity_links_sources_links` FOREIGN KEY (`source_id`) REFERENCES `sources` (`id`) ON DELETE NO ACTION);
-- create index "identitylink_a" to table: "identity_links"
CREATE INDEX `identitylink_a` ON `identity_links` (`a`);
-- create index "identitylink_b" to table: "identity_links"
CREATE INDEX `identitylink_b` ON `identity_links` (`b`);
-- create "individuals" table
CREATE TABLE `individuals` (`id` uuid NOT NULL, `first_seen_at` datetime NOT NULL, `last_seen_at` datetime NOT NULL, `acted` bool NOT NULL DEFAULT (false), `identified` bool NOT NULL DEFAULT (false), `contested` bool NOT NULL DEFAULT (false), `permitted` integer NOT NULL, PRIMARY KEY (`id`));
-- create index "individual_last_seen_at_id" to table: "individuals"
CREATE INDEX `individual_last_seen_at_id` ON `individuals` (`last_seen_at`, `id`);
-- create index "individual_first_seen_at_id" to table: "individuals"
CREATE INDEX `individual_first_seen_at_id` ON `individuals` (`first_seen_at`, `id`);
-- create "interactions" table
CREATE TABLE `interactions` (`id` uuid NOT NULL, `owner` uuid NOT NULL, `stream` uuid NOT NULL, `message_id` text NOT NULL, `type` text NOT NULL, `direction` integer NOT NULL, `occurred_at` datetime NOT NULL, `received_at` datetime NOT NULL, `value` real NULL, `currency` text NOT NULL DEFAULT (''), `campaign` text NULL, `properties` text NULL, `identities` text NULL, `permitted` integer NOT NULL, `channel_id` uuid NOT NULL, `individual_id` uuid NOT NULL, `source_id` uuid NOT NULL, PRIMARY KEY (`id`));
-- create index "interaction_individual_id_occurred_at_id" to table: "interactions"
CREATE INDEX `interaction_individual_id_occurred_at_id` ON `interactions` (`individual_id`, `occurred_at`, `id`);
-- create "purposes" table
CREATE TABLE `purposes` (`id` uuid NOT NULL, `key` text NOT NULL, `name` text NOT NULL, `description` text NOT NULL, `bit` integer NOT NULL, `legal_basis` text NOT NULL, `retroactive` bool NOT NULL DEFAULT (false), `retention` integer NOT NULL DEFAULT (0), `floor` integer NOT NULL DEFAULT (10), `consent_mode` text NULL, `tcf` text NULL, `gpp` text NULL, `categories` text NULL, PRIMARY KEY (`id`));
-- create index "purposes_key_key" to table: "purposes"
CREATE UNIQUE INDEX `purposes_key_key` ON `purposes` (`key`);
-- create index "purposes_bit_key" to table: "purposes"
CREATE UNIQUE INDEX `purposes_bit_key` ON `purposes` (`bit`);
-- create "sessions" table
CREATE TABLE `sessions` (`id` uuid NOT NULL, `stream` uuid NOT NULL, `started_at` datetime NOT NULL, `ended_at` datetime NOT NULL, `interactions` integer NOT NULL, `views` integer NOT NULL, `conversions` integer NOT NULL, `campaign` text NULL, `channel_id` uuid NOT NULL, `individual_id` uuid NOT NULL, `source_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `sessions_channels_sessions` FOREIGN KEY (`channel_id`) REFERENCES `channels` (`id`) ON DELETE NO ACTION, CONSTRAINT `sessions_individuals_sessions` FOREIGN KEY (`individual_id`) REFERENCES `individuals` (`id`) ON DELETE NO ACTION, CONSTRAINT `sessions_sources_sessions` FOREIGN KEY (`source_id`) REFERENCES `sources` (`id`) ON DELETE NO ACTION);
-- create index "session_individual_id_started_at_id" to table: "sessions"
CREATE INDEX `session_individual_id_started_at_id` ON `sessions` (`individual_id`, `started_at`, `id`);
-- create "settings" table
CREATE TABLE `settings` (`id` text NOT NULL, `value` blob NOT NULL, PRIMARY KEY (`id`));
-- create "sources" table
CREATE TABLE `sources` (`id` uuid NOT NULL, `name` text NOT NULL, `write_key_hash` blob NULL, `session_timeout` integer NOT NULL, `default_channel_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `sources_channels_sources` FOREIGN KEY (`default_channel_id`) REFERENCES `channels` (`id`) ON DELETE NO ACTION);
-- create index "sources_name_key" to table: "sources"
CREATE UNIQUE INDEX `sources_name_key` ON `sources` (`name`);
-- create index "sources_write_key_hash_key" to table: "sources"
CREATE UNIQUE INDEX `sources_write_key_hash_key` ON `sources` (`write_key_hash`);
-- create "traits" table
CREATE TABLE `traits` (`id` uuid NOT NULL, `owner` uuid NOT NULL, `key` text NOT NULL, `value` text NOT NULL, `provenance` integer NOT NULL, `confidence` real NOT NULL, `sensitivity` integer NOT NULL, `observed_at` datetime NOT NULL, `observation` uuid NOT NULL, `individual_id` uuid NOT NULL, `source_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `traits_individuals_traits` FOREIGN KEY (`individual_id`) REFERENCES `individuals` (`id`) ON DELETE NO ACTION, CONSTRAINT `traits_sources_traits` FOREIGN KEY (`source_id`) REFERENCES `sources` (`id`) ON DELETE NO ACTION);
-- create index "trait_individual_id_key" to table: "traits"
CREATE INDEX `trait_individual_id_key` ON `traits` (`individual_id`, `key`);

-- +goose Down
-- reverse: create index "trait_individual_id_key" to table: "traits"
DROP INDEX `trait_individual_id_key`;
-- reverse: create "traits" table
DROP TABLE `traits`;
-- reverse: create index "sources_write_key_hash_key" to table: "sources"
DROP INDEX `sources_write_key_hash_key`;
-- reverse: create index "sources_name_key" to table: "sources"
DROP INDEX `sources_name_key`;
-- reverse: create "sources" table
DROP TABLE `sources`;
-- reverse: create "settings" table
DROP TABLE `settings`;
-- reverse: create index "session_individual_id_started_at_id" to table: "sessions"
DROP INDEX `session_individual_id_started_at_id`;
-- reverse: create "sessions" table
DROP TABLE `sessions`;
-- reverse: create index "purposes_bit_key" to table: "purposes"
DROP INDEX `purposes_bit_key`;
-- reverse: create index "purposes_key_key" to table: "purposes"
DROP INDEX `purposes_key_key`;
-- reverse: create "purposes" table
DROP TABLE `purposes`;
-- reverse: create index "interaction_individual_id_occurred_at_id" to table: "interactions"
DROP INDEX `interaction_individual_id_occurred_at_id`;
-- reverse: create "interactions" table
DROP TABLE `interactions`;
-- reverse: create index "individual_first_seen_at_id" to table: "individuals"
DROP INDEX `individual_first_seen_at_id`;
-- reverse: create index "individual_last_seen_at_id" to table: "individuals"
DROP INDEX `individual_last_seen_at_id`;
-- reverse: create "individuals" table
DROP TABLE `individuals`;
-- reverse: create index "identitylink_b" to table: "identity_links"
DROP INDEX `identitylink_b`;
-- reverse: create index "identitylink_a" to table: "identity_links"
DROP INDEX `identitylink_a`;
-- reverse: create "identity_links" table
DROP TABLE `identity_links`;
-- reverse: create index "identifier_individual_id" to table: "identifiers"
DROP INDEX `identifier_individual_id`;
-- reverse: create index "identifiers_origin_key" to table: "identifiers"
DROP INDEX `identifiers_origin_key`;
-- reverse: create "identifiers" table
DROP TABLE `identifiers`;
-- reverse: create index "channels_key_key" to table: "channels"
DROP INDEX `channels_key_key`;
-- reverse: create "channels" table
DROP TABLE `channels`;
