-- +goose Up
SET LOCAL citus.multi_shard_modify_mode TO 'sequential';

ALTER TABLE "consents" DROP CONSTRAINT "consents_pkey";
ALTER TABLE "consents" ADD CONSTRAINT "consents_pkey" PRIMARY KEY ("individual_id", "id");
CREATE INDEX "consent_id" ON "consents" ("id");
ALTER TABLE "ledgers" DROP CONSTRAINT "ledgers_pkey";
ALTER TABLE "ledgers" ADD CONSTRAINT "ledgers_pkey" PRIMARY KEY ("individual_id", "id");
ALTER TABLE "access_entries" DROP CONSTRAINT "access_entries_pkey";
ALTER TABLE "access_entries" ADD CONSTRAINT "access_entries_pkey" PRIMARY KEY ("individual_id", "id");

-- Small tables are whole on every node.
SELECT create_reference_table('purpose_versions');
SELECT create_reference_table('requests');

-- What is known of a person is on one node.
SELECT create_distributed_table('consents', 'individual_id', colocate_with => 'individuals');
SELECT create_distributed_table('ledgers', 'individual_id', colocate_with => 'individuals');
SELECT create_distributed_table('access_entries', 'individual_id', colocate_with => 'individuals');

-- The directory of who is not to be kept is found by its own key.
SELECT create_distributed_table('suppressions', 'id', colocate_with => 'identifiers');

-- What was copied to the nodes is deleted here.
SELECT truncate_local_data_after_distributing_table('consents');
SELECT truncate_local_data_after_distributing_table('ledgers');
SELECT truncate_local_data_after_distributing_table('access_entries');
SELECT truncate_local_data_after_distributing_table('suppressions');
SELECT truncate_local_data_after_distributing_table('purpose_versions');
SELECT truncate_local_data_after_distributing_table('requests');
