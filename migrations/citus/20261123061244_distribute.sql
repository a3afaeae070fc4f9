-- +goose Up
-- One connection a worker, so that every statement sees what the ones before it did.
SET LOCAL citus.multi_shard_modify_mode TO 'sequential';

-- Foreign keys come back when both of their ends are where they belong. That of identifiers
-- does not: the directory is distributed by its own key, which a foreign key would have to name.
ALTER TABLE "sources" DROP CONSTRAINT "sources_channels_sources";
ALTER TABLE "identifiers" DROP CONSTRAINT "identifiers_individuals_identifiers";
ALTER TABLE "identity_links" DROP CONSTRAINT "identity_links_sources_links";
ALTER TABLE "sessions" DROP CONSTRAINT "sessions_channels_sessions";
ALTER TABLE "sessions" DROP CONSTRAINT "sessions_individuals_sessions";
ALTER TABLE "sessions" DROP CONSTRAINT "sessions_sources_sessions";
ALTER TABLE "traits" DROP CONSTRAINT "traits_individuals_traits";
ALTER TABLE "traits" DROP CONSTRAINT "traits_sources_traits";

-- A unique key of a distributed table contains the column that it is distributed by. Rows that
-- are also asked for by their id alone have a plain index for that.
ALTER TABLE "interactions" DROP CONSTRAINT "interactions_pkey";
ALTER TABLE "interactions" ADD CONSTRAINT "interactions_pkey" PRIMARY KEY ("individual_id", "id");
CREATE INDEX "interaction_id" ON "interactions" ("id");
ALTER TABLE "sessions" DROP CONSTRAINT "sessions_pkey";
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_pkey" PRIMARY KEY ("individual_id", "id");
CREATE INDEX "session_id" ON "sessions" ("id");
ALTER TABLE "traits" DROP CONSTRAINT "traits_pkey";
ALTER TABLE "traits" ADD CONSTRAINT "traits_pkey" PRIMARY KEY ("individual_id", "id");

-- An origin is a random UUID of the one writer, unique without an index that says so. The index
-- keeps its name, so that a later migration finds it here as elsewhere.
DROP INDEX "identifiers_origin_key";
CREATE INDEX "identifiers_origin_key" ON "identifiers" ("origin");

-- Small tables are whole on every node.
SELECT create_reference_table('channels');
SELECT create_reference_table('sources');
SELECT create_reference_table('purposes');
SELECT create_reference_table('settings');

-- What is known of a person is on one node.
SELECT create_distributed_table('individuals', 'id', colocate_with => 'none');
SELECT create_distributed_table('traits', 'individual_id', colocate_with => 'individuals');
SELECT create_distributed_table('sessions', 'individual_id', colocate_with => 'individuals');
SELECT create_distributed_table('interactions', 'individual_id', colocate_with => 'individuals');

-- The directory of who is whom is found by its own key.
SELECT create_distributed_table('identifiers', 'id', colocate_with => 'none');
SELECT create_distributed_table('identity_links', 'id', colocate_with => 'identifiers');

-- What was copied to the nodes is deleted here.
SELECT truncate_local_data_after_distributing_table('interactions');
SELECT truncate_local_data_after_distributing_table('sessions');
SELECT truncate_local_data_after_distributing_table('traits');
SELECT truncate_local_data_after_distributing_table('identity_links');
SELECT truncate_local_data_after_distributing_table('identifiers');
SELECT truncate_local_data_after_distributing_table('individuals');
SELECT truncate_local_data_after_distributing_table('sources');
SELECT truncate_local_data_after_distributing_table('channels');
SELECT truncate_local_data_after_distributing_table('purposes');
SELECT truncate_local_data_after_distributing_table('settings');

ALTER TABLE "sources" ADD CONSTRAINT "sources_channels_sources" FOREIGN KEY ("default_channel_id") REFERENCES "channels" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION;
ALTER TABLE "identity_links" ADD CONSTRAINT "identity_links_sources_links" FOREIGN KEY ("source_id") REFERENCES "sources" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION;
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_channels_sessions" FOREIGN KEY ("channel_id") REFERENCES "channels" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION;
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_individuals_sessions" FOREIGN KEY ("individual_id") REFERENCES "individuals" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION;
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_sources_sessions" FOREIGN KEY ("source_id") REFERENCES "sources" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION;
ALTER TABLE "traits" ADD CONSTRAINT "traits_individuals_traits" FOREIGN KEY ("individual_id") REFERENCES "individuals" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION;
ALTER TABLE "traits" ADD CONSTRAINT "traits_sources_traits" FOREIGN KEY ("source_id") REFERENCES "sources" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION;
