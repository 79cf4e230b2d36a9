import { suite } from 'node:test'
import { MemoryCertificateRecords } from '#zts/store/memory/memory-certificate-records.ts'
import { MemorySshRecords } from '#zts/store/memory/memory-ssh-records.ts'
import { MemoryWorkloadRecords } from '#zts/store/memory/memory-workload-records.ts'
import { certificateRecordSuite, sshRecordSuite, workloadRecordSuite } from './record-suites.ts'

suite('certificate records in memory', () => certificateRecordSuite(async () => new MemoryCertificateRecords()))
suite('SSH records in memory', () => sshRecordSuite(async () => new MemorySshRecords()))
suite('workload records in memory', () => workloadRecordSuite(async () => new MemoryWorkloadRecords()))
