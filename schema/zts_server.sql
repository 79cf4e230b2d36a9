-- Database of the ZTS server: records of issued certificates and of workloads. Creates the database zts_store:
--
--   mysql -u root < zts_server.sql
--
-- Loading it again changes nothing. Tables, columns and keys are those of an existing Athenz ZTS database, so that
-- either server opens the other's. Changes come as dated files update-YYYYMMDD.sql, never as edits of a released file.
-- Times are UTC.

CREATE DATABASE IF NOT EXISTS `zts_store` CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;
USE `zts_store`;

-- One row per instance that was issued a certificate: the serial now valid and the one before it, so that the use of an
-- older one is noticed.
CREATE TABLE IF NOT EXISTS `certificates` (
  `provider` VARCHAR(384) NOT NULL,
  `instanceId` VARCHAR(256) NOT NULL,
  `service` VARCHAR(384) NOT NULL,
  `currentSerial` VARCHAR(128) NOT NULL,
  `currentTime` DATETIME(3) NOT NULL,
  `currentIP` VARCHAR(64) NOT NULL,
  `prevSerial` VARCHAR(128) NOT NULL,
  `prevTime` DATETIME(3) NOT NULL,
  `prevIP` VARCHAR(64) NOT NULL,
  `clientCert` TINYINT(1) NOT NULL DEFAULT 0,
  `lastNotifiedTime` DATETIME(3) NULL,
  `lastNotifiedServer` VARCHAR(512) NULL,
  `expiryTime` DATETIME(3) NULL,
  `hostName` VARCHAR(512) NULL,
  `siaProvider` VARCHAR(256) NULL,
  PRIMARY KEY (`provider`, `instanceId`, `service`),
  KEY `idx_hostName` (`hostName`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- SSH host certificates that were issued.
CREATE TABLE IF NOT EXISTS `ssh_certificates` (
  `instanceId` VARCHAR(256) NOT NULL,
  `service` VARCHAR(384) NOT NULL,
  `principals` VARCHAR(1024) NOT NULL DEFAULT '',
  `clientIP` VARCHAR(64) NOT NULL DEFAULT '',
  `privateIP` VARCHAR(64) NOT NULL DEFAULT '',
  `issueTime` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`instanceId`, `service`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;

-- Addresses at which the instances of a service were last seen.
CREATE TABLE IF NOT EXISTS `workloads` (
  `provider` VARCHAR(384) NOT NULL,
  `service` VARCHAR(384) NOT NULL,
  `ip` VARCHAR(64) NOT NULL,
  `instanceId` VARCHAR(256) NOT NULL,
  `hostname` VARCHAR(256) NOT NULL DEFAULT 'NA',
  `creationTime` DATETIME(3) NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updateTime` DATETIME(3) NULL DEFAULT CURRENT_TIMESTAMP(3),
  `certExpiryTime` DATETIME(3) NOT NULL DEFAULT '1970-01-01 00:00:00.000',
  PRIMARY KEY (`instanceId`, `ip`, `service`),
  KEY `idx_ip` (`ip`),
  KEY `idx_service` (`service`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;
