-- Database of the ZMS server. Creates the database zms_server with all its tables:
--
--   mysql -u root < zms_server.sql
--
-- Loading it again changes nothing. Tables, columns and keys are those of an existing Athenz ZMS database, so that
-- either server opens the other's. Changes come as dated files update-YYYYMMDD.sql, never as edits of a released file.
--
-- Common to all tables: names are compared without letter case and always written in lower case; '' and 0 stand for
-- "not set"; times are UTC; rows of a parent take their children with them when deleted.

CREATE DATABASE IF NOT EXISTS `zms_server` CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;
USE `zms_server`;

-- A domain: its metadata. `modified` moves on every change of any object of the domain; caches and signed data
-- rely on it.
CREATE TABLE IF NOT EXISTS `domain` (
  `domain_id` INT UNSIGNED NOT NULL AUTO_INCREMENT,
  `name` VARCHAR(512) NOT NULL,
  `description` VARCHAR(4096) NOT NULL DEFAULT '',
  `org` VARCHAR(1024) NOT NULL DEFAULT '',
  `uuid` VARCHAR(128) NOT NULL DEFAULT '',
  `enabled` TINYINT(1) NOT NULL DEFAULT 1,
  `audit_enabled` TINYINT(1) NOT NULL DEFAULT 0,
  `ypm_id` INT UNSIGNED NOT NULL DEFAULT 0,
  `account` VARCHAR(512) NOT NULL DEFAULT '',
  `modified` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `created` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `application_id` VARCHAR(128) NOT NULL DEFAULT '',
  `cert_dns_domain` VARCHAR(256) NOT NULL DEFAULT '',
  `member_expiry_days` INT NOT NULL DEFAULT 0,
  `token_expiry_mins` INT NOT NULL DEFAULT 0,
  `service_cert_expiry_mins` INT NOT NULL DEFAULT 0,
  `role_cert_expiry_mins` INT NOT NULL DEFAULT 0,
  `sign_algorithm` VARCHAR(64) NOT NULL DEFAULT '',
  `service_expiry_days` INT NOT NULL DEFAULT 0,
  `user_authority_filter` VARCHAR(512) NOT NULL DEFAULT '',
  `group_expiry_days` INT NOT NULL DEFAULT 0,
  `azure_subscription` VARCHAR(128) NOT NULL DEFAULT '',
  `business_service` VARCHAR(256) NOT NULL DEFAULT '',
  `member_purge_expiry_days` INT NOT NULL DEFAULT 0,
  `gcp_project` VARCHAR(128) NOT NULL DEFAULT '',
  `gcp_project_number` VARCHAR(64) NOT NULL DEFAULT '',
  `product_id` VARCHAR(128) NOT NULL DEFAULT '',
  `feature_flags` INT NOT NULL DEFAULT 0,
  `environment` VARCHAR(32) NOT NULL DEFAULT '',
  `resource_owner` VARCHAR(256) NOT NULL DEFAULT '',
  `azure_tenant` VARCHAR(128) NOT NULL DEFAULT '',
  `azure_client` VARCHAR(128) NOT NULL DEFAULT '',
  `x509_cert_signer_keyid` VARCHAR(64) NOT NULL DEFAULT '',
  `ssh_cert_signer_keyid` VARCHAR(64) NOT NULL DEFAULT '',
  `slack_channel` VARCHAR(80) NOT NULL DEFAULT '',
  `on_call` VARCHAR(128) NOT NULL DEFAULT '',
  `auto_delete_tenant_assume_role_assertions` TINYINT(1) NOT NULL DEFAULT 0,
  `client_id_self_update` TINYINT(1) NOT NULL DEFAULT 0,
  `aws_account_name` VARCHAR(2048) NOT NULL DEFAULT '',
  `external_member_validator` VARCHAR(256) NOT NULL DEFAULT '',
  `cost_center` VARCHAR(64) NOT NULL DEFAULT '',
  PRIMARY KEY (`domain_id`),
  UNIQUE KEY `uq_name` (`name`),
  KEY `idx_account` (`account`),
  KEY `idx_appid` (`application_id`),
  KEY `idx_azure` (`azure_subscription`),
  KEY `idx_business_service` (`business_service`),
  KEY `idx_gcp` (`gcp_project`),
  KEY `idx_modified` (`modified`),
  KEY `idx_product_id` (`product_id`),
  KEY `idx_ypmid` (`ypm_id`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Every user, service or group that is or was a member of anything, by full name; the row stays after the last
-- membership. system_suspended: 2 = suspended by the user authority, 4 = by the operator.
CREATE TABLE IF NOT EXISTS `principal` (
  `principal_id` INT UNSIGNED NOT NULL AUTO_INCREMENT,
  `name` VARCHAR(512) NOT NULL,
  `system_suspended` INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (`principal_id`),
  UNIQUE KEY `uq_name` (`name`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Hosts that services run on.
CREATE TABLE IF NOT EXISTS `host` (
  `host_id` INT UNSIGNED NOT NULL AUTO_INCREMENT,
  `name` VARCHAR(512) NOT NULL,
  PRIMARY KEY (`host_id`),
  UNIQUE KEY `uq_name` (`name`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- A role, by its local name. trust: the domain that a delegated role takes its members from.
CREATE TABLE IF NOT EXISTS `role` (
  `role_id` INT UNSIGNED NOT NULL AUTO_INCREMENT,
  `domain_id` INT UNSIGNED NOT NULL,
  `name` VARCHAR(512) NOT NULL,
  `trust` VARCHAR(512) NOT NULL DEFAULT '',
  `modified` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `created` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `audit_enabled` TINYINT(1) NOT NULL DEFAULT 0,
  `self_serve` TINYINT(1) NOT NULL DEFAULT 0,
  `member_expiry_days` INT NOT NULL DEFAULT 0,
  `token_expiry_mins` INT NOT NULL DEFAULT 0,
  `cert_expiry_mins` INT NOT NULL DEFAULT 0,
  `sign_algorithm` VARCHAR(64) NOT NULL DEFAULT '',
  `service_expiry_days` INT NOT NULL DEFAULT 0,
  `member_review_days` INT NOT NULL DEFAULT 0,
  `service_review_days` INT NOT NULL DEFAULT 0,
  `group_review_days` INT NOT NULL DEFAULT 0,
  `review_enabled` TINYINT(1) NOT NULL DEFAULT 0,
  `notify_roles` VARCHAR(512) NOT NULL DEFAULT '',
  `last_reviewed_time` DATETIME(3) NULL,
  `user_authority_filter` VARCHAR(512) NOT NULL DEFAULT '',
  `user_authority_expiration` VARCHAR(64) NOT NULL DEFAULT '',
  `group_expiry_days` INT NOT NULL DEFAULT 0,
  `description` VARCHAR(4096) NOT NULL DEFAULT '',
  `delete_protection` TINYINT(1) NOT NULL DEFAULT 0,
  `max_members` INT NOT NULL DEFAULT 0,
  `self_renew` TINYINT(1) NOT NULL DEFAULT 0,
  `self_renew_mins` INT NOT NULL DEFAULT 0,
  `resource_owner` VARCHAR(256) NOT NULL DEFAULT '',
  `principal_domain_filter` VARCHAR(1024) NOT NULL DEFAULT '',
  `notify_details` VARCHAR(512) NOT NULL DEFAULT '',
  PRIMARY KEY (`role_id`),
  UNIQUE KEY `uq_domain_role` (`domain_id`, `name`),
  CONSTRAINT `fk_role_domain` FOREIGN KEY (`domain_id`) REFERENCES `domain` (`domain_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- A policy version, by its local name; one version of a name is active.
CREATE TABLE IF NOT EXISTS `policy` (
  `policy_id` INT UNSIGNED NOT NULL AUTO_INCREMENT,
  `domain_id` INT UNSIGNED NOT NULL,
  `name` VARCHAR(512) NOT NULL,
  `modified` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `created` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `version` VARCHAR(32) NOT NULL DEFAULT '0',
  `active` TINYINT(1) NOT NULL DEFAULT 1,
  `description` VARCHAR(4096) NOT NULL DEFAULT '',
  `resource_owner` VARCHAR(256) NOT NULL DEFAULT '',
  PRIMARY KEY (`policy_id`),
  UNIQUE KEY `uq_domain_policy` (`name`, `domain_id`, `version`),
  KEY `fk_policy_domain_idx` (`domain_id`),
  CONSTRAINT `fk_policy_domain` FOREIGN KEY (`domain_id`) REFERENCES `domain` (`domain_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- A service, by its local name. creds: secret of the service, as text or encrypted.
CREATE TABLE IF NOT EXISTS `service` (
  `service_id` INT UNSIGNED NOT NULL AUTO_INCREMENT,
  `domain_id` INT UNSIGNED NOT NULL,
  `name` VARCHAR(512) NOT NULL,
  `provider_endpoint` VARCHAR(512) NOT NULL DEFAULT '',
  `executable` VARCHAR(256) NOT NULL DEFAULT '',
  `svc_user` VARCHAR(256) NOT NULL DEFAULT '',
  `svc_group` VARCHAR(256) NOT NULL DEFAULT '',
  `modified` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `created` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `description` VARCHAR(4096) NOT NULL DEFAULT '',
  `resource_owner` VARCHAR(256) NOT NULL DEFAULT '',
  `x509_cert_signer_keyid` VARCHAR(64) NOT NULL DEFAULT '',
  `ssh_cert_signer_keyid` VARCHAR(64) NOT NULL DEFAULT '',
  `creds` VARCHAR(256) NOT NULL DEFAULT '',
  `client_id` VARCHAR(256) NOT NULL DEFAULT '',
  `feature_flags` INT NOT NULL DEFAULT 0,
  PRIMARY KEY (`service_id`),
  UNIQUE KEY `uq_domain_service` (`name`, `domain_id`),
  KEY `fk_service_domain_idx` (`domain_id`),
  CONSTRAINT `fk_service_domain` FOREIGN KEY (`domain_id`) REFERENCES `domain` (`domain_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- A group, by its local name.
CREATE TABLE IF NOT EXISTS `principal_group` (
  `group_id` INT UNSIGNED NOT NULL AUTO_INCREMENT,
  `domain_id` INT UNSIGNED NOT NULL,
  `name` VARCHAR(512) NOT NULL,
  `modified` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `created` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `audit_enabled` TINYINT(1) NOT NULL DEFAULT 0,
  `self_serve` TINYINT(1) NOT NULL DEFAULT 0,
  `review_enabled` TINYINT(1) NOT NULL DEFAULT 0,
  `notify_roles` VARCHAR(512) NOT NULL DEFAULT '',
  `last_reviewed_time` DATETIME(3) NULL,
  `user_authority_filter` VARCHAR(512) NOT NULL DEFAULT '',
  `user_authority_expiration` VARCHAR(64) NOT NULL DEFAULT '',
  `member_expiry_days` INT NOT NULL DEFAULT 0,
  `service_expiry_days` INT NOT NULL DEFAULT 0,
  `delete_protection` TINYINT(1) NOT NULL DEFAULT 0,
  `max_members` INT NOT NULL DEFAULT 0,
  `self_renew` TINYINT(1) NOT NULL DEFAULT 0,
  `self_renew_mins` INT NOT NULL DEFAULT 0,
  `resource_owner` VARCHAR(256) NOT NULL DEFAULT '',
  `principal_domain_filter` VARCHAR(1024) NOT NULL DEFAULT '',
  `notify_details` VARCHAR(512) NOT NULL DEFAULT '',
  PRIMARY KEY (`group_id`),
  UNIQUE KEY `uq_domain_group` (`domain_id`, `name`),
  CONSTRAINT `fk_group_domain` FOREIGN KEY (`domain_id`) REFERENCES `domain` (`domain_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- A statement of a policy; role is a local name, resource a full one.
CREATE TABLE IF NOT EXISTS `assertion` (
  `assertion_id` INT UNSIGNED NOT NULL AUTO_INCREMENT,
  `policy_id` INT UNSIGNED NOT NULL,
  `role` VARCHAR(512) NOT NULL,
  `resource` VARCHAR(512) NOT NULL,
  `action` VARCHAR(128) NOT NULL,
  `effect` VARCHAR(16) NOT NULL DEFAULT 'ALLOW',
  PRIMARY KEY (`assertion_id`),
  KEY `fk_assertion_policy_idx` (`policy_id`),
  KEY `idx_action` (`action`),
  KEY `idx_effect` (`effect`),
  KEY `idx_resource` (`resource`),
  KEY `idx_role` (`role`),
  CONSTRAINT `fk_policy_assertion_policy` FOREIGN KEY (`policy_id`) REFERENCES `policy` (`policy_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB AUTO_INCREMENT = 100001 DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Conditions of an assertion: the entries of one condition share its condition_id.
CREATE TABLE IF NOT EXISTS `assertion_condition` (
  `assertion_id` INT UNSIGNED NOT NULL,
  `condition_id` INT NOT NULL,
  `key` VARCHAR(64) NOT NULL,
  `operator` VARCHAR(16) NOT NULL,
  `value` VARCHAR(2048) NOT NULL,
  PRIMARY KEY (`assertion_id`, `condition_id`, `key`),
  KEY `fk_condition_assertion_idx` (`assertion_id`),
  CONSTRAINT `assertion_id` FOREIGN KEY (`assertion_id`) REFERENCES `assertion` (`assertion_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Public keys of a service; key_value is PEM text in base64 with ". _ -" for "+ / =".
CREATE TABLE IF NOT EXISTS `public_key` (
  `service_id` INT UNSIGNED NOT NULL,
  `key_id` VARCHAR(128) NOT NULL,
  `key_value` MEDIUMTEXT NOT NULL,
  PRIMARY KEY (`service_id`, `key_id`),
  CONSTRAINT `fk_service_public_key_service` FOREIGN KEY (`service_id`) REFERENCES `service` (`service_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Which service runs on which host.
CREATE TABLE IF NOT EXISTS `service_host` (
  `service_id` INT UNSIGNED NOT NULL,
  `host_id` INT UNSIGNED NOT NULL,
  PRIMARY KEY (`service_id`, `host_id`),
  KEY `idx_host` (`host_id`, `service_id`),
  CONSTRAINT `fk_service_host_host` FOREIGN KEY (`host_id`) REFERENCES `host` (`host_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION,
  CONSTRAINT `fk_service_host_service` FOREIGN KEY (`service_id`) REFERENCES `service` (`service_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Free-form JSON kept in a domain.
CREATE TABLE IF NOT EXISTS `entity` (
  `name` VARCHAR(256) NOT NULL,
  `domain_id` INT UNSIGNED NOT NULL,
  `value` MEDIUMTEXT NOT NULL,
  `modified` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `created` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`name`, `domain_id`),
  KEY `fk_entity_domain` (`domain_id`),
  CONSTRAINT `fk_entity_domain` FOREIGN KEY (`domain_id`) REFERENCES `domain` (`domain_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Members of a role. system_disabled: as principal.system_suspended, and 1 = lacks an attribute the role asks for.
CREATE TABLE IF NOT EXISTS `role_member` (
  `role_id` INT UNSIGNED NOT NULL,
  `principal_id` INT UNSIGNED NOT NULL,
  `expiration` DATETIME(3) NULL,
  `review_reminder` DATETIME(3) NULL,
  `active` TINYINT(1) NOT NULL DEFAULT 1,
  `audit_ref` VARCHAR(512) NULL,
  `last_notified_time` DATETIME(3) NULL,
  `server` VARCHAR(512) NULL,
  `req_principal` VARCHAR(512) NOT NULL DEFAULT '',
  `review_last_notified_time` DATETIME(3) NULL,
  `review_server` VARCHAR(512) NULL,
  `system_disabled` INT NOT NULL DEFAULT 0,
  PRIMARY KEY (`role_id`, `principal_id`),
  KEY `idx_principal` (`principal_id`, `role_id`),
  CONSTRAINT `fk_role_member_principal` FOREIGN KEY (`principal_id`) REFERENCES `principal` (`principal_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION,
  CONSTRAINT `fk_role_member_role` FOREIGN KEY (`role_id`) REFERENCES `role` (`role_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Requests to add to or delete from a role that await approval.
CREATE TABLE IF NOT EXISTS `pending_role_member` (
  `role_id` INT UNSIGNED NOT NULL,
  `principal_id` INT UNSIGNED NOT NULL,
  `expiration` DATETIME(3) NULL,
  `review_reminder` DATETIME(3) NULL,
  `audit_ref` VARCHAR(512) NULL,
  `req_time` DATETIME(3) NULL DEFAULT CURRENT_TIMESTAMP(3),
  `last_notified_time` DATETIME(3) NULL DEFAULT CURRENT_TIMESTAMP(3),
  `server` VARCHAR(255) NULL,
  `req_principal` VARCHAR(512) NOT NULL DEFAULT '',
  `pending_state` VARCHAR(12) NOT NULL DEFAULT 'ADD',
  PRIMARY KEY (`role_id`, `principal_id`),
  KEY `idx_principal` (`principal_id`, `role_id`),
  CONSTRAINT `fk_pending_role_member_principal` FOREIGN KEY (`principal_id`) REFERENCES `principal` (`principal_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION,
  CONSTRAINT `fk_pending_role_member_role` FOREIGN KEY (`role_id`) REFERENCES `role` (`role_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Members of a group; system_disabled as in role_member.
CREATE TABLE IF NOT EXISTS `principal_group_member` (
  `group_id` INT UNSIGNED NOT NULL,
  `principal_id` INT UNSIGNED NOT NULL,
  `expiration` DATETIME(3) NULL,
  `active` TINYINT(1) NOT NULL DEFAULT 1,
  `system_disabled` INT NOT NULL DEFAULT 0,
  `audit_ref` VARCHAR(512) NULL,
  `last_notified_time` DATETIME(3) NULL,
  `server` VARCHAR(512) NULL,
  `req_principal` VARCHAR(512) NOT NULL DEFAULT '',
  PRIMARY KEY (`group_id`, `principal_id`),
  KEY `idx_principal` (`principal_id`, `group_id`),
  CONSTRAINT `fk_group_member_group` FOREIGN KEY (`group_id`) REFERENCES `principal_group` (`group_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION,
  CONSTRAINT `fk_group_member_principal` FOREIGN KEY (`principal_id`) REFERENCES `principal` (`principal_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Requests to add to or delete from a group that await approval.
CREATE TABLE IF NOT EXISTS `pending_principal_group_member` (
  `group_id` INT UNSIGNED NOT NULL,
  `principal_id` INT UNSIGNED NOT NULL,
  `expiration` DATETIME(3) NULL,
  `audit_ref` VARCHAR(512) NULL,
  `req_time` DATETIME(3) NULL DEFAULT CURRENT_TIMESTAMP(3),
  `last_notified_time` DATETIME(3) NULL DEFAULT CURRENT_TIMESTAMP(3),
  `server` VARCHAR(255) NULL,
  `req_principal` VARCHAR(512) NOT NULL DEFAULT '',
  `pending_state` VARCHAR(12) NOT NULL DEFAULT 'ADD',
  PRIMARY KEY (`group_id`, `principal_id`),
  KEY `idx_principal` (`principal_id`, `group_id`),
  CONSTRAINT `fk_pending_group_member_group` FOREIGN KEY (`group_id`) REFERENCES `principal_group` (`group_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION,
  CONSTRAINT `fk_pending_group_member_principal` FOREIGN KEY (`principal_id`) REFERENCES `principal` (`principal_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Who changed the members of a role, and why.
CREATE TABLE IF NOT EXISTS `role_audit_log` (
  `audit_log_id` INT UNSIGNED NOT NULL AUTO_INCREMENT,
  `role_id` INT UNSIGNED NOT NULL,
  `admin` VARCHAR(512) NOT NULL,
  `member` VARCHAR(512) NOT NULL,
  `created` DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  `action` VARCHAR(32) NOT NULL,
  `audit_ref` VARCHAR(512) NOT NULL,
  PRIMARY KEY (`audit_log_id`),
  KEY `fk_role_audit_log_role_id_idx` (`role_id`),
  CONSTRAINT `fk_role_audit_log_role` FOREIGN KEY (`role_id`) REFERENCES `role` (`role_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Who changed the members of a group, and why.
CREATE TABLE IF NOT EXISTS `principal_group_audit_log` (
  `audit_log_id` INT UNSIGNED NOT NULL AUTO_INCREMENT,
  `group_id` INT UNSIGNED NOT NULL,
  `admin` VARCHAR(512) NOT NULL,
  `member` VARCHAR(512) NOT NULL,
  `created` DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  `action` VARCHAR(32) NOT NULL,
  `audit_ref` VARCHAR(512) NOT NULL,
  PRIMARY KEY (`audit_log_id`),
  KEY `fk_group_audit_log_group_id_idx` (`group_id`),
  CONSTRAINT `fk_group_audit_log_group` FOREIGN KEY (`group_id`) REFERENCES `principal_group` (`group_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Solution templates applied to a domain.
CREATE TABLE IF NOT EXISTS `domain_template` (
  `domain_id` INT UNSIGNED NOT NULL,
  `template` VARCHAR(64) NOT NULL,
  `current_version` INT NOT NULL DEFAULT 0,
  PRIMARY KEY (`domain_id`, `template`),
  UNIQUE KEY `uq_domain_template` (`template`, `domain_id`),
  CONSTRAINT `fk_domain_template_domain` FOREIGN KEY (`domain_id`) REFERENCES `domain` (`domain_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Limits of a domain that differ from the server's defaults.
CREATE TABLE IF NOT EXISTS `quota` (
  `domain_id` INT UNSIGNED NOT NULL,
  `subdomain` INT UNSIGNED NOT NULL,
  `role` INT UNSIGNED NOT NULL,
  `role_member` INT UNSIGNED NOT NULL,
  `policy` INT UNSIGNED NOT NULL,
  `assertion` INT UNSIGNED NOT NULL,
  `entity` INT UNSIGNED NOT NULL,
  `service` INT UNSIGNED NOT NULL,
  `service_host` INT UNSIGNED NOT NULL,
  `public_key` INT UNSIGNED NOT NULL,
  `modified` DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  `created` DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  `principal_group` INT UNSIGNED NOT NULL,
  `principal_group_member` INT UNSIGNED NOT NULL,
  PRIMARY KEY (`domain_id`),
  CONSTRAINT `fk_quota_domain1` FOREIGN KEY (`domain_id`) REFERENCES `domain` (`domain_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Tags. Keys are compared exactly, letter case included.
CREATE TABLE IF NOT EXISTS `domain_tags` (
  `domain_id` INT UNSIGNED NOT NULL,
  `key` VARCHAR(64) COLLATE utf8mb3_bin NOT NULL,
  `value` VARCHAR(256) NOT NULL,
  PRIMARY KEY (`key`, `value`, `domain_id`),
  KEY `fk_domain_tag_domain` (`domain_id`),
  CONSTRAINT `fk_domain_tag_domain` FOREIGN KEY (`domain_id`) REFERENCES `domain` (`domain_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

CREATE TABLE IF NOT EXISTS `role_tags` (
  `role_id` INT UNSIGNED NOT NULL,
  `key` VARCHAR(64) COLLATE utf8mb3_bin NOT NULL,
  `value` VARCHAR(256) NOT NULL,
  PRIMARY KEY (`role_id`, `key`, `value`),
  KEY `tag_key_val_sec_idx` (`key`, `value`),
  CONSTRAINT `fk_role_tag_role` FOREIGN KEY (`role_id`) REFERENCES `role` (`role_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

CREATE TABLE IF NOT EXISTS `group_tags` (
  `group_id` INT UNSIGNED NOT NULL,
  `key` VARCHAR(64) COLLATE utf8mb3_bin NOT NULL,
  `value` VARCHAR(256) NOT NULL,
  PRIMARY KEY (`group_id`, `key`, `value`),
  KEY `tag_key_val_sec_idx` (`key`, `value`),
  CONSTRAINT `fk_group_tag_group` FOREIGN KEY (`group_id`) REFERENCES `principal_group` (`group_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

CREATE TABLE IF NOT EXISTS `policy_tags` (
  `policy_id` INT UNSIGNED NOT NULL,
  `key` VARCHAR(64) COLLATE utf8mb3_bin NOT NULL,
  `value` VARCHAR(256) NOT NULL,
  PRIMARY KEY (`policy_id`, `key`, `value`),
  KEY `tag_key_val_sec_idx` (`key`, `value`),
  CONSTRAINT `fk_policy_tag_policy` FOREIGN KEY (`policy_id`) REFERENCES `policy` (`policy_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

CREATE TABLE IF NOT EXISTS `service_tags` (
  `service_id` INT UNSIGNED NOT NULL,
  `key` VARCHAR(64) COLLATE utf8mb3_bin NOT NULL,
  `value` VARCHAR(256) NOT NULL,
  PRIMARY KEY (`service_id`, `key`, `value`),
  KEY `tag_key_val_sec_idx` (`key`, `value`),
  CONSTRAINT `fk_service_tag_service` FOREIGN KEY (`service_id`) REFERENCES `service` (`service_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Services that a domain depends on; names, not ids: either side may disappear first.
CREATE TABLE IF NOT EXISTS `service_domain_dependency` (
  `domain` VARCHAR(512) NOT NULL,
  `service` VARCHAR(1024) NOT NULL,
  PRIMARY KEY (`domain`(128), `service`(128)),
  KEY `idx_domain` (`domain`(256)),
  KEY `idx_service` (`service`(256))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Persons responsible for a domain, one per type of contact.
CREATE TABLE IF NOT EXISTS `domain_contacts` (
  `domain_id` INT UNSIGNED NOT NULL,
  `type` VARCHAR(64) NOT NULL,
  `name` VARCHAR(512) NOT NULL,
  PRIMARY KEY (`domain_id`, `type`),
  UNIQUE KEY `uq_domain_contact` (`domain_id`, `type`),
  KEY `idx_contact_name` (`name`),
  CONSTRAINT `fk_domain_contacts_domain` FOREIGN KEY (`domain_id`) REFERENCES `domain` (`domain_id`)
    ON DELETE CASCADE ON UPDATE NO ACTION
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;
