-- +goose Up
SET LOCAL citus.multi_shard_modify_mode TO 'sequential';

ALTER TABLE "memberships" DROP CONSTRAINT "memberships_pkey";
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_pkey" PRIMARY KEY ("individual_id", "id");
CREATE INDEX "membership_id" ON "memberships" ("id");
ALTER TABLE "membership_changes" DROP CONSTRAINT "membership_changes_pkey";
ALTER TABLE "membership_changes" ADD CONSTRAINT "membership_changes_pkey" PRIMARY KEY ("individual_id", "id");
ALTER TABLE "deliveries" DROP CONSTRAINT "deliveries_pkey";
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_pkey" PRIMARY KEY ("individual_id", "id");
CREATE INDEX "delivery_id" ON "deliveries" ("id");
ALTER TABLE "decisions" DROP CONSTRAINT "decisions_pkey";
ALTER TABLE "decisions" ADD CONSTRAINT "decisions_pkey" PRIMARY KEY ("individual_id", "id");

-- Small tables are whole on every node.
SELECT create_reference_table('segments');
SELECT create_reference_table('destinations');
SELECT create_reference_table('experiences');

-- What is known of a person is on one node.
SELECT create_distributed_table('memberships', 'individual_id', colocate_with => 'individuals');
SELECT create_distributed_table('membership_changes', 'individual_id', colocate_with => 'individuals');
SELECT create_distributed_table('deliveries', 'individual_id', colocate_with => 'individuals');
SELECT create_distributed_table('decisions', 'individual_id', colocate_with => 'individuals');

-- What was copied to the nodes is deleted here.
SELECT truncate_local_data_after_distributing_table('memberships');
SELECT truncate_local_data_after_distributing_table('membership_changes');
SELECT truncate_local_data_after_distributing_table('deliveries');
SELECT truncate_local_data_after_distributing_table('decisions');
SELECT truncate_local_data_after_distributing_table('segments');
SELECT truncate_local_data_after_distributing_table('destinations');
SELECT truncate_local_data_after_distributing_table('experiences');
