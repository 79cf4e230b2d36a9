import { zmsRdlSchema } from '#zms/api/rdl-schema.ts'
import { describeRdlSchema } from '../../support/rdl-schema.ts'

describeRdlSchema(zmsRdlSchema, { name: 'ZMS', base: '/zms/v1', operations: 132 })
